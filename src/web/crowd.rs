//! Keeps one place from leasing a whole study with empty consents, and does not mind many workers behind one address.
//!
//! Counted are people of one address who agreed and have not shown any sign of life since; most are past that in a
//! second. Addresses are kept as keyed hashes, in memory, for minutes, and are never stored or logged.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use ipnet::IpNet;

use super::state::WebState;
use crate::flow::secrets::token_sha256;
use crate::flow::{FlowError, Refused};

/// People of one address who agreed and did nothing since, at most.
const MOST: usize = 40;

/// After that time somebody who did nothing is not counted any more: their lease has lapsed, too.
const PATIENCE: Duration = Duration::from_secs(300);

/// What stands for a client's address. None: a connection from this machine that no proxy handed on.
pub struct ClientAddress(Option<Vec<u8>>);

impl ClientAddress {
    /// The address as a keyed hash; empty for a connection from this machine.
    pub fn hmac(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromRequestParts<WebState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // A proxy may add a line of its own below the one that its client made up.
        let lines = parts.headers.get_all("x-forwarded-for").iter();
        let forwarded: Vec<&str> = lines.map(|value| value.to_str().unwrap_or_default()).collect();
        let address = peer.and_then(|peer| client(peer, &forwarded.join(","), &state.site.trusted_proxies));
        Ok(Self(address.map(|address| state.app.secrets.address_hmac(&network(address)))))
    }
}

/// Whose request it is: of the addresses that proxies handed on, the last that is no trusted proxy itself. What an
/// untrusted client claims is not believed.
fn client(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let claimed = forwarded.rsplit(',').map_while(|text| text.trim().parse().ok());
    let mut chain = std::iter::once(peer.to_canonical()).chain(claimed.map(|ip: IpAddr| ip.to_canonical()));
    chain.find(|address| !is_trusted(address)).filter(|address| !address.is_loopback())
}

/// One household has a whole network of IPv6 addresses.
fn network(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// Addresses of people who agreed and did nothing since, with the moment when they did; by the hash of their token, or by a
/// number while they are being enrolled: many who come at the same instant are counted, too.
#[derive(Default)]
struct Waiting {
    entering: HashMap<u64, Vec<u8>>,
    idle: HashMap<Vec<u8>, (Vec<u8>, Instant)>,
    next: u64,
}

impl Waiting {
    fn of(&self, address: &[u8]) -> usize {
        let entering = self.entering.values().filter(|other| *other == address).count();
        entering + self.idle.values().filter(|(other, _)| other == address).count()
    }
}

/// Who is about to begin. Cheap to clone.
#[derive(Clone, Default)]
pub struct Crowd {
    waiting: Arc<Mutex<Waiting>>,
}

impl Crowd {
    /// Refuses somebody whose address has too many people who did nothing. Whoever is vouched for is not counted.
    pub fn admit(&self, client: &ClientAddress, vouched_for: bool) -> Result<Newcomer, FlowError> {
        let Some(address) = client.0.clone().filter(|_| !vouched_for) else {
            return Ok(Newcomer { crowd: self.clone(), number: None });
        };
        let mut waiting = self.lock();
        waiting.idle.retain(|_, (_, since)| since.elapsed() < PATIENCE);
        if waiting.of(&address) >= MOST {
            return Err(Refused::Crowded.into());
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.entering.insert(number, address);
        Ok(Newcomer { crowd: self.clone(), number: Some(number) })
    }

    /// The hashes of the tokens of people who are counted.
    pub fn counted(&self) -> Vec<Vec<u8>> {
        self.lock().idle.keys().cloned().collect()
    }

    /// Somebody gave a sign of life.
    pub fn begun(&self, token_sha256: &[u8]) {
        self.lock().idle.remove(token_sha256);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who was admitted; whoever does not enrol after all is forgotten.
pub struct Newcomer {
    crowd: Crowd,
    number: Option<u64>,
}

impl Newcomer {
    /// They agreed, and got this token.
    pub fn enrolled(self, token: &str) {
        let mut waiting = self.crowd.lock();
        if let Some(address) = self.number.and_then(|number| waiting.entering.remove(&number)) {
            waiting.idle.insert(token_sha256(token), (address, Instant::now()));
        }
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.crowd.lock().entering.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_clients_address_is_believed_from_trusted_proxies_only() {
        let trusted = ["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let client = |peer, forwarded| client(ip(peer), forwarded, &trusted);
        assert_eq!(client("127.0.0.1", ""), None);
        assert_eq!(client("127.0.0.1", "203.0.113.5"), Some(ip("203.0.113.5")));
        assert_eq!(client("127.0.0.1", "6.6.6.6, 203.0.113.5, 10.1.2.3"), Some(ip("203.0.113.5")));
        assert_eq!(client("198.51.100.7", "203.0.113.5"), Some(ip("198.51.100.7")));
        assert_eq!(client("::ffff:198.51.100.7", ""), Some(ip("198.51.100.7")));
        assert_eq!(network(ip("2001:db8:1:2:3::4")), network(ip("2001:db8:1:2:5::6")));
    }

    #[test]
    fn only_people_who_do_nothing_are_counted_and_only_those_of_one_address() {
        let crowd = Crowd::default();
        let address = |n: u8| ClientAddress(Some(vec![n]));
        for n in 0..MOST {
            crowd.admit(&address(1), false).unwrap().enrolled(&n.to_string());
        }
        assert!(crowd.admit(&address(1), false).is_err());
        assert!(crowd.admit(&address(2), false).is_ok());
        assert!(crowd.admit(&address(1), true).is_ok());
        assert!(crowd.admit(&ClientAddress(None), false).is_ok());
        crowd.begun(&token_sha256("7"));
        assert!(crowd.admit(&address(1), false).is_ok());
    }

    #[test]
    fn people_who_come_at_the_same_instant_are_counted_while_they_are_enrolled() {
        let crowd = Crowd::default();
        let address = ClientAddress(Some(vec![1]));
        let mut entering: Vec<_> = (0..MOST).map(|_| crowd.admit(&address, false).unwrap()).collect();
        assert!(crowd.admit(&address, false).is_err());
        entering.pop();
        let last = crowd.admit(&address, false).unwrap();
        last.enrolled("token");
        assert!(crowd.admit(&address, false).is_err(), "whoever enrolled is counted once");
        drop(entering);
        assert_eq!(crowd.lock().of(&[1]), 1);
    }
}
