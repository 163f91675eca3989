//! The program's settings, from the command line and the environment. Each has a documented default.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines that people read.
    Text,
    /// Lines that programs read: one JSON object each.
    Json,
}

/// Settings that say where the data are.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Folder for the private PostgreSQL, the installation's key and the demo's images.
    #[arg(long, global = true, env = "WEBER_DATA", default_value = "data", value_name = "FOLDER")]
    pub data: PathBuf,

    /// PostgreSQL to use instead of a private one: postgres://user:password@host/database.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<secrecy::SecretString>,

    /// The installation's key, 64 hexadecimal digits; by default it is kept in the file `secret` of the data folder.
    #[arg(long, global = true, env = "WEBER_SECRET_KEY", hide_env_values = true, value_name = "HEX")]
    pub secret_key: Option<secrecy::SecretString>,

    /// Largest number of connections to the database; the server writes answers by one more.
    #[arg(long, global = true, env = "WEBER_DATABASE_CONNECTIONS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_connections: u32,
}

/// Settings that say how clients reach the server.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address to listen on.
    #[arg(long, env = "WEBER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// Address by which browsers reach the server, such as https://study.example.org; by default the one it listens on.
    #[arg(long, env = "WEBER_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,

    /// Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8; a proxy on this machine is always trusted.
    #[arg(long, env = "WEBER_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxy: Vec<ipnet::IpNet>,

    /// Largest number of connections of clients; fewer where the system allows fewer file descriptors (`ulimit -n`).
    #[arg(long, env = "WEBER_CONNECTIONS", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    pub connections: u32,

    /// Largest number of connections of one network address; proxies and this machine may have more.
    #[arg(long, env = "WEBER_CONNECTIONS_PER_ADDRESS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(6..=1_000_000))]
    pub connections_per_address: u32,

    /// Largest number of people of one network address who agreed and have not passed the instructions yet. A class that begins
    /// together behind one address needs one place per person.
    #[arg(long, env = "WEBER_NEWCOMERS_PER_ADDRESS", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub newcomers_per_address: u32,

    /// Further sites that may show the page of an MTurk task in a frame and receive its form, for tests.
    #[arg(long, env = "WEBER_MTURK_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = public_url)]
    pub mturk_origin: Vec<String>,

    /// Address of Prolific's public keys for signed links, if they are not at Prolific.
    #[arg(long, env = "WEBER_PROLIFIC_KEYS_URL", value_name = "URL")]
    pub prolific_keys_url: Option<url::Url>,
}

/// Reads the address by which browsers reach the server.
pub fn public_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| format!("not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err("must begin with http:// or https:// and a host".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must have nothing after the host and port".into());
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_must_be_an_origin() {
        assert_eq!(public_url("https://study.example.org/"), Ok("https://study.example.org".into()));
        assert_eq!(public_url("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080".into()));
        for wrong in
            ["study.example.org", "ftp://x.org", "https://x.org/weber", "https://x.org?a", "https://u@x.org"]
        {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
