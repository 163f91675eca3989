//! The layers know only those below them. Habit alone leaks, so the sources are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the crate may use of the others.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("domain", &["domain"]),
    ("recruitment", &["recruitment", "domain"]),
    ("store", &["store", "domain"]),
    ("study_folder", &["study_folder", "recruitment", "domain"]),
    ("flow", &["flow", "store", "recruitment", "study_folder", "domain"]),
    ("figures", &["figures", "domain"]),
    ("outgoing", &[]),
    ("fuzzed", &["fuzzed", "study_folder", "domain"]),
    ("simulate", &["simulate", "outgoing", "flow", "domain"]),
    ("web", &["web", "figures", "outgoing", "flow", "store", "recruitment", "domain"]),
    ("config", &[]),
    ("cli", &["cli", "config", "outgoing", "web", "flow", "store", "simulate", "domain"]),
];

/// Words that belong to one room only: (word, the modules that may say it).
const BELONGS_TO: [(&str, &[&str]); 10] = [
    ("sqlx::query", &["store"]),
    ("select_participant!", &["store"]),
    ("axum::", &["web", "cli"]),
    ("tower_http::", &["web"]),
    ("askama", &["web"]),
    ("clap::", &["main", "cli", "config"]),
    ("Utc::now", &["flow"]),
    ("plotters::", &["figures"]),
    ("reqwest::", &["outgoing", "simulate", "web"]),
    ("prometheus_client::", &["flow", "web"]),
];

/// What `domain` never knows: it decides on data, a time and a generator that it is given.
const DOMAIN_NEVER: [&str; 7] = ["sqlx", "tokio", "async fn", "rand::rng", "::now()", "std::fs", "std::env"];

struct Source {
    module: String,
    path: PathBuf,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 40, "the sources were found");
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let inner = path.strip_prefix(root).unwrap();
            let first = inner.components().next().unwrap().as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).unwrap();
            sources.push(Source { module, path, text });
        }
    }
}

/// Lines of code, without comments.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(source.text.lines());
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn modules_named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(at, mark)| {
        let rest = &line[at + mark.len()..];
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    })
}

#[test]
fn modules_know_only_those_below_them() {
    let mut leaks = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == source.module) else {
            continue;
        };
        for (number, line) in code(&source) {
            for named in modules_named(line) {
                if MAY_USE.iter().any(|(module, _)| *module == named) && !allowed.contains(&named) {
                    leaks.push(format!("{}:{number}: {} uses {named}", source.path.display(), source.module));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn every_module_has_its_rule() {
    for source in sources() {
        let known = MAY_USE.iter().any(|(module, _)| *module == source.module);
        assert!(known || ["main", "lib"].contains(&source.module.as_str()), "{} has no rule", source.module);
    }
}

#[test]
fn words_stay_in_their_rooms() {
    let mut leaks = Vec::new();
    for source in sources() {
        for (number, line) in code(&source) {
            for (word, rooms) in BELONGS_TO {
                if line.contains(word) && !rooms.contains(&source.module.as_str()) {
                    leaks.push(format!("{}:{number}: `{word}`", source.path.display()));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    let mut leaks = Vec::new();
    for source in sources().iter().filter(|source| source.module == "domain") {
        for (number, line) in code(source) {
            for word in DOMAIN_NEVER.iter().filter(|word| line.contains(**word)) {
                leaks.push(format!("{}:{number}: `{word}`", source.path.display()));
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
