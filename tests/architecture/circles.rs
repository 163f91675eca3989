//! No files import each other in a circle: otherwise none of them can be read, changed or moved without the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Source, code, sources};

/// Files that import each other, with the reason why they may. A new circle needs to be opened: move what both need into a file of its
/// own, as `web::state` holds types whose files do not know it.
const CIRCLES: [(&[&str], &str); 4] = [
    (
        &["figures/canvas", "figures/marks", "figures/text_layout"],
        "a drawing measures its texts, and texts are drawn",
    ),
    (
        &["flow/study/export", "flow/study/export/files", "flow/study/export/manifest"],
        "the files of one export share its errors and its list of files",
    ),
    (
        &["study_folder/design", "study_folder/links"],
        "links are a part of the design and obey its rule for names",
    ),
    (
        &["study_folder/images", "study_folder/table"],
        "the table names images, and images are read as the table names them",
    ),
];

/// A file's place among the modules: `web/state` for `src/web/state.rs`, `web` for `src/web/mod.rs`.
fn module_of(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inner = path.strip_prefix(root).unwrap().with_extension("");
    let inner = inner.to_string_lossy().into_owned();
    inner.strip_suffix("/mod").map(str::to_owned).unwrap_or(inner)
}

/// Reads a path such as `a::{b, c::d}` into its branches, each of which begins with `prefix`; returns the text after it.
fn read_path<'a>(mut text: &'a str, prefix: &[&'a str], branches: &mut Vec<Vec<&'a str>>) -> &'a str {
    let mut path = prefix.to_vec();
    loop {
        if let Some(mut group) = text.strip_prefix('{') {
            loop {
                group = group.trim_start_matches([' ', '\n', ',']);
                if group.is_empty() || group.starts_with('}') {
                    return group.strip_prefix('}').unwrap_or(group);
                }
                group = read_path(group, &path, branches);
                // The rest of an entry: a star, or the name after `as`.
                group = group.trim_start_matches(|c| c != ',' && c != '}');
            }
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        path.push(&text[..end]);
        text = &text[end..];
        match text.strip_prefix("::") {
            Some(rest) => text = rest,
            None => break,
        }
    }
    branches.push(path);
    text
}

/// The file in which a path ends, seen from a module: the longest beginning of the path that is a file.
fn file_of(path: &[&str], from: &str, files: &BTreeSet<String>) -> Option<String> {
    let mut place: Vec<&str> = Vec::new();
    let mut names = path.iter().copied().peekable();
    if names.next() == Some("super") {
        place = from.split('/').collect();
        place.pop();
        while names.next_if_eq(&"super").is_some() {
            place.pop();
        }
    }
    let mut found = None;
    for name in names {
        place.push(name);
        let module = place.join("/");
        if !files.contains(&module) {
            break;
        }
        found = Some(module);
    }
    found
}

/// The files that each file imports by `crate::` or `super::`, tests aside.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources();
    let files: BTreeSet<String> = sources.iter().map(|source| module_of(&source.path)).collect();
    let imported = |source: &Source| {
        let from = module_of(&source.path);
        let lines: Vec<&str> =
            code(source).map(|(_, line)| line).take_while(|line| *line != "#[cfg(test)]").collect();
        let text = lines.join("\n");
        let mut branches = Vec::new();
        for start in ["crate::", "super::"] {
            let begins = text.match_indices(start).map(|(at, _)| at);
            let is_whole =
                |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            begins.filter(is_whole).for_each(|at| {
                read_path(&text[at..], &[], &mut branches);
            });
        }
        let paths = branches.iter().filter_map(|path| file_of(path, &from, &files));
        let others = paths.filter(|file| *file != from).collect();
        (from, others)
    };
    sources.iter().map(imported).collect()
}

/// The groups of files in which each leads to each other.
fn circles(imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<BTreeSet<String>> {
    let reached = |from: &String| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = imports[from].iter().collect();
        while let Some(file) = next.pop() {
            if reached.insert(file.clone()) {
                next.extend(&imports[file]);
            }
        }
        reached
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        imports.keys().map(|file| (file, reached(file))).collect();
    let circle = |file: &String| {
        reached[file].iter().filter(|other| reached[*other].contains(file)).cloned().collect()
    };
    imports.keys().map(circle).filter(|circle: &BTreeSet<String>| !circle.is_empty()).collect()
}

#[test]
fn files_import_each_other_in_no_circle() {
    let imports = imports();
    assert!(imports["web/http/extract"].contains("web/state"), "imports are found: {imports:?}");
    let circles = circles(&imports);
    let known: BTreeSet<BTreeSet<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    let new: Vec<_> = circles.difference(&known).collect();
    assert!(new.is_empty(), "these files import each other in a circle: {new:#?}");
    let opened: Vec<_> = known.difference(&circles).collect();
    assert!(opened.is_empty(), "these circles are open; take them off the list: {opened:#?}");
}

#[test]
fn a_circle_of_files_is_found() {
    let files: BTreeSet<String> = ["a", "a/b", "a/c", "d"].map(str::to_owned).into();
    let mut branches = Vec::new();
    let rest = read_path("crate::{a::{b, c::{self, X as Y}}, d::*};", &[], &mut branches);
    assert_eq!(rest, ";");
    let found: Vec<_> = branches.iter().filter_map(|path| file_of(path, "a/b", &files)).collect();
    assert_eq!(found, ["a/b", "a/c", "a/c", "d"]);
    assert_eq!(file_of(&["super", "c", "X"], "a/b", &files).as_deref(), Some("a/c"));
    assert_eq!(file_of(&["super", "super", "d"], "a/b", &files).as_deref(), Some("d"));
    let imports = [("a/b", "a/c"), ("a/c", "a/b"), ("d", "a/b")];
    let imports = imports.map(|(from, to)| (from.to_owned(), BTreeSet::from([to.to_owned()]))).into();
    assert_eq!(circles(&imports), [["a/b", "a/c"].map(str::to_owned).into()].into());
}
