//! File descriptors: as many as the system allows, and those that the database and files need are not given to clients.

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For logs, files of exports and reports, pipes of the private PostgreSQL, and what the runtime needs.
const FOR_FILES: u64 = 64;

/// Fewer connections of clients are no server: a browser opens up to six.
const LEAST_CONNECTIONS: u64 = 16;

/// What some systems take at most, whatever they say is allowed (macOS: OPEN_MAX).
const ANYWHERE: u64 = 10_240;

/// How many connections of clients there may be.
#[derive(Debug, PartialEq, Eq)]
pub struct Share {
    /// Connections of clients, at most.
    pub connections: usize,
    /// Descriptors that the process may have.
    pub limit: u64,
}

/// Raises the limit of descriptors as far as the system allows, and says how many of them clients may have; less than was asked
/// for where there are not enough.
pub fn share(wanted: u32, database_connections: u32) -> anyhow::Result<Share> {
    divide(raise(), wanted, database_connections)
}

/// The soft limit becomes the hard one.
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
    /// Says what was found, and warns where it is less than what was asked for.
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
    fn clients_get_what_database_and_files_leave() {
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
