//! Enrols the people who consent and are not known yet: all of one study and mode together, under the study's lock.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use rand::seq::IndexedRandom;

use crate::domain::allocation::{Claim, Slot, choose};
use crate::domain::gate::{Arrival, admits};
use crate::domain::identity::Identity;
use crate::domain::participant::{Participant, Stage};
use crate::domain::schedule::draw_at_consent;
use crate::domain::study::{Group, Mode, StudyVersion, text_sha256};
use crate::flow::participation::consent_limit::Admission;
use crate::flow::participation::identification::key;
use crate::flow::participation::signed_links::must_be_signed;
use crate::flow::participation::slots::refill_study;
use crate::flow::records::batch_queue::{BATCH_TIMEOUT, BatchJob, BatchQueue};
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::recruitment::Parameters;
use crate::store::enrolments::{NamedPerson, NewParticipation};
use crate::store::links::Link;
use crate::store::participants::Device;
use crate::store::studies::Study;
use crate::store::{self, StoreError};

/// What a person agreed to, and how they came.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The entry link's code.
    pub link: String,
    /// The parameters of the address.
    pub parameters: Parameters,
    /// SHA-256 of the text that was shown.
    pub text_sha256: Vec<u8>,
    /// What the browser says about itself.
    pub device: Device,
    /// For links of simulated people.
    pub api_token: Option<String>,
}

/// A person who consents.
#[derive(Clone)]
pub struct EnrolmentRequest {
    /// The link they came by.
    pub link: Link,
    /// Who they are, where the platform says it.
    pub identity: Option<Identity>,
    /// What they agreed to.
    pub consent: Consent,
    /// Counts them in the limit of their network, also if their client goes while they are enrolled; none if they are not limited.
    pub admission: Option<Arc<Admission>>,
}

impl EnrolmentRequest {
    /// Whether something that was checked speaks for them: an API token, or a signed link.
    pub fn is_vouched_for(&self) -> bool {
        let is_signed = must_be_signed(&self.link) && self.identity.is_some();
        self.link.mode() == Mode::Simulated || is_signed
    }
}

type Queues = HashMap<(i64, Mode), Arc<BatchQueue<Enroller>>>;

/// The enrolment queues: each study and mode has its own, so that a study that is held up holds up no other.
pub struct EnrolmentQueues {
    app: App,
    queues: Mutex<Queues>,
}

impl EnrolmentQueues {
    /// No queue yet: each begins with its first request.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), queues: Mutex::default() }
    }

    /// The queue of the study and mode that a link leads to.
    pub fn of(&self, link: &Link) -> Arc<BatchQueue<Enroller>> {
        let mut queues = self.queues.lock();
        let start = || Arc::new(BatchQueue::start(Enroller { app: self.app.clone() }, BATCH_TIMEOUT));
        queues.entry((link.study_id, link.mode())).or_insert_with(start).clone()
    }
}

/// Enrols the people of one study and mode.
pub struct Enroller {
    app: App,
}

impl BatchJob for Enroller {
    type Job = EnrolmentRequest;
    /// Their token; none: at this very moment the same person got a participation elsewhere.
    type Reply = Option<String>;

    /// A person who has gone consents again, and would hold a slot twice.
    const LEAVES_OUT_GONE_CLIENTS: bool = true;

    fn failed(&self, error: &StoreError) {
        self.app.readiness.note(error, self.app.now().timestamp());
    }

    async fn run_batch(&self, requests: &[EnrolmentRequest]) -> Result<Vec<Result<Option<String>>>> {
        let (app, Some(first)) = (&self.app, requests.first()) else { return Ok(Vec::new()) };
        let (study_id, mode) = (first.link.study_id, first.link.mode());
        let mut tx = app.pool.begin().await?;
        store::slots::lock(&mut tx, study_id, mode).await?;
        let version = app.newest_version(&mut tx, study_id).await?;
        let mut study = store::studies::by_id(&mut tx, study_id).await?;
        let slots = refill_study(app, &mut tx, &mut study, &version, mode).await?;
        let mut allocator = Allocator { app, study: &study, version: &version, slots, now: app.now() };
        let admitted: Vec<_> = requests.iter().map(|request| allocator.admit(request)).collect();
        let slots: Vec<i64> = admitted.iter().flatten().filter_map(|(new, _)| new.person.slot_id).collect();
        let stuck = store::slots::take_back(&mut tx, &slots).await?;
        let is_stuck = |new: &NewParticipation| new.person.slot_id.is_some_and(|slot| stuck.contains(&slot));
        let enrolments: Vec<&NewParticipation> =
            admitted.iter().flatten().map(|(new, _)| new).filter(|new| !is_stuck(new)).collect();
        if !store::enrolments::insert_all(&mut tx, &study.family, &enrolments).await? {
            // Each is decided by itself, so that the others do not wait for a person who came twice.
            return if requests.len() == 1 { Ok(vec![Ok(None)]) } else { Err(StoreError::Overtaken.into()) };
        }
        store::slots::count_enrolments(&mut tx, study_id, mode, enrolments.len()).await?;
        // Those who are refused for another reason were counted when they arrived.
        let without_place: Vec<_> = requests
            .iter()
            .zip(&admitted)
            .filter(|(_, admitted)| matches!(admitted, Err(Refused::Full)))
            .map(|(request, _)| (request.link.id, Arrival::Full))
            .collect();
        store::arrivals::count_all(&mut tx, &without_place, allocator.now).await?;
        tx.commit().await?;
        if !enrolments.is_empty() || !without_place.is_empty() {
            app.changed(study_id);
        }
        let reply = |admitted: std::result::Result<(NewParticipation, String), Refused>| match admitted? {
            (new, _) if is_stuck(&new) => Err(StoreError::Held.into()),
            (_, token) => Ok(Some(token)),
        };
        let replies: Vec<Result<Option<String>>> = admitted.into_iter().map(reply).collect();
        for (request, reply) in requests.iter().zip(&replies) {
            if let (Some(admission), Ok(Some(token))) = (&request.admission, reply) {
                admission.enrolled(token);
            }
        }
        Ok(replies)
    }
}

/// The place of a new participation.
struct Placement {
    condition: String,
    image_set: u32,
    /// None for experts, who hold no slot.
    slot_id: Option<i64>,
}

/// Gives out a study's slots while it is locked.
struct Allocator<'a> {
    app: &'a App,
    study: &'a Study,
    version: &'a StudyVersion,
    slots: Vec<Slot>,
    now: DateTime<Utc>,
}

impl Allocator<'_> {
    /// What is to be stored for a new participant, and their token; or why they are not let in.
    fn admit(
        &mut self,
        request: &EnrolmentRequest,
    ) -> std::result::Result<(NewParticipation, String), Refused> {
        let EnrolmentRequest { link, identity, consent, .. } = request;
        admits(self.study.state, link.enabled, link.mode()).map_err(Refused::Shut)?;
        if consent.text_sha256 != text_sha256(&self.version.definition.pages.consent) {
            return Err(Refused::ConsentChanged);
        }
        let placement = match link.definition.group {
            Group::Crowd => self.slot(link),
            Group::Expert => self.expert_placement(link),
        };
        let person = self.participant(link, placement.ok_or(Refused::Full)?);
        let token = self.app.token();
        let named = identity.as_ref().map(|identity| NamedPerson {
            key: key(self.app, identity),
            identity: identity.clone(),
            receipt: self.app.token(),
        });
        let enrolment = NewParticipation {
            trials: draw_at_consent(self.version, &person.condition, person.image_set, person.seed),
            person,
            consent_sha256: consent.text_sha256.clone(),
            device: consent.device.clone(),
            token_sha256: token_sha256(&token),
            named,
        };
        Ok((enrolment, token))
    }

    /// The slot of a crowd worker, who holds it from now on; none if the study is full.
    fn slot(&mut self, link: &Link) -> Option<Placement> {
        let postings = self.version.definition.design.postings_per_slot;
        let allowed = |condition: &str| link.definition.allows(condition);
        let id = choose(&self.slots, postings, allowed, &mut self.app.rng())?.id;
        let slot = self.slots.iter_mut().find(|slot| slot.id == id)?;
        slot.live_lease = true;
        Some(Placement { condition: slot.condition.clone(), image_set: slot.image_set, slot_id: Some(id) })
    }

    /// An expert's condition and image set: those that the link chooses, else any.
    fn expert_placement(&self, link: &Link) -> Option<Placement> {
        let mut rng = self.app.rng();
        let definition = &self.version.definition;
        let allowed: Vec<_> = definition
            .conditions
            .iter()
            .filter(|condition| link.definition.allows(&condition.name))
            .collect();
        let condition = allowed.choose(&mut rng)?.name.clone();
        let any = rand::RngExt::random_range(&mut rng, 0..definition.design.image_sets);
        Some(Placement { condition, image_set: link.definition.image_set.unwrap_or(any), slot_id: None })
    }

    fn participant(&self, link: &Link, placement: Placement) -> Participant {
        let (app, now) = (self.app, self.now);
        let lease = chrono::TimeDelta::seconds(self.version.definition.lease.until_welcome_s.into());
        Participant {
            id: app.new_id(now),
            study_id: self.study.id,
            version_id: self.version.id,
            link_id: link.id,
            pseudonym: format!("p-{}", app.short_name()),
            mode: link.mode(),
            group: link.definition.group,
            platform: link.definition.platform,
            condition: placement.condition,
            image_set: placement.image_set,
            slot_id: placement.slot_id,
            claim: if placement.slot_id.is_some() { Claim::Leased } else { Claim::Without },
            stage: Stage::Consented,
            end_reason: None,
            screen: None,
            seed: rand::RngExt::random(&mut app.rng()),
            tab: 0,
            practice_attempt: 1,
            enrolled_at: now,
            leased_at: now,
            lease_until: now + lease,
            last_seen_at: now,
            started_at: None,
            instructed_at: None,
            practised_at: None,
            running_at: None,
            ended_at: None,
            clock_ms: None,
            clock_at: None,
            clock_discrepancy_s: None,
            seen_ms: 0.0,
            instruction_ms: None,
            instruction_bound_ms: None,
            instruction_load_wait_ms: 0.0,
            total_ms: None,
            total_bound_ms: None,
            events_dropped: 0,
            posting: None,
            passed: None,
            late: false,
        }
    }
}
