//! The server starts and stops in good order, or says why it cannot start.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::Installation;

#[test]
fn a_second_server_on_the_same_data_says_so() {
    let installation = Installation::private().with_study(1);
    let _server = installation.serve();
    let output = installation.command().args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("already running on this data"), "{said}");
    assert!(installation.weber(&["researcher", "add", "ada@example.org"]).contains("/set-password#"));
}

#[test]
fn the_server_stops_when_it_is_told_to() {
    let installation = Installation::private().with_study(1);
    let server = installation.serve();
    let asked = Instant::now();
    server.stop("-INT");
    assert!(asked.elapsed() < Duration::from_secs(20));
    let left = Command::new("pgrep").args(["-f", installation.data.to_str().unwrap()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no process is left behind");
}

#[test]
fn another_secret_key_is_refused() {
    let installation = Installation::private().with_study(1);
    std::fs::write(installation.data.join("secret"), "ab".repeat(32)).unwrap();
    let output = installation.command().args(["import", "/nowhere"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another secret key"), "{said}");
}
