//! The data that the lab's pages show of a study. One call reads all of it, so that no page holds a database connection while it is
//! rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use sqlx::PgConnection;

use crate::domain::allocation::{SlotCounts, count_by_condition};
use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::{Mode, StudyVersion};
use crate::flow::study::policies;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::arrivals::{ArrivalCount, VisitCounts};
use crate::store::links::Link;
use crate::store::overview::{RunningPerson, Standings};
use crate::store::studies::Study;

/// For how many days arrivals that suggest a fault are shown. After a repair, the warning ends by itself.
pub const WARNED_DAYS: i64 = 7;

/// Counts of slots and people.
pub struct EnrolmentCounts {
    /// Slots by condition.
    pub slots: BTreeMap<String, SlotCounts>,
    /// People who completed or left.
    pub standings: Standings,
}

/// The present state of a study in one mode.
pub struct StudyOverview {
    pub study: Study,
    /// The newest version.
    pub version: Arc<StudyVersion>,
    pub enrolment: EnrolmentCounts,
    /// Who is taking part now.
    pub running: Vec<RunningPerson>,
    /// Arrivals of the last days.
    pub lately: Vec<ArrivalCount>,
    /// All visits.
    pub visits: VisitCounts,
}

/// The links, policies and modes of a study.
pub struct StudySetup {
    /// Modes that are in use.
    pub modes: Vec<Mode>,
    pub links: Vec<Link>,
    pub policies: Vec<StandingPolicy>,
}

/// Reads the present state of a study.
pub async fn overview(app: &App, slug: &str, mode: Mode) -> Result<StudyOverview> {
    read_overview(app, &mut *app.pool.acquire().await?, slug, mode).await
}

/// Reads the present state of a study, with its links, policies and modes.
pub async fn overview_with_setup(app: &App, slug: &str, mode: Mode) -> Result<(StudyOverview, StudySetup)> {
    let mut conn = app.pool.acquire().await?;
    let overview = read_overview(app, &mut conn, slug, mode).await?;
    let StudyOverview { study, version, .. } = &overview;
    let setup = StudySetup {
        modes: store::overview::modes_in_use(&mut conn, study.id).await?,
        links: store::links::all(&mut conn, study.id).await?,
        policies: policies::all(&mut conn, study, version).await?,
    };
    Ok((overview, setup))
}

/// Reads every study with its newest version and its counts.
pub async fn all_studies(app: &App) -> Result<Vec<(Study, Arc<StudyVersion>, EnrolmentCounts)>> {
    let mut conn = app.pool.acquire().await?;
    let mut studies = Vec::new();
    for study in store::studies::all(&mut conn).await? {
        let version = app.newest_version(&mut conn, study.id).await?;
        let enrolment = enrolment(app, &mut conn, &study, &version, Mode::Live).await?;
        studies.push((study, version, enrolment));
    }
    Ok(studies)
}

async fn read_overview(app: &App, conn: &mut PgConnection, slug: &str, mode: Mode) -> Result<StudyOverview> {
    let study = store::studies::by_slug(&mut *conn, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut *conn, study.id).await?;
    let now = app.now();
    let since: NaiveDate = (now - TimeDelta::days(WARNED_DAYS)).date_naive();
    Ok(StudyOverview {
        enrolment: enrolment(app, &mut *conn, &study, &version, mode).await?,
        running: store::overview::running(&mut *conn, study.id, mode, now).await?,
        lately: store::arrivals::since(&mut *conn, study.id, mode, since).await?,
        visits: store::arrivals::visits(conn, study.id, mode).await?,
        study,
        version,
    })
}

async fn enrolment(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    mode: Mode,
) -> Result<EnrolmentCounts> {
    let slots = store::slots::all(&mut *conn, study.id, mode, app.now()).await?;
    let standings = store::overview::standings(conn, study.id, mode, app.now()).await?;
    let slots = count_by_condition(&slots, version.definition.design.postings_per_slot);
    Ok(EnrolmentCounts { slots, standings })
}
