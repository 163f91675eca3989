//! The reply that a page gets when it opens a participation.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::domain::trial::Block;

/// The parts of the reply to `open` that a simulated person needs.
#[derive(Debug, Deserialize)]
pub struct OpenedPage {
    pub participant: String,
    pub tab: i32,
    pub clock_ms: Option<f64>,
    pub practice_attempt: u16,
    pub answers: Vec<IgnoredAny>,
    study: StudyTexts,
    screens: PageTexts,
    blocks: Vec<BlockOfTrials>,
}

#[derive(Debug, Deserialize)]
struct StudyTexts {
    heartbeat_s: f64,
}

/// The texts of the study; a participation that ended has no instructions.
#[derive(Debug, Default, Deserialize)]
struct PageTexts {
    #[serde(default)]
    instructions: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct BlockOfTrials {
    block: Block,
    trials: Vec<ShownTrial>,
}

#[derive(Debug, Deserialize)]
struct ShownTrial {
    references: Vec<String>,
}

impl OpenedPage {
    /// Whether the main trials have references.
    pub fn sees_references(&self) -> bool {
        let main = self.blocks.iter().find(|block| block.block == Block::Main);
        main.is_some_and(|main| main.trials.iter().any(|trial| !trial.references.is_empty()))
    }

    /// The time between two signs of life of a page, in ms.
    pub const fn heartbeat_ms(&self) -> f64 {
        self.study.heartbeat_s * 1000.0
    }

    /// The number of pages of instructions.
    pub const fn instruction_pages(&self) -> usize {
        self.screens.instructions.len()
    }
}
