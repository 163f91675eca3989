//! Makes one thing happen: load, decide, save in one transaction, tell listeners. One function per verb.

pub mod app;
pub mod audit;
pub mod backup;
pub mod image_addresses;
pub mod lab;
pub mod metrics;
pub mod participation;
pub mod readiness;
pub mod records;
pub mod secrets;
pub mod study;

pub use app::App;

use crate::domain::exclusion::Unusable;
use crate::domain::gate::Shut;
use crate::domain::rights::Role;
use crate::domain::study::StudyState;
use crate::recruitment::Incomplete;
use crate::store::StoreError;

/// Why nothing happened, as a meaning; the web and the command line put it into words.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such entry link.
    #[error("there is no such link")]
    NoSuchLink,
    /// The link lets nobody in now.
    #[error("the link lets nobody in now: {0:?}")]
    Shut(Shut),
    /// No slot is open.
    #[error("no slot is open")]
    Full,
    /// The person took part in this study or one of its family before.
    #[error("the person took part before")]
    AlreadyTookPart,
    /// The page showed an older text of consent.
    #[error("the text of consent has changed")]
    ConsentChanged,
    /// A link for simulated people was used without an API token.
    #[error("a link for simulated people needs an API token")]
    ApiTokenNeeded,
    /// A parameter of the platform does not say what it is there to say.
    #[error("the parameter {} is missing, not filled in, or no id", .0.parameter)]
    PlatformParameter(Incomplete),
    /// A personal link was never given out.
    #[error("there is no such personal link")]
    NoSuchPersonalLink,
    /// The link is not signed by the platform, or was too long ago.
    #[error("the link is not signed, or its signature is too old")]
    NotSigned,
    /// The platform's keys, by which a signed link is checked, cannot be fetched now.
    #[error("the platform's keys cannot be fetched")]
    KeysUnavailable,
    /// Too many people are about to begin from one place.
    #[error("too many people are about to begin from one place")]
    Crowded,
    /// What a newcomer would do could not be stored.
    #[error("nobody can be let in at the moment")]
    NotNow,
    /// Somebody may not see or do this.
    #[error("this needs the right to see identities")]
    RightNeeded,
    /// Somebody's role does not allow this.
    #[error("this needs the role {0}")]
    RoleNeeded(Role),
    /// A decision about a person has no reason, or one that is too long.
    #[error("the decision needs a reason of at most {} characters", study::decisions::LONGEST_REASON)]
    ReasonNeeded,
    /// Only people who completed can be decided about.
    #[error("the person did not complete")]
    NotCompleted,
    /// A condition cannot have so many places.
    #[error("a condition has 1 to {0} places")]
    BadQuota(u32),
    /// Nobody could be kept if a study were opened.
    #[error("every place is kept or exhausted")]
    NoSlotLeft,
    /// A policy's name is none, or is taken.
    #[error("the policy's name is none, or is taken")]
    PolicyName,
    /// There is no such policy.
    #[error("there is no such policy")]
    NoSuchPolicy,
    /// The study has pre-registered a policy: which one.
    #[error("the study has pre-registered the policy `{0}`")]
    AlreadyPreregistered(String),
    /// Nobody could pass a policy.
    #[error("the policy has {0}")]
    UnusablePolicy(Unusable),
    /// A bound of a criterion is not a number.
    #[error("`{0}` is not a number")]
    BadBound(String),
    /// There is no such participant.
    #[error("there is no such participant")]
    NoSuchParticipant,
    /// Too many personal links.
    #[error("a link can have at most {0} personal links")]
    TooManyPersonalLinks(u32),
    /// A list of ids cannot be used; why.
    #[error("the list cannot be used: {0}")]
    BadList(String),
    /// The person only previews the task.
    #[error("the task is only previewed")]
    PreviewOnly,
    /// No participation has this token.
    #[error("no participation has this token")]
    UnknownToken,
    /// The participation ended before this.
    #[error("the participation has ended")]
    Ended,
    /// The participation is not so far yet.
    #[error("the participation is not so far yet")]
    TooEarly,
    /// Answers are missing, by their positions in the main block.
    #[error("{} answers are missing", .0.len())]
    AnswersMissing(Vec<u16>),
    /// A study in this state cannot get into that one.
    #[error("a study that is {from} cannot become {to}")]
    NoSuchTransition {
        /// What it is.
        from: StudyState,
        /// What it was to become.
        to: StudyState,
    },
    /// There is no such study.
    #[error("there is no such study")]
    NoSuchStudy,
    /// Address or password are wrong; which of them is not told.
    #[error("address or password are wrong")]
    WrongPassword,
    /// Too many passwords or codes were wrong lately.
    #[error("too many tries failed lately")]
    TooManyFailures,
    /// More passwords are to be checked than can be checked soon.
    #[error("more passwords are to be checked than can be checked soon")]
    Busy,
    /// A one-time link was used, or is too old, or never was.
    #[error("the link is used up")]
    LinkUsedUp,
    /// A code of the second factor is wrong, or was used.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// The first code of a second factor is wrong, or none was begun.
    #[error("the first code is wrong")]
    WrongFirstCode,
    /// There is a second factor already.
    #[error("the second factor is on already")]
    SecondFactorIsOn,
    /// Something is no e-mail address.
    #[error("`{0}` is not an e-mail address")]
    BadEmail(String),
    /// There is no such researcher.
    #[error("there is no such researcher")]
    NoSuchResearcher,
    /// Nobody would be left to administer the lab.
    #[error("a lab keeps at least one administrator")]
    LastAdministrator,
    /// A token's name is none, or taken, or it would be good for nothing.
    #[error("a token needs a name of 1 to 100 characters that is free, and something that it is good for")]
    TokenName,
    /// A new password is too short or too long.
    #[error("the password is too short or too long")]
    PasswordUnfit,
}

/// What a flow can end in besides success.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// A refusal that the caller can explain.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for FlowError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Short for what flows return.
pub type Result<T> = std::result::Result<T, FlowError>;
