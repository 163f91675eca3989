//! How this server is reached, and by whom.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;

use crate::flow::participation::consent_limit;
use crate::recruitment::{mturk, prolific};

/// How this server is reached.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its public address without a slash at the end, such as `https://study.example.org`.
    pub public_url: String,
    /// Sites whose frames may hold the page of a task, and to which it may be handed in.
    pub mturk_origins: Vec<String>,
    /// Where Prolific's public keys are.
    pub prolific_keys_url: String,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// People of one network address who agreed and are not at work yet, at most.
    pub newcomers_per_address: usize,
    /// Longest time that a request may take, its body included; live pages stream for longer.
    pub longest_request: Duration,
}

impl Site {
    /// A server that is reached at an address, with everything else as it is by default: MTurk's own sites, Prolific's
    /// own keys, and a proxy on this machine.
    pub fn at(public_url: String) -> Self {
        Self {
            public_url,
            mturk_origins: mturk::ORIGINS.map(str::to_owned).into(),
            prolific_keys_url: prolific::KEY_SET.to_owned(),
            newcomers_per_address: consent_limit::MOST,
            longest_request: Duration::from_secs(30),
            trusted_proxies: vec![
                IpNet::from(IpAddr::from([127, 0, 0, 1])),
                IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
            ],
        }
    }

    /// Whether it is reached by HTTPS, so that cookies may be bound to it.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
