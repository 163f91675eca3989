//! Keeps one place from leasing a whole study with empty consents, and does not mind many workers behind one address.
//!
//! Counted are people of one address who agreed and have not shown any sign of life since; most are past that in a
//! second. Addresses are kept as keyed hashes, in memory, for minutes, and are never stored or logged.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
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

impl FromRequestParts<WebState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let address = peer.and_then(|peer| client(peer, forwarded, &state.site.trusted_proxies));
        Ok(Self(address.map(|address| state.app.secrets.address_hmac(&network(address)))))
    }
}

/// Whose request it is: of the addresses that proxies handed on, the last that is no trusted proxy itself. What an
/// untrusted client claims is not believed.
fn client(peer: IpAddr, forwarded: Option<&str>, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let claimed = forwarded.unwrap_or_default().rsplit(',').map_while(|text| text.trim().parse().ok());
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

/// By the hash of a token, the address's and since when.
type Idle = HashMap<Vec<u8>, (Vec<u8>, Instant)>;

/// Who agreed and did nothing since: by the hash of their token, with their address's.
#[derive(Clone, Default)]
pub struct Crowd {
    idle: Arc<Mutex<Idle>>,
}

impl Crowd {
    /// Refuses somebody whose address has too many people who did nothing. Whoever is vouched for is not counted.
    pub fn admit(&self, client: &ClientAddress, vouched_for: bool) -> Result<Newcomer<'_>, FlowError> {
        let address = client.0.clone().filter(|_| !vouched_for);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, (_, since)| since.elapsed() < PATIENCE);
        let count = |address: &Vec<u8>| idle.values().filter(|(other, _)| other == address).count();
        if address.as_ref().is_some_and(|address| count(address) >= MOST) {
            return Err(Refused::Crowded.into());
        }
        Ok(Newcomer { crowd: self, address })
    }

    /// The hashes of the tokens of people who are counted.
    pub fn counted(&self) -> Vec<Vec<u8>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Somebody gave a sign of life.
    pub fn begun(&self, token_sha256: &[u8]) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).remove(token_sha256);
    }
}

/// Somebody who was admitted.
pub struct Newcomer<'a> {
    crowd: &'a Crowd,
    address: Option<Vec<u8>>,
}

impl Newcomer<'_> {
    /// They agreed, and got this token.
    pub fn enrolled(self, token: &str) {
        let Some(address) = self.address else { return };
        let mut idle = self.crowd.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.insert(token_sha256(token), (address, Instant::now()));
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
        assert_eq!(client("127.0.0.1", None), None);
        assert_eq!(client("127.0.0.1", Some("203.0.113.5")), Some(ip("203.0.113.5")));
        assert_eq!(client("127.0.0.1", Some("6.6.6.6, 203.0.113.5, 10.1.2.3")), Some(ip("203.0.113.5")));
        assert_eq!(client("198.51.100.7", Some("203.0.113.5")), Some(ip("198.51.100.7")));
        assert_eq!(client("::ffff:198.51.100.7", None), Some(ip("198.51.100.7")));
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
}
