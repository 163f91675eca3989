//! Conditions: the references that participants see, their practice, and their pay.

use serde::{Deserialize, Serialize};

use super::ReferenceKind;

/// A condition of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The name in exports: a-z, 0-9 and hyphens.
    pub name: String,
    /// The name on pages and in figures.
    pub title: String,
    /// The colour in figures, as `#rrggbb`.
    #[serde(default = "default_colour")]
    pub colour: String,
    /// The groups of references of a trial, in the order shown. Empty for a condition without references.
    #[serde(default)]
    pub references: Vec<ReferenceGroup>,
    /// Whether its participants practise before the main trials.
    #[serde(default = "yes")]
    pub practice: bool,
    /// The pay of a participant.
    #[serde(default)]
    pub pay_usd: Usd,
    /// The path of the Markdown file with its instructions, relative to the study folder.
    pub instructions: String,
}

fn default_colour() -> String {
    "#5c6770".into()
}

const fn yes() -> bool {
    true
}

impl Condition {
    /// The number of references that a trial shows.
    pub fn reference_count(&self) -> u32 {
        self.references.iter().map(|group| group.count).sum()
    }
}

/// A group of references. Their order is permuted within the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGroup {
    /// The kind of references.
    pub kind: ReferenceKind,
    /// The number of references.
    pub count: u32,
}

/// An amount of money in USD, to the cent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Usd {
    /// The amount in cents.
    pub cents: u32,
}

impl TryFrom<f64> for Usd {
    type Error = String;

    fn try_from(dollars: f64) -> Result<Self, String> {
        let cents = (dollars * 100.0).round();
        if !(0.0..=1_000_000.0).contains(&cents) || (dollars * 100.0 - cents).abs() > 1e-6 {
            return Err(format!(
                "{dollars} is not an amount in USD from 0 to 10000 with at most two decimals"
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and within the range above"
        )]
        let cents = cents as u32;
        Ok(Self { cents })
    }
}

impl From<Usd> for f64 {
    fn from(usd: Usd) -> Self {
        Self::from(usd.cents) / 100.0
    }
}

impl std::fmt::Display for Usd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.cents / 100, self.cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_to_the_cent() {
        assert_eq!(Usd::try_from(1.95).map(|usd| usd.to_string()), Ok("1.95".into()));
        assert_eq!(Usd::try_from(0.7).map(|usd| usd.cents), Ok(70));
        assert!(Usd::try_from(0.705).is_err());
        assert!(Usd::try_from(-1.0).is_err());
        assert!(Usd::try_from(f64::NAN).is_err());
    }
}
