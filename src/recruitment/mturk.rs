//! Rules of Amazon Mechanical Turk's ExternalQuestion: a page inside MTurk's frame, with a form that hands the task in.

use std::collections::BTreeMap;

use serde::Serialize;
use url::Url;

use super::ids::What;
use super::{Parameters, Visit, id, named};
use crate::domain::identity::trimmed;
use crate::domain::study::Platform;

/// The value of `assignmentId` while the worker has not accepted the task.
const PREVIEW: &str = "ASSIGNMENT_ID_NOT_AVAILABLE";

/// The parameter with the address to which the form is posted.
pub const SUBMIT_TO: &str = "turkSubmitTo";

/// MTurk's own sites: answers may be posted there, and their frames may show the page of the task.
pub const ORIGINS: [&str; 3] =
    ["https://www.mturk.com", "https://worker.mturk.com", "https://workersandbox.mturk.com"];

/// The receipt that is handed in when the server could not be reached, so that the worker is still paid.
pub const UNVERIFIED: &str = "unverified";

/// Reads the parameters that MTurk adds to the address.
pub fn arrive(parameters: &Parameters) -> Visit {
    if parameters.get("assignmentId").is_some_and(|assignment| trimmed(assignment) == PREVIEW) {
        return Visit::Preview;
    }
    named(Platform::Mturk, parameters, ["workerId", "assignmentId", "hitId"]).into()
}

/// The form that hands in an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    /// The address to which it is posted.
    pub action: String,
    /// Its fields, by name.
    pub fields: BTreeMap<&'static str, String>,
}

/// The form that hands in the assignment of the address. A task that was returned and accepted again has a new assignment, so the
/// one at consent is not used. `turkSubmitTo` is untrusted: if it is missing or does not name one of the origins, the form
/// goes to MTurk itself.
pub fn form(parameters: &Parameters, receipt: &str, origins: &[String]) -> Option<Form> {
    let assignment_id = id(parameters, "assignmentId", Platform::Mturk, What::Assignment).ok()?;
    let origin = parameters.get(SUBMIT_TO).and_then(|address| allowed_origin(address, origins));
    let fields = BTreeMap::from([("assignmentId", assignment_id), ("receipt", receipt.to_owned())]);
    Some(Form { action: format!("{}/mturk/externalSubmit", origin.unwrap_or(ORIGINS[0])), fields })
}

/// The parameters without a `turkSubmitTo` that names another site.
pub fn without_foreign(mut parameters: Parameters, origins: &[String]) -> Parameters {
    parameters.retain(|name, value| name != SUBMIT_TO || allowed_origin(value, origins).is_some());
    parameters
}

fn allowed_origin<'a>(submit_to: &str, origins: &'a [String]) -> Option<&'a str> {
    let url = Url::parse(submit_to).ok()?;
    let clean = url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    origins.iter().find(|allowed| clean && origin == **allowed).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{known, parameters};
    use super::*;

    fn action(submit_to: Option<&str>) -> String {
        let mut arrived = parameters(&[("assignmentId", "3X"), ("workerId", "A1")]);
        if let Some(address) = submit_to {
            arrived.insert("turkSubmitTo".into(), address.into());
        }
        let form = form(&arrived, "R", &ORIGINS.map(str::to_owned)).unwrap();
        assert_eq!(form.fields["assignmentId"], "3X");
        assert_eq!(form.fields["receipt"], "R");
        form.action
    }

    #[test]
    fn a_preview_needs_no_worker_and_has_no_form() {
        let preview = parameters(&[("assignmentId", PREVIEW)]);
        assert_eq!(arrive(&preview), Visit::Preview);
        assert_eq!(arrive(&parameters(&[("assignmentId", PREVIEW), ("workerId", "A1")])), Visit::Preview);
        assert_eq!(form(&preview, "R", &[]), None);
    }

    #[test]
    fn an_accepted_assignment_names_the_worker() {
        let identity =
            known(arrive(&parameters(&[("assignmentId", "3X"), ("workerId", "A1"), ("hitId", "3H")])));
        assert_eq!((identity.worker_id.as_str(), identity.hit_id.as_deref()), ("A1", Some("3H")));
    }

    #[test]
    fn missing_parameters_are_named() {
        let missing = |pairs: &[(&str, &str)], name: &str| match arrive(&parameters(pairs)) {
            Visit::Incomplete(incomplete) => assert_eq!(incomplete.parameter, name),
            other => panic!("{other:?}"),
        };
        missing(&[("workerId", "A1")], "assignmentId");
        missing(&[("assignmentId", "3X")], "workerId");
        missing(&[("assignmentId", "3X"), ("workerId", "")], "workerId");
        missing(&[("assignmentId", "3X"), ("workerId", "A1"), ("hitId", "")], "hitId");
    }

    #[test]
    fn the_form_goes_where_mturk_says_with_or_without_a_slash() {
        for origin in ORIGINS {
            let expected = format!("{origin}/mturk/externalSubmit");
            assert_eq!(action(Some(origin)), expected);
            assert_eq!(action(Some(&format!("{origin}/"))), expected);
        }
    }

    #[test]
    fn with_a_forged_address_the_form_goes_to_mturk() {
        for forged in [
            "https://evil.example",
            "http://www.mturk.com",
            "https://www.mturk.com.evil.example",
            "https://www.mturk.com@evil.example",
            "https://user:secret@www.mturk.com",
            "https://www.mturk.com:8443",
            "javascript:alert(1)",
            "not an address",
        ] {
            assert_eq!(action(Some(forged)), "https://www.mturk.com/mturk/externalSubmit", "{forged}");
        }
        assert_eq!(action(None), "https://www.mturk.com/mturk/externalSubmit");
    }
}
