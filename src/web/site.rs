//! The addresses of this server and of the services around it.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use ipnet::IpNet;

use crate::flow::participation::consent_limit;
use crate::recruitment::{mturk, prolific};

/// The addresses of this server and of the services around it, with the limits for clients.
#[derive(Debug, Clone)]
pub struct Site {
    /// The public address without a slash at the end, such as `https://study.example.org`.
    pub public_url: String,
    /// Sites that may show the page of a task in a frame, and to which the task may be submitted.
    pub mturk_origins: Vec<String>,
    /// The address of Prolific's public keys.
    pub prolific_keys_url: String,
    /// Proxies that are trusted to name a client's address.
    pub trusted_proxies: Vec<IpNet>,
    /// The consent limit: people of one network who consented and have not shown any work yet, at most.
    pub newcomers_per_address: usize,
    /// Longest time that a request may take, its body included; live pages stream for longer.
    pub longest_request: Duration,
}

impl Site {
    /// A server at a public address, with the defaults for all else: MTurk's own sites, Prolific's own keys, and a proxy
    /// on this machine.
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

    /// Whether the public address uses HTTPS, so that cookies may be limited to it.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
