//! The client that a request comes from, for limits.
//!
//! Addresses are kept as keyed hashes, and are never stored or logged.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use ipnet::IpNet;
use parking_lot::Mutex;

use crate::flow::secrets::Secrets;

/// Bytes of an IPv6 address that belong to one customer of a provider: providers give each a /56 or a /64.
const IPV6_NETWORK_BYTES: usize = 7;

/// How often the log warns that the header of a proxy cannot be read.
const WARN_EVERY: Duration = Duration::from_secs(600);

/// A client's address as a keyed hash. None: a connection from this machine that no proxy forwarded.
pub struct ClientAddress(pub(crate) Option<Vec<u8>>);

impl ClientAddress {
    /// The client of a request, from its connection and the headers of trusted proxies.
    pub fn of(request: &Parts, trusted_proxies: &[IpNet], secrets: &Secrets) -> Self {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // A proxy may add its own header line after a line that the client sent.
        let lines = request.headers.get_all("x-forwarded-for").iter();
        let forwarded: Vec<&str> = lines.map(|value| value.to_str().unwrap_or("unreadable")).collect();
        let address = peer.and_then(|peer| client(peer, &forwarded.join(","), trusted_proxies));
        Self(address.map(|address| secrets.address_hmac(&network(address))))
    }

    /// The client's network, as a keyed hash; none for a connection from this machine.
    pub fn network(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// The client's network, as a keyed hash; empty for a connection from this machine.
    pub fn hmac(&self) -> &[u8] {
        self.network().unwrap_or_default()
    }
}

/// The client's address: the last of the forwarded addresses that is not a trusted proxy. A header from an untrusted client is
/// ignored. If the header of a proxy cannot be read, its clients are counted together under the address of the proxy.
fn client(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut last = peer.to_canonical();
    let mut claims = forwarded.rsplit(',').map(str::trim).filter(|claim| !claim.is_empty());
    while is_trusted(&last) {
        let Some(claim) = claims.next() else {
            return Some(last).filter(|address| !address.is_loopback());
        };
        match read(claim) {
            Some(address) => last = address,
            None => {
                warn_of(last);
                return Some(last);
            }
        }
    }
    Some(last).filter(|address| !address.is_loopback())
}

/// Parses an address as proxies write it: alone, in brackets, or with a port.
fn read(claim: &str) -> Option<IpAddr> {
    let bare = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(claim);
    let address = bare.parse().or_else(|_| claim.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// Warns from time to time that limits count all clients of a proxy together. The header is not logged: it may hold an address.
fn warn_of(proxy: IpAddr) {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock();
    if last.is_none_or(|last| last.elapsed() >= WARN_EVERY) {
        *last = Some(Instant::now());
        tracing::warn!(
            %proxy,
            "A proxy's X-Forwarded-For does not end in an address: limits count all its clients together. Let it forward \
             the client's address"
        );
    }
}

/// The bytes of an address that name its network: one household has a whole network of IPv6 addresses.
pub(crate) fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..IPV6_NETWORK_BYTES].to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use crate::web::http::client_address::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(peer: &str, forwarded: &str) -> Option<IpAddr> {
        let trusted = ["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        client(ip(peer), forwarded, &trusted)
    }

    #[test]
    fn forwarded_addresses_are_trusted_from_trusted_proxies_only() {
        assert_eq!(seen("127.0.0.1", ""), None);
        assert_eq!(seen("127.0.0.1", "203.0.113.5"), Some(ip("203.0.113.5")));
        assert_eq!(seen("127.0.0.1", "6.6.6.6, 203.0.113.5, 10.1.2.3"), Some(ip("203.0.113.5")));
        assert_eq!(seen("198.51.100.7", "203.0.113.5"), Some(ip("198.51.100.7")));
        assert_eq!(seen("::ffff:198.51.100.7", ""), Some(ip("198.51.100.7")));
        assert_eq!(seen("127.0.0.1", "203.0.113.5, "), Some(ip("203.0.113.5")));
    }

    #[test]
    fn an_address_may_have_a_port_or_brackets() {
        assert_eq!(seen("127.0.0.1", "203.0.113.7:4711"), Some(ip("203.0.113.7")));
        assert_eq!(seen("127.0.0.1", "[2001:db8::1]:443"), Some(ip("2001:db8::1")));
        assert_eq!(seen("127.0.0.1", "[2001:db8::1]"), Some(ip("2001:db8::1")));
    }

    #[test]
    fn an_unreadable_header_counts_as_the_proxys_own_address() {
        for unreadable in ["unknown", "_hidden", "203.0.113.7:port", "6.6.6.6, unknown"] {
            assert_eq!(seen("127.0.0.1", unreadable), Some(ip("127.0.0.1")), "{unreadable}");
            assert_eq!(seen("10.0.0.5", unreadable), Some(ip("10.0.0.5")), "{unreadable}");
        }
        assert_eq!(seen("10.0.0.5", ""), Some(ip("10.0.0.5")), "a proxy that forwards nothing");
    }

    #[test]
    fn a_household_is_one_network() {
        assert_eq!(network(ip("2001:db8:1:2:3::4")), network(ip("2001:db8:1:ff:5::6")));
        assert_ne!(network(ip("2001:db8:1:2::1")), network(ip("2001:db8:1:102::1")));
        assert_eq!(network(ip("::ffff:198.51.100.7")), network(ip("198.51.100.7")));
        assert_ne!(network(ip("198.51.100.7")), network(ip("198.51.100.8")));
    }
}
