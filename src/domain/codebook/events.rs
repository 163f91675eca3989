//! `events.csv`: one row per event.

use chrono::{DateTime, Utc};

use super::Allowed::{Any, OneOf};
use super::{Column, columns};
use crate::domain::record::EventKind;

/// The name of the file.
pub const FILE: &str = "events.csv";

/// An event as the store reads it.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The participant's pseudonym.
    pub participant: String,
    /// The experiment clock when it happened, in ms since Welcome.
    pub at_ms: Option<f64>,
    /// The time when the server received it.
    pub server_at: DateTime<Utc>,
    /// The word of its [`EventKind`].
    pub kind: String,
    /// Further details, which depend on the kind.
    pub detail: serde_json::Value,
}

/// The columns of the file, in order.
pub const COLUMNS: &[Column<EventRow>] = columns! { EventRow;
    "participant", Text, "", Any, "Pseudonym" => |r| &r.participant;
    "at", Number, "ms", Any, "When it happened, since Welcome was shown; empty before that" => |r| r.at_ms;
    "server_at", Time, "", Any, "When the server heard of it" => |r| r.server_at;
    "kind", Text, "", OneOf(EventKind::WORDS), "What happened" => |r| &r.kind;
    "detail", Json, "", Any, "What else there is to know. resize: width and height of the window in px, pixel_ratio (device px per px), as they are from then on, after a zoom too. early_press, a press before the onset, at most 5 per presentation: screen (the trial), input, button (counted from 0 at the left; null where no number was meant), shown (false while images were awaited). focus_loss: hidden. focus_gain: away_ms. image_failure: try, reason. fullscreen_refused: reason. screen: screen. program_error: message. reload: navigation. answer_conflict: the trial, stored_response, refused_response, refused_rt" => |r| &r.detail;
};
