//! Prolific: parameters in a normal page, a completion address with one code per outcome, and optionally signed links.

use serde::Deserialize;
use url::Url;

use super::{Parameters, Visit, address, named, parameter};
use crate::domain::study::{Platform, ProlificLink};

/// The parameter that holds a signed link's token.
const TOKEN: &str = "prolific_token";

/// Who signs links.
pub const ISSUER: &str = "https://www.prolific.com";

/// Where the public keys are, unless the operator says otherwise.
pub const KEY_SET: &str = "https://api.prolific.com/.well-known/study/jwks.json";

/// Reads the parameters that Prolific adds to the address.
pub fn arrive(link: &ProlificLink, parameters: &Parameters) -> Visit {
    let names = [&link.participant_parameter, &link.session_parameter, &link.study_parameter];
    named(Platform::Prolific, parameters, names.map(String::as_str))
}

/// Where a browser goes to end a submission.
pub fn completion_url(code: &str) -> Url {
    address("https://app.prolific.com/submissions/complete", &[("cc", code)])
        .expect("the address is one, and parameters are encoded")
}

/// The token of a signed link.
pub fn token(parameters: &Parameters) -> Option<&str> {
    parameters.get(TOKEN).map(String::as_str).filter(|token| token.len() <= 4000)
}

/// What a signed link states; issuer, times and signature are checked where it is decoded.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The submission.
    pub sub: String,
    /// The address that the study was given on Prolific.
    pub aud: String,
}

impl Claims {
    /// Whether they are about this submission, and for this entry address.
    pub fn fit(&self, session: Option<&str>, entry: &str) -> bool {
        let audience = self.aud.split(['?', '#']).next().unwrap_or_default();
        session == Some(self.sub.as_str()) && audience.trim_end_matches('/') == entry
    }
}

/// The session that a signed link must be about.
pub fn session<'a>(link: &ProlificLink, parameters: &'a Parameters) -> Option<&'a str> {
    parameter(parameters, &link.session_parameter)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{known, parameters, with_code};
    use super::super::{Return, go_back};
    use super::*;
    use crate::domain::study::Outcome;

    #[test]
    fn arrivals_carry_person_submission_and_study() {
        let arrived =
            parameters(&[("PROLIFIC_PID", "5f"), ("STUDY_ID", "60"), ("SESSION_ID", "61"), ("x", "y")]);
        let identity = known(arrive(&ProlificLink::default(), &arrived));
        assert_eq!(identity.worker_id, "5f");
        assert_eq!(identity.assignment_id.as_deref(), Some("61"));
        assert_eq!(identity.hit_id.as_deref(), Some("60"));
        let renamed = ProlificLink { participant_parameter: "who".into(), ..ProlificLink::default() };
        assert_eq!(arrive(&renamed, &arrived), Visit::Incomplete("who".into()));
        let unfilled = parameters(&[("PROLIFIC_PID", "5f")]);
        assert_eq!(arrive(&ProlificLink::default(), &unfilled), Visit::Incomplete("SESSION_ID".into()));
    }

    #[test]
    fn people_go_back_with_the_code_of_their_outcome() {
        let mut link = with_code(Platform::Prolific, "C1 &2");
        link.codes.insert(Outcome::Full, "FULL".into());
        let url = |outcome| go_back(&link, None, outcome);
        let to =
            |cc: &str| Return::Link { url: format!("https://app.prolific.com/submissions/complete?cc={cc}") };
        assert_eq!(url(Outcome::Complete), to("C1+%262"));
        assert_eq!(url(Outcome::TimedOut), to("C1+%262"));
        assert_eq!(url(Outcome::Full), to("FULL"));
        assert_eq!(url(Outcome::NoConsent), Return::Thanks);
    }

    #[test]
    fn claims_must_be_about_this_session_and_this_address() {
        let claims =
            Claims { sub: "61".into(), aud: "https://s.example/enter/abc?PROLIFIC_PID={{%X%}}".into() };
        assert!(claims.fit(Some("61"), "https://s.example/enter/abc"));
        assert!(!claims.fit(Some("62"), "https://s.example/enter/abc"));
        assert!(!claims.fit(None, "https://s.example/enter/abc"));
        assert!(!claims.fit(Some("61"), "https://s.example/enter/abcd"));
    }
}
