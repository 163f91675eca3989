//! Entry links: the platform from which people come, their mode and group, and how they return to the platform.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Group, Mode, Platform, Usd};
use crate::domain::words;

words! {
    /// How a visit ended, as Weber tells the platform.
    Outcome {
        /// The person completed.
        Complete = "complete",
        /// The person completed after another person had got the slot. They are paid too.
        TimedOut = "timed_out",
        /// The person did not pass practice, and the participation ended early with pay.
        ScreenedOut = "screened_out",
        /// The person did not agree to take part.
        NoConsent = "no_consent",
        /// The person's screen is too small.
        Unsuitable = "unsuitable",
        /// No slot was open.
        Full = "full",
        /// The person took part before, or is on a list of people not to admit.
        AlreadyTookPart = "already_took_part",
    }
}

/// The platform's completion codes by outcome.
pub type Codes = BTreeMap<Outcome, String>;

/// An entry link that importing the study creates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkDefinition {
    /// The name for researchers, which is unique in the study.
    pub name: String,
    /// The platform from which its people come.
    #[serde(default = "direct")]
    pub platform: Platform,
    /// The mode of its participations.
    #[serde(default = "live")]
    pub mode: Mode,
    /// The group of its participants.
    #[serde(default = "crowd")]
    pub group: Group,
    /// The conditions to which it may lead. All if empty.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// The image set that experts see. Any if none.
    #[serde(default)]
    pub image_set: Option<u32>,
    /// Whether each person has a link of their own, for one participation. For direct links only.
    #[serde(default)]
    pub personal: bool,
    /// The platform's completion codes by outcome.
    #[serde(default)]
    pub codes: Codes,
    /// The settings of the task on MTurk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mturk: Option<MturkTask>,
    /// The parameters that Prolific adds to the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prolific: Option<ProlificLink>,
    /// The experiment on Sona.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sona: Option<SonaLink>,
    /// The addresses of any other platform.
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
    /// The platforms with settings of their own, and whether the link has them.
    pub const fn settings_of_platforms(&self) -> [(Platform, bool); 4] {
        [
            (Platform::Mturk, self.mturk.is_some()),
            (Platform::Prolific, self.prolific.is_some()),
            (Platform::Sona, self.sona.is_some()),
            (Platform::Generic, self.generic.is_some()),
        ]
    }

    /// A direct link for the crowd with default settings.
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

    /// Whether any person who has the link may take part, and more than once.
    pub fn is_open(&self) -> bool {
        self.platform == Platform::Direct && !self.personal
    }

    /// Whether the link is open and its participations are live and of the crowd. Such a link is off until a researcher switches it on.
    pub fn is_open_and_counts(&self) -> bool {
        self.is_open() && self.mode == Mode::Live && self.group == Group::Crowd
    }

    /// The code of an outcome. People who completed late are paid too, so they get the code of completion if there is no code for them.
    pub fn code(&self, outcome: Outcome) -> Option<&str> {
        let code = |outcome| self.codes.get(&outcome).map(String::as_str);
        match outcome {
            Outcome::TimedOut => code(Outcome::TimedOut).or_else(|| code(Outcome::Complete)),
            outcome => code(outcome),
        }
    }
}

/// The settings of a task on MTurk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MturkTask {
    /// The title in the list of tasks. The study's title if it is empty.
    pub title: String,
    /// The description that workers read before they accept.
    pub description: String,
    /// Words for the search, separated by commas.
    pub keywords: String,
    /// The reward in USD. The condition's pay if none.
    pub reward_usd: Option<Usd>,
    /// How long a worker may take, in s.
    pub assignment_duration_s: u32,
    /// How long the task is offered, in s.
    pub lifetime_s: u32,
    /// The time until work is approved automatically, in s.
    pub auto_approval_s: u32,
    /// The number of people per HIT. From 10 people on, the fee is 40 % instead of 20 %.
    pub assignments_per_hit: u32,
    /// The ISO 3166 codes of admitted countries. All if empty.
    pub countries: BTreeSet<String>,
    /// The smallest number of approved HITs that a worker must have.
    pub min_approved_hits: u32,
    /// The smallest share of approved HITs that a worker must have, in percent.
    pub min_approval_percent: u32,
    /// The height of the frame in px.
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

/// The parameters that Prolific adds to the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProlificLink {
    /// The parameter with the person's id.
    pub participant_parameter: String,
    /// The parameter with the study's id.
    pub study_parameter: String,
    /// The parameter with the submission's id.
    pub session_parameter: String,
    /// Whether Prolific must sign links.
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
    /// The token that grants credit.
    pub credit_token: String,
    /// The parameter with `%SURVEY_CODE%`.
    #[serde(default = "survey_code")]
    pub parameter: String,
}

fn survey_code() -> String {
    "survey_code".into()
}

/// The addresses of any other platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenericLink {
    /// The parameter with the person's id.
    pub parameter: String,
    /// The address to which people return, in which `{id}`, `{code}` and `{outcome}` are replaced. Without it, a page shows them the code.
    #[serde(default)]
    pub return_url: Option<String>,
    /// The platform that issued the ids, for the once-only rule. A panel that uses MTurk's worker ids says `mturk`.
    #[serde(default)]
    pub ids_of: Option<Platform>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_completed_late_get_a_code_too() {
        let mut link = LinkDefinition::plain("L", Mode::Live);
        assert_eq!(link.code(Outcome::TimedOut), None);
        link.codes.insert(Outcome::Complete, "DONE".into());
        assert_eq!(link.code(Outcome::TimedOut), Some("DONE"));
        link.codes.insert(Outcome::TimedOut, "LATE".into());
        assert_eq!(link.code(Outcome::TimedOut), Some("LATE"));
        assert_eq!(link.code(Outcome::Full), None);
    }

    #[test]
    fn only_open_live_links_of_the_crowd_are_off_at_first() {
        let open = LinkDefinition::plain("L", Mode::Live);
        assert!(open.is_open_and_counts());
        assert!(!LinkDefinition { personal: true, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { mode: Mode::Pilot, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { group: Group::Expert, ..open.clone() }.is_open_and_counts());
        assert!(!LinkDefinition { platform: Platform::Mturk, ..open }.is_open_and_counts());
    }
}
