//! Tests that every failure says why, and what to do.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use weber_local_postgres::Search;

use crate::support::{Other, Scratch, cluster, is_root, now, processes_of, serve, user};

/// A folder of programs that report the given version.
fn fake_programs(folder: &Path, version: &str) -> Search {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["postgres", "initdb"] {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Search { path: OsString::new(), folders: vec![folder.display().to_string()] }
}

#[tokio::test]
async fn missing_programs() {
    let scratch = Scratch::new();
    let mut postgres = scratch.postgres();
    postgres.search =
        Search { path: "/nowhere/bin".into(), folders: vec!["/nowhere/postgresql/*/bin".into()] };
    let error = postgres.serve(now()).await.unwrap_err().to_string();
    for expected in [
        "/nowhere/bin",
        "/nowhere/postgresql/*/bin",
        "apt-get install",
        "dnf install",
        "brew install",
        "DATABASE_URL",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    serve(&scratch).await.stop().await.unwrap(); // nothing was changed
}

#[tokio::test]
async fn programs_that_are_too_old() {
    let (scratch, programs) = (Scratch::new(), Scratch::new());
    let mut postgres = scratch.postgres();
    postgres.search = fake_programs(programs.folder(), "12.22");
    let error = postgres.borrow().await.unwrap_err().to_string();
    assert!(error.contains("version 13 or newer") && error.contains("too old: PostgreSQL 12 in"), "{error}");
}

#[tokio::test]
async fn data_of_another_major_version() {
    let scratch = Scratch::with_cluster().await;
    let version = cluster(&scratch.data()).join("PG_VERSION");
    let right = fs::read_to_string(&version).unwrap();
    fs::write(&version, "99\n").unwrap();
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    let expected =
        ["was made by PostgreSQL 99", &format!("PostgreSQL {}", right.trim()), "postgresql-99", "pg_upgrade"];
    for expected in expected {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
    fs::write(&version, right).unwrap();
    serve(&scratch).await.stop().await.unwrap();
}

/// An existing cluster gets the installation of its major version, not the newest.
#[tokio::test]
async fn the_programs_of_the_cluster_are_preferred_to_newer_ones() {
    let (scratch, programs) = (Scratch::with_cluster().await, Scratch::new());
    let mut postgres = scratch.postgres();
    postgres.search.folders.insert(0, fake_programs(programs.folder(), "98.1").folders.remove(0));
    postgres.serve(now()).await.unwrap().stop().await.unwrap();
    // A new cluster would get the newest.
    let other = Scratch::new();
    postgres.data = other.data();
    let error = postgres.serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("initdb") || error.contains("98.1"), "{error}");
}

#[tokio::test]
async fn an_initdb_that_fails() {
    let (scratch, programs) = (Scratch::new(), Scratch::new());
    let mut postgres = scratch.postgres();
    postgres.search = fake_programs(programs.folder(), "15.1");
    let script = "#!/bin/sh\necho 'initdb: error: the moon is wrong' >&2\nexit 3\n";
    fs::write(programs.folder().join("initdb"), script).unwrap();
    let error = postgres.serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3") && error.contains("the moon is wrong"), "{error}");
    let names: Vec<_> = fs::read_dir(scratch.data().join("postgres")).unwrap().flatten().collect();
    assert!(
        names.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("cluster")),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_full_disk() {
    let scratch = Scratch::new();
    let mut postgres = scratch.postgres();
    postgres.min_free_bytes = u64::MAX;
    let error = postgres.serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("MB free for") && error.contains("Make room"), "{error}");
    assert!(!cluster(&scratch.data()).exists());
    // Only a new cluster needs the space.
    serve(&scratch).await.stop().await.unwrap();
    postgres.serve(now()).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_no_cluster() {
    let scratch = Scratch::new();
    fs::create_dir_all(cluster(&scratch.data())).unwrap();
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("is not a PostgreSQL database") && error.contains("PG_VERSION"), "{error}");
    fs::write(cluster(&scratch.data()).join("PG_VERSION"), "fifteen").unwrap();
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("holds no version"), "{error}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made() {
    let scratch = Scratch::new();
    fs::write(scratch.data(), "a file").unwrap();
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    assert!(error.starts_with("Cannot") && error.contains(&scratch.data().display().to_string()), "{error}");
}

#[tokio::test]
async fn a_symbolic_link_in_place_of_a_file_of_ours() {
    let scratch = Scratch::with_cluster().await;
    let victim = scratch.folder().join("victim");
    fs::write(&victim, "precious").unwrap();
    let lock = scratch.data().join("weber.lock");
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&victim, &lock).unwrap();
    assert!(scratch.postgres().serve(now()).await.unwrap_err().to_string().contains("weber.lock"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

/// Another user, who is not root, opens the cluster of a user.
#[tokio::test]
async fn data_of_another_user() {
    if !is_root() {
        return; // Only root can make data of another user.
    }
    let scratch = Scratch::with_cluster().await;
    let (uid, gid) = user("nobody");
    for folder in [scratch.folder(), &scratch.data(), &scratch.data().join("postgres")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::chown(cluster(&scratch.data()), Some(1), Some(1)).unwrap();
    let program = scratch.folder().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let other = Other::begin_with(&program, "serve", &scratch.data(), |command| {
        command.uid(uid).gid(gid).current_dir("/");
    });
    let error = other.refusal();
    assert!(error.contains(&format!("belongs to user id 1, but Weber runs as user id {uid}")), "{error}");
}
