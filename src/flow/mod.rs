//! The actions of Weber, each a function: it loads data, decides, saves in one transaction, and announces the change.

pub mod app;
pub mod audit;
pub mod backup;
pub mod image_addresses;
pub mod lab;
pub(crate) mod metrics;
pub mod participation;
pub(crate) mod readiness;
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

/// Why a flow did nothing. The web layer puts it into words for pages and the API.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such entry link.
    #[error("there is no such link")]
    NoSuchLink,
    /// The link lets no one in now.
    #[error("the link lets no one in now: {0:?}")]
    Shut(Shut),
    /// No slot is open.
    #[error("no slot is open")]
    Full,
    /// The person took part before in this study or another of its family.
    #[error("the person took part before")]
    AlreadyTookPart,
    /// The page showed an older text of consent.
    #[error("the text of consent has changed")]
    ConsentChanged,
    /// A link for simulated people was used without an API token.
    #[error("a link for simulated people needs an API token")]
    ApiTokenNeeded,
    /// A parameter of the platform holds no id.
    #[error("the parameter {} is missing, not filled in, or not an id", .0.parameter)]
    PlatformParameter(Incomplete),
    /// A personal link was never given out.
    #[error("there is no such personal link")]
    NoSuchPersonalLink,
    /// The link is not signed by the platform, or its signature is too old.
    #[error("the link is not signed, or its signature is too old")]
    NotSigned,
    /// The platform's keys, by which a signed link is checked, cannot be fetched now.
    #[error("the platform's keys cannot be fetched")]
    KeysUnavailable,
    /// The consent limit of a network is reached.
    #[error("too many people of one network are about to begin")]
    Crowded,
    /// A newcomer's answers could not be stored.
    #[error("no one can be let in at the moment")]
    NotNow,
    /// The actor may not see who participants are.
    #[error("this needs the right to see identities")]
    RightNeeded,
    /// The actor's role does not allow this.
    #[error("this needs the role {0}")]
    RoleNeeded(Role),
    /// A decision about a person has no reason, or one that is too long.
    #[error("the decision needs a reason of at most {} characters", study::decisions::LONGEST_REASON)]
    ReasonNeeded,
    /// Decisions are possible only about people who completed.
    #[error("the person did not complete")]
    NotCompleted,
    /// A condition cannot have so many places.
    #[error("a condition has 1 to {0} places")]
    BadQuota(u32),
    /// If the study were opened, no participant could be kept.
    #[error("every place is kept or exhausted")]
    NoSlotLeft,
    /// A policy's name is not allowed, or is taken.
    #[error("the policy's name is not allowed, or is taken")]
    PolicyName,
    /// There is no such policy.
    #[error("there is no such policy")]
    NoSuchPolicy,
    /// The study has already pre-registered this policy.
    #[error("the study has pre-registered the policy `{0}`")]
    AlreadyPreregistered(String),
    /// No participant could pass the policy.
    #[error("the policy has {0}")]
    UnusablePolicy(Unusable),
    /// A bound of a criterion is not a number.
    #[error("`{0}` is not a number")]
    BadBound(String),
    /// There is no such participant.
    #[error("there is no such participant")]
    NoSuchParticipant,
    /// A link would get too many personal links.
    #[error("a link can have at most {0} personal links")]
    TooManyPersonalLinks(u32),
    /// A list of ids cannot be used, for this reason.
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
    /// The participation has not reached this step yet.
    #[error("the participation has not reached this step yet")]
    TooEarly,
    /// Answers are missing, by their positions in the main block.
    #[error("{} answers are missing", .0.len())]
    AnswersMissing(Vec<u16>),
    /// A study cannot change from one state to the other.
    #[error("a study that is {from} cannot become {to}")]
    NoSuchTransition { from: StudyState, to: StudyState },
    /// There is no such study.
    #[error("there is no such study")]
    NoSuchStudy,
    /// The address or the password is wrong; the error does not say which.
    #[error("the address or the password is wrong")]
    WrongPassword,
    /// Too many passwords or codes were wrong lately.
    #[error("too many attempts failed lately")]
    TooManyFailures,
    /// Too many passwords wait to be checked.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// A one-time link was used, is too old, or never existed.
    #[error("the link is used up")]
    LinkUsedUp,
    /// A code of the second factor is wrong, or was used before.
    #[error("the code is wrong, or was used before")]
    WrongCode,
    /// The first code of a second factor is wrong, or the setup was not begun.
    #[error("the first code is wrong")]
    WrongFirstCode,
    /// The second factor is on already.
    #[error("the second factor is on already")]
    SecondFactorIsOn,
    /// The text is not an e-mail address.
    #[error("`{0}` is not an e-mail address")]
    BadEmail(String),
    /// There is no such researcher.
    #[error("there is no such researcher")]
    NoSuchResearcher,
    /// The lab would be left without an administrator.
    #[error("a lab needs at least one administrator")]
    LastAdministrator,
    /// A token's name is not allowed or is taken, or the token has no scope.
    #[error("a token needs a name of 1 to 100 characters that is not taken, and at least one scope")]
    TokenName,
    /// A new password is too short or too long.
    #[error("the password is too short or too long")]
    PasswordUnfit,
}

/// Why a flow failed.
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

/// The result of a flow.
pub type Result<T> = std::result::Result<T, FlowError>;
