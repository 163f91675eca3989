//! Chooses the user who runs the server. PostgreSQL refuses root, so root changes to another user.

use std::fs::{self, File, Metadata};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::{Error, cannot};

/// Variables that a child gets from Weber's environment. Others may hold secrets, or be `PG...` variables that change settings.
const KEPT_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The user who runs the server's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
    /// Whether Weber itself is root and must change the user of its children.
    changes_user: bool,
}

impl Account {
    /// Chooses the user. An ordinary user runs everything itself. Root runs an existing cluster as its owner, and a new one as the
    /// owner of the data folder, so that all files of an ordinary user stay theirs. If that is root, too, root uses `postgres`
    /// or `nobody`.
    pub(super) async fn choose(data: &Path, cluster: &Path) -> Result<Self, Error> {
        let me = rustix::process::geteuid().as_raw();
        let owner_of = |path: &Path| fs::symlink_metadata(path).ok();
        if me != 0 {
            let gid = rustix::process::getegid().as_raw();
            return match owner_of(cluster) {
                Some(found) if found.uid() != me => {
                    Err(Error::OtherOwner { folder: cluster.to_owned(), owner: found.uid(), me })
                }
                _ => Ok(Self { uid: me, gid, changes_user: false }),
            };
        }
        let ordinary = |found: Metadata| {
            (found.uid() != 0).then(|| Self { uid: found.uid(), gid: found.gid(), changes_user: true })
        };
        if let Some(account) = [cluster, data].into_iter().find_map(|path| owner_of(path).and_then(ordinary))
        {
            return Ok(account);
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id("-u", name).await, id("-g", name).await) {
                return Ok(Self { uid, gid, changes_user: true });
            }
        }
        Err(Error::NoUser)
    }

    /// A command that runs as this user, without Weber's environment and the signals of its terminal.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/").stdin(Stdio::null());
        // Ctrl-C in a terminal goes to a whole process group, but only Weber decides when the database stops.
        command.process_group(0);
        command.envs(KEPT_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if self.changes_user {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes this user the owner of a folder and its content. The folder itself comes last: while it belongs to root, an interrupted
    /// change is known to be incomplete.
    pub(super) fn take_over(&self, path: &Path) -> Result<(), Error> {
        if !self.changes_user {
            return Ok(());
        }
        let is_folder = fs::symlink_metadata(path).map_err(cannot("look at", path))?.is_dir();
        if is_folder {
            for entry in fs::read_dir(path).map_err(cannot("list", path))? {
                self.take_over(&entry.map_err(cannot("list", path))?.path())?;
            }
        }
        lchown(path, Some(self.uid), Some(self.gid)).map_err(cannot("give to the database's user", path))
    }

    /// Makes a name by which a child of this user can reach a folder that it owns.
    pub(super) fn hand_over(&self, folder: &Path) -> Result<Handed, Error> {
        if !(self.changes_user && cfg!(target_os = "linux")) {
            return Ok(Handed { path: folder.to_owned(), _descriptor: None });
        }
        let opened = File::open(folder).map_err(cannot("open", folder))?;
        // `dup` gives a descriptor that children inherit, unlike everything that std opens.
        let descriptor = rustix::io::dup(opened).map_err(cannot("open", folder))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_raw_fd()));
        Ok(Handed { path, _descriptor: Some(descriptor) })
    }
}

/// A name of a folder for a child, valid for children spawned while this value lives.
///
/// Root's folders (`/root` itself, a data folder of mode 0700) are closed to the database's user. Weber opens the cluster's
/// folder, and the child inherits it as `/proc/self/fd/N`, which the kernel resolves without reading the path. So the data
/// stay in the data folder, wherever it is. Alternatives are worse: the capability `dac_read_search` lets the database read
/// every file of the machine and is missing in containers; a cluster elsewhere (`/var/lib`) is lost with the container and
/// missing when the data folder is copied; opening the parents to other users changes folders that are not ours.
pub(super) struct Handed {
    /// The name for the child.
    pub(super) path: PathBuf,
    _descriptor: Option<OwnedFd>,
}

/// The number of a user or group. `id` also knows users that are not in `/etc/passwd`.
async fn id(what: &str, user: &str) -> Option<u32> {
    let output = Command::new("id").args([what, user]).stderr(Stdio::null()).output().await.ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
