//! Any other platform: a parameter holds the person's id, and a return address has placeholders for id, code and outcome.

use url::Url;

use super::ids::What;
use super::{Incomplete, Parameters, Visit, id};
use crate::domain::identity::Identity;
use crate::domain::study::{GenericLink, Outcome, Platform};

/// Reads the person's id. It follows the rules of the platform that gave it out, which may be another one than the link's.
pub fn arrive(link: Option<&GenericLink>, parameters: &Parameters) -> Visit {
    read(link, parameters).into()
}

fn read(link: Option<&GenericLink>, parameters: &Parameters) -> Result<Identity, Incomplete> {
    let name = link.map_or("id", |link| link.parameter.as_str());
    let ids_of = link.and_then(|link| link.ids_of).unwrap_or(Platform::Generic);
    let worker_id = id(parameters, name, ids_of, What::Person)?;
    Ok(Identity { platform: Platform::Generic, ids_of, worker_id, assignment_id: None, hit_id: None })
}

/// The return address, with `{id}`, `{code}` and `{outcome}` filled in. None if the link has no return address, or if it needs
/// a code that this outcome does not have, or an id that was deleted.
pub fn return_url(
    link: &GenericLink,
    identity: Option<&Identity>,
    outcome: Outcome,
    code: Option<&str>,
) -> Option<Url> {
    let mut text = link.return_url.clone()?;
    let values = [
        ("{id}", identity.map(|identity| identity.worker_id.as_str())),
        ("{code}", code),
        ("{outcome}", Some(outcome.as_str())),
    ];
    for (place, value) in values {
        if text.contains(place) {
            text = text.replace(place, &encode(value?));
        }
    }
    Url::parse(&text).ok().filter(is_web)
}

/// Whether a return address is valid with any values.
pub fn is_usable(template: &str) -> bool {
    let filled = template.replace("{id}", "1").replace("{code}", "1").replace("{outcome}", "complete");
    let host = template.split('/').nth(2).unwrap_or_default();
    !host.contains('{') && !filled.contains(['{', '}']) && Url::parse(&filled).is_ok_and(|url| is_web(&url))
}

fn is_web(url: &Url) -> bool {
    url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
}

/// Writes a value in percent-encoding, with every character encoded that could have a meaning in an address.
fn encode(value: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{known, link, parameters};
    use super::super::{Return, go_back};
    use super::*;
    use crate::domain::study::LinkDefinition;

    fn panel(return_url: &str) -> GenericLink {
        GenericLink { parameter: "pid".into(), return_url: Some(return_url.into()), ids_of: None }
    }

    #[test]
    fn the_return_address_is_filled_in_safely() {
        let generic = panel("https://panel.example/back/{outcome}?id={id}&c={code}");
        let identity = known(arrive(Some(&generic), &parameters(&[("pid", "a&b=c/ü#")])));
        let mut link = LinkDefinition { generic: Some(generic), ..link(Platform::Generic) };
        assert_eq!(go_back(&link, Some(&identity), Outcome::Complete), Return::Thanks, "the code is missing");
        link.codes.insert(Outcome::Complete, "X 1".into());
        let url = "https://panel.example/back/complete?id=a%26b%3Dc%2F%C3%BC%23&c=X%201";
        assert_eq!(go_back(&link, Some(&identity), Outcome::Complete), Return::Link { url: url.into() });
        assert_eq!(
            go_back(&link, None, Outcome::Complete),
            Return::Code { code: "X 1".into() },
            "the id was deleted"
        );
    }

    #[test]
    fn return_addresses_are_checked() {
        assert!(is_usable("https://panel.example/{outcome}?id={id}&code={code}"));
        for wrong in [
            "http://panel.example/",
            "javascript:alert(1)",
            "https://{id}.example/",
            "https://u:p@panel.example/",
            "https://panel.example/{name}",
            "panel.example",
        ] {
            assert!(!is_usable(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_panel_may_pass_on_the_ids_of_another_platform() {
        let generic = GenericLink { ids_of: Some(Platform::Mturk), ..panel("https://x.example/") };
        let identity = known(arrive(Some(&generic), &parameters(&[("pid", " a1")])));
        assert_eq!((identity.platform, identity.ids_of), (Platform::Generic, Platform::Mturk));
        assert_eq!(identity.worker_id, "A1", "in MTurk's spelling");
        assert!(matches!(arrive(Some(&generic), &parameters(&[("pid", "a-1")])), Visit::Incomplete(_)));
    }
}
