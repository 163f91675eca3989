//! What a researcher chooses in the address of a page.

use serde::Deserialize;

use crate::domain::study::Mode;

/// Which of the study's modes a page shows.
#[derive(Debug, Deserialize)]
pub struct ModeQuery {
    #[serde(default = "live_mode")]
    pub mode: Mode,
}

/// The mode and the policy of the results that a page shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Choice {
    #[serde(default = "live_mode")]
    pub mode: Mode,
    /// The policy's name; empty for the default one.
    #[serde(default)]
    pub policy: String,
}

/// The mode that pages show by default.
pub const fn live_mode() -> Mode {
    Mode::Live
}
