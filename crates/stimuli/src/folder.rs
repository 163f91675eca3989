//! The folder in which a study's images are made: recognises what exists already, and never leaves a half-written file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::trials::TrialRow;

/// The version of everything that decides about the files' content. Every change to it raises the version, so that older folders are
/// built anew.
const ALGORITHM: u32 = 3;

/// The subfolder for notes about the build.
const NOTES: &str = ".build";

/// What a folder was made from, and whether it is complete.
#[derive(Serialize, Deserialize)]
struct Stamp {
    algorithm: u32,
    origin: String,
    complete: bool,
}

/// The output folder.
pub struct Folder {
    root: PathBuf,
    origin: String,
    complete: bool,
}

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// It contains images or trials that this program did not make, and would overwrite.
    #[error(
        "{0} already has `images` or `trials.csv` that were not made here; choose another folder, or remove them"
    )]
    Foreign(PathBuf),
    /// A file or folder could not be read or written.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError + '_ {
    |source| FolderError::Io { path: path.to_path_buf(), source }
}

impl Folder {
    /// Makes the folder if needed. It removes files that were made from another origin (a text that decides about all files) or by
    /// another version.
    pub fn open(root: &Path, origin: String) -> Result<Self, FolderError> {
        let (notes, images, table) = (root.join(NOTES), root.join("images"), root.join("trials.csv"));
        let stamp: Option<Stamp> =
            fs::read(notes.join("stamp.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if !notes.exists() && (images.exists() || table.exists()) {
            return Err(FolderError::Foreign(root.to_path_buf()));
        }
        let matches =
            stamp.as_ref().is_some_and(|stamp| stamp.algorithm == ALGORITHM && stamp.origin == origin);
        if !matches {
            remove_file(&table)?;
            remove_folder(&images)?;
            remove_folder(&notes)?;
        }
        fs::create_dir_all(&notes).map_err(io(&notes))?;
        let folder = Self { root: root.to_path_buf(), origin, complete: false };
        let complete = matches && stamp.is_some_and(|stamp| stamp.complete) && folder.has_all_files();
        if !complete {
            folder.stamp(false)?;
        }
        Ok(Self { complete, ..folder })
    }

    /// Whether the build is complete.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the table exists, with every image that it names.
    fn has_all_files(&self) -> bool {
        let Ok(mut table) = csv::Reader::from_path(self.root.join("trials.csv")) else { return false };
        table.records().all(|record| {
            record.is_ok_and(|record| {
                let paths = record.iter().skip(7).take(4).flat_map(|field| field.split([';', '|']));
                paths.filter(|path| !path.is_empty()).all(|path| self.has(path))
            })
        })
    }

    fn has(&self, path: &str) -> bool {
        fs::metadata(self.root.join(path)).is_ok_and(|file| file.len() > 0)
    }

    fn stamp(&self, complete: bool) -> Result<(), FolderError> {
        let stamp = Stamp { algorithm: ALGORITHM, origin: self.origin.clone(), complete };
        let text = serde_json::to_vec(&stamp).expect("a stamp is plain data");
        self.write(&format!("{NOTES}/stamp.json"), &text)
    }

    /// Writes a file under another name and renames it. Several threads may write the same file at the same time.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let target = self.root.join(path);
        let (process, thread) = (std::process::id(), rayon::current_thread_index().unwrap_or(usize::MAX));
        let draft = self.root.join(NOTES).join(format!("draft-{process}-{thread}.tmp"));
        let written = fs::File::create(&draft).and_then(|mut file| file.write_all(bytes));
        written.map_err(io(&draft))?;
        fs::rename(&draft, &target).map_err(io(&target))
    }

    /// Writes a file unless it exists, and returns its path. Its bytes are made only if needed.
    pub fn file<E: From<FolderError>>(
        &self,
        path: String,
        bytes: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<String, E> {
        if !self.has(&path) {
            let parent = self.root.join(&path).parent().map_or_else(PathBuf::new, Path::to_path_buf);
            fs::create_dir_all(&parent).map_err(io(&parent))?;
            self.write(&path, &bytes()?)?;
        }
        Ok(path)
    }

    /// Returns numbers that were computed before, or computes them, and keeps them until the build is complete.
    pub fn numbers(
        &self,
        name: &str,
        count: usize,
        compute: impl FnOnce() -> Vec<f64>,
    ) -> Result<Vec<f64>, FolderError> {
        let path = format!("{NOTES}/{name}");
        let known = fs::read(self.root.join(&path)).ok().filter(|bytes| bytes.len() == count * 8);
        if let Some(bytes) = known {
            return Ok(bytes.as_chunks::<8>().0.iter().map(|eight| f64::from_le_bytes(*eight)).collect());
        }
        let numbers = compute();
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.write(&path, &bytes)?;
        Ok(numbers)
    }

    /// Returns rows that were made before (if all their images exist), or makes them, and keeps them until the build is complete.
    pub fn rows<E: From<FolderError>>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<TrialRow>, E>,
    ) -> Result<Vec<TrialRow>, E> {
        let path = format!("{NOTES}/{name}.json");
        let known: Option<Vec<TrialRow>> =
            fs::read(self.root.join(&path)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(rows) =
            known.filter(|rows| rows.iter().flat_map(TrialRow::images).all(|image| self.has(image)))
        {
            return Ok(rows);
        }
        let rows = make()?;
        self.write(&path, &serde_json::to_vec(&rows).expect("rows are plain data"))?;
        Ok(rows)
    }

    /// Writes the table, notes that the folder is complete, and removes what was kept for an interrupted build.
    pub fn finish(&self, table: &[u8]) -> Result<(), FolderError> {
        self.write("trials.csv", table)?;
        let notes = self.root.join(NOTES);
        for entry in fs::read_dir(&notes).map_err(io(&notes))? {
            let path = entry.map_err(io(&notes))?.path();
            if path.file_name().is_some_and(|name| name != "stamp.json") {
                remove_file(&path)?;
            }
        }
        self.stamp(true)
    }
}

fn remove_file(path: &Path) -> Result<(), FolderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}

fn remove_folder(path: &Path) -> Result<(), FolderError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}
