//! The file of a backup: a ZIP archive with one text file per table, the key, and a manifest with a hash of each.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::TempPath;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::domain::backup::{BackupManifest, ContentMeasure, TableLayout};
use crate::flow::backup::BackupError;
use crate::flow::secrets::Secrets;

const MANIFEST: &str = "manifest.json";
const KEY: &str = "secret";

/// The fastest level with dynamic Huffman codes.
const COMPRESSION: i64 = 2;

/// Largest manifest, in bytes. A manifest has a few kilobytes; a larger file is not from Weber.
pub const LARGEST_MANIFEST: u64 = 16 << 20;

/// Bytes that are read and hashed at once.
const PIECE: usize = 1 << 16;

fn table_name(table: &TableLayout) -> String {
    format!("tables/{}.txt", table.name)
}

/// A backup that is being written, readable by its owner only. It has a temporary name until it is complete, and is deleted if
/// it does not become complete.
pub struct Draft {
    path: PathBuf,
    draft: TempPath,
    zip: ZipWriter<BufWriter<File>>,
}

impl Draft {
    /// Creates the file, unless the name is taken.
    pub fn create(path: &Path) -> Result<Self, BackupError> {
        if path.exists() {
            return Err(BackupError::Exists(path.display().to_string()));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(".tmp");
        let draft = PathBuf::from(draft);
        // A file of an earlier attempt would keep its old mode.
        let _ = fs::remove_file(&draft);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&draft);
        let file = file.map_err(|source| failed(&draft, source))?;
        let zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
        let draft = TempPath::try_from_path(draft).map_err(|source| failed(path, source))?;
        Ok(Self { path: path.to_owned(), draft, zip })
    }

    fn begin(&mut self, name: &str) -> Result<(), BackupError> {
        // Most of the bytes are images as hexadecimal digits, which shrink to the size of the images and no further.
        let options = SimpleFileOptions::default().large_file(true).compression_level(Some(COMPRESSION));
        self.zip.start_file(name, options).map_err(|error| failed(&self.draft, error.into()))
    }

    /// Begins the content of a table.
    pub fn table(&mut self, table: &TableLayout) -> Result<TableWriter<'_>, BackupError> {
        self.begin(&table_name(table))?;
        Ok(TableWriter { archive: self, meter: HashingReader::default() })
    }

    fn whole(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        self.begin(name)?;
        self.zip.write_all(bytes).map_err(|source| failed(&self.draft, source))
    }

    /// Adds the installation's key.
    pub fn key(&mut self, key: [u8; 32]) -> Result<(), BackupError> {
        self.whole(KEY, format!("{}\n", hex::encode(key)).as_bytes())
    }

    /// Completes the file, reads it again from the disk, and gives it its final name.
    pub fn finish(mut self, manifest: &BackupManifest) -> Result<(), BackupError> {
        let json = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
        self.whole(MANIFEST, &json)?;
        let file = self.zip.finish().map_err(io::Error::from);
        let file = file.and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error));
        file.and_then(|file| file.sync_all()).map_err(|source| failed(&self.draft, source))?;
        Archive::open(&self.draft)?.verify()?;
        let path = self.path;
        self.draft.persist_noclobber(&path).map_err(|error| failed(&path, error.error))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(|source| failed(&path, source))
    }
}

/// Writes the content of one table.
pub struct TableWriter<'a> {
    archive: &'a mut Draft,
    meter: HashingReader,
}

impl TableWriter<'_> {
    /// Adds a piece.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), BackupError> {
        self.meter.add(piece);
        self.archive.zip.write_all(piece).map_err(|source| failed(&self.archive.draft, source))
    }

    /// The size and hash of what was written.
    pub fn finish(self) -> ContentMeasure {
        self.meter.read()
    }
}

/// A backup that is being read.
pub struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    pub manifest: BackupManifest,
}

impl Archive {
    /// Opens a file and reads its manifest. [`Archive::verify`] checks the rest.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(|source| failed(path, source))?;
        let damaged = |error: &dyn std::fmt::Display| BackupError::damaged(path, error);
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
        let mut json = Vec::new();
        let entry = zip.by_name(MANIFEST).map_err(|error| damaged(&error))?;
        entry.take(LARGEST_MANIFEST).read_to_end(&mut json).map_err(|error| damaged(&error))?;
        let manifest = BackupManifest::read(&json)?;
        Ok(Self { path: path.to_owned(), zip, manifest })
    }

    /// The installation's key, if it is in the backup.
    pub fn key(&mut self) -> Result<Option<[u8; 32]>, BackupError> {
        if !self.manifest.holds_key {
            return Ok(None);
        }
        let mut text = String::new();
        let read = self.zip.by_name(KEY).map_err(io::Error::from);
        read.and_then(|entry| entry.take(100).read_to_string(&mut text))
            .map_err(|error| BackupError::damaged(&self.path, &error))?;
        let key = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let is_right =
            |key: &[u8; 32]| hex::encode(Secrets::new(*key).fingerprint()) == self.manifest.key_fingerprint;
        match key.filter(is_right) {
            Some(key) => Ok(Some(key)),
            None => Err(BackupError::damaged(&self.path, &"the key is not the one that its manifest names")),
        }
    }

    /// Reads everything, and refuses content that differs from the manifest.
    pub fn verify(&mut self) -> Result<(), BackupError> {
        self.key()?;
        for table in self.manifest.tables.clone() {
            if self.table(&table.layout)?.measure()? != table.measure {
                let words = format!("the table `{}` is not as it was written", table.layout.name);
                return Err(BackupError::damaged(&self.path, &words));
            }
        }
        Ok(())
    }

    /// The content of a table.
    pub fn table(&mut self, table: &TableLayout) -> Result<Pieces<'_, impl Read>, BackupError> {
        let path = &self.path;
        let reader = self.zip.by_name(&table_name(table));
        let reader = reader.map_err(|error| BackupError::damaged(path, &error))?;
        Ok(Pieces { path, reader, buffer: vec![0; PIECE] })
    }
}

/// The content of a table, piece by piece.
pub struct Pieces<'a, R> {
    path: &'a Path,
    reader: R,
    buffer: Vec<u8>,
}

impl<R: Read> Pieces<'_, R> {
    fn measure(mut self) -> Result<ContentMeasure, BackupError> {
        let mut meter = HashingReader::default();
        while let Some(piece) = self.next()? {
            meter.add(piece);
        }
        Ok(meter.read())
    }

    /// The next piece, if there is one.
    pub fn next(&mut self) -> Result<Option<&[u8]>, BackupError> {
        let read = self.reader.read(&mut self.buffer);
        let read = read.map_err(|error| BackupError::damaged(self.path, &error))?;
        Ok(Some(&self.buffer[..read]).filter(|piece| !piece.is_empty()))
    }
}

/// Counts and hashes content. Each line is one row: PostgreSQL escapes line breaks within a row.
#[derive(Default)]
struct HashingReader {
    rows: u64,
    bytes: u64,
    hash: Sha256,
}

impl HashingReader {
    fn add(&mut self, piece: &[u8]) {
        self.rows += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.bytes += piece.len() as u64;
        self.hash.update(piece);
    }

    fn read(self) -> ContentMeasure {
        ContentMeasure { rows: self.rows, bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) }
    }
}

fn failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::File { path: path.display().to_string(), source }
}
