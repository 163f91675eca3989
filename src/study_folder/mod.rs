//! Reads a study folder, and reports everything that is wrong with it at once.
//!
//! `docs/study-format.md` describes the folder for researchers.

mod design;
mod files;
pub mod image_check;
mod images;
mod links;
mod notices;
mod pages;
mod problem;
mod settings;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use problem::{FolderProblem, Problems};

use crate::domain::image_file::Format;
use crate::domain::study::StudyDefinition;
use crate::domain::trial::{ImageId, Trial};

/// A study folder without a fault.
#[derive(Debug)]
pub struct StudyFolder {
    /// The content of `study.toml`, with the texts of the Markdown files.
    pub definition: StudyDefinition,
    /// The rows of `trials.csv`.
    pub trials: Vec<Trial>,
    /// The images that the rows name, by content.
    pub images: BTreeMap<ImageId, ImageFile>,
    /// Images that could spoil a trial or reveal its answer, though nothing is wrong with the folder.
    pub notices: Vec<FolderProblem>,
}

/// An image in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFile {
    pub path: PathBuf,
    pub format: Format,
    /// The SHA-256 of the image without metadata.
    pub pixels: ImageId,
}

/// Reads and checks a study folder. It writes nothing.
pub fn read(folder: &Path) -> Result<StudyFolder, Problems> {
    let mut problems = Problems::default();
    let study = settings::read(folder, &mut problems);
    let table = table::read(folder, &mut problems);
    // The checks below need both.
    let (Some(mut settings), Some(rows)) = (study, table) else { return Err(problems) };
    let definition = &mut settings.definition;
    pages::read(folder, definition, &mut problems);
    let files = images::check(folder, &rows, &definition.design, &mut problems);
    design::check(&settings, &rows, &files, &mut problems);
    if problems.is_empty() {
        let trials = table::resolve(&rows, &files).into_iter().flatten().collect();
        let notices = notices::find(&rows, &files);
        let images = files.into_values().collect();
        return Ok(StudyFolder { definition: settings.definition, trials, images, notices });
    }
    Err(problems)
}
