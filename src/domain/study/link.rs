//! Entry links: where people come from, what they count for, and how they go back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Group, Mode, Platform, Usd};
use crate::domain::words;

words! {
    /// How a visit ended, as the platform is told.
    Outcome {
        /// All answers arrived.
        Complete = "complete",
        /// All answers arrived, after the place had gone to somebody else. Paid all the same.
        TimedOut = "timed_out",
        /// Practice was not passed, and the study offered an end.
        ScreenedOut = "screened_out",
        /// Did not agree to take part.
        NoConsent = "no_consent",
        /// The screen is too small.
        Unsuitable = "unsuitable",
        /// No slot was open.
        Full = "full",
        /// Took part before, or is on a list of people not to admit.
        AlreadyTookPart = "already_took_part",
    }
}

/// The platform's codes by outcome.
pub type Codes = BTreeMap<Outcome, String>;

/// An entry link that importing the study creates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkDefinition {
    /// Name for the researcher; unique in the study.
    pub name: String,
    /// Where its people come from.
    #[serde(default = "direct")]
    pub platform: Platform,
    /// What its participations count for.
    #[serde(default = "live")]
    pub mode: Mode,
    /// Who takes part.
    #[serde(default = "crowd")]
    pub group: Group,
    /// Conditions it may lead to; all if empty.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// For experts: the image set that they see; any if none.
    #[serde(default)]
    pub image_set: Option<u32>,
    /// For direct links: each person has a link of their own, good for one participation.
    #[serde(default)]
    pub personal: bool,
    /// The platform's codes by outcome.
    #[serde(default)]
    pub codes: Codes,
    /// How the task is posted on MTurk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mturk: Option<MturkTask>,
    /// What Prolific adds to the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prolific: Option<ProlificLink>,
    /// The experiment on Sona.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sona: Option<SonaLink>,
    /// Any other platform's addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic: Option<GenericLink>,
}

const fn direct() -> Platform {
    Platform::Direct
}

const fn live() -> Mode {
    Mode::Live
}

const fn crowd() -> Group {
    Group::Crowd
}

impl LinkDefinition {
    /// The platforms that have settings of their own, and whether the link gives them.
    pub const fn settings_of_platforms(&self) -> [(Platform, bool); 4] {
        [
            (Platform::Mturk, self.mturk.is_some()),
            (Platform::Prolific, self.prolific.is_some()),
            (Platform::Sona, self.sona.is_some()),
            (Platform::Generic, self.generic.is_some()),
        ]
    }

    /// A plain link with nothing special about it.
    pub fn plain(name: &str, mode: Mode) -> Self {
        Self {
            name: name.to_owned(),
            platform: Platform::Direct,
            mode,
            group: Group::Crowd,
            conditions: Vec::new(),
            image_set: None,
            personal: false,
            codes: Codes::new(),
            mturk: None,
            prolific: None,
            sona: None,
            generic: None,
        }
    }

    /// Whether it may lead to a condition.
    pub fn allows(&self, condition: &str) -> bool {
        self.conditions.is_empty() || self.conditions.iter().any(|allowed| allowed == condition)
    }

    /// Whether anybody who has it may come in, as often as they like.
    pub fn is_open(&self) -> bool {
        self.platform == Platform::Direct && !self.personal
    }

    /// Whether nobody names its people and they would count: such a link is switched off until a researcher wants it.
    pub fn is_open_and_counts(&self) -> bool {
        self.is_open() && self.mode == Mode::Live && self.group == Group::Crowd
    }

    /// The code of an outcome. Whoever finished late is paid like everybody, and so gets the code of completion where
    /// there is none of its own.
    pub fn code(&self, outcome: Outcome) -> Option<&str> {
        let code = |outcome| self.codes.get(&outcome).map(String::as_str);
        match outcome {
            Outcome::TimedOut => code(Outcome::TimedOut).or_else(|| code(Outcome::Complete)),
            outcome => code(outcome),
        }
    }
}

/// How a task is posted on MTurk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MturkTask {
    /// What workers read in the list; the study's title if it is empty.
    pub title: String,
    /// What workers read before they accept.
    pub description: String,
    /// Words to search for, parted by commas.
    pub keywords: String,
    /// Reward in USD; the condition's pay if none.
    pub reward_usd: Option<Usd>,
    /// How long a worker may take, in s.
    pub assignment_duration_s: u32,
    /// How long the task stays on offer, in s.
    pub lifetime_s: u32,
    /// After how long work is approved by itself, in s.
    pub auto_approval_s: u32,
    /// People per HIT: from 10 on the fee doubles from 20 % to 40 %.
    pub assignments_per_hit: u32,
    /// Countries by ISO 3166 code; all if empty.
    pub countries: BTreeSet<String>,
    /// HITs that a worker must have had approved.
    pub min_approved_hits: u32,
    /// Share of approved HITs in percent, at least.
    pub min_approval_percent: u32,
    /// Height of the frame, in px.
    pub frame_height_px: u32,
}

impl Default for MturkTask {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: "Choose one of two images in an academic study. Needs a laptop or desktop computer."
                .into(),
            keywords: "images, psychology, experiment, academic, study".into(),
            reward_usd: None,
            assignment_duration_s: 3600,
            lifetime_s: 7200,
            auto_approval_s: 0,
            assignments_per_hit: 9,
            countries: ["US", "CA", "GB", "AU", "NZ", "IE"].into_iter().map(str::to_owned).collect(),
            min_approved_hits: 1000,
            min_approval_percent: 99,
            frame_height_px: 800,
        }
    }
}

/// What Prolific adds to the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProlificLink {
    /// The parameter that holds the person's id.
    pub participant_parameter: String,
    /// The parameter that holds the study's id.
    pub study_parameter: String,
    /// The parameter that holds the submission's id.
    pub session_parameter: String,
    /// Whether links must be signed by Prolific.
    pub signed: bool,
}

impl Default for ProlificLink {
    fn default() -> Self {
        Self {
            participant_parameter: "PROLIFIC_PID".into(),
            study_parameter: "STUDY_ID".into(),
            session_parameter: "SESSION_ID".into(),
            signed: false,
        }
    }
}

/// An experiment on Sona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SonaLink {
    /// The part of the site's address before `.sona-systems.com`.
    pub school: String,
    /// The experiment's number.
    pub experiment_id: u32,
    /// The token with which credit is granted.
    pub credit_token: String,
    /// The parameter that carries `%SURVEY_CODE%`.
    #[serde(default = "survey_code")]
    pub parameter: String,
}

fn survey_code() -> String {
    "survey_code".into()
}

/// Any other platform's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenericLink {
    /// The parameter that holds the person's id.
    pub parameter: String,
    /// Where people go back to; `{id}`, `{code}` and `{outcome}` are filled in. Without it they are shown the code.
    #[serde(default)]
    pub return_url: Option<String>,
    /// Whose ids these are, for the once-only rule: a panel that passes on MTurk's worker ids says `mturk`.
    #[serde(default)]
    pub ids_of: Option<Platform>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finished_late_gets_a_code_all_the_same() {
        let mut link = LinkDefinition::plain("L", Mode::Live);
        assert_eq!(link.code(Outcome::TimedOut), None);
        link.codes.insert(Outcome::Complete, "DONE".into());
        assert_eq!(link.code(Outcome::TimedOut), Some("DONE"));
        link.codes.insert(Outcome::TimedOut, "LATE".into());
        assert_eq!(link.code(Outcome::TimedOut), Some("LATE"));
        assert_eq!(link.code(Outcome::Full), None);
    }

    #[test]
    fn only_open_links_that_count_are_off_at_first() {
        let open = LinkDefinition::plain("L", Mode::Live);
        assert!(open.is_open_and_counts());
        assert!(!LinkDefinition { personal: true, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { mode: Mode::Pilot, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { group: Group::Expert, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { platform: Platform::Mturk, ..open }.is_open_and_counts());
    }
}
