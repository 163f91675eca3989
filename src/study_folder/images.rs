//! Checks every image that the table names, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::files::{self, FileFault};
use super::image_check::{MAX_BYTES, check_image};
use super::table::{self, TrialsFileRow};
use super::{ImageFile, Problems};
use crate::domain::study::Design;
use crate::domain::trial::ImageId;

/// The images by their names in the table.
pub type Files = BTreeMap<String, (ImageId, ImageFile)>;

/// Reads every image. A fault is reported with the first line that names the image.
pub fn check(folder: &Path, rows: &[TrialsFileRow], design: &Design, problems: &mut Problems) -> Files {
    let mut lines = BTreeMap::new();
    for row in rows {
        for name in row.image_names() {
            lines.entry(name.to_owned()).or_insert(row.line);
        }
    }
    let names: BTreeSet<String> = lines.keys().cloned().collect();
    let read: Vec<_> = names
        .into_par_iter()
        .map(|name| {
            let result = read(folder, &name, design);
            (name, result)
        })
        .collect();
    let mut files = Files::new();
    for (name, result) in read {
        match result {
            Ok(file) => {
                files.insert(name, file);
            }
            Err((what, remedy)) => {
                problems.add(table::FILE, lines[&name], format!("the image `{name}` {what}"), remedy);
            }
        }
    }
    files
}

fn read(folder: &Path, name: &str, design: &Design) -> Result<(ImageId, ImageFile), FileFault> {
    let (path, bytes) = files::read(folder, name, MAX_BYTES)?;
    let (width, height) = (design.image_width_px, design.image_height_px);
    let bare =
        check_image(&bytes, width, height).map_err(|problem| (problem.to_string(), problem.remedy()))?;
    let id = ImageId(hex::encode(Sha256::digest(&bytes)));
    let pixels =
        if bare.bytes == bytes { id.clone() } else { ImageId(hex::encode(Sha256::digest(&bare.bytes))) };
    Ok((id, ImageFile { path, format: bare.format, pixels }))
}
