//! The rules of experiments as types and pure functions. They use no SQL, no HTTP, no clock and no global random generator.

pub mod allocation;
pub mod analysis;
pub mod audit_log;
pub mod backup;
pub(crate) mod codebook;
pub(crate) mod consort;
pub mod exclusion;
#[cfg(any(test, fuzzing))]
pub(crate) mod fixture;
pub(crate) mod gate;
pub(crate) mod identity;
pub(crate) mod image_file;
pub(crate) mod instruction_picture;
pub mod measures;
pub mod observer;
pub mod participant;
pub(crate) mod preregistration;
pub(crate) mod progress;
pub(crate) mod quota;
pub mod record;
pub mod results;
pub mod rights;
pub mod schedule;
pub(crate) mod screen;
pub(crate) mod stats;
pub mod study;
pub mod trial;
pub(crate) mod workbench;

/// A length as `u32`. No count comes near the limit of the type.
pub(crate) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Defines an enum with a word for each variant, which is the same in the database, in JSON, in TOML and in exports.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All variants, in order.
            #[allow(dead_code, reason = "not all of these enums are listed somewhere")]
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The words of all variants, in order.
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            /// The word of this variant.
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

/// A word that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of: {}", expected.join(", "))]
pub struct UnknownWord {
    /// The given word.
    pub word: String,
    /// The allowed words.
    pub expected: Vec<&'static str>,
}
