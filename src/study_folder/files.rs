//! Reads the files of a study folder. The folder may come from another person, so no name and no symbolic link may lead out of it,
//! and only regular files of a limited size are read.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Why a file cannot be used: what is wrong, and the remedy.
pub type FileFault = (String, &'static str);

/// Reads a file of at most `largest` bytes. Returns its path and content.
pub fn read(folder: &Path, name: &str, largest: usize) -> Result<(PathBuf, Vec<u8>), FileFault> {
    let outside = || ("lies outside the study folder".to_owned(), "Name a file inside it");
    if !stays_inside(name) {
        return Err(outside());
    }
    let missing = |error: std::io::Error| {
        (
            format!("cannot be read ({error})"),
            "A study folder needs this file: put it there or correct its name",
        )
    };
    let path = folder.join(name).canonicalize().map_err(missing)?;
    if !path.starts_with(folder.canonicalize().map_err(missing)?) {
        return Err(outside());
    }
    // This is checked before opening, because opening a pipe would wait for a writer.
    if !path.metadata().map_err(missing)?.is_file() {
        return Err(("is not a file".into(), "Put a file in its place"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(missing)?;
    file.take(largest as u64 + 1).read_to_end(&mut bytes).map_err(missing)?;
    if bytes.len() > largest {
        return Err((format!("is larger than {largest} bytes"), "Make it smaller"));
    }
    Ok((path, bytes))
}

/// Reads a text in UTF-8.
pub fn text(folder: &Path, name: &str, largest: usize) -> Result<String, FileFault> {
    let (_, bytes) = read(folder, name, largest)?;
    let text =
        String::from_utf8(bytes).map_err(|_| ("is not UTF-8".to_owned(), "Save it as text in UTF-8"))?;
    if text.contains('\0') {
        return Err(("holds a NUL character".into(), "Save it as text in UTF-8"));
    }
    Ok(text)
}

/// Whether a relative name stays within the folder.
fn stays_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}
