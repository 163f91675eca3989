//! What a page that opens a participation is told. Nothing in it tells the max query from the min query, a catch trial
//! from a main one, or which unit a trial is about.

use serde::Serialize;

use crate::domain::participant::Stage;
use crate::domain::schedule::ScheduledTrial;
use crate::domain::study::{Mode, Outcome, StudyDefinition, StudyVersion, Texts, TrialScreen, Window};
use crate::domain::trial::{Block, ImageId};
use crate::flow::image_addresses::Viewer;
use crate::flow::participation::open::OpenedParticipation;
use crate::flow::secrets::Secrets;
use crate::recruitment::Return;
use crate::store::StoreError;
use crate::store::answers::TrialOnFile;
use crate::web::image_addresses::Gallery;
use crate::web::participant::screens::ScreenFragments;

/// How often a page gives a sign of life, in s.
const HEARTBEAT_S: u32 = 20;

/// Answer to `POST /api/v1/open`.
#[derive(Debug, Serialize)]
pub struct OpenReply {
    participant: String,
    tab: i32,
    mode: Mode,
    stage: Stage,
    clock_ms: Option<f64>,
    study: StudyView,
    texts: Texts,
    screens: ScreenFragments,
    instruction_images: Vec<String>,
    practice_attempt: u16,
    blocks: Vec<BlockView>,
    answers: Vec<AnswerView>,
    outcome: Option<Outcome>,
    #[serde(rename = "return")]
    back: Option<Return>,
}

/// The numbers that the trial program needs.
#[derive(Debug, Serialize)]
struct StudyView {
    slug: String,
    title: String,
    contact: String,
    window: Window,
    trial: TrialScreen,
    practice: Option<PracticeView>,
    image_width_px: u32,
    image_height_px: u32,
    heartbeat_s: u32,
}

#[derive(Debug, Serialize)]
struct PracticeView {
    trials: u32,
    offer_end_after_blocks: u32,
}

/// A run of trials.
#[derive(Debug, Serialize)]
pub struct BlockView {
    block: Block,
    attempt: u16,
    trials: Vec<TrialView>,
}

/// A trial: addresses of images, in the places where they are shown.
#[derive(Debug, Serialize)]
struct TrialView {
    trial_index: u16,
    references: Vec<String>,
    base: String,
    left: String,
    right: String,
}

/// A trial that is answered; whether correctly, only for practice trials.
#[derive(Debug, Serialize)]
struct AnswerView {
    block: Block,
    attempt: u16,
    trial_index: u16,
    response: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    correct: Option<bool>,
}

impl OpenReply {
    /// Shows a participation.
    pub fn new(secrets: &Secrets, opened: &OpenedParticipation) -> Result<Self, StoreError> {
        let OpenedParticipation { person, version, trials, clock_ms, ending } = opened;
        let definition = &version.definition;
        let gallery = Gallery::new(secrets, version, Viewer::Participant(person.id));
        let screens = ScreenFragments::new(&gallery, version, person);
        let ended = person.stage.ended();
        Ok(Self {
            participant: person.pseudonym.clone(),
            tab: person.tab,
            mode: person.mode,
            stage: person.stage,
            clock_ms: *clock_ms,
            study: study_view(definition, &person.condition),
            texts: definition.texts.clone(),
            instruction_images: screens.instruction_images.clone(),
            screens,
            practice_attempt: person.practice_attempt,
            blocks: if ended { Vec::new() } else { block_views(&gallery, version, trials)? },
            answers: if ended { Vec::new() } else { trials.iter().filter_map(answer_view).collect() },
            outcome: ending.as_ref().and_then(|ending| ending.outcome),
            back: ending.as_ref().map(|ending| ending.back.clone()),
        })
    }
}

fn study_view(definition: &StudyDefinition, condition: &str) -> StudyView {
    let practises = definition.practises(condition);
    StudyView {
        slug: definition.slug.clone(),
        title: definition.title.clone(),
        contact: definition.contact.clone(),
        window: definition.window.clone(),
        trial: definition.trial.clone(),
        practice: practises.then(|| PracticeView {
            trials: definition.practice.trials(),
            offer_end_after_blocks: definition.practice.offer_end_after_blocks,
        }),
        image_width_px: definition.design.image_width_px,
        image_height_px: definition.design.image_height_px,
        heartbeat_s: HEARTBEAT_S,
    }
}

fn block_views(
    gallery: &Gallery<'_>,
    version: &StudyVersion,
    trials: &[TrialOnFile],
) -> Result<Vec<BlockView>, StoreError> {
    let scheduled: Vec<_> = trials.iter().map(|trial| trial.scheduled.clone()).collect();
    scheduled
        .chunk_by(|a, b| (a.block, a.attempt) == (b.block, b.attempt))
        .map(|run| block_view(gallery, version, run[0].block, run[0].attempt, run))
        .collect()
}

/// Shows one run of trials.
pub fn block_view(
    gallery: &Gallery<'_>,
    version: &StudyVersion,
    block: Block,
    attempt: u16,
    trials: &[ScheduledTrial],
) -> Result<BlockView, StoreError> {
    let trials = trials.iter().map(|trial| trial_view(gallery, version, trial)).collect::<Result<_, _>>()?;
    Ok(BlockView { block, attempt, trials })
}

fn trial_view(
    gallery: &Gallery<'_>,
    version: &StudyVersion,
    scheduled: &ScheduledTrial,
) -> Result<TrialView, StoreError> {
    let missing = || {
        StoreError::Corrupt(format!("the schedule names trial {}, which is not there", scheduled.trial_id))
    };
    let trial = version.trial(scheduled.trial_id).ok_or_else(missing)?;
    let references: Vec<&ImageId> = trial.all_references().collect();
    let shown =
        scheduled.reference_order.iter().map(|position| references.get(usize::from(*position) - 1).copied());
    let shown: Option<Vec<&ImageId>> = shown.collect();
    let (left, right) = gallery.queries(trial, scheduled.max_side);
    Ok(TrialView {
        trial_index: scheduled.trial_index,
        references: shown.ok_or_else(missing)?.into_iter().map(|image| gallery.address(image)).collect(),
        base: gallery.address(&trial.base),
        left,
        right,
    })
}

fn answer_view(trial: &TrialOnFile) -> Option<AnswerView> {
    let answer = trial.answer.as_ref()?;
    Some(AnswerView {
        block: answer.block,
        attempt: answer.attempt,
        trial_index: answer.trial_index,
        response: answer.response,
        correct: trial.correct.filter(|_| answer.block == Block::Practice),
    })
}
