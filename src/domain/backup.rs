//! The manifest of a backup, and the conditions under which it can be restored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::audit_log::Head;

/// The version of the format. It is raised when older programs could not read new backups.
pub const FORMAT: u32 = 1;

/// The content of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// The version of the format.
    pub format: u32,
    /// The version of Weber that made it.
    pub program_version: String,
    /// The newest migration of the database.
    pub schema_version: i64,
    /// The time at which the backup began. It holds everything that was stored before.
    pub created_at: DateTime<Utc>,
    /// The fingerprint of the installation's key, in hexadecimal.
    pub key_fingerprint: String,
    /// Whether the key itself is in the backup.
    pub holds_key: bool,
    /// The newest entry of the audit log.
    pub journal: Head,
    /// The tables, in an order in which they can be filled.
    pub tables: Vec<BackupTable>,
    /// The state of every sequence.
    pub sequences: Vec<Sequence>,
}

/// A table's name and columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// The table's name.
    pub name: String,
    /// The columns' names, in order.
    pub columns: Vec<String>,
}

/// A table in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTable {
    /// The table's name and columns.
    #[serde(flatten)]
    pub layout: TableLayout,
    /// The size and hash of its content.
    #[serde(flatten)]
    pub measure: ContentMeasure,
}

/// Numbers by which two contents can be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentMeasure {
    /// The number of rows.
    pub rows: u64,
    /// The number of bytes before compression.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hexadecimal.
    pub sha256: String,
}

/// The state of a PostgreSQL sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The sequence's name.
    pub name: String,
    /// The last number that it returned.
    pub last: i64,
}

/// Why a backup cannot be restored by this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Its manifest cannot be read.
    #[error("its manifest is not understood: {0}")]
    Unreadable(String),
    /// A newer program made it in another format.
    #[error(
        "it was made by Weber {0}, which is newer than this program: restore it with that version or a newer one"
    )]
    NewerProgram(String),
    /// The program does not know its schema.
    #[error(
        "it holds the tables of schema {schema}, which this program does not know: restore it with Weber {program}, or \
         a newer one"
    )]
    UnknownSchema {
        /// The schema version of the backup.
        schema: i64,
        /// The version of Weber that made it.
        program: String,
    },
    /// Its tables differ from those of its schema.
    #[error("its table `{0}` is not one of its schema")]
    OtherTables(String),
}

/// The part of a manifest that every format has.
#[derive(Deserialize)]
struct Stamp {
    format: u32,
    program_version: String,
}

impl BackupManifest {
    /// Reads a manifest. It refuses newer formats.
    pub fn read(json: &[u8]) -> Result<Self, Unfit> {
        let unreadable = |error: serde_json::Error| Unfit::Unreadable(error.to_string());
        let stamp: Stamp = serde_json::from_slice(json).map_err(unreadable)?;
        if stamp.format > FORMAT {
            return Err(Unfit::NewerProgram(stamp.program_version));
        }
        serde_json::from_slice(json).map_err(unreadable)
    }

    /// Refuses a schema that this program cannot make. `known` says whether the program has a migration of that number.
    pub fn check_schema(&self, known: impl FnOnce(i64) -> bool) -> Result<(), Unfit> {
        if known(self.schema_version) {
            return Ok(());
        }
        Err(Unfit::UnknownSchema { schema: self.schema_version, program: self.program_version.clone() })
    }

    /// Refuses tables that differ from those of the schema, so that no name from a file reaches the database.
    pub fn check_tables(&self, schema: &[TableLayout]) -> Result<(), Unfit> {
        let other = self.tables.iter().map(|table| &table.layout).find(|layout| !schema.contains(layout));
        let missing =
            schema.iter().find(|layout| !self.tables.iter().any(|table| table.layout.name == layout.name));
        match other.or(missing) {
            Some(layout) => Err(Unfit::OtherTables(layout.name.clone())),
            None => Ok(()),
        }
    }
}

/// Sorts tables so that each follows those that it refers to. Tables that refer to each other in a circle are left out.
pub fn in_order(mut tables: Vec<TableLayout>, references: &[(String, String)]) -> Vec<TableLayout> {
    let mut ordered: Vec<TableLayout> = Vec::new();
    loop {
        let (ready, waiting): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| {
            let own = references.iter().filter(|(from, to)| *from == table.name && from != to);
            own.into_iter().all(|(_, to)| ordered.iter().any(|done| done.name == *to))
        });
        if ready.is_empty() {
            return ordered;
        }
        ordered.extend(ready);
        tables = waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;

    fn layout(name: &str) -> TableLayout {
        TableLayout { name: name.into(), columns: vec!["id".into(), "text".into()] }
    }

    fn manifest() -> BackupManifest {
        let measure = ContentMeasure { rows: 1, bytes: 8, sha256: "00".into() };
        BackupManifest {
            format: FORMAT,
            program_version: "9.9.9".into(),
            schema_version: 3,
            created_at: at(0.0),
            key_fingerprint: "ab".into(),
            holds_key: true,
            journal: Head::default(),
            tables: vec![BackupTable { layout: layout("a"), measure }],
            sequences: Vec::new(),
        }
    }

    #[test]
    fn tables_come_after_those_that_they_refer_to() {
        let references =
            [("a", "c"), ("b", "a"), ("c", "c")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        let names = |tables: Vec<TableLayout>| tables.into_iter().map(|table| table.name).collect::<String>();
        assert_eq!(names(in_order(["a", "b", "c", "d"].map(layout).into(), &references)), "cdab");
        let circle = [("a", "b"), ("b", "a")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(names(in_order(["a", "b", "c"].map(layout).into(), &circle)), "c");
    }

    fn read(manifest: &BackupManifest) -> Result<BackupManifest, Unfit> {
        BackupManifest::read(&serde_json::to_vec(manifest).unwrap())
    }

    #[test]
    fn a_written_manifest_is_read_unchanged() {
        assert_eq!(read(&manifest()), Ok(manifest()));
        assert!(matches!(BackupManifest::read(b"{\"format\": 1"), Err(Unfit::Unreadable(_))));
    }

    #[test]
    fn unreadable_and_newer_manifests_are_refused() {
        let newer = BackupManifest { format: FORMAT + 1, ..manifest() };
        assert_eq!(read(&newer), Err(Unfit::NewerProgram("9.9.9".into())));
        assert_eq!(manifest().check_schema(|schema| schema == 3), Ok(()));
        let unknown = Unfit::UnknownSchema { schema: 3, program: "9.9.9".into() };
        assert_eq!(manifest().check_schema(|_| false), Err(unknown));
    }

    #[test]
    fn the_tables_must_be_exactly_those_of_the_schema() {
        let refused = |schema: &[TableLayout]| manifest().check_tables(schema).err();
        assert_eq!(refused(&[layout("a")]), None);
        assert_eq!(refused(&[layout("a"), layout("b")]), Some(Unfit::OtherTables("b".into())));
        let narrower = TableLayout { columns: vec!["id".into()], ..layout("a") };
        assert_eq!(refused(&[narrower]), Some(Unfit::OtherTables("a".into())));
    }
}
