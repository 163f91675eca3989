//! A record on its way in, and the reply to it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::participant::Stage;
use crate::domain::record::{AnswerReply, AnswerStatus, EventReply, Record, StepReply};
use crate::domain::schedule::{Place, ScheduledTrial};

/// One record, with the SHA-256 of the token that it came with. The token says whose it is.
#[derive(Debug, Clone)]
pub struct RecordJob {
    /// Says who sent it.
    pub token_sha256: Vec<u8>,
    /// What the browser sent.
    pub record: Record,
}

/// The reply to a record. The fields that are skipped are for the handler, not for the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordResult {
    /// The person's stage after the record.
    pub stage: Stage,
    /// Whether the person has opened the study in another page since; this one is to stop.
    pub superseded: bool,
    /// The practice block that the person is in.
    pub practice_attempt: u16,
    /// What became of each step of the record.
    pub steps: Vec<StepReply>,
    /// What became of each answer of the record.
    pub answers: Vec<AnswerReply>,
    /// Events that are not stored.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub events: Vec<EventReply>,
    /// After a refusal: the trial to go on with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<Place>,
    /// The trials of a practice block that this record made necessary.
    #[serde(skip)]
    pub drawn: Vec<ScheduledTrial>,
    /// Whether the person has practised as often as they may and is to be screened out.
    #[serde(skip)]
    pub practice_is_used_up: bool,
    /// The version of the study that the person takes part in.
    #[serde(skip)]
    pub version_id: i64,
    /// The participant, for whom the addresses of images are made.
    #[serde(skip)]
    pub person_id: Uuid,
}

impl RecordResult {
    /// How many answers were stored for the first time.
    pub fn stored(&self) -> u64 {
        self.answers.iter().filter(|answer| answer.status == AnswerStatus::Stored).count() as u64
    }
}
