//! Networks from ONNX files.
//!
//! The operations become a [`Graph`] whose nodes have the names of the file's nodes (or of their first output, if they have none), and
//! constants become [`Weights`]. Fully connected layers become convolutions of 1 x 1.

mod attributes;
mod operations;
mod proto;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::network::{Array, Graph, Op, Weights};
use operations::SUPPORTED;
use proto::{Model, Node, Tensor};

/// Why a network could not be read from an ONNX file.
#[derive(Debug, Error)]
pub enum OnnxError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is not an ONNX file, or is damaged")]
    Damaged { path: PathBuf },
    #[error(
        "{path} has operations that are not supported: {}. Supported are {}",
        .found.join(", "),
        SUPPORTED.join(", ")
    )]
    Unsupported { path: PathBuf, found: Vec<String> },
    #[error("{path}: the node {node} ({op}) cannot be used: {reason}")]
    Node { path: PathBuf, node: String, op: String, reason: String },
    #[error("{path} has {count} inputs that are not constant, but a network of pictures has one")]
    Inputs { path: PathBuf, count: usize },
}

/// Reads a network.
///
/// # Errors
/// The file cannot be read, is damaged, or uses operations in a way that is not supported.
pub fn read(path: &Path) -> Result<(Graph, Weights), OnnxError> {
    let bytes = std::fs::read(path).map_err(|source| OnnxError::Read { path: path.into(), source })?;
    from_bytes(&bytes, path)
}

/// [`read`] from memory. The path is for error messages.
fn from_bytes(bytes: &[u8], path: &Path) -> Result<(Graph, Weights), OnnxError> {
    let damaged = |_| OnnxError::Damaged { path: path.into() };
    let file = Model::read(bytes).map_err(damaged)?.graph;
    if file.nodes.is_empty() {
        return Err(OnnxError::Damaged { path: path.into() });
    }
    let foreign = file.nodes.iter().filter(|node| !SUPPORTED.contains(&node.op.as_str()));
    // One node stands for all with the same operation.
    let found: BTreeMap<&str, String> = foreign.map(|node| (node.op.as_str(), title(node))).collect();
    if !found.is_empty() {
        let found = found.into_iter().map(|(op, node)| format!("{op} (such as the node {node})")).collect();
        return Err(OnnxError::Unsupported { path: path.into(), found });
    }
    let inputs: Vec<&String> =
        file.inputs.iter().filter(|name| !file.constants.contains_key(*name)).collect();
    let [input] = inputs[..] else {
        return Err(OnnxError::Inputs { path: path.into(), count: inputs.len() });
    };
    let mut import = Import::new(input, file.constants);
    for node in &file.nodes {
        import.node(node).map_err(|reason| OnnxError::Node {
            path: path.into(),
            node: title(node),
            op: node.op.clone(),
            reason,
        })?;
    }
    Ok((import.graph, import.weights))
}

/// The name of a node.
fn title(node: &Node) -> String {
    if node.name.is_empty() { node.outputs.first().cloned().unwrap_or_default() } else { node.name.clone() }
}

/// A value that depends on the picture.
#[derive(Clone, Debug)]
struct Maps {
    node: usize,
    /// Unknown after maps were laid out as one row.
    channels: Option<usize>,
    /// Whether the file has two dimensions here, not four.
    flat: bool,
    /// Padding that the next operation has to do, with its value.
    padding: Option<([usize; 4], f32)>,
}

/// Why a node cannot be used.
type Reason = String;

/// A network that is being read.
struct Import {
    graph: Graph,
    weights: Weights,
    constants: BTreeMap<String, Tensor>,
    maps: BTreeMap<String, Maps>,
    names: BTreeSet<String>,
}

impl Import {
    fn new(input: &str, constants: BTreeMap<String, Tensor>) -> Self {
        let maps = Maps { node: 0, channels: Some(3), flat: false, padding: None };
        Self {
            graph: Graph::new(),
            weights: Weights::default(),
            constants,
            maps: [(input.to_owned(), maps)].into(),
            names: ["input".to_owned()].into(),
        }
    }

    /// A constant.
    fn constant(&self, name: &str) -> Result<&Tensor, Reason> {
        let tensor = self
            .constants
            .get(name)
            .ok_or(format!("{name} must be constant, but is computed from the picture"))?;
        match &tensor.fault {
            Some(fault) => Err(format!("of the array {name}, {fault}")),
            None => Ok(tensor),
        }
    }

    /// A value that must not have to be padded.
    fn value(&self, name: &str) -> Result<&Maps, Reason> {
        let maps = self.padded(name)?;
        if maps.padding.is_some() {
            return Err("padding is supported before Conv, and with minus infinity before MaxPool".into());
        }
        Ok(maps)
    }

    fn padded(&self, name: &str) -> Result<&Maps, Reason> {
        self.maps.get(name).ok_or_else(|| match self.constants.contains_key(name) {
            true => format!("{name} is constant, but must be computed from the picture"),
            false => format!("nothing computes {name}"),
        })
    }

    /// Adds an operation with the name of the file's node.
    fn add(&mut self, node: &Node, op: Op, inputs: &[usize]) -> usize {
        let output = node.outputs.first().cloned().unwrap_or_default();
        let mut name = title(node);
        if self.names.contains(&name) {
            name = output;
        }
        while !self.names.insert(name.clone()) {
            name.push('\'');
        }
        self.graph.add(name, op, inputs)
    }

    /// Keeps an array under a name that no other has.
    fn array(
        &mut self,
        node: &Node,
        part: &str,
        shape: Vec<usize>,
        values: impl Iterator<Item = f64>,
    ) -> String {
        let output = node.outputs.first().map_or("", String::as_str);
        let name = format!("{output}.{part}");
        let values = values.map(|value| value as f32).collect();
        self.weights.0.insert(name.clone(), Array { shape, values });
        name
    }

    /// A constant of one dimension with so many numbers.
    fn vector(&mut self, node: &Node, input: usize, part: &str, length: usize) -> Result<String, Reason> {
        let tensor = self.constant(input_name(node, input)?)?.clone();
        if tensor.values.len() != length {
            return Err(format!(
                "{} has {} numbers, but should have {length}",
                node.inputs[input],
                tensor.values.len()
            ));
        }
        Ok(self.array(node, part, vec![length], tensor.values.into_iter()))
    }
}

/// The name of an input, which must be given.
fn input_name(node: &Node, place: usize) -> Result<&str, Reason> {
    let name = node.inputs.get(place).filter(|name| !name.is_empty());
    name.map(String::as_str).ok_or(format!("its input {} is not given", place + 1))
}
