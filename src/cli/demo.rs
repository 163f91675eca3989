//! Builds the demo study that ships with Weber: `weber demo`, and the import into an empty database.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use parking_lot::Mutex;
use rust_embed::RustEmbed;

use crate::config::DataArgs;
use crate::flow::App;
use crate::flow::audit::log::Actor;
use crate::flow::study::import;
use crate::store;
use weber_stimuli::demo::{self, Built, DemoOptions, Stage};

/// The demo's `study.toml` and Markdown pages. Its images are built.
#[derive(RustEmbed)]
#[folder = "stimuli/demo/"]
struct Words;

/// The line of `study.toml` that says how many image sets there are. It differs in a smaller demo.
const IMAGE_SETS: &str = "image_sets = 10";

/// Options of `weber demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder to build the study in. A build that was interrupted continues where it stopped.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,

    /// Number of image sets: 10 as in the study, or fewer for a quick trial.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=20))]
    image_sets: u8,
}

/// Builds the study folder.
pub async fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let texts = texts(args.image_sets)?;
    for (path, text) in &texts {
        let path = args.out.join(path);
        if fs::read_to_string(&path).is_ok_and(|there| there != *text) {
            bail!(
                "{} exists and does not belong to the demo. Choose another folder, or remove the file",
                path.display()
            );
        }
    }
    build(args.out.clone(), args.image_sets, texts).await?;
    super::say(format!("The study folder {} is ready: weber import {0}", args.out.display()));
    Ok(())
}

/// Imports the demo study into an empty database, and starts it.
pub async fn import_if_empty(app: &App, args: &DataArgs) -> anyhow::Result<()> {
    let is_empty =
        async || anyhow::Ok(store::studies::all(&mut *app.pool.acquire().await?).await?.is_empty());
    if !is_empty().await? {
        return Ok(());
    }
    let image_sets = 10;
    let folder = args.data.join("demo");
    super::say(
        "The database is empty, so the demo study is imported. Its images are made once, in about a minute.",
    );
    build(folder.clone(), image_sets, texts(image_sets)?).await?;
    // Another server may have imported the demo meanwhile, or researchers their own studies.
    if is_empty().await? {
        import::import_and_start(app, &Actor::program(), &folder).await?;
    }
    Ok(())
}

/// The demo's settings and pages, by path in the folder.
fn texts(image_sets: u8) -> anyhow::Result<Vec<(String, String)>> {
    let text = |path: &str| {
        let file = Words::get(path).context("the program was built without a part of the demo")?;
        let mut text = String::from_utf8(file.data.into_owned())?;
        if path == "study.toml" {
            text = text.replace(IMAGE_SETS, &format!("image_sets = {image_sets}"));
        }
        Ok((path.to_owned(), text))
    };
    Words::iter().map(|path| text(&path)).collect()
}

async fn build(folder: PathBuf, image_sets: u8, texts: Vec<(String, String)>) -> anyhow::Result<()> {
    let work = tokio::task::spawn_blocking(move || {
        for (path, text) in texts {
            write(&folder.join(path), &text)?;
        }
        let progress = DemoProgress::default();
        let built = demo::build(&folder, &DemoOptions::new(image_sets.into()), &|stage, done, all| {
            progress.tell(stage, done, all);
        })?;
        anyhow::Ok(built)
    });
    if work.await?? == Built::Already {
        super::say("The images exist already.");
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// Prints the progress: on a terminal in one line that changes, otherwise a line per tenth.
#[derive(Default)]
struct DemoProgress(Mutex<Option<(Stage, usize)>>);

impl DemoProgress {
    fn tell(&self, stage: Stage, done: usize, all: usize) {
        let mut told = self.0.lock();
        let tenths = done * 10 / all.max(1);
        let terminal = std::io::stdout().is_terminal();
        if !terminal && *told == Some((stage, tenths)) {
            return;
        }
        *told = Some((stage, tenths));
        let line = format!("  {}: {done} of {all}", stage.name());
        if terminal {
            let end = if done == all { "\n" } else { "" };
            let _ = write!(std::io::stdout(), "\r{line}   {end}");
            let _ = std::io::stdout().flush();
        } else {
            super::say(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_state_the_size_of_the_demo() {
        let study = |sets| {
            let texts = texts(sets).unwrap();
            texts.into_iter().find(|(path, _)| path == "study.toml").unwrap().1
        };
        assert!(study(10).contains(IMAGE_SETS));
        assert!(study(2).contains("\nimage_sets = 2\n"));
    }
}
