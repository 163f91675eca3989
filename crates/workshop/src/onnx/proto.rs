//! The messages of an ONNX file that describe a network. The numbers of the fields are those of `onnx.proto3`.

use std::collections::BTreeMap;

use half::{bf16, f16};

use super::wire::{Damaged, Fields, Value};

#[derive(Debug, Default)]
pub(super) struct Model {
    pub graph: Graph,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub constants: BTreeMap<String, Tensor>,
    /// Names of the inputs, some of which may be constants.
    pub inputs: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub name: String,
    pub op: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: BTreeMap<String, Attribute>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Attribute {
    pub float: Option<f32>,
    pub integer: Option<i64>,
    pub text: Option<String>,
    pub tensor: Option<Tensor>,
    pub integers: Vec<i64>,
    pub floats: Vec<f32>,
}

/// Numbers of any type. Whole numbers are exact up to 2^53.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
    /// Why the numbers could not be read.
    pub fault: Option<String>,
}

/// Calls `read` with each field of a message.
fn each<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(u64, Value<'a>) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    Fields(bytes).try_for_each(|field| field.and_then(|(number, value)| read(number, value)))
}

impl Model {
    pub fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut model = Self::default();
        each(bytes, |number, value| {
            if number == 7 {
                model.graph = Graph::read(value.message()?)?;
            }
            Ok(())
        })?;
        Ok(model)
    }
}

impl Graph {
    fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut graph = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => graph.nodes.push(Node::read(value.message()?)?),
                5 => {
                    let (name, tensor) = Tensor::read(value.message()?)?;
                    graph.constants.insert(name, tensor);
                }
                11 => each(value.message()?, |number, value| {
                    if number == 1 {
                        graph.inputs.push(value.text()?);
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(graph)
    }
}

impl Node {
    fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut node = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => node.inputs.push(value.text()?),
                2 => node.outputs.push(value.text()?),
                3 => node.name = value.text()?,
                4 => node.op = value.text()?,
                5 => {
                    let (name, attribute) = Attribute::read(value.message()?)?;
                    node.attributes.insert(name, attribute);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }
}

impl Attribute {
    fn read(bytes: &[u8]) -> Result<(String, Self), Damaged> {
        let (mut name, mut attribute) = (String::new(), Self::default());
        each(bytes, |number, value| {
            match number {
                1 => name = value.text()?,
                2 => attribute.float = Some(value.float()?),
                3 => attribute.integer = Some(value.integer()?),
                4 => attribute.text = Some(value.text()?),
                5 => attribute.tensor = Some(Tensor::read(value.message()?)?.1),
                7 => value.floats(&mut attribute.floats)?,
                8 => value.integers(&mut attribute.integers)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok((name, attribute))
    }
}

impl Tensor {
    fn read(bytes: &[u8]) -> Result<(String, Self), Damaged> {
        let (mut name, mut shape, mut kind, mut raw, mut external) =
            (String::new(), Vec::new(), 0, None, false);
        let (mut floats, mut integers, mut doubles) = (Vec::new(), Vec::new(), Vec::new());
        each(bytes, |number, value| {
            match number {
                1 => value.integers(&mut shape)?,
                2 => kind = value.integer()?,
                4 => value.floats(&mut floats)?,
                5 | 7 => value.integers(&mut integers)?,
                8 => name = value.text()?,
                9 => raw = Some(value.message()?),
                10 => {
                    doubles.extend(value.message()?.as_chunks::<8>().0.iter().map(|x| f64::from_le_bytes(*x)))
                }
                14 => external = value.integer()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        let shape: Vec<usize> = shape.into_iter().map(|side| usize::try_from(side).unwrap_or(0)).collect();
        let values = match raw {
            _ if external => None,
            Some(raw) => raw_numbers(kind, raw),
            // 16-bit numbers are stored as the whole numbers of their bits.
            None if kind == 10 => {
                Some(integers.iter().map(|bits| f16::from_bits(*bits as u16).to_f64()).collect())
            }
            None if kind == 16 => {
                Some(integers.iter().map(|bits| bf16::from_bits(*bits as u16).to_f64()).collect())
            }
            None if !doubles.is_empty() => Some(doubles),
            None if !integers.is_empty() => Some(integers.iter().map(|value| *value as f64).collect()),
            None => Some(floats.iter().map(|value| f64::from(*value)).collect()),
        };
        let fault = match &values {
            _ if external => {
                Some("its numbers are in another file; export the network as one file".to_owned())
            }
            None => Some(format!("its numbers are of ONNX's type {kind}, which is not supported")),
            Some(values) if values.len() != shape.iter().product::<usize>() => {
                Some(format!("it holds {} numbers, which do not fit its shape {shape:?}", values.len()))
            }
            _ => None,
        };
        Ok((name, Self { shape, values: values.unwrap_or_default(), fault }))
    }
}

/// Numbers of ONNX's type `kind` from their bytes.
fn raw_numbers(kind: i64, raw: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        raw.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
    }
    Some(match kind {
        1 => each(raw, |x| f64::from(f32::from_le_bytes(x))),
        6 => each(raw, |x| f64::from(i32::from_le_bytes(x))),
        7 => each(raw, |x| i64::from_le_bytes(x) as f64),
        10 => each(raw, |x| f16::from_le_bytes(x).to_f64()),
        11 => each(raw, f64::from_le_bytes),
        16 => each(raw, |x| bf16::from_le_bytes(x).to_f64()),
        _ => return None,
    })
}
