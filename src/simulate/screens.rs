//! Reports the screens of a simulated person as the trial program does: the screen with every record, and an event for each.

use serde_json::json;

use crate::domain::record::{Event, EventKind};
use crate::domain::schedule::Place;
use crate::domain::trial::Block;

/// The current screen, and the events of screens that the server has not been told of.
#[derive(Debug, Default)]
pub struct ScreenReports {
    shown: Option<String>,
    news: Vec<Event>,
    seq: i32,
}

impl ScreenReports {
    /// Shows a screen.
    pub fn show(&mut self, screen: String, clock_ms: f64) {
        if self.shown.as_ref() == Some(&screen) {
            return;
        }
        self.seq += 1;
        let detail = json!({ "screen": screen });
        // The experiment clock starts at Welcome, so earlier screens have no events.
        self.news.push(Event { seq: self.seq, kind: EventKind::Screen, at: Some(clock_ms), detail });
        self.shown = Some(screen);
    }

    /// Whether the server has not been told of the newest screen.
    pub const fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Takes the screen, and the events of which the server has not been told.
    pub fn take_news(&mut self) -> (Option<String>, Vec<Event>) {
        (self.shown.clone(), std::mem::take(&mut self.news))
    }
}

/// The name of a trial's screen.
pub fn name_of(place: Place) -> String {
    match place.block {
        Block::Practice => format!("practice:{}:{}", place.attempt, place.trial_index),
        Block::Main => format!("main:{}", place.trial_index),
    }
}
