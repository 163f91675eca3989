//! Raises the limit of file descriptors as far as possible, and reserves those that database and files need.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for logs, files of exports and reports, pipes of the private PostgreSQL, and the async runtime.
const FOR_FILES: u64 = 64;

/// The least number of client connections: a browser opens up to six.
const LEAST_CONNECTIONS: u64 = 16;

/// The most descriptors that some systems allow, even if their limit says more (macOS: OPEN_MAX).
const ANYWHERE: u64 = 10_240;

/// How many connections clients may have.
#[derive(Debug, PartialEq, Eq)]
pub struct Share {
    /// Most connections of clients.
    pub connections: usize,
    /// Descriptors that the process may have.
    pub limit: u64,
}

/// Raises the limit of descriptors as far as the system allows, and returns how many of them clients may have. It is less than
/// `wanted` if the limit is too low.
pub fn share(wanted: u32, database_connections: u32) -> anyhow::Result<Share> {
    divide(raise(), wanted, database_connections)
}

/// Sets the soft limit to the hard one, and returns it.
fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    for soft in [limit.maximum, Some(ANYWHERE)] {
        let more = soft.is_none_or(|soft| limit.current.is_some_and(|current| soft > current));
        if more && setrlimit(Resource::Nofile, Rlimit { current: soft, ..limit }).is_ok() {
            break;
        }
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn divide(limit: u64, wanted: u32, database_connections: u32) -> anyhow::Result<Share> {
    let own = u64::from(database_connections) + FOR_FILES;
    let left = limit.saturating_sub(own);
    if left < LEAST_CONNECTIONS {
        bail!(
            "this process may have only {limit} files and connections open, and needs {own} for the database and files and \
             {LEAST_CONNECTIONS} for clients: raise the limit (`ulimit -n`, or LimitNOFILE in systemd's unit)"
        );
    }
    let connections = usize::try_from(u64::from(wanted).min(left)).unwrap_or(usize::MAX);
    Ok(Share { connections, limit })
}

impl Share {
    /// Logs the limits, and warns if clients get fewer connections than wanted.
    pub fn tell(&self, wanted: u32) {
        let Self { connections, limit } = self;
        tracing::info!(
            limit,
            connections,
            "Files and connections that this process may have open, and clients' share"
        );
        if *connections < wanted as usize {
            tracing::warn!(
                connections,
                wanted,
                "Clients get fewer connections than --connections says: raise the limit of open files (`ulimit -n`, or \
                 LimitNOFILE in systemd's unit)"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_get_the_descriptors_that_database_and_files_do_not_need() {
        let connections = |limit, wanted| divide(limit, wanted, 21).unwrap().connections;
        assert_eq!(connections(65_536, 8192), 8192);
        assert_eq!(connections(1024, 8192), 939);
        assert_eq!(connections(128, 8192), 43);
        assert!(divide(64, 8192, 21).unwrap_err().to_string().contains("ulimit -n"));
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current.unwrap_or(u64::MAX), raised);
        assert!(current == maximum || raised >= ANYWHERE);
    }
}
