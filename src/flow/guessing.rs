//! A limit on guessing passwords and codes: tries are counted before it is known whether they are right, so that many at once
//! are counted, too.
//!
//! By researcher and network, so that a stranger who guesses somebody's password does not keep them out; by network, for one
//! password tried on many; and by researcher, for many networks that guess together.

use chrono::TimeDelta;

use super::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Tries;

/// Tries are counted for so long.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Tries from one network within the window, whoever they are about: many researchers may sit behind one address.
const MOST_OF_NETWORK: i64 = 60;

/// Whose secret is guessed, from where.
pub struct Guess<'a> {
    hmac: Vec<u8>,
    network: &'a [u8],
    /// Tries from this network within the window, and from anywhere.
    most: (i64, i64),
}

impl<'a> Guess<'a> {
    /// A password, with the keyed hash of the network's address.
    pub fn password(app: &App, email: &str, network: &'a [u8]) -> Self {
        Self { hmac: app.secrets.email_hmac(email), network, most: (8, 100) }
    }

    /// A code of the second factor. Whoever guesses these has the password or a session: nothing speaks for them.
    pub fn code(app: &App, email: &str, network: &'a [u8]) -> Self {
        Self { hmac: app.secrets.code_hmac(email), network, most: (8, 8) }
    }

    /// Counts the try, or refuses it after too many that were not right.
    pub async fn count(&self, app: &App) -> Result<()> {
        let mut tx = app.pool.begin().await?;
        let now = app.now();
        // Tries from a future that a clock once showed by mistake would count until that future has passed.
        let (since, until) = (now - WINDOW, now + WINDOW);
        let tries =
            store::researchers::tries_locked(&mut tx, &self.hmac, self.network, (since, until)).await?;
        if self.too_many(tries) {
            return Err(Refused::TooManyFailures.into());
        }
        store::researchers::add_try(&mut tx, &self.hmac, self.network, now, since).await?;
        Ok(tx.commit().await?)
    }

    fn too_many(&self, tries: Tries) -> bool {
        let (here, anywhere) = self.most;
        tries.here >= here || tries.anywhere >= anywhere || tries.of_network >= MOST_OF_NETWORK
    }

    /// It was right: tries before it do not count any more.
    pub async fn was_right(&self, conn: &mut sqlx::PgConnection) -> Result<()> {
        Ok(store::researchers::forget_tries(conn, &self.hmac, self.network).await?)
    }
}
