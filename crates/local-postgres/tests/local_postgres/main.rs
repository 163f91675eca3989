//! Tests of the private PostgreSQL with the real programs: it starts everywhere, survives every crash, and leaves no process
//! behind. As root every test runs twice, the second time as an ordinary user.

// `cfg(test)` always holds here. It tells clippy that helpers may unwrap, too.
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod places;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod start_and_stop;
#[cfg(test)]
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Root runs PostgreSQL as another user, an ordinary user runs it itself. The same tests check both.
#[test]
fn all_of_this_works_as_an_ordinary_user() {
    if !support::is_root() {
        return; // The other tests run as an ordinary user already.
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let (uid, gid) = support::user("nobody");
    let template = folder.path().join("template");
    fs::create_dir(&template).unwrap();
    chown(&template, Some(uid), Some(gid)).unwrap();
    let output = Command::new(&program)
        .args(["--skip", "all_of_this_works_as_an_ordinary_user"])
        .current_dir("/")
        .env(support::TEMPLATE_VARIABLE, &template)
        .uid(uid)
        .gid(gid)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("test crashes::"), "{said}");
}
