//! Models from files: a network with its model card, checked.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::architecture::Architecture;
use crate::card::{CardError, CheckError, EdgePadding, ModelCard};
use crate::model::Model;
use crate::network::{FitError, Graph, Padding, Weights, WeightsError, distance, fitted};
use crate::onnx::{self, OnnxError};

/// Why a model could not be read or must not be used.
#[derive(Debug, Error)]
pub enum ModelError {
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Fit(#[from] FitError),
    #[error("{path} holds the weights of {found}, not of {wanted}")]
    OtherArchitecture { path: PathBuf, found: &'static str, wanted: &'static str },
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error("no architecture is called \"{name}\"{hint}; known are {}", known())]
    Unknown { name: String, hint: String },
    #[error("{path} holds weights only, so --architecture must say which network they are of: {}", known())]
    NoArchitecture { path: PathBuf },
    #[error("{path} holds the whole network, so --architecture must not be given")]
    Architecture { path: PathBuf },
    #[error("{path} holds its own padding, so the model card must not say padding")]
    Padding { path: PathBuf },
}

fn known() -> String {
    Architecture::ALL.map(Architecture::name).join(", ")
}

fn named(name: &str) -> Result<Architecture, ModelError> {
    Architecture::named(name).ok_or_else(|| {
        let close =
            Architecture::ALL.map(Architecture::name).into_iter().min_by_key(|known| distance(name, known));
        let close = close.filter(|known| distance(name, known) <= known.len() / 2);
        let hint = close.map_or(String::new(), |known| format!(" (did you mean \"{known}\"?)"));
        ModelError::Unknown { name: name.into(), hint }
    })
}

impl Model {
    /// Reads a model and runs the checks of its card. Returns a line on each check, too.
    ///
    /// # Errors
    /// The file cannot be read, is not of the architecture, or the network does not do what the card says.
    pub fn load(
        file: &Path,
        architecture: Option<&str>,
        card: &ModelCard,
    ) -> Result<(Self, Vec<String>), ModelError> {
        let model = Self::load_unchecked(file, architecture, card)?;
        let passed = card.check(&model)?;
        Ok((model, passed))
    }

    /// [`Self::load`] without checks, for writing a card. Nothing may be built with such a model.
    ///
    /// # Errors
    /// The file cannot be read, or is not of the architecture.
    pub fn load_unchecked(
        file: &Path,
        architecture: Option<&str>,
        card: &ModelCard,
    ) -> Result<Self, ModelError> {
        let (graph, weights) = if file.extension().is_some_and(|ending| ending == "onnx") {
            whole(file, architecture, card)?
        } else {
            let architecture =
                architecture.ok_or_else(|| ModelError::NoArchitecture { path: file.into() })?;
            of_architecture(file, named(architecture)?, card)?
        };
        Ok(Self::new(&graph, &weights, card.input()))
    }
}

/// A file that holds operations and weights.
fn whole(file: &Path, architecture: Option<&str>, card: &ModelCard) -> Result<(Graph, Weights), ModelError> {
    if architecture.is_some() {
        return Err(ModelError::Architecture { path: file.into() });
    }
    if card.padding.is_some() {
        return Err(ModelError::Padding { path: file.into() });
    }
    Ok(onnx::read(file)?)
}

/// A file that holds the weights of a known network.
fn of_architecture(
    file: &Path,
    architecture: Architecture,
    card: &ModelCard,
) -> Result<(Graph, Weights), ModelError> {
    let weights = Weights::read(file)?;
    let (graph, shapes) = architecture.graph(architecture.classes(&weights));
    if let Some(other) =
        Architecture::ALL.into_iter().find(|other| *other != architecture && names_of(*other, &weights))
    {
        let (found, wanted) = (other.name(), architecture.name());
        return Err(ModelError::OtherArchitecture { path: file.into(), found, wanted });
    }
    let weights = fitted(weights, &shapes, file, architecture.name())?;
    let graph = match card.padding {
        None => graph,
        Some(EdgePadding::Same) => graph.with_padding(Padding::Same),
        Some(EdgePadding::Symmetric) => graph.with_padding(Padding::Symmetric),
    };
    Ok((graph, weights))
}

/// Whether the weights have all names of an architecture.
fn names_of(architecture: Architecture, weights: &Weights) -> bool {
    architecture.graph(1).1.iter().all(|(name, _)| weights.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::card::{Check, Class, Shown};
    use crate::network::Network;
    use crate::testing::random_weights;

    /// A folder with a random network `net.safetensors` of the demo's architecture, and a card whose check it passes.
    fn folder() -> (tempfile::TempDir, PathBuf, ModelCard) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("net.safetensors");
        let weights = random_weights(&Architecture::Demo.graph(50).1, 4);
        std::fs::write(&file, weights.to_safetensors_f16(&BTreeMap::new())).unwrap();
        let mut card = ModelCard::for_architecture(Architecture::Demo);
        card.path = ModelCard::beside(&file);
        let shown = Shown::Scene { scene: 3, seed: 1 };
        let right = (0..50).find(|class| {
            card.checks = vec![Check { shown: shown.clone(), class: Class::Number(*class) }];
            Model::load(&file, Some("demo"), &card).is_ok()
        });
        assert!(right.is_some());
        (folder, file, card)
    }

    #[test]
    fn only_checked_models_are_loaded() {
        let (_folder, file, mut card) = folder();
        let (model, passed) = Model::load(&file, Some("demo"), &card).unwrap();
        assert!(passed[0].starts_with("scene 3: class "), "{passed:?}");
        assert!(model.network.graph().find("mixed4b/3x3").is_some());
        assert!(model.network.graph().find("mixed4b/3x3/conv").is_none(), "normalisations are folded");
        card.checks.clear();
        assert!(matches!(
            Model::load(&file, Some("demo"), &card),
            Err(ModelError::Check(CheckError::None(_)))
        ));
    }

    #[test]
    fn wrong_names_and_files_are_explained() {
        let (folder, file, card) = folder();
        let refused = |file: &Path, architecture: Option<&str>, card: &ModelCard| {
            Model::load(file, architecture, card).map(|_| ()).unwrap_err().to_string()
        };
        assert!(refused(&file, None, &card).contains("--architecture must say"));
        let text = refused(&file, Some("inception_v1"), &card);
        assert!(
            text.contains("did you mean \"inception-v1\"") && text.contains("efficientnet-lite0"),
            "{text}"
        );
        let text = refused(&file, Some("googlenet"), &card);
        assert!(text.ends_with("holds the weights of demo, not of googlenet"), "{text}");
        assert!(refused(&folder.path().join("none.pth"), Some("demo"), &card).contains("none.pth"));
        let onnx = folder.path().join("net.onnx");
        assert!(refused(&onnx, Some("demo"), &card).contains("must not be given"));
        assert!(refused(&onnx, None, &card).contains("cannot read"));
        let mut padded = card.clone();
        padded.padding = Some(EdgePadding::Same);
        assert!(refused(&onnx, None, &padded).contains("must not say padding"));
    }

    #[test]
    fn the_card_decides_on_padding() {
        let (_folder, file, mut card) = folder();
        let means = |card: &ModelCard| {
            let model = Model::load_unchecked(&file, Some("demo"), card).unwrap();
            let layer = model.network.graph().find("mixed5b/3x3").unwrap();
            model.means(&[&weber_stimuli::scenes::paint(1, 1)], &[layer]).remove(0).remove(0)
        };
        let usual = means(&card);
        card.padding = Some(EdgePadding::Same);
        assert_eq!(means(&card), usual);
        card.padding = Some(EdgePadding::Symmetric);
        assert_ne!(means(&card), usual);
    }

    #[test]
    fn folding_keeps_what_a_model_computes() {
        let (_folder, file, card) = folder();
        let model = Model::load_unchecked(&file, Some("demo"), &card).unwrap();
        let (graph, _) = Architecture::Demo.graph(50);
        let plain = Network::new(graph, &Weights::read(&file).unwrap());
        let picture = weber_stimuli::scenes::paint(1, 1);
        let of = |network: &Network| {
            let layer = network.graph().find("mixed5b/3x3").unwrap();
            crate::network::values(network.forward(card.input().input(&[&picture]), &[layer]).remove(0))
        };
        let (folded, plain) = (of(&model.network), of(&plain));
        let largest = plain.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        assert!(folded.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-4 * largest));
    }
}
