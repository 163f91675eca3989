//! The installation key, and the hashes and codes that are made with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::identity::{Identity, email as normal_email};
use crate::domain::study::Platform;
use crate::flow::image_addresses::{Addresses, Viewer, ViewerMark};

/// The installation key: 32 random bytes.
#[derive(Clone)]
pub struct Secrets {
    key: [u8; 32],
    addresses: Addresses,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, addresses: Addresses::new(keyed(&key, "addresses of images", &[])) }
    }

    /// A hash that tells this key from others without revealing it.
    pub fn fingerprint(&self) -> Vec<u8> {
        self.keyed("fingerprint", &[])[..16].to_vec()
    }

    /// Makes and reads the addresses of images.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The mark of a viewer in the addresses of images.
    pub fn viewer_mark(&self, viewer: Viewer) -> ViewerMark {
        let (kind, id) = match &viewer {
            Viewer::Participant(id) => ("participant", id.as_bytes().as_slice()),
            Viewer::Preview => ("preview", [].as_slice()),
            Viewer::Lab => ("lab", [].as_slice()),
        };
        let [a, b, c, d, e, f, g, h, ..] = keyed(&self.key, "viewer", &[kind.as_bytes(), id]);
        [a, b, c, d, e, f, g, h]
    }

    /// A person's keyed hash for the once-only rule.
    pub fn worker_hmac(&self, platform: Platform, worker_id: &str) -> Vec<u8> {
        self.keyed("worker", &[platform.as_str().as_bytes(), worker_id.as_bytes()])
    }

    /// The code of a personal link: its number, by which codes that were never given out can be refused, and a hash that needs
    /// the key.
    pub fn personal_code(&self, link: &str, number: u32) -> String {
        let mark = self.keyed("personal", &[link.as_bytes(), &number.to_be_bytes()]);
        format!("{number}-{}", hex::encode(&mark[..10]))
    }

    /// A proof that an arrival was checked, valid until a time in seconds since 1970.
    pub fn arrival_proof(&self, link: &str, identity: &Identity, until: i64) -> String {
        let bytes = |id: &Option<String>| id.clone().unwrap_or_default().into_bytes();
        let (session, study) = (bytes(&identity.assignment_id), bytes(&identity.hit_id));
        let parts = [link.as_bytes(), identity.worker_id.as_bytes(), &session, &study, &until.to_be_bytes()];
        format!("{until}.{}", hex::encode(self.keyed("arrival", &parts)))
    }

    /// The token of a participation that has reached its limit of tokens: each later return gets this one.
    pub fn last_token(&self, participant: Uuid) -> String {
        URL_SAFE_NO_PAD.encode(self.keyed("token", &[participant.as_bytes()]))
    }

    /// A client's address as a keyed hash, so that no address has to be kept.
    pub fn address_hmac(&self, address: &[u8]) -> Vec<u8> {
        self.keyed("address", &[address])
    }

    /// A sort key that shuffles the conditions of a study while results are blinded. It cannot be computed without the key.
    pub fn blinding(&self, study: &str, condition: &str) -> Vec<u8> {
        self.keyed("blinding", &[study.as_bytes(), condition.as_bytes()])
    }

    /// The secret of a second factor. The database holds only the nonce, so the secret needs this key.
    pub fn totp_secret(&self, nonce: &[u8]) -> Vec<u8> {
        self.keyed("totp", &[nonce])[..20].to_vec()
    }

    /// A researcher's recovery code as a keyed hash. Codes are short: without the key, a hash could be reversed by trying all.
    pub fn recovery_hmac(&self, researcher_id: i64, code: &str) -> Vec<u8> {
        self.keyed("recovery", &[&researcher_id.to_be_bytes(), code.as_bytes()])
    }

    /// A researcher's address as a keyed hash, for counting attempts at codes of the second factor.
    pub fn code_hmac(&self, email: &str) -> Vec<u8> {
        self.keyed("code", &[normal_email(email).as_bytes()])
    }

    /// A researcher's address as a keyed hash, for counting attempts to sign in.
    pub fn email_hmac(&self, email: &str) -> Vec<u8> {
        self.keyed("email", &[normal_email(email).as_bytes()])
    }

    /// A keyed hash for counting attempts at one-time links.
    pub fn link_hmac(&self) -> Vec<u8> {
        self.keyed("password link", &[])
    }

    /// A proof that a researcher signed in with a browser, valid until a time in seconds since 1970.
    pub fn browser_mark(&self, email: &str, until: i64, nonce: &str) -> String {
        let email = email.trim().to_lowercase();
        hex::encode(self.keyed("browser", &[email.as_bytes(), &until.to_be_bytes(), nonce.as_bytes()]))
    }

    fn keyed(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        keyed(&self.key, purpose, parts).to_vec()
    }
}

fn keyed(key: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        // The lengths make ("ab", "c") and ("a", "bc") differ.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The hash of a token, which is stored in place of the token.
pub fn token_sha256(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn hashes_differ_by_key_and_purpose_and_do_not_show_the_key() {
        let (one, other) = (Secrets::new([1; 32]), Secrets::new([2; 32]));
        assert_ne!(one.fingerprint(), other.fingerprint());
        let (person, next) =
            (Viewer::Participant(Uuid::from_u128(1)), Viewer::Participant(Uuid::from_u128(2)));
        assert_ne!(one.viewer_mark(person), one.viewer_mark(next));
        assert_ne!(one.viewer_mark(person), other.viewer_mark(person));
        assert_ne!(one.viewer_mark(Viewer::Preview), one.viewer_mark(Viewer::Lab));
        assert_ne!(one.worker_hmac(Platform::Mturk, "A1"), one.worker_hmac(Platform::Prolific, "A1"));
        assert_ne!(one.keyed("p", &[b"ab", b"c"]), one.keyed("p", &[b"a", b"bc"]));
        assert_eq!(one.email_hmac(" Ada@Example.org "), one.email_hmac("ada@example.org"));
        assert_ne!(one.email_hmac("ada@example.org"), one.code_hmac("ada@example.org"));
        assert_ne!(one.recovery_hmac(1, "xq5vw0nyzg"), other.recovery_hmac(1, "xq5vw0nyzg"));
        assert_ne!(one.recovery_hmac(1, "xq5vw0nyzg"), one.recovery_hmac(2, "xq5vw0nyzg"));
        assert_ne!(one.last_token(Uuid::nil()), other.last_token(Uuid::nil()));
        assert_ne!(one.last_token(Uuid::nil()), one.last_token(Uuid::max()));
        assert_eq!(one.last_token(Uuid::nil()).len(), 43);
        assert_eq!(format!("{one:?}"), "Secrets");
    }
}
