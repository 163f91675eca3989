//! Poolers between Weber and PostgreSQL, such as PgBouncer. One that keeps a session together (session mode) works. One that
//! gives each transaction another session does not: what is prepared, set, locked or listened to is gone with the next statement.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use super::{Result, StoreError};

/// What is to be done about a pooler that changes sessions.
const TRANSACTION_MODE: &str = "the database is reached by a pooler in transaction mode, which gives each transaction another \
    session: Weber needs a session of its own for each connection. Set `pool_mode = session` for this database, or let \
    DATABASE_URL lead to PostgreSQL itself";

/// What is to be done about a pooler that refuses a parameter.
const PARAMETER: &str = "the database is reached by a pooler that refuses a parameter of DATABASE_URL (`unsupported startup \
    parameter`). Take `options` out of DATABASE_URL, or name the parameter in the pooler's `ignore_startup_parameters`";

/// How long another session may take to answer: a pooler with a single session in transaction mode would never.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses a pooler that does not keep a session together. One of two connections asks who serves it, before and while the
/// other has a transaction under way: a pooler in transaction mode has given its session away.
pub async fn check(pool: &PgPool) -> Result<()> {
    let mut one = pool.acquire().await.map_err(explained)?;
    let mut other = pool.acquire().await.map_err(explained)?;
    let before = session(&mut one).await.map_err(explained)?;
    let mut tx = other.begin().await.map_err(explained)?;
    session(&mut tx).await.map_err(explained)?;
    let after = tokio::time::timeout(PROBE_TIMEOUT, session(&mut one)).await;
    tx.rollback().await.map_err(explained)?;
    match after {
        Ok(after) if after.as_ref().is_ok_and(|after| *after == before) => Ok(()),
        Ok(Err(error)) => Err(explained(error)),
        Ok(Ok(_)) | Err(_) => Err(StoreError::Pooled(TRANSACTION_MODE)),
    }
}

/// Which process of the database serves a connection; by a statement that is not prepared.
async fn session(conn: &mut PgConnection) -> sqlx::Result<i32> {
    use sqlx::Row;
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(conn).await?.try_get(0)
}

/// An error in words where it comes from a pooler.
fn explained(error: sqlx::Error) -> StoreError {
    let said = error.as_database_error().map(|error| (error.code().unwrap_or_default(), error.message()));
    match said.and_then(|(code, message)| meaning(&code, message)) {
        Some(words) => StoreError::Pooled(words),
        None => error.into(),
    }
}

/// What a code and its words say of a pooler.
fn meaning(code: &str, message: &str) -> Option<&'static str> {
    match code {
        // duplicate_prepared_statement, invalid_sql_statement_name
        "42P05" | "26000" => Some(TRANSACTION_MODE),
        _ if message.contains("unsupported startup parameter") => Some(PARAMETER),
        _ if message.contains("statement pooling") => Some(TRANSACTION_MODE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_poolers_say_is_understood_and_nothing_else() {
        for (code, message, words) in [
            ("42P05", "prepared statement \"sqlx_s_1\" already exists", Some(TRANSACTION_MODE)),
            ("26000", "prepared statement \"sqlx_s_2\" does not exist", Some(TRANSACTION_MODE)),
            ("08P01", "unsupported startup parameter: options", Some(PARAMETER)),
            ("08P01", "unsupported startup parameter in options: jit", Some(PARAMETER)),
            ("08P01", "transaction blocks not allowed in statement pooling mode", Some(TRANSACTION_MODE)),
            ("08P01", "no such user", None),
            ("53300", "sorry, too many clients already", None),
        ] {
            assert_eq!(meaning(code, message), words, "{message}");
        }
    }
}
