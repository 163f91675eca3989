//! What a backup says about itself, and what has to be so for it to be restored.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::audit_log::Head;

/// How backups are built: raised when an older program could not read a new one.
pub const FORMAT: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// How it is built.
    pub format: u32,
    /// Which Weber made it.
    pub program_version: String,
    /// The newest migration of the database that it was taken from.
    pub schema_version: i64,
    /// When it was begun: it holds everything that was stored by then.
    pub created_at: DateTime<Utc>,
    /// The fingerprint of the installation's key, in hexadecimal.
    pub key_fingerprint: String,
    /// Whether the key itself is in the backup.
    pub holds_key: bool,
    /// The journal as it stood.
    pub journal: Head,
    /// The tables, in an order in which they can be filled.
    pub tables: Vec<BackupTable>,
    /// Where numbering goes on.
    pub sequences: Vec<Sequence>,
}

/// A table's name and columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// A table as it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTable {
    /// Its name and columns.
    #[serde(flatten)]
    pub layout: TableLayout,
    /// What was copied of it.
    #[serde(flatten)]
    pub measure: ContentMeasure,
}

/// What tells one content from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentMeasure {
    /// Rows.
    pub rows: u64,
    /// Bytes, before compression.
    pub bytes: u64,
    /// SHA-256 of these bytes, in hexadecimal.
    pub sha256: String,
}

/// A source of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: String,
    /// The last number that it gave out.
    pub last: i64,
}

/// Why a backup cannot be restored by this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It does not say what it is.
    #[error("its manifest is not understood: {0}")]
    Unreadable(String),
    /// A newer program built it in another way.
    #[error(
        "it was made by Weber {0}, which is newer than this program: restore it with that version or a newer one"
    )]
    NewerProgram(String),
    /// The program does not have its tables any more, or yet.
    #[error(
        "it holds the tables of schema {schema}, which this program does not know: restore it with Weber {program}, or \
         a newer one"
    )]
    UnknownSchema {
        /// The backup's.
        schema: i64,
        /// Which Weber made it.
        program: String,
    },
    /// Its tables are not those of its schema.
    #[error("its table `{0}` is not one of its schema")]
    OtherTables(String),
}

/// What every manifest says, of whatever kind it is.
#[derive(Deserialize)]
struct Stamp {
    format: u32,
    program_version: String,
}

impl BackupManifest {
    /// Reads a manifest, unless it is one of a newer kind.
    pub fn read(json: &[u8]) -> Result<Self, Unfit> {
        let unreadable = |error: serde_json::Error| Unfit::Unreadable(error.to_string());
        let stamp: Stamp = serde_json::from_slice(json).map_err(unreadable)?;
        if stamp.format > FORMAT {
            return Err(Unfit::NewerProgram(stamp.program_version));
        }
        serde_json::from_slice(json).map_err(unreadable)
    }

    /// Refuses what belongs to a schema that this program cannot make. `known` says whether it has a migration of that
    /// number.
    pub fn check_schema(&self, known: impl FnOnce(i64) -> bool) -> Result<(), Unfit> {
        if known(self.schema_version) {
            return Ok(());
        }
        Err(Unfit::UnknownSchema { schema: self.schema_version, program: self.program_version.clone() })
    }

    /// Refuses tables that are not exactly those of the schema: names from a file never reach the database otherwise.
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

/// Puts every table after those that it refers to. Of a circle of tables none comes back.
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
    fn a_manifest_is_read_as_it_was_written() {
        assert_eq!(read(&manifest()), Ok(manifest()));
        assert!(matches!(BackupManifest::read(b"{\"format\": 1"), Err(Unfit::Unreadable(_))));
    }

    #[test]
    fn what_this_program_cannot_read_is_refused() {
        let newer = BackupManifest { format: FORMAT + 1, ..manifest() };
        assert_eq!(read(&newer), Err(Unfit::NewerProgram("9.9.9".into())));
        assert_eq!(manifest().check_schema(|schema| schema == 3), Ok(()));
        let unknown = Unfit::UnknownSchema { schema: 3, program: "9.9.9".into() };
        assert_eq!(manifest().check_schema(|_| false), Err(unknown));
    }

    #[test]
    fn only_the_tables_of_the_schema_are_filled_and_all_of_them() {
        let refused = |schema: &[TableLayout]| manifest().check_tables(schema).err();
        assert_eq!(refused(&[layout("a")]), None);
        assert_eq!(refused(&[layout("a"), layout("b")]), Some(Unfit::OtherTables("b".into())));
        let narrower = TableLayout { columns: vec!["id".into()], ..layout("a") };
        assert_eq!(refused(&[narrower]), Some(Unfit::OtherTables("a".into())));
    }
}
