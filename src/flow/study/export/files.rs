//! Writes the files of an export. They have temporary names until all are complete, and are hashed while they are written.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::codebook::Column;
use crate::flow::study::export::ExportError;

/// A file as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filed {
    pub name: String,
    /// The number of rows without the header.
    pub rows: u64,
    /// The hash in hexadecimal.
    pub sha256: String,
}

/// The folder that files are written into.
pub struct OutputFolder {
    folder: PathBuf,
    names: Vec<String>,
    filed: Arc<Mutex<Vec<Filed>>>,
    published: bool,
}

impl OutputFolder {
    /// Makes the folder if it does not exist.
    pub fn new(folder: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        Ok(Self { folder: folder.to_owned(), names: Vec::new(), filed: Arc::default(), published: false })
    }

    fn create(&mut self, name: &str) -> Result<(File, PathBuf), ExportError> {
        let path = self.draft(name);
        self.names.push(name.to_owned());
        let file = File::create(&path).map_err(|source| failed(&path, source))?;
        Ok((file, path))
    }

    fn draft(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".{name}.tmp"))
    }

    /// Writes a whole file.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let (mut file, path) = self.create(name)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| failed(&path, source))
    }

    /// The tables that are complete.
    pub fn filed(&self) -> Vec<Filed> {
        self.filed.lock().clone()
    }

    /// Gives the files their final names.
    pub fn publish(mut self) -> Result<(), ExportError> {
        for name in &self.names {
            let path = self.folder.join(name);
            fs::rename(self.draft(name), &path).map_err(|source| failed(&path, source))?;
        }
        self.published = true;
        Ok(())
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        if !self.published {
            for name in &self.names {
                let _ = fs::remove_file(self.draft(name));
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> ExportError {
    ExportError::File { path: path.display().to_string(), source }
}

/// A CSV file with one row for each `R`.
pub struct ExportTable<R: 'static> {
    name: String,
    path: PathBuf,
    columns: &'static [Column<R>],
    csv: csv::Writer<Hashing<BufWriter<File>>>,
    rows: u64,
    field: String,
    filed: Arc<Mutex<Vec<Filed>>>,
}

impl<R> ExportTable<R> {
    /// A file with these columns.
    pub fn new(
        output: &mut OutputFolder,
        name: &str,
        columns: &'static [Column<R>],
    ) -> Result<Self, ExportError> {
        let mut table = Self::with_header(output, name, columns.iter().map(|column| column.name))?;
        table.columns = columns;
        Ok(table)
    }

    /// A file with this header, for rows of text fields.
    pub fn with_header<'a>(
        output: &mut OutputFolder,
        name: &str,
        header: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ExportError> {
        let (file, path) = output.create(name)?;
        let hashing = Hashing { inner: BufWriter::with_capacity(1 << 16, file), hash: Sha256::new() };
        let mut table = Self {
            name: name.to_owned(),
            path,
            columns: &[],
            csv: csv::Writer::from_writer(hashing),
            rows: 0,
            field: String::new(),
            filed: output.filed.clone(),
        };
        table.csv.write_record(header).map_err(|error| table.failed(error.into()))?;
        Ok(table)
    }

    /// Writes a row.
    pub fn write(&mut self, row: &R) -> Result<(), ExportError> {
        for column in self.columns {
            self.field.clear();
            column.write_csv(row, &mut self.field);
            self.csv.write_field(&self.field).map_err(|error| failed(&self.path, error.into()))?;
        }
        self.end_row(None::<&[u8]>)
    }

    /// Writes a row of text fields.
    pub fn write_fields(&mut self, fields: [String; 6]) -> Result<(), ExportError> {
        self.end_row(fields)
    }

    fn end_row<F: AsRef<[u8]>>(&mut self, fields: impl IntoIterator<Item = F>) -> Result<(), ExportError> {
        self.csv.write_record(fields).map_err(|error| failed(&self.path, error.into()))?;
        self.rows += 1;
        Ok(())
    }

    /// Completes the file and adds it to the list.
    pub fn finish(self) -> Result<(), ExportError> {
        let Self { name, path, csv, rows, filed, .. } = self;
        let end = || -> io::Result<Sha256> {
            let hashing = csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
            hashing.inner.into_inner()?.sync_all()?;
            Ok(hashing.hash)
        };
        let hash = end().map_err(|source| failed(&path, source))?;
        let file = Filed { name, rows, sha256: hex::encode(hash.finalize()) };
        filed.lock().push(file);
        Ok(())
    }

    fn failed(&self, error: io::Error) -> ExportError {
        failed(&self.path, error)
    }
}

/// Hashes all that is written.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
