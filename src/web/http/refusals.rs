//! Puts refusals of flows into words: status, code, what happened, and what to do. Participants and researchers read these words.

use axum::http::StatusCode;
use serde_json::json;

use crate::domain::exclusion::{CriterionSheet, Unusable};
use crate::domain::gate::Shut;
use crate::domain::study::Group;
use crate::flow::Refused;
use crate::recruitment::Incomplete;
use crate::recruitment::ids::IdFault;
use crate::web::http::error::ProblemDocument;

impl ProblemDocument {
    pub(crate) fn refused(refused: &Refused) -> Self {
        use StatusCode as S;
        match refused {
            Refused::NoSuchLink => Self::new(
                S::NOT_FOUND,
                "no_such_link",
                "There is no such link.",
                "Check the address that you were given.",
            ),
            Refused::Shut(Shut::NotOpenYet) => Self::new(
                S::FORBIDDEN,
                "not_open_yet",
                "The study has not started yet.",
                "Please come back later.",
            ),
            Refused::Shut(Shut::Paused) => {
                Self::new(S::FORBIDDEN, "paused", "The study is paused.", "Please come back later.")
            }
            Refused::Shut(Shut::Closed) => {
                Self::new(S::FORBIDDEN, "closed", "The study is closed.", "Thank you for your interest.")
            }
            Refused::Full => Self::new(
                S::CONFLICT,
                "full",
                "All places are taken at the moment.",
                "A place may become free: please try again later.",
            ),
            Refused::AlreadyTookPart => Self::new(
                S::CONFLICT,
                "already_took_part",
                "You have already taken part.",
                "Each person can take part only once. Thank you for your help!",
            ),
            Refused::ConsentChanged => Self::new(
                S::CONFLICT,
                "consent_changed",
                "The consent page has changed since you opened it.",
                "Please open the link again and read the new text.",
            ),
            Refused::ApiTokenNeeded => Self::new(
                S::UNAUTHORIZED,
                "api_token_needed",
                "This needs an API token.",
                "Send an API token with the right scope (see `weber token create`) in the Authorization header.",
            ),
            Refused::PlatformParameter(incomplete) => Self::incomplete(incomplete),
            Refused::NoSuchPersonalLink => Self::new(
                S::NOT_FOUND,
                "no_such_link",
                "There is no such personal link.",
                "Open the complete address that you were given. A mail program may have broken it into two lines.",
            ),
            Refused::NotSigned => Self::new(
                S::FORBIDDEN,
                "not_signed",
                "This link is no longer valid.",
                "Please go back to the platform and open the study from there again.",
            ),
            Refused::KeysUnavailable => Self::new(
                S::SERVICE_UNAVAILABLE,
                "keys_unavailable",
                "Your link cannot be checked at the moment.",
                "Nothing is lost. Please try again in a minute.",
            ),
            Refused::Crowded => Self::new(
                S::TOO_MANY_REQUESTS,
                "crowded",
                "Many people are starting at this moment.",
                "Please try again in a minute.",
            ),
            Refused::NotNow => Self::new(
                S::SERVICE_UNAVAILABLE,
                "not_now",
                "You cannot start at the moment.",
                "The server could not store your answers. Nothing was recorded: please come back later.",
            ),
            Refused::RightNeeded => Self::new(
                S::FORBIDDEN,
                "right_needed",
                "This needs the right to see who participants are.",
                "An administrator can give it to you on the page Team.",
            ),
            Refused::RoleNeeded(role) => Self::new(
                S::FORBIDDEN,
                "role_needed",
                format!("This needs the role “{role}”."),
                "Ask an administrator to give it to you.",
            ),
            Refused::ReasonNeeded => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "reason_needed",
                "A decision about a person needs a reason.",
                "Go back and write a reason of at most 1,000 characters. Every export contains it.",
            ),
            Refused::NotCompleted => Self::new(
                S::CONFLICT,
                "not_completed",
                "Only people who completed the study can be included or excluded.",
                "People who did not complete it are never analysed.",
            ),
            Refused::BadQuota(most) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_quota",
                format!("A condition has 1 to {most} places."),
                "Go back and write a number in this range.",
            ),
            Refused::NoSlotLeft => Self::new(
                S::CONFLICT,
                "no_slot_left",
                "No one could be let in: every place is kept or exhausted.",
                "Go back and raise the number of places, allow one more posting, or switch on a link for experts. Then open \
                 the study.",
            ),
            Refused::PolicyName => Self::new(
                S::CONFLICT,
                "policy_name",
                "A policy cannot have this name.",
                "Choose a name of 1 to 40 characters (a-z, 0-9 and hyphens) that is not taken: saved policies never change.",
            ),
            Refused::NoSuchPolicy => Self::new(
                S::NOT_FOUND,
                "no_such_policy",
                "There is no such policy.",
                "Choose one of the study’s policies.",
            ),
            Refused::AlreadyPreregistered(name) => Self::new(
                S::CONFLICT,
                "already_preregistered",
                format!("This study has pre-registered the policy “{name}”."),
                "A study pre-registers one policy, once and for good. You can still use another one: pages and files then say \
                 that it deviates.",
            ),
            Refused::UnusablePolicy(unusable) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "unusable_policy",
                unusable_words(unusable),
                match unusable.criterion.sheet().highest {
                    highest if highest.is_finite() => {
                        format!("Its values go from 0 to {highest}. Change a bound, or leave it empty.")
                    }
                    _ => "Change one of its bounds, or leave it empty.".into(),
                },
            ),
            Refused::BadBound(text) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_bound",
                format!("“{text}” is not a number."),
                "Write the bound as a number, such as 0.6, or leave it empty.",
            ),
            Refused::NoSuchParticipant => Self::new(
                S::NOT_FOUND,
                "no_such_participant",
                "There is no such participant in this study.",
                "Check the name or the id.",
            ),
            Refused::TooManyPersonalLinks(most) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "too_many_personal_links",
                format!("A link can have at most {most} personal links."),
                "Ask for fewer, or add another link to study.toml.",
            ),
            Refused::BadList(why) => {
                Self::new(S::UNPROCESSABLE_ENTITY, "bad_list", "The list cannot be used.", why.clone())
            }
            Refused::PreviewOnly => Self::new(
                S::FORBIDDEN,
                "preview",
                "This is a preview.",
                "Accept the task first. Then open it again.",
            ),
            Refused::UnknownToken => Self::new(
                S::UNAUTHORIZED,
                "unknown_token",
                "This participation is not known.",
                "Please open the link that you were given once more.",
            ),
            Refused::Ended => Self::new(S::CONFLICT, "ended", "The participation has ended.", ""),
            Refused::TooEarly => {
                Self::new(S::CONFLICT, "too_early", "The participation has not reached this step yet.", "")
            }
            Refused::NoSuchTransition { from, to } => Self::new(
                S::CONFLICT,
                "no_such_transition",
                format!("A study that is {from} cannot become {to}."),
                "Another researcher may have changed it: reload its page.",
            ),
            Refused::NoSuchStudy => Self::new(S::NOT_FOUND, "no_such_study", "There is no such study.", ""),
            Refused::WrongPassword => Self::new(
                S::UNAUTHORIZED,
                "wrong_password",
                "The e-mail address or the password is wrong.",
                "Try again, or ask for a new link to set the password.",
            ),
            Refused::TooManyFailures => Self::new(
                S::TOO_MANY_REQUESTS,
                "too_many_failures",
                "There were too many failed attempts.",
                "Wait 15 minutes, then try again.",
            ),
            Refused::Busy => Self::new(
                S::SERVICE_UNAVAILABLE,
                "busy",
                "The server is checking many passwords at this moment.",
                "Try again in a few seconds.",
            ),
            Refused::LinkUsedUp => Self::new(
                S::GONE,
                "link_used_up",
                "This link is no longer valid.",
                "A link can be used once, within 7 days.",
            ),
            Refused::WrongCode => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "wrong_code",
                "The code is wrong, or it was used before.",
                "Wait for the next code on your phone, or use a recovery code that you have not used yet.",
            ),
            Refused::WrongFirstCode => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "wrong_first_code",
                "The code is wrong.",
                "Type the code that the phone shows now. Its clock must be right, and the entry must be the one from this picture.",
            ),
            Refused::SecondFactorIsOn => Self::new(
                S::CONFLICT,
                "second_factor_is_on",
                "Your second factor is already on.",
                "Turn it off first if you have a new phone.",
            ),
            Refused::BadEmail(text) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_email",
                format!("“{text}” is not an e-mail address."),
                "Go back and write one, such as name@example.org.",
            ),
            Refused::NoSuchResearcher => Self::new(
                S::NOT_FOUND,
                "no_such_researcher",
                "There is no such researcher.",
                "Another administrator may have removed them: reload the page Team.",
            ),
            Refused::LastAdministrator => Self::new(
                S::CONFLICT,
                "last_administrator",
                "A lab needs at least one administrator.",
                "Make another person an administrator first.",
            ),
            Refused::TokenName => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "token_name",
                "A token needs a name of its own and at least one scope.",
                "Go back and choose a name of 1 to 100 characters that no other token has, and what the token may do.",
            ),
            Refused::PasswordUnfit => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "password_unfit",
                format!(
                    "A password needs at least {} characters.",
                    crate::flow::lab::sign_in::SHORTEST_PASSWORD
                ),
                "A few unrelated words make a good password.",
            ),
            Refused::AnswersMissing(missing) => Self::new(
                S::CONFLICT,
                "answers_missing",
                "Some answers have not arrived.",
                "Send the answers to these trials of the main block, then complete again.",
            )
            .with("missing", json!(missing)),
        }
    }

    /// What is wrong with a parameter of an address, and what the person can do.
    fn incomplete(Incomplete { parameter, fault }: &Incomplete) -> Self {
        let wrong = match fault {
            IdFault::Missing => "is missing from the address",
            IdFault::NotFilledIn => {
                "was not filled in: a placeholder stands in the address where an id should be"
            }
            IdFault::TooLong => "has a value in the address that is too long for an id",
            IdFault::Unfit => "has a value in the address that is not an id of the platform",
        };
        Self::new(
            StatusCode::BAD_REQUEST,
            "platform_parameter",
            format!("The parameter {parameter} {wrong}."),
            "Please go back to the platform that sent you here, and open the task from there again.",
        )
        .with("parameter", json!(parameter))
        .with("fault", json!(fault))
    }
}

/// Names the bounds that no value can meet.
fn unusable_words(Unusable { group, criterion, condition, bounds }: &Unusable) -> String {
    let CriterionSheet { title, unit, .. } = criterion.sheet();
    let place =
        condition.as_ref().map_or_else(String::new, |condition| format!(" in the condition {condition}"));
    let whose = if *group == Group::Expert { " of experts" } else { "" };
    format!("No one could pass: {title} ({unit}){place}{whose} cannot be {}.", bounds.in_words())
}
