//! The definition of a study: every number and word of the experiment, with the reference study's values as defaults.
//!
//! A study folder's `study.toml` deserialises into [`StudyDefinition`]; `docs/study-format.md` describes it for researchers.

use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::exclusion::Policy;
use super::participant::Stage;
use super::trial::{Block, Buttons, Difficulty, Trial, TrialKind};
use super::words;

words! {
    /// What a study is open for.
    StudyState {
        /// Never started: live links say that it is not open yet.
        Draft = "draft",
        /// Open.
        Live = "live",
        /// New people are asked to come back later; whoever is inside may finish.
        Paused = "paused",
        /// Over for new people; whoever is inside may finish.
        Closed = "closed",
    }
}

impl StudyState {
    /// Whether a study in this state can get into that one.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft | Self::Paused | Self::Closed, Self::Live)
                | (Self::Live, Self::Paused)
                | (Self::Live | Self::Paused, Self::Closed)
        )
    }
}

words! {
    /// What a participation counts for. It comes from the entry link alone, and modes never share slots.
    Mode {
        /// Counts toward the study.
        Live = "live",
        /// A rehearsal by people; marked, and left out of exports unless asked for.
        Pilot = "pilot",
        /// A rehearsal by the simulator.
        Simulated = "simulated",
    }
}

words! {
    /// Who takes part.
    Group {
        /// Recruited participants, who hold slots.
        Crowd = "crowd",
        /// Experts, who may take part again, in a condition and image set of their choice, without slots.
        Expert = "expert",
    }
}

words! {
    /// Where people come from and go back to.
    Platform {
        /// A plain link.
        Direct = "direct",
        /// Amazon Mechanical Turk.
        Mturk = "mturk",
        /// Prolific.
        Prolific = "prolific",
        /// CloudResearch Connect.
        Connect = "connect",
        /// Sona Systems.
        Sona = "sona",
        /// Any other, by a parameter and a return address.
        Generic = "generic",
    }
}

words! {
    /// What kind of references a group holds.
    ReferenceKind {
        /// Photographs (in the demo: scenes).
        Natural = "natural",
        /// Feature visualisations.
        Synthetic = "synthetic",
        /// Photographs blurred but for one window.
        Blurred = "blurred",
    }
}

/// Everything about a study but its trials and images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyDefinition {
    /// Short name in addresses, commands and exports: a-z, 0-9 and hyphens, 1 to 40 characters.
    pub slug: String,
    /// Title that participants read.
    pub title: String,
    /// Where participants can ask: an e-mail address.
    pub contact: String,
    /// Who runs the study, as the consent page says it.
    #[serde(default)]
    pub institution: String,
    /// Studies of one family share the once-only rule; by default a study is its own family.
    #[serde(default)]
    pub family: Option<String>,
    /// The name of the policy that decides whether a slot is filled.
    pub enrolment_policy: String,
    /// Size of the design.
    #[serde(default)]
    pub design: Design,
    /// How long a slot is kept for somebody.
    #[serde(default)]
    pub lease: Lease,
    /// What the browser must offer.
    #[serde(default)]
    pub window: Window,
    /// The trial screen.
    #[serde(default)]
    pub trial: TrialScreen,
    /// Practice blocks.
    #[serde(default)]
    pub practice: Practice,
    /// Checking the browser's clock.
    #[serde(default)]
    pub clock: ClockCheck,
    /// Conditions, in the order in which tables and figures list them.
    pub conditions: Vec<Condition>,
    /// Exclusion policies.
    pub policies: Vec<Policy>,
    /// Entry links that importing the study creates.
    #[serde(default)]
    pub links: Vec<LinkDefinition>,
    /// Words on the screens.
    #[serde(default)]
    pub texts: Texts,
    /// Pages in Markdown.
    #[serde(default)]
    pub pages: Pages,
}

/// Size of the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    /// Accepted participants per condition, 1 to 1,000.
    pub slots_per_condition: u32,
    /// Image sets; slot i (1-based) shows image set (i - 1) mod this.
    pub image_sets: u32,
    /// Main trials per participant: one per unit.
    pub main_trials: u32,
    /// Catch trials per participant.
    pub catch_trials: u32,
    /// How many people may complete a slot until one of them is kept.
    pub postings_per_slot: Postings,
    /// Width of every image in px.
    pub image_width_px: u32,
    /// Height of every image in px.
    pub image_height_px: u32,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            slots_per_condition: 50,
            image_sets: 10,
            main_trials: 18,
            catch_trials: 3,
            postings_per_slot: Postings::AtMost(3),
            image_width_px: 224,
            image_height_px: 224,
        }
    }
}

/// A bound on postings: a number, or the word `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Postings {
    /// At most so many, 1 or more.
    AtMost(u32),
    /// As many as it takes.
    Unlimited(Unlimited),
}

impl Postings {
    /// No bound.
    pub const UNLIMITED: Self = Self::Unlimited(Unlimited::Unlimited);

    /// The bound, if there is one.
    pub const fn limit(self) -> Option<u32> {
        match self {
            Self::AtMost(n) => Some(n),
            Self::Unlimited(_) => None,
        }
    }
}

words! {
    /// The word for "no bound".
    Unlimited {
        /// No bound.
        Unlimited = "unlimited",
    }
}

/// How long a slot is kept for somebody who gives no sign of life. It is taken back only when somebody needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// From consent until Welcome, in s.
    pub until_welcome_s: u32,
    /// After the last sign of life, from Welcome on, in s.
    pub after_last_sign_s: u32,
}

impl Default for Lease {
    fn default() -> Self {
        Self { until_welcome_s: 300, after_last_sign_s: 1800 }
    }
}

/// What the browser must offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Smallest inner width in px.
    pub min_width_px: u32,
    /// Smallest inner height in px.
    pub min_height_px: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { min_width_px: 940, min_height_px: 600 }
    }
}

/// The trial screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialScreen {
    /// Confidence levels under each query, 1 to 5.
    pub confidence_levels: u8,
    /// One key per button, left to right (as `KeyboardEvent.key`, lower case).
    pub keys: Vec<String>,
    /// From the click to the Continue button, in ms.
    pub continue_after_ms: u32,
}

impl Default for TrialScreen {
    fn default() -> Self {
        let keys = ["s", "d", "f", "j", "k", "l"].map(str::to_owned).to_vec();
        Self { confidence_levels: 3, keys, continue_after_ms: 350 }
    }
}

/// Practice blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Practice {
    /// Obvious trials that open a block.
    pub obvious_trials: u32,
    /// Others that follow, from the whole rest of the pool.
    pub other_trials: u32,
    /// After so many blocks the person is offered to end, paid; 0: never.
    pub offer_end_after_blocks: u32,
}

impl Default for Practice {
    fn default() -> Self {
        Self { obvious_trials: 1, other_trials: 3, offer_end_after_blocks: 5 }
    }
}

impl Practice {
    /// Most trials that a block may have.
    pub const LONGEST_BLOCK: u16 = 20;

    /// Whether somebody in this practice block is offered to end, paid.
    pub fn offers_end(&self, stage: Stage, attempt: u16) -> bool {
        stage == Stage::Instructed
            && self.offer_end_after_blocks > 0
            && u32::from(attempt) > self.offer_end_after_blocks
    }

    /// Trials in a block.
    pub const fn trials(&self) -> u32 {
        self.obvious_trials + self.other_trials
    }
}

/// Checking the browser's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockCheck {
    /// A live browser that claims to be more than so many s ahead of what the server saw is recorded.
    pub discrepancy_s: f64,
}

impl Default for ClockCheck {
    fn default() -> Self {
        Self { discrepancy_s: 5.0 }
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Name in exports: a-z, 0-9 and hyphens.
    pub name: String,
    /// Name on pages and figures.
    pub title: String,
    /// Colour in figures, `#rrggbb`.
    #[serde(default = "default_colour")]
    pub colour: String,
    /// The groups of references that a trial shows, in the order shown; none for a condition without references.
    #[serde(default)]
    pub references: Vec<ReferenceGroup>,
    /// Whether its participants practise.
    #[serde(default = "yes")]
    pub practice: bool,
    /// What a participant is paid.
    #[serde(default)]
    pub pay_usd: Usd,
    /// The Markdown file of its instructions, relative to the study folder.
    pub instructions: String,
}

fn default_colour() -> String {
    "#5c6770".into()
}

const fn yes() -> bool {
    true
}

impl Condition {
    /// References that a trial shows.
    pub fn reference_count(&self) -> u32 {
        self.references.iter().map(|group| group.count).sum()
    }
}

/// A group of references; their order is permuted within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGroup {
    /// What they are.
    pub kind: ReferenceKind,
    /// How many.
    pub count: u32,
}

/// An amount of money in USD, to the cent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Usd {
    /// Cents.
    pub cents: u32,
}

impl TryFrom<f64> for Usd {
    type Error = String;

    fn try_from(dollars: f64) -> Result<Self, String> {
        let cents = (dollars * 100.0).round();
        if !(0.0..=1_000_000.0).contains(&cents) || (dollars * 100.0 - cents).abs() > 1e-6 {
            return Err(format!(
                "{dollars} is not an amount in USD from 0 to 10000 with at most two decimals"
            ));
        }
        Ok(Self { cents: cents as u32 })
    }
}

impl From<Usd> for f64 {
    fn from(usd: Usd) -> Self {
        Self::from(usd.cents) / 100.0
    }
}

impl std::fmt::Display for Usd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

/// An entry link that importing the study creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Code shown to people who completed, to claim their pay.
    #[serde(default)]
    pub completion_code: Option<String>,
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

/// Words on the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// Over the references.
    pub references_title: String,
    /// Over the base image beside references.
    pub base_title: String,
    /// Over the base image where there are no references.
    pub base_title_alone: String,
    /// Over the queries.
    pub question: String,
    /// Under the buttons, beside an arrow that points outward.
    pub more_confident: String,
    /// Ends a trial.
    pub continue_label: String,
    /// After a correct practice trial.
    pub practice_correct: String,
    /// After a wrong practice trial.
    pub practice_incorrect: String,
    /// Between practice and main trials.
    pub main_intro: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            references_title: "Favorite Images".into(),
            base_title: "Another Favorite Image".into(),
            base_title_alone: "Favorite Image".into(),
            question: "Which image is more favored?".into(),
            more_confident: "More Confident".into(),
            continue_label: "Continue".into(),
            practice_correct: "That was correct!".into(),
            practice_incorrect: "That was incorrect! The machine actually favors the other image more."
                .into(),
            main_intro: "Great! Let's now start with the real trials!".into(),
        }
    }
}

/// Pages in Markdown. In `study.toml` the fields name files; an imported definition holds the files' contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pages {
    /// What a person agrees to.
    pub consent: String,
    /// After the end.
    pub debrief: String,
    /// What a worker sees who only previews the task.
    pub preview: String,
    /// Instructions by condition, in the order of the conditions.
    pub instructions: Vec<String>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            consent: "consent.md".into(),
            debrief: "debrief.md".into(),
            preview: "preview.md".into(),
            instructions: Vec::new(),
        }
    }
}

/// SHA-256 of a text: what the record of a consent cites.
pub fn text_sha256(text: &str) -> Vec<u8> {
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}

impl StudyDefinition {
    /// The family whose members share the once-only rule.
    pub fn family(&self) -> &str {
        self.family.as_deref().unwrap_or(&self.slug)
    }

    /// The condition of that name.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.name == name)
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The buttons of a trial.
    pub const fn buttons(&self) -> Buttons {
        Buttons { levels: self.trial.confidence_levels }
    }

    /// The 0-based image set of a 1-based slot.
    pub const fn image_set_of_slot(&self, slot: u32) -> u32 {
        (slot - 1) % self.design.image_sets
    }

    /// Main and catch trials that a participant answers.
    pub const fn main_block_trials(&self) -> u32 {
        self.design.main_trials + self.design.catch_trials
    }

    /// Trials in a block.
    pub const fn block_trials(&self, block: Block) -> u32 {
        match block {
            Block::Practice => self.practice.trials(),
            Block::Main => self.main_block_trials(),
        }
    }
}

/// A stored row of the table of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrial {
    /// Its number in the database.
    pub id: i64,
    /// The row.
    pub trial: Trial,
}

/// An imported version of a study: what a participant saw, for good.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyVersion {
    /// Number in the database.
    pub id: i64,
    /// The study's number in the database.
    pub study_id: i64,
    /// 1 for the first version.
    pub number: i32,
    /// What the folder said.
    pub definition: StudyDefinition,
    /// The table of trials, in its order.
    pub trials: Vec<StoredTrial>,
}

impl StudyVersion {
    /// The trials of a kind in a condition.
    pub fn trials_of(&self, condition: &str, kind: TrialKind) -> impl Iterator<Item = &StoredTrial> {
        self.trials.iter().filter(move |row| row.trial.condition == condition && row.trial.kind == kind)
    }

    /// The main trials of an image set in a condition.
    pub fn main_trials(&self, condition: &str, image_set: u32) -> impl Iterator<Item = &StoredTrial> {
        self.trials_of(condition, TrialKind::Main).filter(move |row| row.trial.image_set == Some(image_set))
    }

    /// The practice pool of a condition, by difficulty.
    pub fn practice_pool(&self, condition: &str, difficulty: Difficulty) -> Vec<&StoredTrial> {
        self.trials_of(condition, TrialKind::Practice)
            .filter(|row| row.trial.difficulty == Some(difficulty))
            .collect()
    }

    /// The row of that number.
    pub fn trial(&self, id: i64) -> Option<&Trial> {
        self.trials.iter().find(|row| row.id == id).map(|row| &row.trial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_sets_repeat_over_the_slots() {
        let sets: Vec<_> = (1..=50).map(|slot| (slot - 1) % Design::default().image_sets).collect();
        assert_eq!(sets[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert!((0..10).all(|set| sets.iter().filter(|s| **s == set).count() == 5));
    }

    #[test]
    fn money_is_exact_to_the_cent() {
        assert_eq!(Usd::try_from(1.95).map(|usd| usd.to_string()), Ok("1.95".into()));
        assert_eq!(Usd::try_from(0.7).map(|usd| usd.cents), Ok(70));
        assert!(Usd::try_from(0.705).is_err());
        assert!(Usd::try_from(-1.0).is_err());
        assert!(Usd::try_from(f64::NAN).is_err());
    }
}
