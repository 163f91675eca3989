//! Identities of participants: the once-only rule by keyed hashes, and the platforms' ids, in tables apart from the other data.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, participants, word};
use crate::domain::identity::Identity;
use crate::domain::participant::Participant;
use crate::domain::study::Platform;

/// A person's key in the once-only rule: a keyed hash of their id on a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// The platform whose id it is.
    pub ids_of: Platform,
    pub hmac: Vec<u8>,
}

/// The participation that a person has in a study family.
pub async fn holder(conn: &mut PgConnection, family: &str, key: &PersonKey) -> Result<Option<Uuid>> {
    let id = sqlx::query_scalar!(
        "select participant_id from once_only where family = $1 and platform = $2 and worker_hmac = $3",
        family,
        key.ids_of.as_str(),
        key.hmac,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// Whether a person may not be admitted to a study, because they are on its list or took part in one of these earlier studies.
pub async fn is_barred(
    conn: &mut PgConnection,
    study_id: i64,
    earlier: &[String],
    key: &PersonKey,
) -> Result<bool> {
    let barred = sqlx::query_scalar!(
        r#"select exists (select from not_admitted where study_id = $1 and platform = $3 and worker_hmac = $4)
               or exists (select from once_only o
                          cross join lateral (select study_id from participants where id = o.participant_id offset 0) p
                          join studies s on s.id = p.study_id
                          where s.slug = any($2) and o.platform = $3 and o.worker_hmac = $4) as "barred!""#,
        study_id,
        earlier,
        key.ids_of.as_str(),
        key.hmac,
    )
    .fetch_one(conn)
    .await?;
    Ok(barred)
}

/// Adds people to a study's list of people not to admit. Returns the number of new ones.
pub async fn bar(conn: &mut PgConnection, study_id: i64, ids_of: Platform, hmacs: &[Vec<u8>]) -> Result<u64> {
    let added = sqlx::query!(
        "insert into not_admitted (study_id, platform, worker_hmac) select $1, $2, unnest($3::bytea[])
         on conflict do nothing",
        study_id,
        ids_of.as_str(),
        hmacs,
    )
    .execute(conn)
    .await?;
    Ok(added.rows_affected())
}

/// The number of people on a study's list of people not to admit.
pub async fn count_barred(conn: &mut PgConnection, study_id: i64) -> Result<i64> {
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from not_admitted where study_id = $1"#, study_id)
            .fetch_one(conn)
            .await?;
    Ok(count)
}

/// The ids of a participation and its receipt. None if they were deleted, or the platform gave none.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<(Identity, String)>> {
    let row = sqlx::query!(
        "select platform, worker_id, assignment_id, hit_id, receipt from identities
         where participant_id = $1",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let platform = word(&row.platform)?;
        let identity = Identity {
            platform,
            ids_of: platform,
            worker_id: row.worker_id,
            assignment_id: row.assignment_id,
            hit_id: row.hit_id,
        };
        Ok((identity, row.receipt))
    })
    .transpose()
}

/// A participant with their ids.
#[derive(Debug, Clone)]
pub struct StoredIdentity {
    pub person: Participant,
    pub identity: Identity,
    /// The code that confirms the participation to the platform.
    pub receipt: String,
    /// The assignments with which the person came, in order.
    pub assignments: Vec<String>,
}

/// All participants of a study whose ids are known, in the order of consent, without simulated people.
pub async fn of_study(conn: &mut PgConnection, study_id: i64) -> Result<Vec<StoredIdentity>> {
    let people = participants::with_identities(&mut *conn, study_id).await?;
    let mut all = Vec::with_capacity(people.len());
    let ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
    let rows = sqlx::query!(
        r#"select i.platform, i.worker_id, i.assignment_id, i.hit_id, i.receipt,
               array(select a.assignment_id from assignments a where a.participant_id = i.participant_id
                     order by a.number) as "assignments!"
           from unnest($1::uuid[]) with ordinality as wanted (id, position)
           cross join lateral (select * from identities where participant_id = wanted.id offset 0) i
           order by wanted.position"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    for (person, row) in people.into_iter().zip(rows) {
        let platform = word(&row.platform)?;
        let identity = Identity {
            platform,
            ids_of: platform,
            worker_id: row.worker_id,
            assignment_id: row.assignment_id,
            hit_id: row.hit_id,
        };
        all.push(StoredIdentity { person, identity, receipt: row.receipt, assignments: row.assignments });
    }
    Ok(all)
}

/// The pseudonym of a study's participant whose id has one of these keyed hashes.
pub async fn seek(conn: &mut PgConnection, study_id: i64, hmacs: &[Vec<u8>]) -> Result<Option<String>> {
    let found = sqlx::query_scalar!(
        "select p.pseudonym from once_only o
         cross join lateral (select pseudonym, study_id from participants where id = o.participant_id offset 0) p
         where p.study_id = $1 and o.worker_hmac = any($2) limit 1",
        study_id,
        hmacs,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Deletes the ids of one participation.
pub async fn forget_one(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!("delete from assignments where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from identities where participant_id = $1", id).execute(conn).await?;
    Ok(())
}

/// Deletes all ids of a study. Returns the number of people who had ids.
pub async fn forget_all(conn: &mut PgConnection, study_id: i64) -> Result<u64> {
    sqlx::query!(
        "delete from assignments where participant_id in (select id from participants where study_id = $1)",
        study_id,
    )
    .execute(&mut *conn)
    .await?;
    let done = sqlx::query!(
        "delete from identities where participant_id = any(array(select id from participants where study_id = $1))",
        study_id,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// The number of a study's participants whose ids are known.
pub async fn count_known(conn: &mut PgConnection, study_id: i64) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from participants p
           cross join lateral (select from identities where participant_id = p.id offset 0) i
           where p.study_id = $1"#,
        study_id,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
