//! Limits the connections that each network has open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use parking_lot::Mutex;

use crate::web::http::client_address::network;

/// Counts the connections of each network. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    most: usize,
    /// Proxies, which bring many clients, and this machine.
    exempt: Arc<[IpNet]>,
    open: Arc<Mutex<HashMap<Vec<u8>, usize>>>,
}

impl Connections {
    /// Allows each network at most `most` connections; exempt networks have no limit.
    pub fn new(most: usize, exempt: &[IpNet]) -> Self {
        Self { most, exempt: exempt.into(), open: Arc::default() }
    }

    /// Counts one more connection; none if the network has reached the limit.
    pub fn admit(&self, peer: IpAddr) -> Option<ConnectionPlace> {
        let peer = peer.to_canonical();
        if self.exempt.iter().any(|network| network.contains(&peer)) {
            return Some(ConnectionPlace(None));
        }
        let network = network(peer);
        let mut open = self.open.lock();
        let count = open.entry(network.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(ConnectionPlace(Some((self.clone(), network))))
    }
}

/// One counted connection: dropping it ends the count.
pub struct ConnectionPlace(Option<(Connections, Vec<u8>)>);

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let Some((connections, network)) = &self.0 else { return };
        let mut open = connections.open.lock();
        if let Some(count) = open.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::web::http::connections::*;

    #[test]
    fn a_network_has_a_limit_and_closed_connections_no_longer_count() {
        let connections = Connections::new(2, &["127.0.0.0/8".parse().unwrap()]);
        let admit = |peer: &str| connections.admit(peer.parse().unwrap());
        let held = [admit("2001:db8::1"), admit("2001:db8:0:ff::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(admit("2001:db8:0:0:7::3").is_none(), "the same household");
        assert!(admit("198.51.100.7").is_some());
        let proxied: Vec<_> = (0..9).map(|_| admit("127.0.0.1")).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop(held);
        assert!(admit("2001:db8::1").is_some());
        assert!(connections.open.lock().is_empty(), "nothing is kept of closed connections");
    }
}
