//! What a researcher chooses in the address of a page.

use serde::Deserialize;

use crate::domain::study::Mode;

/// Which of the study's modes a page shows.
#[derive(Debug, Deserialize)]
pub struct ModeQuery {
    /// The mode.
    #[serde(default = "live_mode")]
    pub mode: Mode,
}

/// Whose results a page shows, and under which policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Choice {
    /// The mode.
    #[serde(default = "live_mode")]
    pub mode: Mode,
    /// The policy's name; empty for the one that pages show at first.
    #[serde(default)]
    pub policy: String,
}

/// The mode that pages show unless they are asked for another.
pub const fn live_mode() -> Mode {
    Mode::Live
}
