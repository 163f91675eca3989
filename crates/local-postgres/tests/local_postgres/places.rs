//! Tests of all places where a data folder may be.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use weber_local_postgres::LocalPostgres;

use crate::support::{
    Other, Scratch, alive, cluster, is_root, now, number, postmaster, processes_of, run, serve, user,
};

async fn works_in(data: &Path) {
    let postgres = LocalPostgres::new(data);
    for _ in 0..2 {
        let server = postgres.serve(now()).await.unwrap();
        assert_eq!(number(&server.options(), "select 42::int8").await, 42);
        let borrowed = postgres.borrow().await.unwrap();
        assert_eq!(number(&borrowed.options(), "select 42::int8").await, 42);
        borrowed.finish().await.unwrap();
        let pid = postmaster(data).unwrap();
        server.stop().await.unwrap();
        assert!(!alive(pid));
    }
}

#[tokio::test]
async fn a_path_with_blanks_and_signs() {
    let scratch = Scratch::new();
    works_in(&scratch.folder().join("my data, it's 100% \"new\" = ü -c")).await;
}

#[tokio::test]
async fn a_path_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    works_in(&scratch.folder().join(std::ffi::OsStr::from_bytes(b"data-\xff"))).await;
}

#[tokio::test]
async fn paths_longer_than_the_address_of_a_socket() {
    let scratch = Scratch::new();
    for length in [75, 120, 400] {
        let mut data = scratch.folder().to_owned();
        while data.as_os_str().len() < length {
            data.push("abcdefghijklmnopqrstuvwxyz"); // 27 with the slash
        }
        works_in(&data).await;
    }
}

#[tokio::test]
async fn a_symbolic_link_and_folders_that_are_missing() {
    let (scratch, other) = (Scratch::new(), Scratch::new());
    std::os::unix::fs::symlink(other.folder(), scratch.folder().join("link")).unwrap();
    works_in(&scratch.folder().join("link/made/on/the way")).await;
    assert!(cluster(&other.folder().join("made/on/the way")).exists());
}

#[tokio::test]
async fn a_relative_path() {
    let scratch = Scratch::with_cluster().await;
    let mut other = Other::begin("serve", Path::new("data"), |command| {
        command.current_dir(scratch.folder());
    });
    assert_eq!(other.answer(), "ready");
    assert!(alive(postmaster(&scratch.data()).unwrap()));
    other.end();
}

#[tokio::test]
async fn misleading_variables_are_ignored() {
    let scratch = Scratch::with_cluster().await;
    let mut other = Other::begin("serve", &scratch.data(), |command| {
        command.env("PGDATA", "/nowhere").env("PGPORT", "1").env("PGHOST", "nowhere.invalid");
        command
            .env("PGUSER", "me")
            .env("PGDATABASE", "mine")
            .env("PGSSLMODE", "require")
            .env("LC_ALL", "xx_XX");
    });
    assert_eq!(other.answer(), "ready");
    other.end();
}

/// Root's own folders are closed to the user who runs the server.
#[tokio::test]
async fn root_in_a_folder_that_others_may_not_enter() {
    if !is_root() {
        return; // Only root has this case.
    }
    let scratch = Scratch::new();
    let closed = scratch.folder().join("root's own");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let data = closed.join("data");
    works_in(&data).await;
    let server = LocalPostgres::new(&data).serve(now()).await.unwrap();
    let owner = fs::metadata(cluster(&data)).unwrap().uid();
    let process =
        fs::metadata(format!("/proc/{}", postmaster(&data).unwrap().as_raw_nonzero())).unwrap().uid();
    assert!(owner != 0 && process == owner, "{owner} {process}");
    let enters = Command::new("test").arg("-e").arg(cluster(&data)).uid(owner).status().unwrap();
    assert!(!enters.success(), "the folder was meant to be closed to user {owner}");
    server.stop().await.unwrap();
}

/// A service runs as its own user, and the administrator uses its data as root.
#[tokio::test]
async fn root_on_the_data_of_an_ordinary_user() {
    if !is_root() {
        return; // Only root has this case.
    }
    let scratch = Scratch::new();
    let (uid, gid) = user("nobody");
    fs::set_permissions(scratch.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(scratch.data()).unwrap();
    chown(scratch.data(), Some(uid), Some(gid)).unwrap();
    let server = serve(&scratch).await;
    run(&server.options(), "create table kept (number int8); insert into kept values (7)").await;
    server.stop().await.unwrap();
    let theirs = Command::new("find").arg(scratch.data()).args(["!", "-user", "nobody"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&theirs.stdout), "", "these files do not belong to the user");
    let program = scratch.folder().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    // The user continues with the data, and root uses the user's server.
    let mut other = Other::begin_with(&program, "serve", &scratch.data(), |command| {
        command.uid(uid).gid(gid).current_dir("/");
    });
    assert_eq!(other.answer(), "ready");
    let borrowed = scratch.postgres().borrow().await.unwrap();
    assert_eq!(number(&borrowed.options(), "select number from kept").await, 7);
    borrowed.finish().await.unwrap();
    other.end();
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

/// Root copied the data back from a backup.
#[tokio::test]
async fn root_with_data_that_were_copied_back() {
    if !is_root() {
        return; // Only root has this case.
    }
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), "create table kept (number int8); insert into kept values (7)").await;
    server.stop().await.unwrap();
    let copy = scratch.folder().join("copy");
    let copied = Command::new("cp").arg("-r").arg(scratch.data()).arg(&copy).status().unwrap();
    assert!(copied.success());
    chown(cluster(&copy), Some(0), Some(0)).unwrap();
    fs::set_permissions(cluster(&copy), fs::Permissions::from_mode(0o755)).unwrap();
    let server = LocalPostgres::new(&copy).serve(now()).await.unwrap();
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
}
