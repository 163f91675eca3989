//! The images that a person rejected on the contact sheet.

use std::path::Path;

use serde::Deserialize;

use super::StudyError;
use crate::pool::Pool;

/// The file in the study folder.
pub const FILE: &str = "rejected.csv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    image: String,
}

/// The indices of the images that the table names, each once. There are none without a table.
///
/// # Errors
/// The table cannot be read, or names images that the pool lacks: all of them are listed.
pub fn read(path: &Path, pool: &dyn Pool) -> Result<Vec<usize>, StudyError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let fault = |reason: String| StudyError::Rejected { path: path.into(), reason };
    let mut reader = csv::Reader::from_path(path).map_err(|error| fault(error.to_string()))?;
    let rows: Result<Vec<Row>, csv::Error> = reader.deserialize().collect();
    let rows = rows.map_err(|error| fault(format!("{error}; it must have the one column image")))?;
    let indices: std::collections::HashMap<String, usize> =
        (0..pool.len()).map(|index| (pool.name(index), index)).collect();
    let unknown: Vec<&str> =
        rows.iter().filter(|row| !indices.contains_key(&row.image)).map(|row| row.image.as_str()).collect();
    if !unknown.is_empty() {
        return Err(fault(format!(
            "the pool has no images with these names: {}. Correct them, or remove their lines",
            unknown.join(", ")
        )));
    }
    let mut rejected: Vec<usize> = rows.iter().map(|row| indices[&row.image]).collect();
    rejected.sort_unstable();
    rejected.dedup();
    Ok(rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Views;

    fn read(text: &str) -> Result<Vec<usize>, StudyError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, text).unwrap();
        super::read(&path, &Views::demo(1, 40))
    }

    #[test]
    fn named_images_are_found() {
        assert_eq!(read("image\r\n7\r\n\"39\"\r\n7\r\n").unwrap(), [7, 39]);
        assert_eq!(read("image\n").unwrap(), [0; 0]);
        assert_eq!(super::read(Path::new("none/rejected.csv"), &Views::demo(1, 40)).unwrap(), [0; 0]);
    }

    #[test]
    fn all_unknown_names_are_listed() {
        let error = read("image\n40\n3\na cat\n").unwrap_err().to_string();
        assert!(error.contains("rejected.csv") && error.contains("40, a cat."), "{error}");
        let error = read("picture\n3\n").unwrap_err().to_string();
        assert!(error.contains("the one column image"), "{error}");
    }
}
