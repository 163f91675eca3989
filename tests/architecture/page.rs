//! `docs/architecture.md` names every file of `src/`, and nothing that does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Names by folder: what the tables under headings such as "### `src/flow/`" list in their first column.
fn listed(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folder = None;
    for line in page.lines() {
        if line.starts_with('#') {
            let name = line.strip_prefix("### `").and_then(|rest| rest.strip_suffix("/`"));
            folder = name.filter(|name| name.starts_with("src")).map(str::to_owned);
        }
        let (Some(folder), Some(row)) = (&folder, line.strip_prefix("| `")) else { continue };
        let names = row.split(" |").next().unwrap().split('`').step_by(2);
        listed.entry(folder.clone()).or_default().extend(names.map(str::to_owned));
    }
    listed
}

/// Files and folders of Rust code in a folder. Tests stand beside what they test.
fn found(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| !name.starts_with("tests")).collect()
}

#[test]
fn every_file_is_in_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let listed = listed(&page);
    assert!(listed.len() > 15, "the tables were found");
    for (folder, listed) in listed {
        let mut found = found(&root.join(&folder));
        if !listed.contains("mod.rs") {
            found.remove("mod.rs");
        }
        assert_eq!(listed, found, "left: docs/architecture.md, right: {folder}");
    }
}
