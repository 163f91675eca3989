//! Reads the parameters of an address, including addresses that a researcher or panel put together wrongly.

use std::collections::BTreeMap;

use super::{Parameters, placeholder};
use crate::domain::identity::trimmed;

/// Reads the query of an address. A second `?` separates parameters like `&`, and so does `&amp;`, which is how `&` is written in
/// HTML. If a parameter is given several times, its placeholders are ignored. If two values still differ, both stay, with a
/// comma between them, so that they are refused as an id.
pub fn parameters(query: &str) -> Parameters {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let parts = query.split(['&', '?']).flat_map(|part| url::form_urlencoded::parse(part.as_bytes()));
    for (name, value) in parts {
        let known = values.entry(name.strip_prefix("amp;").unwrap_or(&name).to_owned()).or_default();
        if !known.iter().any(|known| trimmed(known) == trimmed(&value)) {
            known.push(value.into_owned());
        }
    }
    values.into_iter().map(|(name, values)| (name, one(values))).collect()
}

fn one(mut values: Vec<String>) -> String {
    if values.len() > 1 && values.iter().any(|value| !placeholder::is(value)) {
        values.retain(|value| !placeholder::is(value));
    }
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::fixture::parameters as pairs;
    use super::*;

    #[test]
    fn badly_joined_addresses_are_read_correctly() {
        let meant = pairs(&[("A", "1"), ("B", "2")]);
        for query in ["A=1&B=2", "A=1?B=2", "A=1&amp;B=2", "A=1&A=1&B=2", "A=1&A=%201&B=2", "&A=1&&B=2&"] {
            assert_eq!(parameters(query), meant, "{query}");
        }
        assert_eq!(parameters("A=%7B%7BA%7D%7D&B=2&A=1"), meant, "a placeholder first");
        assert_eq!(parameters("A=1&B=2&A=%7B%7BA%7D%7D"), meant, "a placeholder last");
        assert_eq!(parameters("A=1&A=2"), pairs(&[("A", "1, 2")]), "two people are named");
        assert_eq!(parameters("A={{A}}"), pairs(&[("A", "{{A}}")]));
        assert_eq!(parameters("A=%ff+b%3Fc"), pairs(&[("A", "\u{fffd} b?c")]));
        assert_eq!(parameters(""), Parameters::new());
    }
}
