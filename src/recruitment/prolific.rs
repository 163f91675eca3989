//! Rules of Prolific: parameters in the address, a completion address with a code per outcome, and optional signed links.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ids::{What, normal};
use super::{Parameters, Visit, named, with_parameters};
use crate::domain::identity::Identity;
use crate::domain::study::{Platform, ProlificLink};

/// The parameter that holds a signed link's token.
const TOKEN: &str = "prolific_token";

/// The issuer of signed links.
pub const ISSUER: &str = "https://www.prolific.com";

/// The address of the public keys, unless the operator sets another one.
pub const KEY_SET: &str = "https://api.prolific.com/.well-known/study/jwks.json";

/// Reads the parameters that Prolific adds to the address.
pub fn arrive(link: &ProlificLink, parameters: &Parameters) -> Visit {
    let names = [&link.participant_parameter, &link.session_parameter, &link.study_parameter];
    named(Platform::Prolific, parameters, names.map(String::as_str)).into()
}

/// The address that a browser opens to end a submission.
pub fn completion_url(code: &str) -> Url {
    with_parameters("https://app.prolific.com/submissions/complete", &[("cc", code)])
        .expect("a fixed address with encoded parameters is valid")
}

/// The token of a signed link.
pub fn token(parameters: &Parameters) -> Option<&str> {
    parameters.get(TOKEN).map(String::as_str).filter(|token| token.len() <= 4000)
}

/// What a signed link states. The code that decodes it checks issuer, times and signature.
#[derive(Debug, Deserialize)]
pub struct Claims {
    /// The id of the submission.
    pub sub: String,
    /// The address that the study has on Prolific.
    pub aud: String,
    /// The parameters of the address as Prolific filled them in, and further values.
    pub prolific: BTreeMap<String, Value>,
}

impl Claims {
    /// Whether the claims are about this person, this submission and this entry address. The person's and the submission's ids must be
    /// signed, and every signed id must be the arrival's own.
    pub fn fit(&self, link: &ProlificLink, identity: &Identity, entry: &str) -> bool {
        let audience = self.aud.split(['?', '#']).next().unwrap_or_default();
        let defaults = ProlificLink::default();
        let claimed =
            |own: &str, default: &str| self.prolific.get(own).or_else(|| self.prolific.get(default));
        let person = claimed(&link.participant_parameter, &defaults.participant_parameter);
        let session = claimed(&link.session_parameter, &defaults.session_parameter);
        let study = claimed(&link.study_parameter, &defaults.study_parameter);
        let is = |claim: &Value, what, own: Option<&str>| {
            let signed = claim.as_str().and_then(|text| normal(Platform::Prolific, what, text).ok());
            signed.is_some() && signed.as_deref() == own
        };
        let assignment = identity.assignment_id.as_deref();
        audience.trim_end_matches('/') == entry
            && normal(Platform::Prolific, What::Assignment, &self.sub).ok().as_deref() == assignment
            && person.is_some_and(|claim| is(claim, What::Person, Some(&identity.worker_id)))
            && session.is_none_or(|claim| is(claim, What::Assignment, assignment))
            && study.is_none_or(|claim| is(claim, What::Task, identity.hit_id.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{known, parameters, with_code};
    use super::super::{Return, go_back};
    use super::*;
    use crate::domain::study::Outcome;

    const PID: &str = "5f00aa11bb22cc33dd44ee55";
    const STUDY: &str = "60d9aadeb86739de712faee0";
    const SESSION: &str = "60aca280709ee40ec37d4885";

    #[test]
    fn arrivals_carry_person_submission_and_study() {
        let arrived =
            parameters(&[("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION), ("x", "y")]);
        let identity = known(arrive(&ProlificLink::default(), &arrived));
        assert_eq!(identity.worker_id, PID);
        assert_eq!(identity.assignment_id.as_deref(), Some(SESSION));
        assert_eq!(identity.hit_id.as_deref(), Some(STUDY));
        let renamed = ProlificLink { participant_parameter: "who".into(), ..ProlificLink::default() };
        let missing = |link, arrived, name: &str| match arrive(link, arrived) {
            Visit::Incomplete(incomplete) => assert_eq!(incomplete.parameter, name),
            other => panic!("{other:?}"),
        };
        missing(&renamed, &arrived, "who");
        missing(&ProlificLink::default(), &parameters(&[("PROLIFIC_PID", PID)]), "SESSION_ID");
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
    fn every_signed_claim_must_be_about_this_arrival() {
        let link = ProlificLink::default();
        let arrived = |pid: &str, study: &str, session: &str| {
            let pairs = [("PROLIFIC_PID", pid), ("STUDY_ID", study), ("SESSION_ID", session)];
            known(arrive(&link, &parameters(&pairs)))
        };
        let entry = "https://s.example/enter/abc";
        let claims = |prolific: Value| Claims {
            sub: SESSION.into(),
            aud: format!("{entry}?PROLIFIC_PID={{{{%X%}}}}"),
            prolific: serde_json::from_value(prolific).unwrap(),
        };
        let signed =
            json!({ "PROLIFIC_PID": PID, "STUDY_ID": STUDY, "SESSION_ID": SESSION, "workspace_id": 1 });
        let other = "000000000000000000000000";
        let own = arrived(PID, STUDY, SESSION);
        assert!(claims(signed.clone()).fit(&link, &own, entry));
        assert!(claims(json!({ "PROLIFIC_PID": PID })).fit(&link, &own, entry));
        assert!(!claims(signed.clone()).fit(&link, &own, "https://s.example/enter/abcd"));
        for forged in
            [arrived(other, STUDY, SESSION), arrived(PID, other, SESSION), arrived(PID, STUDY, other)]
        {
            assert!(!claims(signed.clone()).fit(&link, &forged, entry));
        }
        for (name, value) in
            [("PROLIFIC_PID", json!(other)), ("PROLIFIC_PID", json!(null)), ("STUDY_ID", json!(other))]
        {
            let mut changed = signed.clone();
            changed[name] = value;
            assert!(!claims(changed).fit(&link, &own, entry), "{name}");
        }
        assert!(!claims(json!({})).fit(&link, &own, entry), "the person is missing");
        let renamed = ProlificLink { participant_parameter: "who".into(), ..ProlificLink::default() };
        assert!(claims(json!({ "who": PID })).fit(&renamed, &own, entry));
        assert!(!claims(json!({ "who": other, "PROLIFIC_PID": PID })).fit(&renamed, &own, entry));
    }
}
