//! The criteria: the name of each, what it measures, and its possible values.

use crate::domain::measures::Measures;
use crate::domain::words;

words! {
    /// The property of a participation that a policy judges.
    Criterion {
        /// The time from Welcome to the first end of the fullscreen page.
        InstructionTime = "instruction_time",
        /// The time from Welcome to the press on Submit, including breaks.
        TotalTime = "total_time",
        /// The share of catch trials that were answered correctly.
        CatchTrials = "catch_trials",
        /// The number of answers on the side that was chosen less often, in main and catch trials.
        AnswerVariability = "answer_variability",
        /// The number of practice blocks with at least one answer.
        PracticeBlocks = "practice_blocks",
        /// How far the browser's clock ran ahead of the time that the server measured.
        ClockDiscrepancy = "clock_discrepancy",
    }
}

/// The properties of a criterion for pages, figures and judging. A criterion is off unless a policy sets bounds for it.
#[derive(Debug, Clone, Copy)]
pub struct CriterionSheet {
    /// The criterion's name on pages and in figures.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// The largest possible value. The smallest is 0.
    pub highest: f64,
    /// Gets a person's value. None if it cannot be measured.
    pub value: fn(&Measures) -> Option<f64>,
    /// Gets the distance between neighbouring possible values, for a person's number of trials. None if values are continuous.
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
    /// The criterion's properties.
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

    /// A person's value, which is compared with the bounds. None if it cannot be measured.
    pub fn value(self, measures: &Measures) -> Option<f64> {
        (self.sheet().value)(measures)
    }
}
