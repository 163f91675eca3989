//! Researchers and their sessions. Secrets are stored as hashes only.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, word};
use crate::domain::rights::Role;

/// A researcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Researcher {
    /// Number in the database.
    pub id: i64,
    /// What they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may see who participants are.
    pub sees_identities: bool,
    /// Whether they sign in with a second factor.
    pub second_factor: bool,
}

impl Researcher {
    /// Whether they may steer studies.
    pub fn steers(&self) -> bool {
        self.role >= Role::Researcher
    }

    /// Whether they may decide what others may do.
    pub fn administers(&self) -> bool {
        self.role >= Role::Administrator
    }
}

struct ResearcherRow {
    id: i64,
    email: String,
    role: String,
    sees_identities: bool,
    second_factor: bool,
}

impl TryFrom<ResearcherRow> for Researcher {
    type Error = super::StoreError;

    fn try_from(row: ResearcherRow) -> Result<Self> {
        let ResearcherRow { id, email, role, sees_identities, second_factor } = row;
        Ok(Self { id, email, role: word(&role)?, sees_identities, second_factor })
    }
}

/// A researcher with the hash of their password.
pub struct Credentials {
    /// Number in the database.
    pub id: i64,
    /// Argon2, as a PHC string; none until the first password is set.
    pub password_hash: Option<String>,
}

/// Adds a researcher, or finds them if they are there, and returns their number.
pub async fn add(conn: &mut PgConnection, email: &str, now: DateTime<Utc>) -> Result<i64> {
    let id = sqlx::query_scalar!(
        "insert into researchers (email, created_at) values ($1, $2)
         on conflict (lower(email)) do update set email = researchers.email returning id",
        email,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Gives a researcher a role, and lets them see who participants are or not.
pub async fn set_rights(conn: &mut PgConnection, id: i64, role: Role, sees_identities: bool) -> Result<()> {
    sqlx::query!(
        "update researchers set role = $2, sees_identities = $3 where id = $1",
        id,
        role.as_str(),
        sees_identities,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Everybody, in the order of their addresses. The lock keeps two from taking the last administrator's role away at once.
pub async fn all_locked(conn: &mut PgConnection) -> Result<Vec<Researcher>> {
    let rows = sqlx::query_as!(
        ResearcherRow,
        r#"select id, email, role, sees_identities, totp_confirmed_at is not null as "second_factor!"
           from researchers order by lower(email) for update"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Researcher::try_from).collect()
}

/// Removes a researcher with their sessions, links and codes. What they did stays in the journal.
pub async fn remove(conn: &mut PgConnection, id: i64) -> Result<()> {
    sqlx::query!("delete from sessions where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from password_links where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from recovery_codes where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from researchers where id = $1", id).execute(conn).await?;
    Ok(())
}

/// How many researchers there are, and how many of them have a password.
pub async fn counts(conn: &mut PgConnection) -> Result<(i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) as "all!", count(password_hash) as "with_password!" from researchers"#
    )
    .fetch_one(conn)
    .await?;
    Ok((row.all, row.with_password))
}

/// The credentials for an address.
pub async fn credentials(conn: &mut PgConnection, email: &str) -> Result<Option<Credentials>> {
    let row = sqlx::query_as!(
        Credentials,
        "select id, password_hash from researchers where lower(email) = lower($1)",
        email
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Makes a link by which a password can be set once.
pub async fn add_password_link(
    conn: &mut PgConnection,
    researcher_id: i64,
    token_sha256: &[u8],
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into password_links (sha256, researcher_id, expires_at) values ($1, $2, $3)",
        token_sha256,
        researcher_id,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whom a link that is still good belongs to.
pub async fn password_link_owner(
    conn: &mut PgConnection,
    token_sha256: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Researcher>> {
    let row = sqlx::query_as!(
        ResearcherRow,
        r#"select r.id, r.email, r.role, r.sees_identities, r.totp_confirmed_at is not null as "second_factor!"
           from password_links l join researchers r on r.id = l.researcher_id
           where l.sha256 = $1 and l.used_at is null and l.expires_at > $2"#,
        token_sha256,
        now,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Researcher::try_from).transpose()
}

/// Uses up a link that is still good. Whoever comes second gets nothing.
pub async fn use_password_link(
    conn: &mut PgConnection,
    token_sha256: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<i64>> {
    let id = sqlx::query_scalar!(
        "update password_links set used_at = $2 where sha256 = $1 and used_at is null and expires_at > $2
         returning researcher_id",
        token_sha256,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// Sets a password, and ends all sessions of the researcher and all links by which another could be set.
pub async fn set_password(conn: &mut PgConnection, researcher_id: i64, hash: &str) -> Result<()> {
    sqlx::query!("update researchers set password_hash = $2 where id = $1", researcher_id, hash)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from password_links where researcher_id = $1 and used_at is null", researcher_id)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("delete from sessions where researcher_id = $1", researcher_id).execute(conn).await?;
    Ok(())
}

/// Starts a session.
pub async fn add_session(
    conn: &mut PgConnection,
    researcher_id: i64,
    token_sha256: &[u8],
    awaits_code: bool,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("delete from sessions where expires_at < $1", now).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into sessions (sha256, researcher_id, created_at, expires_at, awaits_code) values ($1, $2, $3, $4, $5)",
        token_sha256,
        researcher_id,
        now,
        expires_at,
        awaits_code,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whose session it is: one that is good, or one that awaits the second factor's code.
pub async fn session_owner(
    conn: &mut PgConnection,
    token_sha256: &[u8],
    awaits_code: bool,
    now: DateTime<Utc>,
) -> Result<Option<Researcher>> {
    let row = sqlx::query_as!(
        ResearcherRow,
        r#"select r.id, r.email, r.role, r.sees_identities, r.totp_confirmed_at is not null as "second_factor!"
           from sessions s join researchers r on r.id = s.researcher_id
           where s.sha256 = $1 and s.expires_at > $2 and s.awaits_code = $3"#,
        token_sha256,
        now,
        awaits_code,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Researcher::try_from).transpose()
}

/// Ends a session.
pub async fn end_session(conn: &mut PgConnection, token_sha256: &[u8]) -> Result<()> {
    sqlx::query!("delete from sessions where sha256 = $1", token_sha256).execute(conn).await?;
    Ok(())
}

/// Tries to sign in that did not succeed, between two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Of this researcher, from this network.
    pub here: i64,
    /// Of this researcher, from anywhere.
    pub anywhere: i64,
    /// From this network, of anybody.
    pub of_network: i64,
}

/// Counts tries, and lets nobody else count until the transaction ends: of many that come at once each sees those before it.
pub async fn tries_locked(
    conn: &mut PgConnection,
    email_hmac: &[u8],
    network_hmac: &[u8],
    (since, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Tries> {
    sqlx::query!("lock table sign_in_tries in share row exclusive mode").execute(&mut *conn).await?;
    let tries = sqlx::query_as!(
        Tries,
        r#"select count(*) filter (where email_hmac = $1 and network_hmac = $2) as "here!",
                  count(*) filter (where email_hmac = $1) as "anywhere!",
                  count(*) filter (where network_hmac = $2) as "of_network!"
           from sign_in_tries where at between $3 and $4 and (email_hmac = $1 or network_hmac = $2)"#,
        email_hmac,
        network_hmac,
        since,
        until,
    )
    .fetch_one(conn)
    .await?;
    Ok(tries)
}

/// Adds a try, and forgets those from before `since`.
pub async fn add_try(
    conn: &mut PgConnection,
    email_hmac: &[u8],
    network_hmac: &[u8],
    now: DateTime<Utc>,
    since: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("delete from sign_in_tries where at < $1", since).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into sign_in_tries (email_hmac, network_hmac, at) values ($1, $2, $3)",
        email_hmac,
        network_hmac,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets a researcher's tries from a network after one that was right.
pub async fn forget_tries(conn: &mut PgConnection, email_hmac: &[u8], network_hmac: &[u8]) -> Result<()> {
    sqlx::query!(
        "delete from sign_in_tries where email_hmac = $1 and network_hmac = $2",
        email_hmac,
        network_hmac,
    )
    .execute(conn)
    .await?;
    Ok(())
}
