//! Witnesses of the journal: every manifest names the newest entry at its time. A copy that is kept elsewhere shows whether the
//! journal was cut off or replaced since.

use std::fs::File;
use std::io::{BufReader, Read, Result, Seek};
use std::path::Path;

use serde::Deserialize;
use zip::ZipArchive;

use crate::domain::audit_log::Head;
use crate::flow::backup::LARGEST_MANIFEST;
use crate::flow::study::export::MANIFEST;

/// The part that manifests of exports and of backups have in common.
#[derive(Deserialize)]
struct KeptManifest {
    journal: Head,
}

/// The entry that a manifest names. The manifest may be a file of its own or inside an archive.
pub fn read(path: &Path) -> Result<Head> {
    let mut file = File::open(path)?;
    let mut json = Vec::new();
    match ZipArchive::new(BufReader::new(&file)) {
        Ok(mut archive) => archive.by_name(MANIFEST)?.take(LARGEST_MANIFEST).read_to_end(&mut json)?,
        Err(_) => {
            file.rewind()?;
            file.take(LARGEST_MANIFEST).read_to_end(&mut json)?
        }
    };
    Ok(serde_json::from_slice::<KeptManifest>(&json)?.journal)
}
