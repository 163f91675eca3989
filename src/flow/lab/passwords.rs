//! Hashes passwords with a slow hash function, and limits how many are hashed at once.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::flow::{App, Refused, Result};

/// Limits the passwords that are hashed at the same time. Each takes 19 MiB and a processor, and at least half of the processors
/// are for participants.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new((processors / 2).clamp(1, 4))
});

/// Limits the passwords that are being hashed or wait, to about the number that can be hashed within two seconds.
static WAITING: Semaphore = Semaphore::const_new(64);

/// Waits for a turn to hash. Beyond the limit it refuses at once, since the request would time out.
async fn turn() -> Result<(SemaphorePermit<'static>, SemaphorePermit<'static>)> {
    let waiting = WAITING.try_acquire().map_err(|_| Refused::Busy)?;
    let hashing = HASHING.acquire().await.map_err(|_| Refused::Busy)?;
    Ok((waiting, hashing))
}

/// A password's hash, as a PHC string.
pub async fn hash(app: &App, password: String) -> Result<String> {
    use rand::Rng;
    let mut salt = [0; 16];
    app.rng().fill_bytes(&mut salt);
    let _turn = turn().await?;
    let hashed = tokio::task::spawn_blocking(move || hash_with(&password, &salt));
    Ok(hashed.await.expect("hashing does not panic"))
}

/// The hash as a PHC string, with Argon2's recommended parameters.
fn hash_with(password: &str, salt: &[u8]) -> String {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    hash.expect("salt and password are within Argon2's bounds").to_string()
}

/// Whether a password matches the stored hash. Without a stored hash it takes the same time, so that the time tells nothing.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    static UNKNOWN: LazyLock<String> = LazyLock::new(|| hash_with("unknown", &[0; 16]));
    let verified = move || {
        let known = stored.is_some();
        let phc = stored.unwrap_or_else(|| UNKNOWN.clone());
        let parsed = PasswordHash::new(&phc);
        let right =
            parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && right
    };
    let _turn = turn().await?;
    Ok(tokio::task::spawn_blocking(verified).await.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use crate::flow::FlowError;
    use crate::flow::lab::passwords::*;

    #[tokio::test]
    async fn more_than_can_be_hashed_soon_is_refused() {
        let all = WAITING.acquire_many(64).await.unwrap();
        let refused = verify("guess".into(), None).await;
        assert!(matches!(refused, Err(FlowError::Refused(Refused::Busy))));
        drop(all);
        assert!(verify("right".into(), Some(hash_with("right", &[1; 16]))).await.unwrap());
        assert!(!verify("wrong".into(), Some(hash_with("right", &[1; 16]))).await.unwrap());
        assert!(!verify("unknown".into(), None).await.unwrap(), "there is no such researcher");
    }
}
