//! API tokens of scripts. Only their hashes are stored.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, word};
use crate::domain::rights::Scope;

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_at: DateTime<Utc>,
}

/// Stores a token. Returns false, and stores nothing, if the name is taken.
pub async fn add(
    conn: &mut PgConnection,
    name: &str,
    scopes: &[Scope],
    token_sha256: &[u8],
    now: DateTime<Utc>,
) -> Result<bool> {
    let scopes: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    let done = sqlx::query!(
        "insert into api_tokens (sha256, name, scopes, created_at) values ($1, $2, $3, $4)
         on conflict (name) do nothing",
        token_sha256,
        name,
        &scopes,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a token by its name. Returns false if there is none.
pub async fn remove(conn: &mut PgConnection, name: &str) -> Result<bool> {
    let done = sqlx::query!("delete from api_tokens where name = $1", name).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The name of a token, if it has this scope.
pub async fn holder(conn: &mut PgConnection, token_sha256: &[u8], scope: Scope) -> Result<Option<String>> {
    let name = sqlx::query_scalar!(
        "select name from api_tokens where sha256 = $1 and $2 = any(scopes)",
        token_sha256,
        scope.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(name)
}

/// All tokens, by name.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<ApiToken>> {
    let rows =
        sqlx::query!("select name, scopes, created_at from api_tokens order by name").fetch_all(conn).await?;
    rows.into_iter()
        .map(|row| {
            let scopes = row.scopes.iter().map(|scope| word(scope)).collect::<Result<_>>()?;
            Ok(ApiToken { name: row.name, scopes, created_at: row.created_at })
        })
        .collect()
}
