//! The mean activations of layers for all images of a pool, kept on disk so that an interrupted ranking continues and later runs need none.
//!
//! Numbers are stored as 16-bit floats, [`CHUNK`] images a file. A file is named by a hash of everything that its numbers depend
//! on: the model, the layers and the images' names. So files of another model or folder are never mistaken for these.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use half::f16;
use sha2::{Digest, Sha256};
use thiserror::Error;
use weber_stimuli::picture::Picture;

use crate::model::{BATCH, Model};
use crate::parallel;
use crate::pool::{Pool, PoolError};
use crate::progress::Progress;

/// Images per file.
const CHUNK: usize = 512;

/// Why activations could not be computed or kept.
#[derive(Debug, Error)]
pub enum ActivationsError {
    #[error(
        "cannot write {path}: {source}. What was computed before is kept; free space and run the command again"
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("{broken} of {all} images cannot be read, the first because {first}")]
    AllBroken { broken: usize, all: usize, first: PoolError },
}

/// The activations of a pool.
pub struct Activations {
    /// For each layer the number of its channels.
    channels: Vec<usize>,
    /// By image: the channels of all layers, one after the other. Not a number for images that cannot be read.
    values: Vec<f16>,
    /// Images that cannot be read, with the reason.
    pub broken: Vec<(usize, String)>,
}

impl Activations {
    /// The mean activations of one image in one layer.
    pub fn of(&self, image: usize, layer: usize) -> Vec<f32> {
        let each: usize = self.channels.iter().sum();
        let before: usize = self.channels[..layer].iter().sum();
        let values = &self.values[image * each + before..][..self.channels[layer]];
        values.iter().map(|value| value.to_f32()).collect()
    }

    /// The number of images.
    pub fn images(&self) -> usize {
        self.values.len() / self.channels.iter().sum::<usize>().max(1)
    }

    /// The activations of one channel for all images.
    pub fn channel(&self, layer: usize, channel: usize) -> Vec<f64> {
        let each: usize = self.channels.iter().sum();
        let at = self.channels[..layer].iter().sum::<usize>() + channel;
        self.values.iter().skip(at).step_by(each).map(|value| f64::from(value.to_f32())).collect()
    }

    /// The number of a layer's channels.
    pub fn channels(&self, layer: usize) -> usize {
        self.channels[layer]
    }

    /// Computes the activations of all images in the layers (indices of nodes), or reads them from `folder`.
    ///
    /// # Errors
    /// No image can be read, or a file cannot be written.
    pub fn compute(
        model: &Model,
        layers: &[usize],
        pool: &dyn Pool,
        folder: &Path,
        progress: Progress<'_>,
    ) -> Result<Self, ActivationsError> {
        let channels: Vec<usize> =
            layers.iter().map(|layer| model.network.channels(*layer, model.card.size)).collect();
        let each: usize = channels.iter().sum();
        let mut all = Self { channels, values: Vec::with_capacity(pool.len() * each), broken: Vec::new() };
        let mut first_fault = None;
        let started = Instant::now();
        let mut computed = 0;
        for from in (0..pool.len()).step_by(CHUNK) {
            let images: Vec<usize> = (from..(from + CHUNK).min(pool.len())).collect();
            let path = folder.join(format!("{}.f16", key(model, layers, pool, &images)));
            if let Some(known) = read(&path, images.len() * each) {
                all.values.extend(known);
            } else {
                let (values, faults) = chunk(model, layers, pool, &images, each);
                if faults.is_empty() {
                    write(&path, &values).map_err(|source| ActivationsError::Write { path, source })?;
                }
                all.values.extend(values);
                for (image, fault) in faults {
                    all.broken.push((image, fault.to_string()));
                    first_fault.get_or_insert(fault);
                }
                computed += images.len();
            }
            let done = images.last().map_or(0, |last| last + 1);
            progress.step("ranking images", done, pool.len(), started, computed);
        }
        match first_fault {
            Some(first) if all.broken.len() == pool.len() => {
                Err(ActivationsError::AllBroken { broken: all.broken.len(), all: pool.len(), first })
            }
            _ => Ok(all),
        }
    }
}

/// A name for the activations of these images.
fn key(model: &Model, layers: &[usize], pool: &dyn Pool, images: &[usize]) -> String {
    let mut hash = Sha256::new();
    hash.update(model.hash());
    for layer in layers {
        hash.update(model.network.graph().nodes()[*layer].name.as_bytes());
        hash.update([0]);
    }
    for image in images {
        hash.update(pool.fingerprint(*image));
        hash.update([0]);
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path, count: usize) -> Option<Vec<f16>> {
    let bytes = fs::read(path).ok().filter(|bytes| bytes.len() == 2 * count)?;
    Some(bytes.as_chunks::<2>().0.iter().map(|two| f16::from_le_bytes(*two)).collect())
}

/// Writes a file under another name and renames it, so that it is never half-written.
fn write(path: &Path, values: &[f16]) -> io::Result<()> {
    let draft = path.with_extension("tmp");
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let mut file = fs::File::create(&draft)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

type Faults = Vec<(usize, PoolError)>;

fn chunk(
    model: &Model,
    layers: &[usize],
    pool: &dyn Pool,
    images: &[usize],
    each: usize,
) -> (Vec<f16>, Faults) {
    let batches: Vec<&[usize]> = images.chunks(BATCH).collect();
    let results = parallel::map(&batches, |batch| {
        let read: Vec<Result<Picture, PoolError>> = batch.iter().map(|image| pool.picture(*image)).collect();
        let pictures: Vec<&Picture> = read.iter().filter_map(|picture| picture.as_ref().ok()).collect();
        let mut means = model.means(&pictures, layers).into_iter();
        let (mut values, mut faults) = (Vec::with_capacity(batch.len() * each), Vec::new());
        for (image, picture) in batch.iter().zip(read) {
            match picture {
                Ok(_) => {
                    let layers = means.next().expect("each picture has activations");
                    values.extend(layers.concat().into_iter().map(f16::from_f32));
                }
                Err(fault) => {
                    values.resize(values.len() + each, f16::NAN);
                    faults.push((*image, fault));
                }
            }
        }
        (values, faults)
    });
    let (values, faults): (Vec<_>, Vec<_>) = results.into_iter().unzip();
    (values.concat(), faults.into_iter().flatten().collect())
}
