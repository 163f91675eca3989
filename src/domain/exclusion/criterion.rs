//! The criteria: what each is called, what it measures, and which values it can have.

use crate::domain::measures::Measures;
use crate::domain::words;

words! {
    /// What is looked at.
    Criterion {
        /// Welcome shown to the first end of the fullscreen page.
        InstructionTime = "instruction_time",
        /// Welcome shown to the press on Submit, breaks included.
        TotalTime = "total_time",
        /// Share of the catch trials that were answered correctly.
        CatchTrials = "catch_trials",
        /// Answers on the side that was chosen less often, over main and catch trials.
        AnswerVariability = "answer_variability",
        /// Practice blocks begun.
        PracticeBlocks = "practice_blocks",
        /// How far the browser's clock ran ahead of what the server saw.
        ClockDiscrepancy = "clock_discrepancy",
    }
}

/// All that pages, figures and judging need to know of a criterion. Each is off unless a policy gives it bounds.
#[derive(Debug, Clone, Copy)]
pub struct CriterionSheet {
    /// Its name on pages and in figures.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// Its largest value; the smallest is 0.
    pub highest: f64,
    /// A person's value; none if it cannot be measured.
    pub value: fn(&Measures) -> Option<f64>,
    /// How far apart two values next to each other are, as measured on a person; none where values are continuous.
    pub step: fn(&Measures) -> Option<f64>,
}

impl CriterionSheet {
    const fn time(title: &'static str, value: fn(&Measures) -> Option<f64>) -> Self {
        Self { title, unit: "s", highest: f64::INFINITY, value, step: |_| None }
    }

    const fn number(title: &'static str, unit: &'static str, value: fn(&Measures) -> Option<f64>) -> Self {
        Self { title, unit, highest: f64::INFINITY, value, step: |_| Some(1.0) }
    }
}

impl Criterion {
    /// The table of criteria: one entry for each.
    pub const fn sheet(self) -> CriterionSheet {
        match self {
            Self::InstructionTime => CriterionSheet::time("Instruction time", |m| m.instruction_time),
            Self::TotalTime => CriterionSheet::time("Total time", |m| m.total_time),
            Self::CatchTrials => CriterionSheet {
                title: "Catch trials",
                unit: "share correct",
                highest: 1.0,
                value: Measures::catch_share,
                step: |m| (m.catch_total > 0).then(|| 1.0 / f64::from(m.catch_total)),
            },
            Self::AnswerVariability => {
                CriterionSheet::number("Answer variability", "answers on the rarer side", |m| {
                    Some(f64::from(m.left_answers.min(m.right_answers)))
                })
            }
            Self::PracticeBlocks => {
                CriterionSheet::number("Practice blocks", "blocks", |m| m.practice_blocks.map(f64::from))
            }
            Self::ClockDiscrepancy => {
                CriterionSheet::time("Clock discrepancy", |m| Some(m.clock_discrepancy))
            }
        }
    }

    /// A person's value, which is held against the bounds; none if it cannot be measured.
    pub fn value(self, measures: &Measures) -> Option<f64> {
        (self.sheet().value)(measures)
    }
}
