//! Results of parts of the work, kept so that an interrupted run continues.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::StudyError;

/// A folder of results.
pub struct Store {
    root: PathBuf,
}

impl Store {
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// The result that was kept for `key` in a stage, or else a new one, which is kept. The key must name everything that the result
    /// depends on.
    ///
    /// # Errors
    /// The computation's error, or the file cannot be written.
    pub fn remember<T: Serialize + DeserializeOwned>(
        &self,
        stage: &str,
        key: &impl Serialize,
        compute: impl FnOnce() -> Result<T, StudyError>,
    ) -> Result<T, StudyError> {
        let name = hash(&serde_json::to_vec(key).expect("keys are plain data"));
        let path = self.root.join(stage).join(format!("{name}.json"));
        if let Some(known) = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Ok(known);
        }
        let result = compute()?;
        let bytes = serde_json::to_vec(&result).expect("results are plain data");
        write(&path, &bytes)?;
        Ok(result)
    }

    /// The folder of a stage whose results are files of their own.
    pub fn folder(&self, stage: &str) -> PathBuf {
        self.root.join(stage)
    }
}

/// Writes a file under another name and renames it, so that it is never half-written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    let thread = std::thread::current().id();
    let draft = path.with_extension(format!("{:x}.tmp", Sha256::digest(format!("{thread:?}").as_bytes())[0]));
    let written = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let mut file = fs::File::create(&draft)?;
        file.write_all(bytes)?;
        fs::rename(&draft, path)
    };
    written().map_err(|source| StudyError::Write { path: path.into(), source })
}

/// The first 24 hexadecimal digits of the SHA-256.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_computed_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let compute = |n: u32| store.remember("stage", &("a", n), || Ok(n * 2)).unwrap();
        assert_eq!((compute(3), compute(4)), (6, 8));
        let again =
            store.remember("stage", &("a", 3), || -> Result<u32, StudyError> { panic!("it is known") });
        assert_eq!(again.unwrap(), 6);
        let fails = store
            .remember("stage", &"b", || -> Result<u32, StudyError> { Err(StudyError::Options("no".into())) });
        assert!(fails.is_err());
        assert_eq!(store.remember("stage", &"b", || Ok(1)).unwrap(), 1, "a failure is not kept");
        // A damaged file is computed again.
        for file in fs::read_dir(folder.path().join("stage")).unwrap() {
            fs::write(file.unwrap().path(), "{").unwrap();
        }
        assert_eq!(store.remember("stage", &"b", || Ok(2)).unwrap(), 2);
    }
}
