//! Weights from a file are matched with what a graph needs.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::weights::{Array, Weights};

/// Arrays that an error message lists.
const LISTED: usize = 20;

/// What does not fit, all at once.
#[derive(Debug, Error)]
#[error("{path} does not hold the weights of {network}:\n{}", listed(.problems))]
pub struct FitError {
    path: PathBuf,
    network: String,
    pub problems: Vec<String>,
}

fn listed(problems: &[String]) -> String {
    let mut text = problems[..problems.len().min(LISTED)].join("\n");
    if problems.len() > LISTED {
        text += &format!("\n  and {} more", problems.len() - LISTED);
    }
    text
}

/// The arrays with these names and shapes. Others are left out. Names may all have a prefix in the file, such as `module.`, and
/// shapes may lack ones at the end, as those of fully connected layers do. The path and the network's name are for error messages.
///
/// # Errors
/// Arrays are missing or have other shapes.
pub fn fitted(
    mut weights: Weights,
    shapes: &[(String, Vec<usize>)],
    path: &Path,
    network: &str,
) -> Result<Weights, FitError> {
    let prefix = prefix(&weights, shapes);
    let (mut fitting, mut problems) = (Weights::default(), Vec::new());
    let mut missing = Vec::new();
    for (name, shape) in shapes {
        match weights.0.remove(&format!("{prefix}{name}")) {
            None => missing.push(name),
            Some(array) if core(&array.shape) == core(shape) => {
                fitting.0.insert(name.clone(), Array { shape: shape.clone(), values: array.values });
            }
            Some(array) => {
                problems.push(format!("  {name} has the shape {:?}, but should have {shape:?}", array.shape));
            }
        }
    }
    // What is left has not been used, so it may be what is missing under another name.
    for name in missing {
        let close = weights.0.keys().min_by_key(|other| distance(name, other));
        let close = close.filter(|other| distance(name, other) <= name.len() / 3);
        let hint = close.map_or(String::new(), |other| format!("; the file has {other}"));
        problems.push(format!("  {name} is missing{hint}"));
    }
    if problems.is_empty() {
        return Ok(fitting);
    }
    Err(FitError { path: path.into(), network: network.into(), problems })
}

/// What stands before the names in the file.
fn prefix(weights: &Weights, shapes: &[(String, Vec<usize>)]) -> String {
    let prefix_of = |name: &String| {
        let end = format!(".{name}");
        weights.0.keys().find_map(|found| found.strip_suffix(&end))
    };
    if shapes.iter().any(|(name, _)| weights.0.contains_key(name)) {
        return String::new();
    }
    shapes.iter().find_map(|(name, _)| prefix_of(name)).map_or(String::new(), |prefix| format!("{prefix}."))
}

/// The shape without ones at its end.
fn core(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().rev().take_while(|side| **side == 1).count();
    &shape[..shape.len() - ones]
}

/// How many letters must be inserted, deleted or replaced to make `b` from `a` (Levenshtein 1966).
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(arrays: &[(&str, &[usize])]) -> Weights {
        let array =
            |shape: &[usize]| Array { shape: shape.into(), values: vec![0.5; shape.iter().product()] };
        Weights(arrays.iter().map(|(name, shape)| ((*name).to_owned(), array(shape))).collect())
    }

    fn fit(arrays: &[(&str, &[usize])]) -> Result<Weights, FitError> {
        let shapes = [("conv.weight", vec![2, 3, 1, 1]), ("conv.bias", vec![2]), ("norm.mean", vec![2])];
        let shapes = shapes.map(|(name, shape)| (name.to_owned(), shape));
        fitted(weights(arrays), &shapes, Path::new("a.pth"), "demo")
    }

    #[test]
    fn prefixes_and_missing_ones_are_understood() {
        let plain = fit(&[("conv.weight", &[2, 3]), ("conv.bias", &[2]), ("norm.mean", &[2])]).unwrap();
        assert_eq!(plain.0["conv.weight"].shape, [2, 3, 1, 1]);
        let prefixed: &[(&str, &[usize])] =
            &[("net.conv.weight", &[2, 3]), ("net.conv.bias", &[2]), ("net.norm.mean", &[2])];
        assert_eq!(fit(prefixed).unwrap(), plain);
    }

    #[test]
    fn all_that_does_not_fit_is_listed() {
        let error = fit(&[("conv.weight", &[3, 2]), ("conv.biases", &[2])]).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("a.pth does not hold the weights of demo:"), "{text}");
        assert_eq!(error.problems[0], "  conv.weight has the shape [3, 2], but should have [2, 3, 1, 1]");
        assert_eq!(error.problems[1], "  conv.bias is missing; the file has conv.biases");
        assert_eq!(error.problems[2], "  norm.mean is missing");
    }

    #[test]
    fn long_lists_end() {
        let shapes: Vec<_> = (0..30).map(|i| (format!("a{i}.weight"), vec![1])).collect();
        let error = fitted(Weights::default(), &shapes, Path::new("a.pth"), "demo").unwrap_err();
        assert_eq!((error.problems.len(), error.to_string().lines().count()), (30, 22));
        assert!(error.to_string().ends_with("\n  and 10 more"));
    }

    #[test]
    fn distances_count_changes() {
        assert_eq!((distance("kitten", "sitting"), distance("", "ab"), distance("ab", "ab")), (3, 2, 0));
    }
}
