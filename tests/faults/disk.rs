//! The disk is full.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use crate::support::{Installation, find, http};

/// A new private PostgreSQL wants to see 200 MB free.
const SIZE: &str = "size=280m";

/// A small file system, mounted for this test.
struct Disk(TempDir);

impl Disk {
    /// Mounts it. None if this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "weber"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        for size in [1 << 20, 4096, 1] {
            while ballast.write_all(&vec![7; size]).is_ok() {}
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

/// Asks until the status is the expected one.
async fn until_status(ask: impl AsyncFn() -> u16, expected: u16) {
    let begun = Instant::now();
    loop {
        let status = ask().await;
        if status == expected {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{status} instead of {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_wait_while_the_disk_is_full_and_are_stored_once_there_is_space() {
    // A user who may not mount has no disk that a test may fill.
    let Some(disk) = Disk::mount() else { return };
    let mut installation = Installation::private();
    installation.data = disk.0.path().join("data");
    let installation = installation.with_study(20);
    let server = installation.serve();
    let crowd = installation.crowd(&[&server.url], 50);
    tokio::time::sleep(Duration::from_millis(400)).await;
    disk.fill();
    let client = http();
    let ready = async || client.get(format!("{}/readyz", server.url)).send().await.unwrap().status().as_u16();
    // PostgreSQL still works as long as its existing files have space, but no new participant is enrolled.
    until_status(ready, 503).await;
    // PostgreSQL cannot write its write-ahead log, ends, and cannot start again.
    let cluster = find(&installation.data, "postmaster.pid").parent().unwrap().to_owned();
    let options = PgConnectOptions::new().socket(cluster).username("postgres").database("postgres");
    let mut connection = options.connect().await.unwrap();
    let write = "select pg_logical_emit_message(false, 'ballast', repeat('7', 1000000))";
    while sqlx::raw_sql(write).execute(&mut connection).await.is_ok() {}
    drop(connection);
    until_status(ready, 503).await;
    assert!(!crowd.is_finished(), "people were answering meanwhile");
    std::fs::remove_file(disk.ballast()).unwrap();
    installation.account_for(&crowd.all_complete().await);
    until_status(ready, 200).await;
}
