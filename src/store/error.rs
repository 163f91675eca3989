//! What can go wrong while remembering, and what of it passes by itself.

use std::sync::Arc;

/// What can go wrong while remembering.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what this program does not understand, for instance because a newer program wrote it.
    #[error("a row in the database is not understood: {0}")]
    Corrupt(String),
    /// A row was written by others at the same time, so that nothing could be decided on it.
    #[error("others wrote the same row at the same time")]
    Overtaken,
    /// A person's row is locked by another session, so that nothing could be stored of them.
    #[error("another session has locked the person's row")]
    Held,
    /// What is between Weber and the database changes the session from one statement to the next.
    #[error("{0}")]
    Pooled(&'static str),
    /// One failure of many that were written together.
    #[error(transparent)]
    Shared(Arc<StoreError>),
}

/// Short for what stores return.
pub type Result<T> = std::result::Result<T, StoreError>;

/// PostgreSQL's codes (SQLSTATE), or the first characters of them, of what passes by itself or once the people who run the
/// database have seen to it. Whoever asks the same then succeeds.
const PASSING: [&str; 13] = [
    "08",    // connection exception
    "28",    // invalid authorization: a password is being changed
    "3D000", // invalid_catalog_name: the database is being restored
    "40",    // transaction rollback: serialization failure, deadlock
    "42501", // insufficient_privilege: what PostgreSQL says of a file system that became read-only
    "53",    // insufficient resources: disk full, out of memory, too many connections
    "55006", // object_in_use
    "55P03", // lock_not_available: lock_timeout
    "57",    // operator intervention: shutdown, statement_timeout
    "58",    // system error: input and output
    "25006", // read_only_sql_transaction: a replica that is not the primary yet
    "25P03", // idle_in_transaction_session_timeout
    "25P04", // transaction_timeout
];

/// Codes of a database that takes no writes: no room, read-only, or its disk fails.
const UNWRITABLE: [&str; 4] = ["25006", "42501", "53100", "58030"];

/// Codes of a text that the database cannot keep: character_not_in_repertoire, untranslatable_character.
const UNSTORABLE: [&str; 2] = ["22021", "22P05"];

/// Code of a lock that was not to be had within `lock_timeout`.
const LOCKED: [&str; 1] = ["55P03"];

impl StoreError {
    /// Whether a text held a character that the database cannot keep (NUL), so that the fault lies with who sent it.
    pub fn is_unstorable_text(&self) -> bool {
        self.is_one_of(&UNSTORABLE)
    }

    /// Whether of many that were written together the others may succeed without the one who is at fault.
    pub fn may_lie_in_one(&self) -> bool {
        matches!(self, Self::Overtaken) || !self.is_transient()
    }

    /// Whether the database takes no writes, from anybody.
    pub fn is_unwritable(&self) -> bool {
        self.is_one_of(&UNWRITABLE)
    }

    /// Whether another session did not let go of a lock in time.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Held) || self.is_one_of(&LOCKED)
    }

    /// Whether the same may succeed later: the database was away or overloaded.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_transient(),
            Self::Overtaken | Self::Held => true,
            Self::Database(
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed,
            ) => true,
            _ => self.is_one_of(&PASSING),
        }
    }

    fn is_one_of(&self, codes: &[&str]) -> bool {
        match self {
            Self::Shared(error) => error.is_one_of(codes),
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                codes.iter().any(|start| code.starts_with(start))
            }
            _ => false,
        }
    }
}
