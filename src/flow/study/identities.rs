//! Actions that need the participants' identities: paying, comparing with the platform, finding, withdrawing, forgetting, barring.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::PgConnection;

use crate::domain::allocation::Claim;
use crate::domain::audit_log::Action;
use crate::domain::identity::trimmed;
use crate::domain::participant::{Participant, Stage};
use crate::domain::study::Platform;
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::participation::slots::refill;
use crate::flow::{App, Refused, Result};
use crate::recruitment::ids::{self, What};
use crate::recruitment::is_paid;
use crate::recruitment::payment::Payment;
use crate::recruitment::reconciliation::{self, ComparisonLine, StudyPerson};
use crate::store;
use crate::store::identities::StoredIdentity;
use crate::store::studies::Study;

/// The most ids in one list.
const MOST_IDS: usize = 100_000;

async fn find(conn: &mut PgConnection, slug: &str) -> Result<Study> {
    Ok(store::studies::by_slug(conn, slug).await?.ok_or(Refused::NoSuchStudy)?)
}

const fn deed<'a>(action: Action, slug: &'a str, participant: Option<&'a str>) -> AuditEvent<'a> {
    AuditEvent { action, study: Some(slug), participant }
}

/// All people who are to be paid and whose ids are not forgotten. Simulated people are not paid.
pub async fn payments(app: &App, actor: &Actor, slug: &str) -> Result<Vec<Payment>> {
    actor.must_see_identities()?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let version = app.newest_version(&mut tx, study.id).await?;
    let mut payments = Vec::new();
    for stored in store::identities::of_study(&mut tx, study.id).await? {
        let Some((outcome, ended_at)) = stored.person.outcome().zip(stored.person.ended_at) else { continue };
        let condition = version.definition.condition(&stored.person.condition);
        let Some(condition) = condition.filter(|_| is_paid(outcome)) else { continue };
        let link = store::links::by_id(&mut tx, stored.person.link_id).await?;
        let reward = link.definition.mturk.as_ref().and_then(|task| task.reward_usd);
        let other_assignments = others(&stored);
        payments.push(Payment {
            platform: stored.identity.platform,
            worker_id: stored.identity.worker_id,
            other_assignments,
            assignment_id: stored.identity.assignment_id,
            hit_id: stored.identity.hit_id,
            amount: reward.unwrap_or(condition.pay_usd),
            outcome,
            ended_at,
            receipt: stored.receipt,
        });
    }
    let detail = json!({ "people": payments.len() });
    log::write(app, &mut tx, actor, deed(Action::PaymentsRead, slug, None), detail).await?;
    tx.commit().await?;
    Ok(payments)
}

/// The assignments of a person other than the one that they finished.
fn others(stored: &StoredIdentity) -> Vec<String> {
    let own = stored.identity.assignment_id.as_ref();
    stored.assignments.iter().filter(|seen| Some(*seen) != own).cloned().collect()
}

/// Compares a platform's own export with the data. If a person submitted another of their assignments than the one that they
/// finished, the submitted one is paid from now on.
pub async fn reconcile(
    app: &App,
    actor: &Actor,
    slug: &str,
    file: &str,
) -> Result<(Platform, Vec<ComparisonLine>)> {
    actor.must_see_identities()?;
    let (platform, there) = reconciliation::read(file).map_err(Refused::BadList)?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let handed_in = reconciliation::handed_in(&there);
    let (mut here, mut changed) = (Vec::new(), 0_u64);
    for mut stored in store::identities::of_study(&mut tx, study.id).await? {
        if stored.identity.platform != platform {
            continue;
        }
        let worker_id = ids::normal_or_as_it_is(platform, What::Person, &stored.identity.worker_id);
        stored.identity.worker_id = worker_id;
        if let Some(assignment) = handed_in.instead(&stored.identity, &stored.assignments) {
            store::assignments::handed_in(&mut tx, stored.person.id, assignment).await?;
            changed += 1;
        }
        here.push(stand(&mut tx, stored).await?);
    }
    let detail = json!({ "platform": platform, "lines": there.len(), "other_assignments": changed });
    log::write(app, &mut tx, actor, deed(Action::Reconciled, slug, None), detail).await?;
    tx.commit().await?;
    Ok((platform, reconciliation::compare(&there, &here)))
}

async fn stand(conn: &mut PgConnection, stored: StoredIdentity) -> Result<StudyPerson> {
    let outcome = stored.person.outcome();
    let mut codes = BTreeSet::new();
    match (stored.identity.platform, outcome) {
        (Platform::Mturk, _) => drop(codes.insert(stored.receipt)),
        (_, Some(outcome)) => {
            let link = store::links::by_id(conn, stored.person.link_id).await?;
            codes.extend(link.definition.code(outcome).map(str::to_owned));
        }
        _ => {}
    }
    Ok(StudyPerson {
        pseudonym: stored.person.pseudonym,
        worker_id: stored.identity.worker_id,
        outcome,
        codes,
    })
}

/// The pseudonym of a person, by their id on the platform. It is also found after the ids were forgotten.
pub async fn seek(app: &App, actor: &Actor, slug: &str, worker_id: &str) -> Result<Option<String>> {
    actor.must_see_identities()?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    // The id as written is also tried: before ids were normalised, they were stored as written.
    let spellings = |platform: Platform| {
        let normal = ids::normal(platform, What::Person, worker_id).ok();
        normal.into_iter().chain([trimmed(worker_id).to_owned()]).map(move |id| (platform, id))
    };
    let ids = Platform::ALL.iter().flat_map(|platform| spellings(*platform));
    let hmacs: Vec<Vec<u8>> = ids.map(|(platform, id)| app.secrets.worker_hmac(platform, &id)).collect();
    let found = store::identities::seek(&mut tx, study.id, &hmacs).await?;
    let detail = json!({ "found": found.is_some() });
    log::write(app, &mut tx, actor, deed(Action::PersonSought, slug, found.as_deref()), detail).await?;
    tx.commit().await?;
    Ok(found)
}

/// Deletes a person's data at their request. The once-only rule still knows them, so that they are not recruited again. Their
/// slot opens again, and no posting is used up.
pub async fn withdraw(app: &App, actor: &Actor, slug: &str, pseudonym: &str) -> Result<()> {
    actor.must_see_identities()?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let found = store::participants::by_pseudonym(&mut tx, study.id, pseudonym.trim()).await?;
    let found = found.ok_or(Refused::NoSuchParticipant)?;
    store::slots::lock(&mut tx, study.id, found.mode).await?;
    let mut person = store::participants::lock(&mut tx, found.id).await?;
    if !person.stage.is_withdrawn() {
        delete_all(app, &mut tx, &mut person).await?;
        let action = deed(Action::Withdrawn, slug, Some(&person.pseudonym));
        log::write(app, &mut tx, actor, action, json!({})).await?;
    }
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// Deletes all data of a participation; only the fact that it existed stays.
async fn delete_all(app: &App, conn: &mut PgConnection, person: &mut Participant) -> Result<()> {
    let now = app.now();
    let version = app.version(&mut *conn, person.version_id).await?;
    person.stage = Stage::Withdrawn;
    person.ended_at.get_or_insert(now);
    if person.claim != Claim::Without {
        person.claim = Claim::Released;
    }
    (person.slot_id, person.posting, person.passed, person.total_ms) = (None, None, None, None);
    (person.instruction_ms, person.clock_ms, person.clock_discrepancy_s) = (None, None, None);
    (person.instruction_bound_ms, person.total_bound_ms, person.seen_ms) = (None, None, 0.0);
    person.screen = None;
    store::participants::update(&mut *conn, person).await?;
    store::participants::delete_data(&mut *conn, person.id).await?;
    store::identities::forget_one(&mut *conn, person.id).await?;
    refill(app, conn, &version, person.mode).await?;
    Ok(())
}

/// Deletes all platform ids of a study. The once-only rule still works by keyed hashes. Returns the number of ids.
pub async fn forget(app: &App, actor: &Actor, slug: &str) -> Result<u64> {
    actor.must_see_identities()?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let people = store::identities::forget_all(&mut tx, study.id).await?;
    let action = deed(Action::IdentitiesForgotten, slug, None);
    log::write(app, &mut tx, actor, action, json!({ "people": people })).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(people)
}

/// Bars people from a study by their ids on a platform, one per line. Only keyed hashes are stored. Returns how many were new.
pub async fn bar(app: &App, actor: &Actor, slug: &str, ids_of: Platform, list: &str) -> Result<u64> {
    actor.must_see_identities()?;
    let ids = read_ids(ids_of, list)?;
    let hmacs: Vec<Vec<u8>> = ids.iter().map(|id| app.secrets.worker_hmac(ids_of, id)).collect();
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let added = store::identities::bar(&mut tx, study.id, ids_of, &hmacs).await?;
    let detail = json!({ "platform": ids_of, "people": added });
    log::write(app, &mut tx, actor, deed(Action::PeopleBarred, slug, None), detail).await?;
    tx.commit().await?;
    Ok(added)
}

/// The normalised ids of a list, each once.
fn read_ids(ids_of: Platform, list: &str) -> Result<BTreeSet<String>> {
    let lines = list.lines().map(|line| trimmed(line).trim_matches('"')).enumerate();
    let lines: Vec<_> = lines.filter(|(_, line)| !trimmed(line).is_empty()).collect();
    if lines.is_empty() || lines.len() > MOST_IDS {
        return Err(Refused::BadList(format!("Give 1 to {MOST_IDS} ids, one per line.")).into());
    }
    let read = lines.into_iter().map(|(n, line)| {
        let wrong =
            || Refused::BadList(format!("Line {} is not an id of {ids_of}: give one id per line.", n + 1));
        ids::normal(ids_of, What::Person, line).map_err(|_| wrong().into())
    });
    read.collect()
}

/// Makes more personal links.
pub async fn make_personal_links(
    app: &App,
    actor: &Actor,
    slug: &str,
    link_id: i64,
    more: u32,
) -> Result<()> {
    /// The most personal links of one link.
    const MOST: u32 = 100_000;
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = find(&mut tx, slug).await?;
    let link = store::links::by_id(&mut tx, link_id).await?;
    if link.study_id != study.id || !link.definition.personal {
        return Err(Refused::NoSuchLink.into());
    }
    if more == 0 || more > MOST || !store::links::add_personal(&mut tx, link_id, more, MOST).await? {
        return Err(Refused::TooManyPersonalLinks(MOST).into());
    }
    let detail = json!({ "link": link.definition.name, "links": more });
    log::write(app, &mut tx, actor, deed(Action::PersonalLinksMade, slug, None), detail).await?;
    tx.commit().await?;
    Ok(())
}
