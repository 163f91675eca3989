//! Who somebody is on their platform: the once-only rule by keyed hashes, and the raw ids, apart from the data.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, word};
use crate::domain::identity::Identity;
use crate::domain::study::Platform;

/// Claims the one participation that a person has in a study family. Returns the participation that has it already,
/// if there is one, and then nothing was claimed.
pub async fn claim_once(
    conn: &mut PgConnection,
    family: &str,
    platform: Platform,
    worker_hmac: &[u8],
    id: Uuid,
) -> Result<Option<Uuid>> {
    let claimed = sqlx::query!(
        "insert into once_only (family, platform, worker_hmac, participant_id) values ($1, $2, $3, $4)
         on conflict do nothing",
        family,
        platform.as_str(),
        worker_hmac,
        id,
    )
    .execute(&mut *conn)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(None);
    }
    holder(conn, family, platform, worker_hmac).await
}

/// The participation that a person has in a study family.
pub async fn holder(
    conn: &mut PgConnection,
    family: &str,
    platform: Platform,
    worker_hmac: &[u8],
) -> Result<Option<Uuid>> {
    let id = sqlx::query_scalar!(
        "select participant_id from once_only where family = $1 and platform = $2 and worker_hmac = $3",
        family,
        platform.as_str(),
        worker_hmac,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// Stores the ids of a participation, or those of its newest arrival; the receipt stays the first one.
pub async fn set(conn: &mut PgConnection, id: Uuid, identity: &Identity, receipt: &str) -> Result<()> {
    sqlx::query!(
        "insert into identities (participant_id, platform, worker_id, assignment_id, hit_id, submit_to, receipt)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (participant_id) do update set
            assignment_id = excluded.assignment_id, hit_id = excluded.hit_id, submit_to = excluded.submit_to",
        id,
        identity.platform.as_str(),
        identity.worker_id,
        identity.assignment_id,
        identity.hit_id,
        identity.submit_to,
        receipt,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The ids of a participation and its receipt, unless they were forgotten or there never were any.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<(Identity, String)>> {
    let row = sqlx::query!(
        "select platform, worker_id, assignment_id, hit_id, submit_to, receipt from identities
         where participant_id = $1",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let identity = Identity {
            platform: word(&row.platform)?,
            worker_id: row.worker_id,
            assignment_id: row.assignment_id,
            hit_id: row.hit_id,
            submit_to: row.submit_to,
        };
        Ok((identity, row.receipt))
    })
    .transpose()
}
