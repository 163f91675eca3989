//! `workshop.toml`: how a study was made, for a methods section and for making it again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Origin, Report, UnitResult};
use crate::study::{Options, RULES};
use crate::visualise::Preset;

const HEADER: &str =
    "# How the stimuli of this study were made. Weber writes this file, and does not read it.\n\n";

#[derive(Serialize)]
struct Record<'a> {
    /// The version of the program.
    weber_workshop: &'static str,
    rejected: &'a [String],
    model: &'a Origin,
    options: &'a Options,
    preset: &'a Preset,
    /// The share of the main trials that each simple rule answers.
    rules: BTreeMap<&'static str, f64>,
    units: Vec<UnitResult>,
}

impl Report<'_> {
    /// The content of `workshop.toml`.
    pub fn record(&self) -> String {
        let record = Record {
            weber_workshop: env!("CARGO_PKG_VERSION"),
            rejected: self.rejected,
            model: self.origin,
            options: self.options,
            preset: self.preset,
            rules: RULES.into_iter().zip(self.made.rules).collect(),
            units: self.made.outcomes.iter().map(|outcome| self.result(outcome)).collect(),
        };
        HEADER.to_owned() + &toml::to_string(&record).expect("a record is plain data")
    }
}

#[cfg(test)]
mod tests {
    use crate::study::report::example;

    #[test]
    fn the_record_holds_every_setting_and_unit() {
        let text = example::with(|report| report.record());
        let record: toml::Table = toml::from_str(&text).unwrap();
        let units = record["units"].as_array().unwrap();
        assert_eq!(units.len(), 7);
        assert_eq!(units[0]["unit"].as_str(), Some("mixed4a/3x3/0"));
        assert_eq!(units[0]["relative_difference"].as_float(), Some(0.5));
        assert_eq!(units[0]["likes"].as_str(), Some("<b>dots</b> & \"stripes\""));
        let synthetic = units[0]["synthetic"].as_array().unwrap();
        assert_eq!(synthetic[0]["images"].as_integer(), Some(9));
        assert_eq!(synthetic[0]["below"].as_integer(), Some(2), "2.5 and 3.5 are below 4");
        assert_eq!(units[6]["outcome"].as_str(), Some("failed"));
        assert_eq!(units[6]["reason"].as_str(), Some("it responds to no image"));
        assert_eq!(record["options"]["seed"].as_integer(), Some(1));
        assert_eq!(record["options"]["search"].as_str(), Some("coarse"));
        assert_eq!(record["options"]["patch"]["side"].as_integer(), Some(90));
        assert_eq!(record["preset"]["steps"].as_integer(), Some(2560));
        assert_eq!(record["rules"]["saliency"].as_float(), Some(0.7));
        assert_eq!(record["model"]["hash"].as_str().unwrap().len(), 64);
        assert_eq!(record["rejected"][0].as_str(), Some("38"));
    }
}
