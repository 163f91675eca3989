//! The networks that can be named on the command line.

mod builder;
mod demo;
mod googlenet;
mod inception;
mod inception_v1;
mod lite;

pub use builder::Shapes;
pub use demo::{SIDE as DEMO_SIDE, demo};

use crate::network::{Graph, Weights};

/// A network whose graph is known, so that a file needs to hold its weights only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// The study's network, as distributed with lucid and lucent.
    InceptionV1,
    /// torchvision's GoogLeNet.
    Googlenet,
    /// EfficientNet-Lite0.
    EfficientnetLite0,
    /// The network of the demo study.
    Demo,
}

impl Architecture {
    pub const ALL: [Self; 4] = [Self::InceptionV1, Self::Googlenet, Self::EfficientnetLite0, Self::Demo];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::InceptionV1 => "inception-v1",
            Self::Googlenet => "googlenet",
            Self::EfficientnetLite0 => "efficientnet-lite0",
            Self::Demo => "demo",
        }
    }

    /// The architecture of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|architecture| architecture.name() == name)
    }

    /// The graph for a number of classes, with the shapes of its weights. The last nodes are `logits` and `softmax`.
    pub fn graph(self, classes: usize) -> (Graph, Shapes) {
        match self {
            Self::InceptionV1 => inception_v1::inception_v1(classes),
            Self::Googlenet => googlenet::googlenet(classes),
            Self::EfficientnetLite0 => lite::lite0(classes),
            Self::Demo => demo(classes),
        }
    }

    /// The array with one row per class.
    fn head(self) -> &'static str {
        match self {
            Self::InceptionV1 => inception_v1::HEAD[0],
            Self::Googlenet => googlenet::HEAD[0],
            Self::EfficientnetLite0 => lite::HEAD[0],
            Self::Demo => "logits.weight",
        }
    }

    /// How many classes the weights have, or those of the published network if that cannot be seen.
    pub fn classes(self, weights: &Weights) -> usize {
        let rows = weights.get(self.head()).and_then(|array| array.shape.first().copied());
        rows.unwrap_or(match self {
            Self::InceptionV1 => inception_v1::CLASSES,
            Self::Googlenet | Self::EfficientnetLite0 => 1000,
            Self::Demo => weber_stimuli::scenes::kinds().len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of learnt weights that PyTorch counts in its own definitions (without auxiliary heads).
    #[test]
    fn architectures_have_the_size_of_the_published_networks() {
        let count = |architecture: Architecture, classes: usize| -> usize {
            let (_, shapes) = architecture.graph(classes);
            let learnt = |name: &str| !name.contains("running_");
            let sizes =
                shapes.iter().filter(|(name, _)| learnt(name)).map(|(_, s)| s.iter().product::<usize>());
            sizes.sum()
        };
        assert_eq!(count(Architecture::EfficientnetLite0, 1000), 4_652_008);
        assert_eq!(count(Architecture::Googlenet, 1000), 6_624_904);
        assert_eq!(count(Architecture::InceptionV1, 1008), 7_066_380);
    }

    #[test]
    fn names_are_understood() {
        for architecture in Architecture::ALL {
            assert_eq!(Architecture::named(architecture.name()), Some(architecture));
        }
        assert_eq!(Architecture::named("vgg"), None);
    }
}
