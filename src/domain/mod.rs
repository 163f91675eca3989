//! Decides: pure types and functions that know no SQL, no HTTP, no clock and no global generator.

pub mod allocation;
pub mod analysis;
pub mod audit_log;
pub mod backup;
pub mod codebook;
pub mod consort;
pub mod exclusion;
#[cfg(any(test, fuzzing))]
pub(crate) mod fixture;
pub mod gate;
pub mod identity;
pub mod image_file;
pub mod instruction_picture;
pub mod measures;
pub mod observer;
pub mod participant;
pub mod preregistration;
pub mod progress;
pub mod quota;
pub mod record;
pub mod results;
pub mod rights;
pub mod schedule;
pub mod screen;
pub mod stats;
pub mod study;
pub mod trial;
pub mod workbench;

/// How many there are. Nothing that is counted comes near the bound.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Defines an enum whose variants are words: the same word in the database, in JSON, in TOML and in exports.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of every variant, in order.
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            /// The word for this variant.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::UnknownWord;
            fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::domain::UnknownWord {
                        word: text.to_owned(),
                        expected: Self::WORDS.to_vec(),
                    }),
                }
            }
        }
    };
}
pub(crate) use words;

/// A word that is none of those allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of: {}", expected.join(", "))]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What is allowed.
    pub expected: Vec<&'static str>,
}
