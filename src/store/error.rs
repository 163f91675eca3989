//! Errors of the store, and which of them are transient.

use std::sync::Arc;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row contains a value that this program cannot read, for instance because a newer program wrote it.
    #[error("a row in the database cannot be read: {0}")]
    Corrupt(String),
    /// Another session wrote a row while this one was deciding about it.
    #[error("another session wrote the same row at the same time")]
    Overtaken,
    /// Another session has locked a person's row, so that nothing could be stored for them.
    #[error("another session has locked the person's row")]
    Held,
    /// A pooler between Weber and the database does not work with Weber. The text says why, and what to do.
    #[error("{0}")]
    Pooled(&'static str),
    /// The failure of a write that several callers share.
    #[error(transparent)]
    Shared(Arc<StoreError>),
}

/// The result type of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// PostgreSQL's codes (SQLSTATE), or their first characters, of transient errors: they end by themselves or when an operator has repaired
/// the database. Then the same request succeeds.
const PASSING: [&str; 13] = [
    "08",    // connection exception
    "28",    // invalid authorization: a password is being changed
    "3D000", // invalid_catalog_name: the database is being restored
    "40",    // transaction rollback: serialization failure, deadlock
    "42501", // insufficient_privilege: PostgreSQL reports it when its file system became read-only
    "53",    // insufficient resources: disk full, out of memory, too many connections
    "55006", // object_in_use
    "55P03", // lock_not_available: lock_timeout
    "57",    // operator intervention: shutdown, statement_timeout
    "58",    // system error: input and output
    "25006", // read_only_sql_transaction: a replica that has not become the primary yet
    "25P03", // idle_in_transaction_session_timeout
    "25P04", // transaction_timeout
];

/// Codes of a database that accepts no writes: its disk is full or fails, or it is read-only.
const UNWRITABLE: [&str; 4] = ["25006", "42501", "53100", "58030"];

/// Codes of a text that the database cannot store: character_not_in_repertoire, untranslatable_character.
const UNSTORABLE: [&str; 2] = ["22021", "22P05"];

/// The code of a lock that was not free within `lock_timeout`.
const LOCKED: [&str; 1] = ["55P03"];

impl StoreError {
    /// Whether a text contains a character that the database cannot store (NUL), so that the client is at fault.
    pub fn is_unstorable_text(&self) -> bool {
        self.is_one_of(&UNSTORABLE)
    }

    /// Whether one of several writes in a transaction may have caused the error, so that the others may succeed without it.
    pub fn may_lie_in_one(&self) -> bool {
        matches!(self, Self::Overtaken) || !self.is_transient()
    }

    /// Whether the database accepts no writes from any client.
    pub fn is_unwritable(&self) -> bool {
        self.is_one_of(&UNWRITABLE)
    }

    /// Whether another session did not release a lock in time.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Held) || self.is_one_of(&LOCKED)
    }

    /// Whether the same request may succeed later, because the database was unavailable or overloaded.
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
