//! The checks of a model card: a network with wrong preparation of its pictures still gives plausible ones.

use std::path::PathBuf;

use thiserror::Error;
use weber_stimuli::picture::Picture;
use weber_stimuli::scenes;

use super::file::{Activations, Check, Class, ModelCard, Shown};
use super::{Card, ChannelOrder};
use crate::model::Model;
use crate::network::{Network, values};
use crate::pool::{PoolError, photograph};

/// The largest difference of known responses, as a share of the largest.
const TOLERANCE: f32 = 1e-3;

/// Usual preparations of pictures, tried if a check fails: what they are called, mean and scale.
const USUAL: [(&str, [f32; 3], [f32; 3]); 5] = [
    ("0 to 1", [0.0; 3], [1.0 / 255.0; 3]),
    ("-1 to 1", [127.5; 3], [1.0 / 127.5; 3]),
    ("-117 to 138", [117.0; 3], [1.0; 3]),
    ("0 to 255", [0.0; 3], [1.0; 3]),
    ("ImageNet's mean and deviation", [123.675, 116.28, 103.53], [1.0 / 58.395, 1.0 / 57.12, 1.0 / 57.375]),
];

/// Why a network must not be used with its card.
#[derive(Debug, Error)]
pub enum CheckError {
    #[error(
        "the model card {0} has no check, so nothing shows that pictures are prepared as the network needs. Add a photograph with its class: [[checks]] with picture = \"FILE\" and class = NUMBER"
    )]
    None(PathBuf),
    #[error("{path}: the network does not do what its card says.\n{}\n{}", .failures.join("\n"), .hints.join("\n"))]
    Failed { path: PathBuf, failures: Vec<String>, hints: Vec<String> },
    #[error("cannot read the names of classes {path}: {source}")]
    Classes { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Picture(#[from] PoolError),
}

impl ModelCard {
    /// Runs all checks. Returns a line on each.
    ///
    /// # Errors
    /// There is none, a picture cannot be read, or the network fails.
    pub fn check(&self, model: &Model) -> Result<Vec<String>, CheckError> {
        if self.checks.is_empty() && self.activations.is_empty() {
            return Err(CheckError::None(self.path.clone()));
        }
        let names = self.class_names()?;
        let shown = self.checks.iter().map(|check| &check.shown);
        let shown = shown.chain(self.activations.iter().map(|known| &known.shown));
        let pictures = shown.map(|shown| self.shown(shown)).collect::<Result<Vec<_>, _>>()?;
        let run = |card: &Card| -> (Vec<String>, Vec<String>) {
            let seen = Seen { network: &model.network, card, names: &names };
            let classes =
                self.checks.iter().zip(&pictures).map(|(check, picture)| seen.class(check, picture));
            let known = self.activations.iter().zip(&pictures[self.checks.len()..]);
            let responses = known.map(|(known, picture)| seen.responses(known, picture));
            let (passed, failed): (Vec<_>, Vec<_>) = classes.chain(responses).partition(Result::is_ok);
            (passed.into_iter().flatten().collect(), failed.into_iter().filter_map(Result::err).collect())
        };
        let (passed, failures) = run(&model.card);
        if failures.is_empty() {
            return Ok(passed);
        }
        let others = others(&model.card).into_iter().filter(|(_, card)| run(card).1.is_empty());
        let mut hints: Vec<String> =
            others.map(|(title, _)| format!("With {title} all checks pass.")).collect();
        hints.push(
            "Likely causes are the card's mean and scale, its order of channels, its padding (TensorFlow's \"same\" or \"symmetric\"), or weights of another network.".into(),
        );
        Err(CheckError::Failed { path: self.path.clone(), failures, hints })
    }

    fn class_names(&self) -> Result<Vec<String>, CheckError> {
        let Some(classes) = &self.classes else {
            let scenes = self.checks.iter().any(|check| matches!(check.shown, Shown::Scene { .. }));
            let kinds = scenes::kinds().into_iter().map(str::to_owned);
            return Ok(if scenes { kinds.collect() } else { Vec::new() });
        };
        let path = self.relative(classes);
        let text = std::fs::read_to_string(&path).map_err(|source| CheckError::Classes { path, source })?;
        Ok(text.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// The classes that the network sees in a picture, the likeliest first, with their shares.
    ///
    /// # Errors
    /// The names of the classes cannot be read.
    pub fn classes(&self, model: &Model, picture: &Picture) -> Result<Vec<(String, f32)>, CheckError> {
        let names = self.class_names()?;
        let last = model.network.graph().nodes().len() - 1;
        let shares = means(&model.network, &model.card, picture, last);
        let mut classes: Vec<(String, f32)> = shares
            .into_iter()
            .enumerate()
            .map(|(class, share)| (class_title(class, &names), share))
            .collect();
        classes.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(classes)
    }

    fn shown(&self, shown: &Shown) -> Result<Picture, PoolError> {
        match shown {
            Shown::Photograph { picture } => photograph(&self.relative(picture), self.resize),
            Shown::Scene { scene, seed } => Ok(scenes::paint(*seed, *scene)),
        }
    }
}

impl Shown {
    fn title(&self) -> String {
        match self {
            Self::Photograph { picture } => picture.display().to_string(),
            Self::Scene { scene, .. } => format!("scene {scene}"),
        }
    }
}

/// The mean response of each channel of a node.
fn means(network: &Network, card: &Card, picture: &Picture, node: usize) -> Vec<f32> {
    let maps = network.forward(card.input(&[picture]), &[node]).remove(0);
    values(maps.mean_dim(2).mean_dim(3))
}

/// The responses of all classes: those of the node `logits`, or of the last one.
fn scores(network: &Network, card: &Card, picture: &Picture) -> Vec<f32> {
    let last = network.graph().nodes().len() - 1;
    means(network, card, picture, network.graph().find("logits").unwrap_or(last))
}

fn class_title(class: usize, names: &[String]) -> String {
    names.get(class).map_or(format!("class {class}"), |name| format!("class {class} ({name})"))
}

/// Other ways to prepare pictures: what they are called in a card.
fn others(card: &Card) -> Vec<(String, Card)> {
    let swapped = match card.order {
        ChannelOrder::Rgb => ChannelOrder::Bgr,
        ChannelOrder::Bgr => ChannelOrder::Rgb,
    };
    let order = Card { order: swapped, ..card.clone() };
    let mut others = vec![(format!("order = \"{swapped:?}\"").to_lowercase(), order)];
    others.extend(USUAL.map(|(title, mean, scale)| {
        (format!("mean = {mean:?} and scale = {scale:?} ({title})"), Card { mean, scale, ..card.clone() })
    }));
    others
}

/// A network that sees pictures as a card says.
struct Seen<'a> {
    network: &'a Network,
    card: &'a Card,
    names: &'a [String],
}

impl Seen<'_> {
    /// A line on a picture whose class is known: an error if the network sees another class.
    fn class(&self, check: &Check, picture: &Picture) -> Result<String, String> {
        let shown = check.shown.title();
        let name = |class: usize| class_title(class, self.names);
        let wanted =
            match &check.class {
                Class::Number(class) => *class,
                Class::Name(wanted) => self.names.iter().position(|name| name == wanted).ok_or(format!(
                    "{shown}: no class is called \"{wanted}\"; see the card's file of classes"
                ))?,
            };
        let scores = scores(self.network, self.card, picture);
        let Some(score) = scores.get(wanted) else {
            return Err(format!(
                "{shown}: there is no class {wanted}, since the network has {}",
                scores.len()
            ));
        };
        let above = scores.iter().filter(|other| *other > score).count();
        if above == 0 {
            return Ok(format!("{shown}: {}", name(wanted)));
        }
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
        Err(format!(
            "{shown} should be {}, but is taken for {}; the right class is number {} in the network's order",
            name(wanted),
            name(best),
            above + 1
        ))
    }

    /// A line on known responses: an error if the network's differ.
    fn responses(&self, known: &Activations, picture: &Picture) -> Result<String, String> {
        let title = format!("{}, {}", known.shown.title(), known.layer);
        let layer = self.network.graph().find(&known.layer);
        let layer = layer.ok_or(format!("{title}: the network has no such layer"))?;
        let found = means(self.network, self.card, picture, layer);
        let count = known.values.len();
        if found.len() < count {
            return Err(format!(
                "{title}: the layer has {} channels, but there are {count} values",
                found.len()
            ));
        }
        let largest = known.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let off = |channel: &usize| (found[*channel] - known.values[*channel]).abs() > TOLERANCE * largest;
        match (0..count).find(off) {
            None => Ok(format!("{title}: {count} responses")),
            Some(channel) => Err(format!(
                "{title}: channel {channel} responds with {}, but should with {}",
                found[channel], known.values[channel]
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::architecture::Architecture;
    use crate::network::{Array, Graph, Op, Padding, Weights};
    use crate::testing::random_demo;

    /// What a random network says of scene 7, and the card of a network that says so.
    fn checked() -> (Model, ModelCard, usize) {
        let model = random_demo(4);
        let scores = scores(&model.network, &model.card, &scenes::paint(1, 7));
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
        let mut card = ModelCard::for_architecture(Architecture::Demo);
        card.checks.push(Check { shown: Shown::Scene { scene: 7, seed: 1 }, class: Class::Number(best) });
        (model, card, best)
    }

    #[test]
    fn a_card_without_check_is_refused() {
        let error = ModelCard::for_architecture(Architecture::Demo).check(&random_demo(4)).unwrap_err();
        assert!(error.to_string().contains("has no check"), "{error}");
    }

    #[test]
    fn classes_are_checked_by_number_and_name() {
        let (model, mut card, best) = checked();
        let name = scenes::kinds()[best];
        assert_eq!(card.check(&model).unwrap(), [format!("scene 7: class {best} ({name})")]);
        card.checks[0].class = Class::Name(name.into());
        assert!(card.check(&model).is_ok());
        card.checks[0].class = Class::Name("unicorn".into());
        assert!(card.check(&model).unwrap_err().to_string().contains("no class is called \"unicorn\""));
        card.checks[0].class = Class::Number((best + 1) % 5);
        let error = card.check(&model).unwrap_err().to_string();
        assert!(error.contains(&format!("but is taken for class {best}")), "{error}");
        assert!(error.contains("Likely causes are the card's mean and scale"), "{error}");
        card.checks[0].class = Class::Number(5);
        assert!(card.check(&model).unwrap_err().to_string().contains("no class 5, since the network has 5"));
    }

    #[test]
    fn the_right_preparation_is_found() {
        // Class 0 is redder, class 1 bluer.
        let mut graph = Graph::new();
        let mean = graph.add("mean", Op::GlobalAverage, &[0]);
        let (weight, padding) = ("w".to_owned(), Padding::even(0));
        let op = Op::Conv { weight, bias: None, stride: [1; 2], dilation: [1; 2], groups: 1, padding };
        graph.add("logits", op, &[mean]);
        let array = Array { shape: vec![2, 3, 1, 1], values: vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0] };
        let wrong = Card { order: ChannelOrder::Bgr, ..Card::demo() };
        let model = Model::new(&graph, &Weights([("w".to_owned(), array)].into()), wrong);
        let picture = scenes::paint(1, 7);
        let sum = |channel: usize| {
            picture.bytes().iter().skip(channel).step_by(3).map(|x| u64::from(*x)).sum::<u64>()
        };
        let class = Class::Number(usize::from(sum(2) > sum(0)));
        let mut card = ModelCard::for_architecture(Architecture::Demo);
        card.checks.push(Check { shown: Shown::Scene { scene: 7, seed: 1 }, class });
        let error = card.check(&model).unwrap_err().to_string();
        assert!(error.contains("With order = \"rgb\" all checks pass."), "{error}");
        assert!(!error.contains("With mean"), "{error}");
    }

    #[test]
    fn responses_are_checked() {
        let (model, mut card, _) = checked();
        card.checks.clear();
        let layer = model.network.graph().find("mixed4b/3x3").unwrap();
        let found = means(&model.network, &model.card, &scenes::paint(1, 7), layer);
        let shown = Shown::Scene { scene: 7, seed: 1 };
        let values = found[..8].to_vec();
        card.activations.push(Activations { shown, layer: "mixed4b/3x3".into(), values });
        assert_eq!(card.check(&model).unwrap(), ["scene 7, mixed4b/3x3: 8 responses"]);
        let largest = found[..8].iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        card.activations[0].values[3] += 0.01 * largest;
        assert!(card.check(&model).unwrap_err().to_string().contains("channel 3 responds with"));
        card.activations[0].layer = "mixed9".into();
        assert!(card.check(&model).unwrap_err().to_string().contains("no such layer"));
    }

    #[test]
    fn missing_pictures_are_named() {
        let (model, mut card, best) = checked();
        card.path = Path::new("/nonexistent/net.card.toml").into();
        card.checks
            .push(Check { shown: Shown::Photograph { picture: "a.jpg".into() }, class: Class::Number(best) });
        assert!(card.check(&model).unwrap_err().to_string().contains("/nonexistent/a.jpg"));
    }
}
