//! The commands of the workshop: `weber stimuli check`, `build`, `visualise` and `train-demo`.

mod build;
mod check;
mod train;
mod visualise;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Args, Subcommand};

use crate::card::ModelCard;
use crate::model::Model;
use crate::progress::Report;
use crate::study::Origin;
use crate::visualise::Preset;

/// What a command prints is for people, who read errors as text.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Subcommand)]
pub enum Stimuli {
    /// Check a network with its model card, or see what it takes photographs for.
    Check(check::CheckArgs),
    /// Make a study from a network and a folder of photographs.
    Build(build::BuildArgs),
    /// Make synthetic images of one unit or more, with one preset or several side by side.
    Visualise(visualise::VisualiseArgs),
    /// Train the network of the demo study on painted scenes.
    TrainDemo(train::TrainDemoArgs),
}

/// Runs a command. Lines for people go to `say`.
///
/// # Errors
/// What failed, where, and what to do.
pub fn run(command: &Stimuli, say: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
    match command {
        Stimuli::Check(args) => check::run(args, say),
        Stimuli::Build(args) => build::run(args, say),
        Stimuli::Visualise(args) => visualise::run(args, say),
        Stimuli::TrainDemo(args) => train::run(args, say),
    }
}

/// Which network is asked.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// The network: a .onnx file, or weights as .safetensors or .pth.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The network that the weights are of: inception-v1, googlenet, efficientnet-lite0 or demo.
    #[arg(long, value_name = "NAME")]
    architecture: Option<String>,
    /// The model card, with checks that the network must pass. Without this option: the file beside the model whose name ends in
    /// .card.toml.
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
}

impl ModelArgs {
    /// Where the model card is.
    fn card_path(&self) -> PathBuf {
        self.card.clone().unwrap_or_else(|| ModelCard::beside(&self.model))
    }

    /// What a study records of the model. Folders are left out: they say more about the computer than about the study.
    fn origin(&self, model: &Model) -> Origin {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Origin {
            hash: model.hash().iter().map(|byte| format!("{byte:02x}")).collect(),
            model: name(&self.model),
            architecture: self.architecture.clone(),
            card: name(&self.card_path()),
        }
    }

    /// The model and its card, after the card's checks.
    fn load(&self, say: &(dyn Fn(&str) + Sync)) -> Result<(Model, ModelCard), Failure> {
        let card = ModelCard::read(&self.card_path())?;
        let (model, passed) = Model::load(&self.model, self.architecture.as_deref(), &card)?;
        passed.iter().for_each(|line| say(line));
        Ok((model, card))
    }
}

/// The preset of this name, with other steps if they are given.
fn preset(name: &str, steps: Option<usize>) -> Result<Preset, Failure> {
    let preset = Preset::named(name)?;
    Ok(Preset { steps: steps.unwrap_or(preset.steps), ..preset })
}

/// Prints progress: on a terminal in one line that changes, otherwise a line per tenth.
pub struct Teller<'a> {
    say: &'a (dyn Fn(&str) + Sync),
    told: Mutex<Option<(&'static str, usize)>>,
}

impl<'a> Teller<'a> {
    fn new(say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self { say, told: Mutex::new(None) }
    }

    fn tell(&self, report: &Report) {
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let tenths = report.done * 10 / report.all.max(1);
        let line = line(report);
        let mut out = std::io::stdout();
        if out.is_terminal() {
            let end = if report.done == report.all { "\n" } else { "" };
            // A closed terminal must not end the work.
            let _ = write!(out, "\r{line}\x1b[K{end}").and_then(|()| out.flush());
        } else if *told != Some((report.stage, tenths)) {
            (self.say)(&line);
        }
        *told = Some((report.stage, tenths));
    }
}

fn line(report: &Report) -> String {
    let left = report.left.filter(|left| left.as_secs() > 0).map_or(String::new(), |left| {
        let minutes = left.as_secs().div_ceil(60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        if hours > 0 {
            format!(", about {hours} h {minutes} min left")
        } else {
            format!(", about {minutes} min left")
        }
    });
    format!("  {}: {} of {}{left}", report.stage, report.done, report.all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_time_that_is_left_is_rounded_up() {
        let report = |seconds| Report { stage: "ranking images", done: 3, all: 10, left: seconds };
        let words = |seconds: u64| line(&report(Some(Duration::from_secs(seconds))));
        assert_eq!(words(61), "  ranking images: 3 of 10, about 2 min left");
        assert_eq!(words(3_700), "  ranking images: 3 of 10, about 1 h 2 min left");
        assert_eq!(line(&report(None)), "  ranking images: 3 of 10");
    }
}
