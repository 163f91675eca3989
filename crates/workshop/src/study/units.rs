//! The units of a study: a table that a person writes, resolved in a network.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weber_stimuli::recipe::Role;

use super::StudyError;
use crate::model::Model;
use crate::network::distance;
use crate::unit::Direction;

/// One unit of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyUnit {
    /// The node of the network, such as `mixed4b/3x3`.
    pub layer: String,
    /// The channel's number, or the name of the file with the direction's factors, without its ending.
    pub channel: String,
    pub direction: Direction,
    pub role: Role,
    /// What it likes, in words. May be empty.
    pub likes: String,
}

impl StudyUnit {
    /// A channel of a layer.
    pub fn channel(layer: &str, channel: usize, role: Role) -> Self {
        Self {
            layer: layer.into(),
            channel: channel.to_string(),
            direction: Direction::Channel(channel),
            role,
            likes: String::new(),
        }
    }

    /// The layer and the branch as columns of the table of trials: `mixed4b/3x3` is the branch `3x3` of `mixed4b`.
    pub fn layer_and_branch(&self) -> (&str, &str) {
        self.layer.rsplit_once('/').unwrap_or((&self.layer, ""))
    }

    /// `mixed4b/3x3/86`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.layer, self.channel)
    }
}

/// A row of `units.csv`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    layer: String,
    /// A number, or a file with one factor per channel, relative to the table.
    channel: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    likes: String,
}

/// Reads `units.csv`: the columns `layer` and `channel`, and optionally `role` (main if empty) and `likes`.
///
/// # Errors
/// All rows that cannot be used, with the reason.
pub fn read(path: &Path, model: &Model) -> Result<Vec<StudyUnit>, StudyError> {
    let unreadable = |reason: String| StudyError::Units { path: path.into(), faults: vec![reason] };
    let mut reader = csv::Reader::from_path(path).map_err(|error| unreadable(error.to_string()))?;
    let (mut units, mut faults) = (Vec::new(), Vec::new());
    for (at, row) in reader.deserialize::<Row>().enumerate() {
        let line = at + 2;
        match row.map_err(|error| error.to_string()).and_then(|row| resolve(row, path, model)) {
            Ok(unit) if units.iter().any(|other: &StudyUnit| other.path() == unit.path()) => {
                faults.push(format!("line {line}: {} is there twice", unit.path()));
            }
            Ok(unit) => units.push(unit),
            Err(fault) => faults.push(format!("line {line}: {fault}")),
        }
    }
    if units.is_empty() && faults.is_empty() {
        faults.push("it has no row".into());
    }
    if faults.is_empty() { Ok(units) } else { Err(StudyError::Units { path: path.into(), faults }) }
}

fn resolve(row: Row, table: &Path, model: &Model) -> Result<StudyUnit, String> {
    let graph = model.network.graph();
    let layer = graph.find(&row.layer).ok_or_else(|| {
        let names = graph.nodes().iter().map(|node| node.name.as_str());
        let near = names.min_by_key(|name| distance(&row.layer, name)).unwrap_or("");
        format!("the network has no layer {}; did you mean {near}?", row.layer)
    })?;
    let channels = model.network.channels(layer, model.card.size);
    let role = role(&row.role)?;
    let (channel, direction) = match row.channel.parse::<usize>() {
        Ok(channel) if channel < channels => (row.channel.clone(), Direction::Channel(channel)),
        Ok(channel) => {
            return Err(format!("{} has the channels 0 to {}, but not {channel}", row.layer, channels - 1));
        }
        Err(_) => direction(&row.channel, table, channels)?,
    };
    Ok(StudyUnit { layer: row.layer, channel, direction, role, likes: row.likes })
}

fn role(name: &str) -> Result<Role, String> {
    Ok(match name {
        "" | "main" => Role::Main,
        "catch" => Role::Catch,
        "obvious" => Role::Obvious,
        "easy" => Role::Easy,
        "instruction" => Role::Instruction,
        other => return Err(format!("the role {other} is none of main, catch, obvious, easy, instruction")),
    })
}

/// Reads a direction: a text file with one number per channel, separated by white space or commas.
fn direction(file: &str, table: &Path, channels: usize) -> Result<(String, Direction), String> {
    let path: PathBuf = table.parent().unwrap_or(Path::new(".")).join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{file} is neither a channel's number nor a file: {error}"))?;
    let numbers: Result<Vec<f32>, _> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect();
    let factors = numbers.map_err(|error| format!("{file}: {error}"))?;
    if factors.len() != channels {
        return Err(format!("{file} has {} numbers, but the layer has {channels} channels", factors.len()));
    }
    if !factors.iter().all(|factor| factor.is_finite()) || factors.iter().all(|factor| *factor == 0.0) {
        return Err(format!("{file} must have finite numbers, not all of them 0"));
    }
    let name = Path::new(file).file_stem().map_or(file.into(), |stem| stem.to_string_lossy().into_owned());
    Ok((name, Direction::Vector(factors)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_demo;
    use std::fs;

    #[test]
    fn tables_are_resolved_or_refused_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("units.csv");
        let model = random_demo(1);
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            super::read(&path, &model)
        };
        fs::write(folder.path().join("spot.txt"), vec!["0.5"; 52].join("\n")).unwrap();
        let units =
            read("layer,channel,role,likes\nmixed4a/3x3,7,,dots\nmixed4a/3x3,spot.txt,catch,\n").unwrap();
        assert_eq!(units[0].path(), "mixed4a/3x3/7");
        assert_eq!((units[0].layer_and_branch(), units[0].role), (("mixed4a", "3x3"), Role::Main));
        assert_eq!((units[1].channel.as_str(), units[1].role), ("spot", Role::Catch));
        assert_eq!(units[1].direction, Direction::Vector(vec![0.5; 52]));
        let fault = |text: &str| read(text).unwrap_err().to_string();
        let all = fault(
            "layer,channel,role\nmixed4a/3x4,0,\nmixed4a/3x3,52,\nmixed4a/3x3,none.txt,\nmixed4a/pool,spot.txt,\nmixed4a/1x1,0,boss\nmixed4b/1x1,0,\nmixed4b/1x1,0,\n",
        );
        for part in [
            "line 2: the network has no layer mixed4a/3x4; did you mean mixed4a/3x3?",
            "line 3: mixed4a/3x3 has the channels 0 to 51, but not 52",
            "line 4: none.txt is neither",
            "line 5: spot.txt has 52 numbers, but the layer has 16 channels",
            "line 6: the role boss",
            "line 8: mixed4b/1x1/0 is there twice",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(fault("layer,channel\n").contains("no row"));
        assert!(fault("layer,chanel\nmixed4a,1\n").contains("chanel"));
    }
}
