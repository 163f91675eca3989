//! The rules of CloudResearch Connect.

use url::Url;

use super::{Parameters, Visit, named};
use crate::domain::identity::Identity;
use crate::domain::study::Platform;

/// Reads the parameters that Connect adds to the address.
pub fn arrive(parameters: &Parameters) -> Visit {
    named(Platform::Connect, parameters, ["participantId", "assignmentId", "projectId"]).into()
}

/// The address that a browser opens to end an assignment, if the project is known.
pub fn completion_url(identity: &Identity) -> Option<Url> {
    let project = identity.hit_id.as_deref()?;
    let mut url = Url::parse("https://connect.cloudresearch.com/participant/project").ok()?;
    // The project is encoded as one segment, so that it cannot lead to another page.
    url.path_segments_mut().ok()?.extend([project, "complete"]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{known, link, parameters, with_code};
    use super::super::{Return, go_back};
    use super::*;
    use crate::domain::study::Outcome;

    #[test]
    fn people_go_back_to_their_project() {
        let arrived = parameters(&[("participantId", "p"), ("assignmentId", "a"), ("projectId", "pR-1")]);
        let identity = known(arrive(&arrived));
        let expected = "https://connect.cloudresearch.com/participant/project/pR-1/complete";
        let back = |link, outcome| go_back(&link, Some(&identity), outcome);
        assert_eq!(back(link(Platform::Connect), Outcome::Complete), Return::Link { url: expected.into() });
        assert_eq!(back(link(Platform::Connect), Outcome::Full), Return::Thanks);
        assert_eq!(
            back(with_code(Platform::Connect, "C"), Outcome::Complete),
            Return::Code { code: "C".into() }
        );
    }

    #[test]
    fn a_project_cannot_lead_elsewhere() {
        let arrived = parameters(&[("participantId", "p"), ("assignmentId", "a"), ("projectId", "PR/../1")]);
        assert!(matches!(arrive(&arrived), Visit::Incomplete(_)));
        // Earlier versions stored projects with any characters.
        let whole = parameters(&[("participantId", "p"), ("assignmentId", "a")]);
        let identity = Identity { hit_id: Some("PR/../1".into()), ..known(arrive(&whole)) };
        let expected = "https://connect.cloudresearch.com/participant/project/PR%2F..%2F1/complete";
        assert_eq!(completion_url(&identity).unwrap().as_str(), expected);
    }
}
