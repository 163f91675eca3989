//! A limit on guessing passwords, codes and links: tries are counted before it is known whether they are right, so that many at
//! once are counted, too.
//!
//! By researcher and network, so that a stranger who guesses somebody's password does not keep them out; by network, for one
//! password tried on many; and by researcher, for many networks that guess together. A browser in which the researcher has signed
//! in before shows a mark that only this server can make, and is counted by itself: whoever shares its network, such as a
//! colleague, cannot keep them out of it.

use chrono::TimeDelta;
use subtle::ConstantTimeEq;

use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Tries;

/// Tries are counted for so long.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long a browser is known after its researcher signed in: as long as browsers keep a cookie.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(400);

/// Tries from one network within the window, whoever they are about: many researchers may sit behind one address.
const MOST_OF_NETWORK: i64 = 60;

/// Where somebody asks from.
#[derive(Debug, Clone, Default)]
pub struct Whence {
    /// The keyed hash of the network's address.
    pub network: Vec<u8>,
    /// The mark of the browser, if it shows one.
    pub mark: Option<String>,
}

/// A mark for the browser in which a researcher has signed in.
pub fn mark(app: &App, email: &str) -> String {
    let (until, nonce) = ((app.now() + KNOWN_FOR).timestamp(), app.short_name());
    format!("{until}.{nonce}.{}", app.secrets.browser_mark(email, until, &nonce))
}

/// Whether a browser's mark was made for this researcher, and is good.
fn is_known(app: &App, email: &str, mark: &str) -> bool {
    let mut parts = mark.split('.');
    let (Some(until), Some(nonce), Some(given), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Ok(until) = until.parse() else { return false };
    let right = app.secrets.browser_mark(email, until, nonce);
    until >= app.now().timestamp() && bool::from(right.as_bytes().ct_eq(given.as_bytes()))
}

/// What is guessed, from where.
pub struct Guess {
    hmac: Vec<u8>,
    /// The network, or the browser if it is known.
    place: Vec<u8>,
    is_known: bool,
    /// Tries from this place within the window, and from anywhere.
    most: (i64, i64),
}

impl Guess {
    /// A researcher's password.
    pub fn password(app: &App, email: &str, whence: &Whence) -> Self {
        Self::of(app, app.secrets.email_hmac(email), email, whence, (8, 100))
    }

    /// A code of a researcher's second factor. Whoever guesses these has the password or a session, from wherever.
    pub fn code(app: &App, email: &str, whence: &Whence) -> Self {
        Self::of(app, app.secrets.code_hmac(email), email, whence, (8, 8))
    }

    /// A link by which a password can be set: 32 random bytes, so that only the work that tries make is limited.
    pub fn link(app: &App, whence: &Whence) -> Self {
        let place = whence.network.clone();
        Self { hmac: app.secrets.link_hmac(), place, is_known: false, most: (20, i64::MAX) }
    }

    fn of(app: &App, hmac: Vec<u8>, email: &str, whence: &Whence, most: (i64, i64)) -> Self {
        match whence.mark.as_deref().filter(|mark| is_known(app, email, mark)) {
            Some(mark) => Self { hmac, place: token_sha256(mark), is_known: true, most },
            None => Self { hmac, place: whence.network.clone(), is_known: false, most },
        }
    }

    /// Counts the try, or refuses it after too many that were not right.
    pub async fn count(&self, app: &App) -> Result<()> {
        let mut tx = app.pool.begin().await?;
        let now = app.now();
        // Tries from a future that a clock once showed by mistake would count until that future has passed.
        let (since, until) = (now - WINDOW, now + WINDOW);
        let tries =
            store::researchers::tries_locked(&mut tx, &self.hmac, &self.place, (since, until)).await?;
        if self.too_many(tries) {
            return Err(Refused::TooManyFailures.into());
        }
        store::researchers::add_try(&mut tx, &self.hmac, &self.place, now, since).await?;
        Ok(tx.commit().await?)
    }

    fn too_many(&self, tries: Tries) -> bool {
        let (here, anywhere) = self.most;
        let by_others = tries.anywhere >= anywhere || tries.of_network >= MOST_OF_NETWORK;
        tries.here >= here || (by_others && !self.is_known)
    }

    /// It was right: tries before it do not count any more.
    pub async fn was_right(&self, conn: &mut sqlx::PgConnection) -> Result<()> {
        Ok(store::researchers::forget_tries(conn, &self.hmac, &self.place).await?)
    }
}
