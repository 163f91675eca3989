//! The results of a study, for the lab's pages and the report: loaded from one snapshot, judged under a policy, and blinded until
//! the study is full.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{App, FlowError, Refused, policies};
use crate::domain::allocation::{SlotCounts, count_by_condition, finished};
use crate::domain::codebook::people::{JudgedPerson, apart};
use crate::domain::consort::Flow;
use crate::domain::exclusion::Policy;
use crate::domain::preregistration::{Standing, StandingPolicy};
use crate::domain::progress::Progress;
use crate::domain::results::quality::Quality;
use crate::domain::results::{MainAnswer, Results, in_every_condition};
use crate::domain::study::{Group, Mode, StudyVersion};
use crate::domain::workbench::{Preview, preview};
use crate::store;
use crate::store::studies::Study;

/// Who took part, and how they stand: what the flow and the study's progress are made of.
pub struct People {
    /// The study.
    pub study: Study,
    /// Its newest version.
    pub version: Arc<StudyVersion>,
    /// The mode that is looked at.
    pub mode: Mode,
    /// The policy that people were judged under.
    pub policy: Policy,
    /// How it stands to the pre-registered one.
    pub standing: Standing,
    /// Names of conditions in the order of figures: the study's, or mixed up where they are hidden.
    pub conditions: Vec<String>,
    /// Whether which condition is which stays hidden.
    pub blinded: bool,
    crowd: Vec<JudgedPerson>,
    /// They stand apart in every number.
    experts: Vec<JudgedPerson>,
    slots: Vec<crate::domain::allocation::Slot>,
    visits: store::results::Visits,
    /// When it was loaded.
    pub now: DateTime<Utc>,
}

/// People with what they answered, before anything is computed from it.
pub struct Material {
    people: People,
    answers: Vec<MainAnswer>,
}

impl Deref for Material {
    type Target = People;

    fn deref(&self) -> &People {
        &self.people
    }
}

impl DerefMut for Material {
    fn deref_mut(&mut self) -> &mut People {
        &mut self.people
    }
}

/// Computed from it.
pub struct Computed {
    /// Means, agreement, tests.
    pub results: Results,
    /// What the policy does to the crowd.
    pub preview: Preview,
    /// What it does to experts, where any took part.
    pub experts: Option<Preview>,
    /// Postings and practice.
    pub quality: Quality,
}

impl Computed {
    /// People of the crowd who are kept.
    pub fn kept(&self) -> u32 {
        self.preview.sum(|group| group.kept)
    }

    /// How many are kept, in words that say whom they count.
    pub fn kept_in_words(&self) -> String {
        let kept = self.kept();
        match &self.experts {
            None => format!("{kept} people kept"),
            Some(experts) => {
                let of_experts = experts.sum(|group| group.kept);
                format!("{kept} people of the crowd kept, and {of_experts} experts")
            }
        }
    }
}

/// Loads a study's people with their answers. Without a name, people are judged under the enrolment policy.
pub async fn load(app: &App, slug: &str, mode: Mode, policy: Option<&str>) -> Result<Material, FlowError> {
    let mut tx = app.pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    let people = people(app, &mut tx, slug, mode, policy).await?;
    let answers = store::results::main_answers(&mut tx, people.study.id, mode).await?;
    Ok(Material { people, answers })
}

/// Loads a study's people only: answers are by far the most of a study.
pub async fn load_people(
    app: &App,
    slug: &str,
    mode: Mode,
    policy: Option<&str>,
) -> Result<People, FlowError> {
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
) -> Result<People, FlowError> {
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
    let visits = store::results::visits(&mut *conn, study.id, mode).await?;
    let mut conditions: Vec<String> =
        version.definition.conditions.iter().map(|condition| condition.name.clone()).collect();
    if blinded {
        conditions.sort_by_key(|condition| app.secrets.blinding(slug, condition));
    }
    Ok(People {
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

/// Whether results of a study hide which condition is which now.
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

impl People {
    /// Shows which condition is which, in the study's order.
    pub fn unblind(&mut self) {
        self.blinded = false;
        self.conditions =
            self.version.definition.conditions.iter().map(|condition| condition.name.clone()).collect();
    }

    /// Names of conditions and their colours: letters where which is which stays hidden.
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

    /// The flow of the crowd, and of experts where any came, by condition in the order of figures.
    pub fn flow(&self) -> (Flow, Option<Flow>) {
        let of = |group, people| {
            let visits = self.visits.get(&group).cloned().unwrap_or_default();
            Flow::new(visits, people, &self.conditions)
        };
        let experts = of(Group::Expert, &self.experts);
        (of(Group::Crowd, &self.crowd), Some(experts).filter(|experts| experts.visits_in_all() > 0))
    }

    /// How the study is going, by condition in the study's order.
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
    /// Computes everything.
    pub fn compute(&self) -> Computed {
        let kept = self.crowd.iter().chain(&self.experts).filter(|judged| judged.kept());
        let kept: HashSet<_> = kept.map(|judged| judged.person.id).collect();
        let answers: Vec<MainAnswer> =
            self.answers.iter().filter(|answer| kept.contains(&answer.person)).cloned().collect();
        let answers = if self.blinded { in_every_condition(answers, &self.conditions) } else { answers };
        let levels = self.version.definition.trial.confidence_levels;
        Computed {
            results: Results::new(&answers, &self.conditions, levels),
            preview: preview(&self.crowd, &self.conditions),
            experts: (!self.experts.is_empty()).then(|| preview(&self.experts, &self.conditions)),
            quality: Quality::new(&self.crowd, &self.slots, &self.conditions),
        }
    }
}
