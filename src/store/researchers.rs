//! Researchers and their sessions. Only hashes of secrets are stored.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, word};
use crate::domain::rights::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Researcher {
    pub id: i64,
    pub email: String,
    pub role: Role,
    /// Whether the researcher may see the platforms' ids of participants.
    pub sees_identities: bool,
    /// Whether the researcher signs in with a second factor.
    pub second_factor: bool,
}

impl Researcher {
    /// Whether the researcher may run studies.
    pub fn steers(&self) -> bool {
        self.role >= Role::Researcher
    }

    /// Whether the researcher may change the rights of others.
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
    pub id: i64,
    /// Argon2 as a PHC string. None until the first password is set.
    pub password_hash: Option<String>,
}

/// Adds a researcher, unless there is one with that address. Returns their number.
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

/// Sets a researcher's role, and whether they may see the platforms' ids of participants.
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

/// All researchers, by address. Their rows stay locked until the transaction ends, so that two requests cannot remove the last two
/// administrators at the same time.
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

/// Removes a researcher with their sessions, links and codes. Their actions stay in the audit log.
pub async fn remove(conn: &mut PgConnection, id: i64) -> Result<()> {
    sqlx::query!("delete from sessions where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from password_links where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from recovery_codes where researcher_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from researchers where id = $1", id).execute(conn).await?;
    Ok(())
}

/// The number of researchers, and the number of those who have a password.
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

/// Stores a link by which a password can be set once.
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

/// The owner of a link that is unused and has not expired.
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

/// Uses a link that is unused and has not expired, and returns its owner. None for all later requests.
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

/// Sets a password. Deletes all sessions of the researcher, and all unused links by which a password could be set.
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

/// Starts a session. Deletes all sessions that have expired.
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

/// The owner of a session that has not expired, and that awaits the second factor's code or does not.
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

pub async fn end_session(conn: &mut PgConnection, token_sha256: &[u8]) -> Result<()> {
    sqlx::query!("delete from sessions where sha256 = $1", token_sha256).execute(conn).await?;
    Ok(())
}

/// The numbers of failed tries to sign in between two times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Tries as this researcher from this network.
    pub here: i64,
    /// Tries as this researcher from any network.
    pub anywhere: i64,
    /// Tries as any researcher from this network.
    pub of_network: i64,
}

/// Counts tries, and locks them for other transactions until this one ends, so that each of many concurrent tries counts those before it.
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

/// Adds a try, and deletes those before `since`.
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

/// Deletes a researcher's tries from a network, after a sign-in that succeeded.
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
