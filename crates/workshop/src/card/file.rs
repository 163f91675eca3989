//! The model card as a file beside the model.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use weber_stimuli::picture::SIDE;

use super::{Card, ChannelOrder};
use crate::architecture::Architecture;
use crate::pool::RESIZED;

/// Why a model card could not be read.
#[derive(Debug, Error)]
pub enum CardError {
    #[error("cannot read the model card {path}: {source}. docs/stimuli.md says what a card holds")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the model card {path} cannot be understood: {source}")]
    Toml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the model card {path}: {reason}")]
    Value { path: PathBuf, reason: String },
}

/// How a network wants its pictures, and how to see that it does what it should.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Side of the network's input, in px.
    size: usize,
    /// What is subtracted from the bytes (0 to 255), per channel in the network's order.
    mean: [f32; 3],
    /// What the difference is multiplied with, per channel in the network's order.
    scale: [f32; 3],
    /// The order of the network's channels.
    order: ChannelOrder,
    /// The shorter side of a photograph before its middle of 224 px is cut out.
    #[serde(default = "resized")]
    pub resize: u32,
    /// How edges are padded, if that differs from the architecture's padding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padding: Option<EdgePadding>,
    /// A file with the name of each class in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<PathBuf>,
    /// Pictures whose class is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Known responses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activations: Vec<Activations>,
    /// The file itself. Paths in it are relative to its folder.
    #[serde(skip)]
    pub path: PathBuf,
}

fn resized() -> u32 {
    RESIZED
}

/// The two usual ways to pad edges by half of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgePadding {
    /// As TensorFlow does: see [`crate::network::Padding::Same`].
    Same,
    /// As PyTorch's networks do: see [`crate::network::Padding::Symmetric`].
    Symmetric,
}

/// A picture for a check: a photograph, or a scene of the demo.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Shown {
    Photograph {
        picture: PathBuf,
    },
    Scene {
        scene: usize,
        #[serde(default = "first")]
        seed: u64,
    },
}

fn first() -> u64 {
    1
}

/// A class by its number, from 0 on, or by its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Class {
    Number(usize),
    Name(String),
}

/// The class that the network must choose for a picture.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Check {
    #[serde(flatten)]
    pub shown: Shown,
    pub class: Class,
}

/// The means of the first channels of a layer for a picture.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Activations {
    #[serde(flatten)]
    pub shown: Shown,
    pub layer: String,
    pub values: Vec<f32>,
}

impl ModelCard {
    /// The card of a published network, without checks.
    pub fn for_architecture(architecture: Architecture) -> Self {
        let card = match architecture {
            Architecture::Demo => Card::demo(),
            // As lucent prepares pictures.
            Architecture::InceptionV1 => Card::new(SIDE, 117.0, 1.0),
            // torchvision's own normalisation is undone by its `transform_input`.
            Architecture::Googlenet => Card::new(SIDE, 127.5, 1.0 / 127.5),
            Architecture::EfficientnetLite0 => Card::new(SIDE, 127.0, 1.0 / 128.0),
        };
        let Card { size, mean, scale, order } = card;
        let (checks, activations) = (Vec::new(), Vec::new());
        let (padding, classes, path) = (None, None, PathBuf::new());
        Self { size, mean, scale, order, resize: RESIZED, padding, classes, checks, activations, path }
    }

    /// Where the card of a model is: `net.card.toml` beside `net.pth`.
    pub fn beside(model: &Path) -> PathBuf {
        model.with_extension("card.toml")
    }

    /// Reads a card.
    ///
    /// # Errors
    /// The file cannot be read, or its settings are of no use.
    pub fn read(path: &Path) -> Result<Self, CardError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| CardError::Read { path: path.into(), source })?;
        let mut card: Self = toml::from_str(&text)
            .map_err(|source| CardError::Toml { path: path.into(), source: Box::new(source) })?;
        card.path = path.into();
        match card.fault() {
            Some(reason) => Err(CardError::Value { path: path.into(), reason }),
            None => Ok(card),
        }
    }

    fn fault(&self) -> Option<String> {
        if !(16..=1024).contains(&self.size) {
            return Some(format!("size is {}, but must be 16 to 1024 px", self.size));
        }
        if !self.mean.iter().chain(&self.scale).all(|number| number.is_finite()) || self.scale.contains(&0.0)
        {
            return Some("mean and scale must be numbers, and scale not 0".into());
        }
        if (self.resize as usize) < SIDE {
            return Some(format!("resize is {}, but must be at least {SIDE} px", self.resize));
        }
        let empty = self.activations.iter().find(|activations| activations.values.is_empty());
        empty.map(|activations| format!("activations of {} need values", activations.layer))
    }

    /// The card as a file's text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a card has only names, numbers and lists")
    }

    /// How the network wants its pictures.
    pub fn input(&self) -> Card {
        Card { size: self.size, mean: self.mean, scale: self.scale, order: self.order }
    }

    /// A path in the card.
    pub(super) fn relative(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ModelCard, CardError> {
        let folder = tempfile::tempdir().unwrap();
        let path = ModelCard::beside(&folder.path().join("net.pth"));
        assert!(path.ends_with("net.card.toml"));
        std::fs::write(&path, text).unwrap();
        ModelCard::read(&path)
    }

    #[test]
    fn cards_survive_a_file() {
        for architecture in Architecture::ALL {
            let mut card = ModelCard::for_architecture(architecture);
            let photograph = Shown::Photograph { picture: "a.jpg".into() };
            card.checks.push(Check { shown: photograph.clone(), class: Class::Number(985) });
            let scene = Shown::Scene { scene: 12, seed: 1 };
            card.checks.push(Check { shown: scene, class: Class::Name("city".into()) });
            card.activations.push(Activations { shown: photograph, layer: "a/b".into(), values: vec![0.5] });
            card.padding = Some(EdgePadding::Symmetric);
            let found = read(&card.to_toml()).unwrap();
            assert_eq!(ModelCard { path: PathBuf::new(), ..found }, card);
        }
    }

    #[test]
    fn settings_of_no_use_are_refused() {
        let good = ModelCard::for_architecture(Architecture::EfficientnetLite0).to_toml();
        assert!(read(&good).is_ok());
        let refused = |from: &str, to: &str| read(&good.replace(from, to)).unwrap_err().to_string();
        assert!(refused("size = 224", "size = 2").contains("size is 2"));
        assert!(refused("resize = 256", "resize = 100").contains("resize is 100"));
        assert!(refused("scale = [0.0078125", "scale = [0.0").contains("scale not 0"));
        assert!(refused("order = \"rgb\"", "order = \"grb\"").contains("grb"));
        assert!(refused("size = 224", "size = 224\nsides = 3").contains("sides"));
        assert!(read("x").unwrap_err().to_string().contains("cannot be understood"));
        assert!(matches!(ModelCard::read(Path::new("/nonexistent")), Err(CardError::Read { .. })));
    }
}
