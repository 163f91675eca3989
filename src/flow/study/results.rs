//! The results of a study, for the lab's pages and the report: loaded from one snapshot, judged under a policy, and blinded until
//! the study is full.

mod cache;

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

pub use crate::flow::study::results::cache::Cache;
use crate::flow::study::results::cache::{Basis, CacheEntry, ComputingClaim, ResultsKey};

use crate::domain::allocation::{SlotCounts, count_by_condition, finished};
use crate::domain::analysis::{JudgedPerson, apart};
use crate::domain::consort::ConsortFlow;
use crate::domain::exclusion::Policy;
use crate::domain::preregistration::{PreregistrationStatus, StandingPolicy};
use crate::domain::progress::Progress;
use crate::domain::results::quality::Quality;
use crate::domain::results::{MainAnswer, Results, in_every_condition};
use crate::domain::study::{Group, Mode, StudyVersion};
use crate::domain::workbench::{Preview, preview};
use crate::flow::study::policies;
use crate::flow::{App, FlowError, Refused};
use crate::store;
use crate::store::studies::Study;

/// The participants of a study with their verdicts: the basis of the flow and of the study's progress.
pub struct ParticipantsAndStates {
    pub study: Study,
    /// The newest version.
    pub version: Arc<StudyVersion>,
    pub mode: Mode,
    /// The policy by which people are judged.
    pub policy: Policy,
    /// How the policy relates to the pre-registered one.
    pub standing: PreregistrationStatus,
    /// Names of conditions in the order of figures: the study's order, or shuffled while results are blinded.
    pub conditions: Vec<String>,
    /// Whether letters hide which condition is which.
    pub blinded: bool,
    crowd: Vec<JudgedPerson>,
    /// Experts, who are counted apart in every number.
    experts: Vec<JudgedPerson>,
    slots: Vec<crate::domain::allocation::Slot>,
    visits: store::arrivals::VisitCounts,
    /// When it was loaded.
    pub now: DateTime<Utc>,
}

/// The participants with the answers from which results are computed, and the cache entry of the results.
pub struct Material {
    people: ParticipantsAndStates,
    basis: Basis,
    place: Arc<CacheEntry>,
}

/// Results of more people than this are computed in the background. Each person is compared with each other one: that takes 0.2 s
/// for this many, and a hundred times as long for ten times as many.
const MOST_AT_ONCE: usize = 500;

/// What can be shown of the results at once.
pub enum FoundResults {
    /// All of them.
    Material(Box<Material>),
    /// Only the participants; the results are being computed.
    Underway(Box<ParticipantsAndStates>),
}

impl Deref for Material {
    type Target = ParticipantsAndStates;

    fn deref(&self) -> &ParticipantsAndStates {
        &self.people
    }
}

/// The computed results.
pub struct Computed {
    /// Means, agreement, tests.
    pub results: Arc<Results>,
    /// The effect of the policy on the crowd.
    pub preview: Preview,
    /// The effect of the policy on experts, if any took part.
    pub experts: Option<Preview>,
    /// Postings and practice.
    pub quality: Quality,
}

impl Computed {
    /// The number of participants of the crowd who are kept.
    pub fn kept(&self) -> u32 {
        self.preview.sum(|group| group.kept)
    }
}

/// Loads a study's people with their answers. Without a name, people are judged under the enrolment policy.
pub async fn load(app: &App, slug: &str, mode: Mode, policy: Option<&str>) -> Result<Material, FlowError> {
    let mut tx = app.pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    let people = people(app, &mut tx, slug, mode, policy).await?;
    let place = app.results.slot(people.key());
    material(&mut tx, people, place).await
}

async fn material(
    conn: &mut PgConnection,
    people: ParticipantsAndStates,
    place: Arc<CacheEntry>,
) -> Result<Material, FlowError> {
    let answers = match place.is_ready() {
        true => Vec::new(),
        false => store::results::main_answers(conn, people.study.id, people.mode).await?,
    };
    Ok(Material { basis: people.basis(answers), people, place })
}

/// The results, if they can be shown at once. Results of many people are computed in the background, once for all requests.
pub async fn look(app: &App, slug: &str, mode: Mode, policy: &str) -> Result<FoundResults, FlowError> {
    let mut tx = app.pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    let people = people(app, &mut tx, slug, mode, Some(policy)).await?;
    let place = app.results.slot(people.key());
    if place.is_ready() || people.kept().count() <= MOST_AT_ONCE {
        return Ok(FoundResults::Material(Box::new(material(&mut tx, people, place).await?)));
    }
    if let Some(work) = place.take_over() {
        tokio::spawn(compute_in_background(app.clone(), slug.to_owned(), mode, policy.to_owned(), work));
    }
    Ok(FoundResults::Underway(Box::new(people)))
}

/// Computes results for a later request.
async fn compute_in_background(app: App, slug: String, mode: Mode, policy: String, work: ComputingClaim) {
    match load(&app, &slug, mode, Some(&policy)).await {
        Ok(material) => {
            let compute = move || drop((material.compute(), work));
            // If this fails, the next request takes the work over.
            let _ = tokio::task::spawn_blocking(compute).await;
        }
        Err(error) => {
            tracing::warn!(%error, "Results could not be computed; the next request for them tries again")
        }
    }
}

/// Loads a study's people without their answers, which are most of the data.
pub async fn load_people(
    app: &App,
    slug: &str,
    mode: Mode,
    policy: Option<&str>,
) -> Result<ParticipantsAndStates, FlowError> {
    let mut tx = app.pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    people(app, &mut tx, slug, mode, policy).await
}

async fn people(
    app: &App,
    conn: &mut PgConnection,
    slug: &str,
    mode: Mode,
    policy: Option<&str>,
) -> Result<ParticipantsAndStates, FlowError> {
    let study = store::studies::by_slug(&mut *conn, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut *conn, study.id).await?;
    let chosen = policies::chosen(&mut *conn, &study, &version, policy.unwrap_or_default()).await?;
    let StandingPolicy { policy, standing } = chosen.ok_or(Refused::NoSuchPolicy)?;
    let now = app.now();
    let slots = store::slots::all(&mut *conn, study.id, mode, now).await?;
    let postings = version.definition.design.postings_per_slot;
    let blinded = mode == Mode::Live && study.unblinded_at.is_none() && !finished(&slots, postings);
    let people = policies::judged(app, &mut *conn, &study, &version, mode, &policy).await?;
    let (crowd, experts) = apart(people);
    let visits = store::arrivals::visits(&mut *conn, study.id, mode).await?;
    let mut conditions: Vec<String> =
        version.definition.conditions.iter().map(|condition| condition.name.clone()).collect();
    if blinded {
        conditions.sort_by_key(|condition| app.secrets.blinding(slug, condition));
    }
    Ok(ParticipantsAndStates {
        study,
        version,
        mode,
        policy,
        standing,
        conditions,
        blinded,
        crowd,
        experts,
        slots,
        visits,
        now,
    })
}

/// Whether the results of a study are blinded now.
pub async fn is_blinded(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    mode: Mode,
) -> Result<bool, FlowError> {
    if mode != Mode::Live || study.unblinded_at.is_some() {
        return Ok(false);
    }
    let slots = store::slots::all(conn, study.id, mode, app.now()).await?;
    Ok(!finished(&slots, version.definition.design.postings_per_slot))
}

impl ParticipantsAndStates {
    /// All who are kept, the crowd first.
    fn kept(&self) -> impl Iterator<Item = &JudgedPerson> {
        self.crowd.iter().chain(&self.experts).filter(|judged| judged.kept())
    }

    /// The number of people who are kept, in words that name their groups.
    pub fn kept_in_words(&self) -> String {
        let kept = |people: &[JudgedPerson]| people.iter().filter(|judged| judged.kept()).count();
        let of_crowd = kept(&self.crowd);
        match kept(&self.experts) {
            0 if self.experts.is_empty() => format!("{of_crowd} people kept"),
            of_experts => format!("{of_crowd} people of the crowd kept, and {of_experts} experts"),
        }
    }

    fn levels(&self) -> u8 {
        self.version.definition.trial.confidence_levels
    }

    /// A hash of everything that results depend on.
    fn key(&self) -> ResultsKey {
        let mut hash = Sha256::new();
        hash.update([self.levels(), u8::from(self.blinded)]);
        for condition in &self.conditions {
            hash.update(condition);
            hash.update([0]);
        }
        self.kept().for_each(|judged| hash.update(judged.person.id));
        hash.finalize().into()
    }

    /// The data that results are computed from: the answers of the people who are kept.
    fn basis(&self, answers: Vec<MainAnswer>) -> Basis {
        let kept: HashSet<_> = self.kept().map(|judged| judged.person.id).collect();
        let answers: Vec<_> = answers.into_iter().filter(|answer| kept.contains(&answer.person)).collect();
        let answers = if self.blinded { in_every_condition(answers, &self.conditions) } else { answers };
        Basis { answers, conditions: self.conditions.clone(), levels: self.levels() }
    }

    /// Names of conditions and their colours; letters and greys while results are blinded.
    pub fn labels(&self) -> Vec<(String, String)> {
        let label = |(letter, name): (char, &String)| {
            let condition = self.version.definition.condition(name).expect("names come from the definition");
            if self.blinded {
                let grey = 70 + 35 * (u32::from(letter) - u32::from('A')).min(4);
                (letter.to_string(), format!("#{grey:02x}{grey:02x}{grey:02x}"))
            } else {
                (condition.title.clone(), condition.colour.clone())
            }
        };
        ('A'..).zip(&self.conditions).map(label).collect()
    }

    /// The flow of the crowd, and of experts if any came, by condition in the order of figures.
    pub fn flow(&self) -> (ConsortFlow, Option<ConsortFlow>) {
        let of = |group, people| {
            let visits = self.visits.get(&group).cloned().unwrap_or_default();
            ConsortFlow::new(visits, people, &self.conditions)
        };
        let experts = of(Group::Expert, &self.experts);
        (of(Group::Crowd, &self.crowd), Some(experts).filter(|experts| experts.visits_in_all() > 0))
    }

    /// The progress of the study, by condition in the study's order.
    pub fn progress(&self) -> Progress {
        let counts = count_by_condition(&self.slots, self.version.definition.design.postings_per_slot);
        let slots: Vec<SlotCounts> = self
            .version
            .definition
            .conditions
            .iter()
            .map(|condition| counts.get(&condition.name).copied().unwrap_or_default())
            .collect();
        Progress::new(&self.crowd, &self.experts, &self.version.definition, &slots, self.now)
    }
}

impl Material {
    pub fn compute(&self) -> Computed {
        Computed {
            results: self.place.results(&self.basis),
            preview: preview(&self.crowd, &self.conditions),
            experts: (!self.experts.is_empty()).then(|| preview(&self.experts, &self.conditions)),
            quality: Quality::new(&self.crowd, &self.slots, &self.conditions),
        }
    }
}
