//! Amazon Mechanical Turk, ExternalQuestion.

use std::collections::BTreeMap;

use url::Url;

use super::{Parameters, Return, Visit, parameter};
use crate::domain::identity::Identity;
use crate::domain::study::Platform;

/// The value of `assignmentId` while the worker has not accepted the task.
const PREVIEW: &str = "ASSIGNMENT_ID_NOT_AVAILABLE";

/// Where answers may be posted. The parameter `turkSubmitTo` is untrusted input.
pub const ORIGINS: [&str; 3] =
    ["https://www.mturk.com", "https://worker.mturk.com", "https://workersandbox.mturk.com"];

/// Reads the parameters that MTurk adds to the address.
pub fn arrive(parameters: &Parameters) -> Visit {
    let assignment_id = parameter(parameters, "assignmentId");
    if assignment_id == Some(PREVIEW) {
        return Visit::Preview;
    }
    let (Some(assignment_id), Some(worker_id)) = (assignment_id, parameter(parameters, "workerId")) else {
        return Visit::Incomplete(if assignment_id.is_none() { "assignmentId" } else { "workerId" });
    };
    Visit::Known(Identity {
        platform: Platform::Mturk,
        worker_id: worker_id.to_owned(),
        assignment_id: Some(assignment_id.to_owned()),
        hit_id: parameter(parameters, "hitId").map(str::to_owned),
        submit_to: parameter(parameters, "turkSubmitTo").map(str::to_owned),
    })
}

/// The form that ends an assignment. `turkSubmitTo` is used only if it names one of MTurk's own origins; where it is
/// missing or foreign, the form goes to MTurk itself.
pub fn go_back(identity: &Identity, receipt: &str) -> Option<Return> {
    if identity.platform != Platform::Mturk {
        return None;
    }
    let assignment_id = identity.assignment_id.clone()?;
    let origin = identity.submit_to.as_deref().and_then(allowed_origin).unwrap_or(ORIGINS[0]);
    let fields = BTreeMap::from([
        ("assignmentId".to_owned(), assignment_id),
        ("receipt".to_owned(), receipt.to_owned()),
    ]);
    Some(Return::MturkForm { action: format!("{origin}/mturk/externalSubmit"), fields })
}

fn allowed_origin(submit_to: &str) -> Option<&'static str> {
    let url = Url::parse(submit_to).ok()?;
    let clean = url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    ORIGINS.into_iter().find(|allowed| clean && origin == *allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn action(submit_to: Option<&str>) -> String {
        let identity = Identity {
            platform: Platform::Mturk,
            worker_id: "A1".into(),
            assignment_id: Some("3X".into()),
            hit_id: None,
            submit_to: submit_to.map(str::to_owned),
        };
        match go_back(&identity, "R").unwrap() {
            Return::MturkForm { action, fields } => {
                assert_eq!(fields["assignmentId"], "3X");
                assert_eq!(fields["receipt"], "R");
                action
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_preview_needs_no_worker() {
        assert_eq!(arrive(&parameters(&[("assignmentId", PREVIEW)])), Visit::Preview);
        assert_eq!(arrive(&parameters(&[("assignmentId", PREVIEW), ("workerId", "A1")])), Visit::Preview);
    }

    #[test]
    fn an_accepted_assignment_names_the_worker() {
        let all = parameters(&[
            ("assignmentId", "3X"),
            ("workerId", "A1"),
            ("hitId", "3H"),
            ("turkSubmitTo", "https://www.mturk.com"),
        ]);
        let Visit::Known(identity) = arrive(&all) else { panic!() };
        assert_eq!((identity.worker_id.as_str(), identity.hit_id.as_deref()), ("A1", Some("3H")));
    }

    #[test]
    fn missing_parameters_are_named() {
        assert_eq!(arrive(&parameters(&[("workerId", "A1")])), Visit::Incomplete("assignmentId"));
        assert_eq!(arrive(&parameters(&[("assignmentId", "3X")])), Visit::Incomplete("workerId"));
        assert_eq!(
            arrive(&parameters(&[("assignmentId", "3X"), ("workerId", "")])),
            Visit::Incomplete("workerId")
        );
        let long = "A".repeat(LONGEST);
        assert_eq!(
            arrive(&parameters(&[("assignmentId", "3X"), ("workerId", &long)])),
            Visit::Incomplete("workerId")
        );
    }

    const LONGEST: usize = super::super::LONGEST_ID + 1;

    #[test]
    fn the_form_goes_where_mturk_says_with_or_without_a_slash() {
        for origin in ORIGINS {
            let expected = format!("{origin}/mturk/externalSubmit");
            assert_eq!(action(Some(origin)), expected);
            assert_eq!(action(Some(&format!("{origin}/"))), expected);
        }
    }

    #[test]
    fn a_forged_address_leads_nowhere_but_to_mturk() {
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
