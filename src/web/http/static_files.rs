//! The files of `static/`, which are part of the program, and their addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// A hash of all static files, which is part of each address: the modules of the trial program import each other by relative names,
/// so all files need the same version.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut names: Vec<_> = Static::iter().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update(Static::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex::encode(&hash.finalize()[..8])
});

/// The address of a static file.
pub fn address(name: &str) -> String {
    format!("/static/{}/{name}", *VERSION)
}

/// Whether the version in an address is that of this program's files.
pub fn is_current(version: &str) -> bool {
    version == *VERSION
}

/// A static file's content.
pub fn bytes(name: &str) -> Option<Cow<'static, [u8]>> {
    Static::get(name).map(|file| file.data)
}

/// A static file's text, for inclusion in another file.
pub fn text(name: &str) -> String {
    bytes(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
