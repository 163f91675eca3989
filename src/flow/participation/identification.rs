//! Who a person is who comes by a link, as far as the platform or a personal link says it.

use subtle::ConstantTimeEq;

use crate::domain::identity::Identity;
use crate::domain::study::{Group, Platform};
use crate::flow::{App, Refused, Result};
use crate::recruitment::{self, Parameters, Visit};
use crate::store::identities::PersonKey;
use crate::store::links::Link;

/// The person whom the platform names; none where it names none.
pub fn named(app: &App, link: &Link, parameters: &Parameters) -> Result<Option<Identity>> {
    match recruitment::arrive(&link.definition, parameters) {
        Visit::Known(identity) => Ok(Some(identity)),
        Visit::Personal(code) => personal(app, link, code).map(Some),
        Visit::Anonymous => Ok(None),
        Visit::Preview => Err(Refused::PreviewOnly.into()),
        Visit::Incomplete(incomplete) => Err(Refused::PlatformParameter(incomplete).into()),
    }
}

/// Who takes part once: whom the platform names, but for experts, who may come as often as they like.
pub fn once<T>(link: &Link, named: Option<T>) -> Option<T> {
    named.filter(|_| link.definition.group == Group::Crowd)
}

/// The person who arrived and takes part once; none where none is named, or an expert is.
pub fn who(app: &App, link: &Link, parameters: &Parameters) -> Result<Option<Identity>> {
    Ok(once(link, named(app, link, parameters)?))
}

/// A personal link was given out and is not made up.
fn personal(app: &App, link: &Link, code: String) -> Result<Identity> {
    let number = code.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let right = app.secrets.personal_code(&link.code, number);
    let given_out = (1..=link.personal_links).contains(&number);
    if !given_out || !bool::from(right.as_bytes().ct_eq(code.as_bytes())) {
        return Err(Refused::NoSuchPersonalLink.into());
    }
    // The code is made of the link's own, so it names one person only.
    let worker_id = format!("{}/{code}", link.code);
    let platform = Platform::Direct;
    Ok(Identity { platform, ids_of: platform, worker_id, assignment_id: None, hit_id: None })
}

/// What stands for a person in the once-only rule.
pub fn key(app: &App, identity: &Identity) -> PersonKey {
    PersonKey { ids_of: identity.ids_of, hmac: app.secrets.worker_hmac(identity.ids_of, &identity.worker_id) }
}
