//! Builds the demo study's stimuli: the full design of the reference experiment, with images made by this project.
//!
//! [`build`] ranks a pool of procedural [scenes](super::scenes) for 34 handwritten [units](super::units), makes images and queries by
//! the study's algorithm, and writes a folder with `images/` and `trials.csv`. The same options give the same bytes on every
//! machine, with any number of threads: numbers come from ChaCha8, sines and exponentials from our own
//! [maths](super::maths), sums of responses are of whole numbers, and one thread does all work of a unit in order.

mod options;
mod selection;
#[cfg(test)]
mod tests;
mod work;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use thiserror::Error;

pub use crate::trials::{Condition, TrialRow};
pub use options::DemoOptions;

use super::folder::{Folder, FolderError};
use super::machine::{Differentiable, Machine};
use super::recipe::Role;
use super::trials;
use super::{scenes, units};
use selection::Plan;
use work::Workshop;

/// A stage of the build. The stages follow in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Scenes are painted and shown to the machine.
    Ranking,
    /// The easiest images of each unit are searched.
    Choosing,
    /// The images of each unit are made.
    Making,
}

impl Stage {
    /// The stage in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ranking => "ranking scenes",
            Self::Choosing => "choosing easy trials",
            Self::Making => "making images",
        }
    }
}

/// A function that any thread calls with the stage, the number of parts that are done, and the number of all parts.
pub type Progress<'a> = &'a (dyn Fn(Stage, usize, usize) + Sync);

/// The result of [`build`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// The folder was made or completed.
    Made,
    /// The folder was complete before.
    Already,
}

/// Why a demo could not be built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The options do not fit together.
    #[error("the options do not fit together: {0}")]
    Options(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An image could not be encoded.
    #[error("cannot encode {path}: {source}")]
    Encode {
        /// The path of the image's file.
        path: std::path::PathBuf,
        /// The encoder's error.
        source: image::ImageError,
    },
    /// A unit responds equally to all occlusions of an image, so that a trial would have no answer.
    #[error("{unit} responds alike to every occlusion of scene {scene}; use a larger pool or another seed")]
    NoAnswer {
        /// The unit's name.
        unit: String,
        /// The number of the scene.
        scene: usize,
    },
}

/// Writes the demo's images and `trials.csv` into the folder `out`, which is made if needed.
///
/// An interrupted build continues where it stopped. A complete folder is recognised at once. A folder made with other options, or by
/// another version of the algorithm, is built anew. Files are written under another name and then renamed, `trials.csv` last.
/// The work runs on rayon's current thread pool.
///
/// # Errors
/// See [`BuildError`].
pub fn build(out: &Path, options: &DemoOptions, progress: Progress<'_>) -> Result<Built, BuildError> {
    let (machine, roles) = units::machine();
    build_for(&machine, &roles, out, options, progress)
}

/// [`build`] for any machine with units of every role, so that every kind of trial has its unit.
fn build_for<M: Differentiable>(
    machine: &M,
    roles: &[Role],
    out: &Path,
    options: &DemoOptions,
    progress: Progress<'_>,
) -> Result<Built, BuildError> {
    options.check()?;
    let folder = Folder::open(out, serde_json::to_string(options).expect("options are plain data"))?;
    if folder.is_complete() {
        return Ok(Built::Already);
    }
    let responses = rank(machine, options, &folder, progress)?;
    let plan = Plan::make(machine, roles, options, &responses, progress)?;
    let workshop = Workshop::new(machine, options, &folder, &plan);
    let (done, all) = (AtomicUsize::new(0), roles.len());
    let rows: Result<Vec<Vec<TrialRow>>, BuildError> = (0..all)
        .into_par_iter()
        .map(|unit| {
            let rows = workshop.unit(unit)?;
            progress(Stage::Making, done.fetch_add(1, Ordering::Relaxed) + 1, all);
            Ok(rows)
        })
        .collect();
    let mut rows = rows?.concat();
    rows.sort_by(TrialRow::in_order);
    folder.finish(&trials::to_csv(&rows))?;
    Ok(Built::Made)
}

/// The responses of all units to all scenes: `[scene][unit]`. The folder keeps them, so that they are computed once.
fn rank<M: Machine>(
    machine: &M,
    options: &DemoOptions,
    folder: &Folder,
    progress: Progress<'_>,
) -> Result<Vec<Vec<f64>>, BuildError> {
    const CHUNK: usize = 256;
    let units = machine.units().len();
    let mut responses = Vec::with_capacity(options.pool);
    for from in (0..options.pool).step_by(CHUNK) {
        let scenes = from..(from + CHUNK).min(options.pool);
        let numbers = folder.numbers(&format!("responses-{from}"), scenes.len() * units, || {
            let chunk: Vec<Vec<f64>> = scenes
                .clone()
                .into_par_iter()
                .map(|scene| machine.responses(&scenes::paint(options.seed, scene)))
                .collect();
            chunk.concat()
        })?;
        responses.extend(numbers.chunks_exact(units).map(<[f64]>::to_vec));
        progress(Stage::Ranking, responses.len(), options.pool);
    }
    Ok(responses)
}
