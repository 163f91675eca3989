//! Modules use only the layers below them. These tests read the sources and fail if a rule is broken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod circles;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the crate may use of the others.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("domain", &["domain"]),
    ("recruitment", &["recruitment", "domain"]),
    ("store", &["store", "domain"]),
    ("study_folder", &["study_folder", "recruitment", "domain"]),
    ("flow", &["flow", "outgoing", "store", "recruitment", "study_folder", "domain"]),
    ("figures", &["figures", "domain"]),
    ("outgoing", &[]),
    ("fuzzed", &["fuzzed", "study_folder", "domain"]),
    ("simulate", &["simulate", "outgoing", "flow", "domain"]),
    ("web", &["web", "figures", "flow", "store", "recruitment", "domain"]),
    ("config", &[]),
    ("cli", &["cli", "config", "outgoing", "web", "flow", "store", "simulate", "domain"]),
];

/// Names that only some modules may use: (name, these modules).
const BELONGS_TO: [(&str, &[&str]); 11] = [
    ("sqlx::query", &["store"]),
    ("select_participant!", &["store"]),
    ("axum::", &["web", "cli"]),
    ("tower_http::", &["web"]),
    ("askama", &["web"]),
    ("clap::", &["main", "cli", "config"]),
    ("Utc::now", &["flow"]),
    ("plotters::", &["figures"]),
    ("reqwest::", &["outgoing", "simulate"]),
    ("prometheus_client::", &["flow", "web"]),
    // A panic in one request must not stop all others that need the lock: `parking_lot::Mutex` does not know of it.
    ("PoisonError", &[]),
];

/// Names that `domain` may not use, because it decides on data, a time and a random generator that it is given.
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
fn modules_use_only_the_layers_below_them() {
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
fn libraries_are_used_in_their_modules_only() {
    let mut leaks = Vec::new();
    for source in sources() {
        for (number, line) in code(&source) {
            for (word, modules) in BELONGS_TO {
                if line.contains(word) && !modules.contains(&source.module.as_str()) {
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

/// Longest line of a template, in characters: a change of a longer one cannot be reviewed.
const LONGEST_TEMPLATE_LINE: usize = 160;

#[test]
fn template_lines_can_be_reviewed() {
    let mut long = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")];
    let mut lines = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
                lines += 1;
                if line.chars().count() > LONGEST_TEMPLATE_LINE {
                    long.push(format!("{}:{number}", path.display()));
                }
            }
        }
    }
    assert!(lines > 1000, "the templates were found");
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Type names that stand more than once in `src/`, each with its reason.
const SAME_NAME_BY_DESIGN: [(&str, &str); 1] =
    [("Result", "the flows' and the store's short form of the standard type, each with its own error")];

#[test]
fn a_type_name_means_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        // Indented `type`s belong to a trait and are named by it.
        for (number, line) in code(&source) {
            let mut words =
                line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            let words = words.by_ref().skip_while(|word| ["pub", "crate", "super", "in"].contains(word));
            let words: Vec<&str> = words.take(2).collect();
            let &[kind, name] = words.as_slice() else { continue };
            let is_indented_alias = kind == "type" && line.starts_with(' ');
            if ["struct", "enum", "union", "trait", "type"].contains(&kind) && !is_indented_alias {
                places
                    .entry(name.to_owned())
                    .or_default()
                    .push(format!("{}:{number}", source.path.display()));
            }
        }
    }
    assert!(places.len() > 300, "the types were found");
    let is_twice = |(name, places): &(&String, &Vec<String>)| {
        places.len() > 1 && !SAME_NAME_BY_DESIGN.iter().any(|(excepted, _)| excepted == name)
    };
    let twice: Vec<String> = places
        .iter()
        .filter(is_twice)
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}
