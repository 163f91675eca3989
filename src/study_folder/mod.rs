//! Reads a study folder, and says everything that is wrong with it at once.
//!
//! `docs/study-format.md` describes the folder for researchers.

mod design;
mod files;
pub mod image_check;
mod images;
mod links;
mod pages;
mod problem;
mod settings;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use problem::{Problem, Problems};

use crate::domain::study::StudyDefinition;
use crate::domain::trial::{ImageId, Trial};

/// A study folder without a fault.
#[derive(Debug)]
pub struct StudyFolder {
    /// `study.toml` with the contents of the Markdown files.
    pub definition: StudyDefinition,
    /// The rows of `trials.csv`.
    pub trials: Vec<Trial>,
    /// The images that the rows name, by content.
    pub images: BTreeMap<ImageId, ImageFile>,
}

/// An image in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    /// Where it is.
    pub path: PathBuf,
    /// `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
}

/// Reads and checks a study folder; nothing is written anywhere.
pub fn read(folder: &Path) -> Result<StudyFolder, Problems> {
    let mut problems = Problems::default();
    let study = settings::read(folder, &mut problems);
    let table = table::read(folder, &mut problems);
    // Without either there is nothing that the other could be checked against.
    let (Some(mut settings), Some(rows)) = (study, table) else { return Err(problems) };
    let definition = &mut settings.definition;
    pages::read(folder, definition, &mut problems);
    let files = images::check(folder, &rows, &definition.design, &mut problems);
    let trials = table::resolve(&rows, &files);
    design::check(&settings, &rows, &trials, &mut problems);
    if problems.is_empty() {
        let images = files.into_values().collect();
        let trials = trials.into_iter().flatten().collect();
        return Ok(StudyFolder { definition: settings.definition, trials, images });
    }
    Err(problems)
}
