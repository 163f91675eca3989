//! `weber stimuli train-demo`.

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::architecture::demo;
use crate::study::write;
use crate::train::{Scenes, Training, accuracy, train_demo};

/// The first scene that no training sees, and how many of them measure the accuracy.
const HELD_OUT: usize = 1_000_012;
const HELD_OUT_COUNT: usize = 1_040;

/// The least share of held-out scenes whose kind the network must name.
const LEAST: f64 = 0.95;

#[derive(Debug, Args)]
pub struct TrainDemoArgs {
    /// Where the weights are written, as safetensors with 16-bit numbers.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The seed of all random numbers. The same seed gives the same weights on the same kind of machine.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of scenes that are painted for training.
    #[arg(long, default_value_t = 8_320)]
    scenes: usize,
    /// Number of training steps, of 64 views each.
    #[arg(long, default_value_t = 4_000)]
    steps: usize,
}

pub fn run(args: &TrainDemoArgs, say: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
    if args.scenes == 0 || args.steps == 0 {
        return Err("a training needs at least 1 scene and 1 step".into());
    }
    say(&format!("Painting {} scenes.", args.scenes));
    let scenes = Scenes::paint(args.seed, 0..args.scenes);
    let training = Training { seed: args.seed, steps: args.steps, rate: 4e-3 };
    let weights = train_demo(&scenes, &training, |epoch| {
        say(&format!("  step {} of {}: loss {:.3}", epoch.step, args.steps, epoch.loss));
    });
    let held_out = Scenes::paint(args.seed, HELD_OUT..HELD_OUT + HELD_OUT_COUNT);
    let accuracy = accuracy(&demo(scenes.classes()).0, &weights, &held_out);
    let command = format!(
        "weber stimuli train-demo --seed {} --scenes {} --steps {}",
        args.seed, args.scenes, args.steps
    );
    let notes = [
        ("command".to_owned(), command),
        ("held-out accuracy".to_owned(), format!("{accuracy:.4} of {HELD_OUT_COUNT} scenes")),
    ];
    write(&args.out, &weights.to_safetensors_f16(&notes.into()))?;
    say(&format!("{} names the kind of {accuracy:.4} of {HELD_OUT_COUNT} new scenes.", args.out.display()));
    if accuracy < LEAST {
        say(&format!("That is less than {LEAST}: train it with more steps before you use it."));
    }
    Ok(())
}
