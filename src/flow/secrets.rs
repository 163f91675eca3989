//! The installation's key, and what is made with it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::domain::identity::Identity;
use crate::domain::study::Platform;
use crate::domain::trial::ImageId;

/// The installation's key: 32 random bytes.
#[derive(Clone)]
pub struct Secrets {
    key: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Takes the key.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What tells this key from others without giving it away.
    pub fn fingerprint(&self) -> Vec<u8> {
        self.keyed("fingerprint", &[])[..16].to_vec()
    }

    /// The name under which a browser may ask for an image: nobody can compute it from the image.
    pub fn image_address(&self, image: &ImageId) -> String {
        hex::encode(&self.keyed("image", &[image.0.as_bytes()])[..16])
    }

    /// Stands for a person in the once-only rule.
    pub fn worker_hmac(&self, platform: Platform, worker_id: &str) -> Vec<u8> {
        self.keyed("worker", &[platform.as_str().as_bytes(), worker_id.as_bytes()])
    }

    /// The code of a personal link: its number, so that it can be told from those that were never given out, and a mark
    /// that only the key can make.
    pub fn personal_code(&self, link: &str, number: u32) -> String {
        let mark = self.keyed("personal", &[link.as_bytes(), &number.to_be_bytes()]);
        format!("{number}-{}", hex::encode(&mark[..10]))
    }

    /// Vouches for an arrival that was checked when it came, until a time in seconds since 1970.
    pub fn arrival_proof(&self, link: &str, identity: &Identity, until: i64) -> String {
        let session = identity.assignment_id.as_deref().unwrap_or_default();
        let parts =
            [link.as_bytes(), identity.worker_id.as_bytes(), session.as_bytes(), &until.to_be_bytes()];
        format!("{until}.{}", hex::encode(self.keyed("arrival", &parts)))
    }

    /// Stands for a client's address, so that none has to be kept.
    pub fn address_hmac(&self, address: &[u8]) -> Vec<u8> {
        self.keyed("address", &[address])
    }

    /// Mixes up the conditions of a study while results are blinded: by an order that nobody can compute.
    pub fn blinding(&self, study: &str, condition: &str) -> Vec<u8> {
        self.keyed("blinding", &[study.as_bytes(), condition.as_bytes()])
    }

    /// The secret of a second factor: without this key the database does not hold it.
    pub fn totp_secret(&self, nonce: &[u8]) -> Vec<u8> {
        self.keyed("totp", &[nonce])[..20].to_vec()
    }

    /// Stands for a researcher's recovery code: it is short enough to be found by trying, but for this key.
    pub fn recovery_hmac(&self, researcher_id: i64, code: &str) -> Vec<u8> {
        self.keyed("recovery", &[&researcher_id.to_be_bytes(), code.as_bytes()])
    }

    /// Stands for a researcher's address where tries at codes of the second factor are counted.
    pub fn code_hmac(&self, email: &str) -> Vec<u8> {
        self.keyed("code", &[email.trim().to_lowercase().as_bytes()])
    }

    /// Stands for a researcher's address where tries to sign in are counted.
    pub fn email_hmac(&self, email: &str) -> Vec<u8> {
        self.keyed("email", &[email.trim().to_lowercase().as_bytes()])
    }

    fn keyed(&self, purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

/// What is stored of a token.
pub fn token_sha256(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_collides_and_nothing_shows_the_key() {
        let (one, other) = (Secrets::new([1; 32]), Secrets::new([2; 32]));
        let image = ImageId("aa".into());
        assert_ne!(one.image_address(&image), other.image_address(&image));
        assert_eq!(one.image_address(&image).len(), 32);
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_ne!(one.worker_hmac(Platform::Mturk, "A1"), one.worker_hmac(Platform::Prolific, "A1"));
        assert_ne!(one.keyed("p", &[b"ab", b"c"]), one.keyed("p", &[b"a", b"bc"]));
        assert_eq!(one.email_hmac(" Ada@Example.org "), one.email_hmac("ada@example.org"));
        assert_ne!(one.email_hmac("ada@example.org"), one.code_hmac("ada@example.org"));
        assert_ne!(one.recovery_hmac(1, "xq5vw0nyzg"), other.recovery_hmac(1, "xq5vw0nyzg"));
        assert_ne!(one.recovery_hmac(1, "xq5vw0nyzg"), one.recovery_hmac(2, "xq5vw0nyzg"));
        assert_eq!(format!("{one:?}"), "Secrets");
    }
}
