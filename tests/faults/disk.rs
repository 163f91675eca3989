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

/// A small disk of its own.
struct Disk(TempDir);

impl Disk {
    /// None where this user may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "weber"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    /// Takes all the room that is left.
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

/// Asks until the status is the one that is waited for.
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
async fn on_a_full_disk_answers_wait_and_with_new_room_everything_goes_on() {
    // Without the right to mount there is no disk that a test may fill.
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
    // PostgreSQL still works as long as it finds room in the files that it has, but nobody new is let in.
    until_status(ready, 503).await;
    // PostgreSQL cannot even write its log of changes, gives up, and cannot come back.
    let cluster = find(&installation.data, "postmaster.pid").parent().unwrap().to_owned();
    let options = PgConnectOptions::new().socket(cluster).username("postgres").database("postgres");
    let mut connection = options.connect().await.unwrap();
    let write = "select pg_logical_emit_message(false, 'ballast', repeat('7', 1000000))";
    while sqlx::raw_sql(write).execute(&mut connection).await.is_ok() {}
    drop(connection);
    until_status(ready, 503).await;
    assert!(!crowd.is_finished(), "the crowd is in the middle of it");
    std::fs::remove_file(disk.ballast()).unwrap();
    installation.account_for(&crowd.all_complete().await);
    until_status(ready, 200).await;
}
