//! Refusals of flows, in words: status, code, what happened, and what to do.

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
    /// What a refusal is called, and what to do about it.
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
                "Somebody may leave: try again later.",
            ),
            Refused::AlreadyTookPart => Self::new(
                S::CONFLICT,
                "already_took_part",
                "You have already taken part.",
                "Everybody can take part only once. Thank you.",
            ),
            Refused::ConsentChanged => Self::new(
                S::CONFLICT,
                "consent_changed",
                "The consent page has changed since you opened it.",
                "Open the link again and read the new text.",
            ),
            Refused::ApiTokenNeeded => Self::new(
                S::UNAUTHORIZED,
                "api_token_needed",
                "This needs an API token.",
                "Send an API token that is good for this (see `weber token create`) in the Authorization header.",
            ),
            Refused::PlatformParameter(incomplete) => Self::incomplete(incomplete),
            Refused::NoSuchPersonalLink => Self::new(
                S::NOT_FOUND,
                "no_such_link",
                "There is no such personal link.",
                "Open the whole address that you were given: a program may have broken it into two lines.",
            ),
            Refused::NotSigned => Self::new(
                S::FORBIDDEN,
                "not_signed",
                "This link is no longer good.",
                "Go back to the platform and open the study from there once more.",
            ),
            Refused::KeysUnavailable => Self::new(
                S::SERVICE_UNAVAILABLE,
                "keys_unavailable",
                "Your link cannot be checked at the moment.",
                "Nothing is lost: try again in a minute.",
            ),
            Refused::Crowded => Self::new(
                S::TOO_MANY_REQUESTS,
                "crowded",
                "Many people are beginning at this moment.",
                "It is your turn in a minute.",
            ),
            Refused::NotNow => Self::new(
                S::SERVICE_UNAVAILABLE,
                "not_now",
                "Nobody can begin at the moment.",
                "The server could not keep your answers. Please come back later; nothing was recorded.",
            ),
            Refused::RightNeeded => Self::new(
                S::FORBIDDEN,
                "right_needed",
                "This needs the right to see who participants are.",
                "An administrator can give it on the page Team.",
            ),
            Refused::RoleNeeded(role) => Self::new(
                S::FORBIDDEN,
                "role_needed",
                format!("This needs the role “{role}”."),
                "Ask an administrator of this Weber to give it to you.",
            ),
            Refused::ReasonNeeded => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "reason_needed",
                "A decision about a person needs a reason.",
                "Go back and write one of at most 1,000 characters: it stands in every export.",
            ),
            Refused::NotCompleted => Self::new(
                S::CONFLICT,
                "not_completed",
                "Only people who completed can be included or excluded.",
                "Whoever did not complete is never analysed.",
            ),
            Refused::BadQuota(most) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_quota",
                format!("A condition has 1 to {most} places."),
                "Go back and write a number within.",
            ),
            Refused::NoSlotLeft => Self::new(
                S::CONFLICT,
                "no_slot_left",
                "Nobody could be let in: every place is kept or exhausted.",
                "Go back and raise the number of places, give one more posting, or switch on a link for experts; then open \
                 the study.",
            ),
            Refused::PolicyName => Self::new(
                S::CONFLICT,
                "policy_name",
                "A policy cannot have this name.",
                "Give it one of 1 to 40 of a-z, 0-9 and hyphens that is not taken: saved policies never change.",
            ),
            Refused::NoSuchPolicy => Self::new(
                S::NOT_FOUND,
                "no_such_policy",
                "There is no such policy.",
                "Look at the study's policies again.",
            ),
            Refused::AlreadyPreregistered(name) => Self::new(
                S::CONFLICT,
                "already_preregistered",
                format!("This study has pre-registered the policy “{name}”."),
                "A study pre-registers one policy, once and for good. Another one can be used all the same: wherever it is, it \
                 says that it deviates.",
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
                "Accept the task first, then open it again.",
            ),
            Refused::UnknownToken => Self::new(
                S::UNAUTHORIZED,
                "unknown_token",
                "This participation is not known.",
                "Open the link again that you were given.",
            ),
            Refused::Ended => Self::new(S::CONFLICT, "ended", "The participation has ended.", ""),
            Refused::TooEarly => {
                Self::new(S::CONFLICT, "too_early", "The participation is not so far yet.", "")
            }
            Refused::NoSuchTransition { from, to } => Self::new(
                S::CONFLICT,
                "no_such_transition",
                format!("A study that is {from} cannot become {to}."),
                "Somebody else may have changed it: look at its page again.",
            ),
            Refused::NoSuchStudy => Self::new(S::NOT_FOUND, "no_such_study", "There is no such study.", ""),
            Refused::WrongPassword => Self::new(
                S::UNAUTHORIZED,
                "wrong_password",
                "Address or password are not right.",
                "Try again, or ask for a new link to set the password.",
            ),
            Refused::TooManyFailures => Self::new(
                S::TOO_MANY_REQUESTS,
                "too_many_failures",
                "Too many tries failed.",
                "Wait a quarter of an hour, then try again.",
            ),
            Refused::Busy => Self::new(
                S::SERVICE_UNAVAILABLE,
                "busy",
                "The server checks many passwords at this moment.",
                "Try again in a few seconds.",
            ),
            Refused::LinkUsedUp => Self::new(
                S::GONE,
                "link_used_up",
                "This link is no longer good.",
                "It can be used once, and within 7 days.",
            ),
            Refused::WrongCode => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "wrong_code",
                "The code is not right, or was used before.",
                "Wait for the next code of your phone, or use a recovery code that you have not used yet.",
            ),
            Refused::WrongFirstCode => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "wrong_first_code",
                "The code is not right.",
                "Type the one that the phone shows now. Its clock must be right, and its entry be that of this picture.",
            ),
            Refused::SecondFactorIsOn => Self::new(
                S::CONFLICT,
                "second_factor_is_on",
                "Your second factor is on already.",
                "Turn it off first if you have a new phone.",
            ),
            Refused::BadEmail(text) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_email",
                format!("“{text}” is not an e-mail address."),
                "Go back and write one.",
            ),
            Refused::NoSuchResearcher => Self::new(
                S::NOT_FOUND,
                "no_such_researcher",
                "There is no such researcher.",
                "Somebody else may have removed them: look at the team again.",
            ),
            Refused::LastAdministrator => Self::new(
                S::CONFLICT,
                "last_administrator",
                "A lab keeps at least one administrator.",
                "Make somebody else an administrator first.",
            ),
            Refused::TokenName => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "token_name",
                "A token needs a name of its own, and something that it is good for.",
                "Go back and choose a name of 1 to 100 characters that no other token has, and at least one scope.",
            ),
            Refused::PasswordUnfit => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "password_unfit",
                format!(
                    "A password needs at least {} characters.",
                    crate::flow::lab::sign_in::SHORTEST_PASSWORD
                ),
                "A few words that only you would put together are good.",
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

    /// What is wrong with the parameter of an address, and what its reader can do.
    fn incomplete(Incomplete { parameter, fault }: &Incomplete) -> Self {
        let wrong = match fault {
            IdFault::Missing => "is missing from the address",
            IdFault::NotFilledIn => {
                "was not filled in: a placeholder stands in the address where an id should be"
            }
            IdFault::TooLong => "is longer in the address than any id",
            IdFault::Unfit => "holds something in the address that is no id of the platform",
        };
        Self::new(
            StatusCode::BAD_REQUEST,
            "platform_parameter",
            format!("The parameter {parameter} {wrong}."),
            "Go back to the platform that sent you here, and open the task from there once more.",
        )
        .with("parameter", json!(parameter))
        .with("fault", json!(fault))
    }
}

/// Which bounds nothing can meet.
fn unusable_words(Unusable { group, criterion, condition, bounds }: &Unusable) -> String {
    let CriterionSheet { title, unit, .. } = criterion.sheet();
    let place =
        condition.as_ref().map_or_else(String::new, |condition| format!(" in the condition {condition}"));
    let whose = if *group == Group::Expert { " of experts" } else { "" };
    format!("Nobody could pass: {title} ({unit}){place}{whose} cannot be {}.", bounds.in_words())
}
