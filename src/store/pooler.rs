//! Checks the pooler between Weber and PostgreSQL, such as PgBouncer, if there is one. A pooler in session mode works. A pooler that gives
//! each transaction another session (transaction mode) does not, because prepared statements, settings, locks and `listen` belong to a
//! session.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use super::{Result, StoreError};

/// The error for a pooler in transaction mode.
const TRANSACTION_MODE: &str = "the database is reached by a pooler in transaction mode, which gives each transaction another \
    session: Weber needs a session of its own for each connection. Set `pool_mode = session` for this database, or let \
    DATABASE_URL lead to PostgreSQL itself";

/// The error for a pooler that refuses a parameter.
const PARAMETER: &str = "the database is reached by a pooler that refuses a parameter of DATABASE_URL (`unsupported startup \
    parameter`). Take `options` out of DATABASE_URL, or name the parameter in the pooler's `ignore_startup_parameters`";

/// The longest time that a query may take. In transaction mode, a pooler with a single session would never answer it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses a pooler in transaction mode. The check asks one connection for its session before and during a transaction of another
/// connection. A pooler in transaction mode gives the session to that transaction.
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

/// The process of the database that serves a connection. The query is not a prepared statement.
async fn session(conn: &mut PgConnection) -> sqlx::Result<i32> {
    use sqlx::Row;
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(conn).await?.try_get(0)
}

/// An error of a pooler with an explanation. Other errors stay as they are.
fn explained(error: sqlx::Error) -> StoreError {
    let reported = error.as_database_error().map(|error| (error.code().unwrap_or_default(), error.message()));
    match reported.and_then(|(code, message)| meaning(&code, message)) {
        Some(explanation) => StoreError::Pooled(explanation),
        None => error.into(),
    }
}

/// The explanation of a pooler's error, by its code and message.
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
    fn errors_of_poolers_are_explained_and_other_errors_are_not() {
        for (code, message, explanation) in [
            ("42P05", "prepared statement \"sqlx_s_1\" already exists", Some(TRANSACTION_MODE)),
            ("26000", "prepared statement \"sqlx_s_2\" does not exist", Some(TRANSACTION_MODE)),
            ("08P01", "unsupported startup parameter: options", Some(PARAMETER)),
            ("08P01", "unsupported startup parameter in options: jit", Some(PARAMETER)),
            ("08P01", "transaction blocks not allowed in statement pooling mode", Some(TRANSACTION_MODE)),
            ("08P01", "no such user", None),
            ("53300", "sorry, too many clients already", None),
        ] {
            assert_eq!(meaning(code, message), explanation, "{message}");
        }
    }
}
