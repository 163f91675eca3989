//! Signed links: Prolific signs an arrival, which is checked when the person comes, and this server then vouches for that person
//! until they consent.

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use subtle::ConstantTimeEq;

use crate::domain::identity::Identity;
use crate::flow::participation::identification::named;
use crate::flow::participation::prolific_keys::ProlificKeys;
use crate::flow::{App, Refused, Result};
use crate::recruitment::{Parameters, prolific};
use crate::store::links::Link;

/// The parameter by which the consent page hands on that a signed link was checked when it came.
pub const PROOF: &str = "weber_proof";

/// How long a checked arrival may take to consent, in s.
pub const PROOF_LIFETIME_S: i64 = 6 * 3600;

/// How far apart the clocks of Prolific and of this server may be, in s.
const LEEWAY_S: u64 = 30;

/// Whether people of this link must come by signed links.
pub fn must_be_signed(link: &Link) -> bool {
    link.definition.prolific.as_ref().is_some_and(|prolific| prolific.signed)
}

/// Checks the signatures of links.
pub struct SignedLinks {
    keys: ProlificKeys,
    public_url: String,
}

impl SignedLinks {
    /// By keys that are fetched from an address, for links to this server's public address.
    pub fn new(keys_url: String, public_url: String) -> Self {
        Self { keys: ProlificKeys::at(keys_url), public_url }
    }

    /// Refuses an arrival whose link Prolific did not sign, for this very person, submission and study. The caller holds no
    /// database connection: Prolific may be asked for its keys.
    pub async fn check(&self, link: &Link, identity: &Identity, parameters: &Parameters) -> Result<()> {
        let token = prolific::token(parameters).ok_or(Refused::NotSigned)?;
        let header = decode_header(token).map_err(|_| Refused::NotSigned)?;
        let id = header.kid.ok_or(Refused::NotSigned)?;
        let key = self.keys.key(&id).await?.ok_or(Refused::NotSigned)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = LEEWAY_S;
        validation.set_issuer(&[prolific::ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
        // The audience is the study's address with the placeholders with which it was given to Prolific: compared below.
        validation.validate_aud = false;
        let decoded = decode::<prolific::Claims>(token, &key, &validation).map_err(|_| Refused::NotSigned)?;
        let settings = link.definition.prolific.clone().unwrap_or_default();
        let entry = format!("{}/enter/{}", self.public_url, link.code);
        if decoded.claims.fit(&settings, identity, &entry) { Ok(()) } else { Err(Refused::NotSigned.into()) }
    }
}

/// Vouches for a signed arrival that was checked.
pub fn vouch(app: &App, link: &Link, identity: &Identity) -> String {
    app.secrets.arrival_proof(&link.code, identity, app.now().timestamp() + PROOF_LIFETIME_S)
}

/// Refuses people, experts too, who must come by a signed link and were not checked.
pub fn check_proof(app: &App, link: &Link, parameters: &Parameters) -> Result<()> {
    if !must_be_signed(link) {
        return Ok(());
    }
    let identity = named(app, link, parameters)?.ok_or(Refused::NotSigned)?;
    let given = parameters.get(PROOF).map(String::as_str).unwrap_or_default();
    let until: i64 = given.split('.').next().and_then(|until| until.parse().ok()).unwrap_or(0);
    let right = app.secrets.arrival_proof(&link.code, &identity, until);
    if until < app.now().timestamp() || !bool::from(right.as_bytes().ct_eq(given.as_bytes())) {
        return Err(Refused::NotSigned.into());
    }
    Ok(())
}
