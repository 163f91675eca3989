//! Rules of Sona Systems: course credit is granted by an address that contains the survey code.

use url::Url;

use super::ids::What;
use super::{Incomplete, Parameters, Visit, id, with_parameters};
use crate::domain::identity::Identity;
use crate::domain::study::{Platform, SonaLink};

/// Reads the survey code: 2 to 7 digits.
pub fn arrive(link: Option<&SonaLink>, parameters: &Parameters) -> Visit {
    read(link, parameters).into()
}

fn read(link: Option<&SonaLink>, parameters: &Parameters) -> Result<Identity, Incomplete> {
    let name = link.map_or("survey_code", |link| link.parameter.as_str());
    let (platform, ids_of) = (Platform::Sona, Platform::Sona);
    let worker_id = id(parameters, name, ids_of, What::Person)?;
    Ok(Identity { platform, ids_of, worker_id, assignment_id: None, hit_id: None })
}

/// The address that a browser opens to be granted credit.
pub fn credit_url(link: &SonaLink, identity: &Identity) -> Option<Url> {
    let experiment = link.experiment_id.to_string();
    with_parameters(
        &format!("https://{}.sona-systems.com/webstudy_credit.aspx", link.school),
        &[
            ("experiment_id", experiment.as_str()),
            ("credit_token", link.credit_token.as_str()),
            ("survey_code", identity.worker_id.as_str()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{known, link, parameters};
    use super::super::{Return, go_back};
    use super::*;
    use crate::domain::study::{LinkDefinition, Outcome};

    fn sona() -> SonaLink {
        SonaLink {
            school: "uni".into(),
            experiment_id: 12,
            credit_token: "t0k".into(),
            parameter: "id".into(),
        }
    }

    #[test]
    fn a_survey_code_has_two_to_seven_digits() {
        for wrong in ["", "1", "12345678", "12a", "%SURVEY_CODE%"] {
            let visit = arrive(Some(&sona()), &parameters(&[("id", wrong)]));
            assert!(
                matches!(visit, Visit::Incomplete(Incomplete { parameter, .. }) if parameter == "id"),
                "{wrong}"
            );
        }
        assert_eq!(known(arrive(Some(&sona()), &parameters(&[("id", "4711")]))).worker_id, "4711");
    }

    #[test]
    fn credit_is_granted_to_the_survey_code_of_the_arrival() {
        let identity = known(arrive(Some(&sona()), &parameters(&[("id", "4711")])));
        let link = LinkDefinition { sona: Some(sona()), ..link(Platform::Sona) };
        let url = "https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=12&credit_token=t0k&survey_code=4711";
        assert_eq!(go_back(&link, Some(&identity), Outcome::Complete), Return::Link { url: url.into() });
        assert_eq!(go_back(&link, Some(&identity), Outcome::NoConsent), Return::Thanks);
    }
}
