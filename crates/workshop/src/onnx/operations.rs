//! The operations of ONNX, as the operations of a graph.

use super::attributes::whole;
use super::proto::{Node, Tensor};
use super::{Import, Maps, Reason, input_name};
use crate::network::{Op, Padding};

/// The operations that can be read.
pub(super) const SUPPORTED: [&str; 28] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "Identity",
    "LRN",
    "MatMul",
    "MaxPool",
    "Mul",
    "Pad",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "Sub",
    "Sum",
    "Unsqueeze",
];

/// Padding that stood in a node of its own, together with that of the operation.
fn joined(
    padding: Padding,
    before: Option<([usize; 4], f32)>,
    fits: impl Fn(f32) -> bool,
) -> Result<Padding, Reason> {
    match (padding, before) {
        (padding, None) => Ok(padding),
        (Padding::Explicit(own), Some((sides, value))) if fits(value) => {
            Ok(Padding::Explicit([0, 1, 2, 3].map(|side| own[side] + sides[side])))
        }
        (_, Some((_, value))) => {
            Err(format!("the padding with {value} before it cannot be joined with its own"))
        }
    }
}

impl Import {
    /// Reads one node of the file.
    pub(super) fn node(&mut self, node: &Node) -> Result<(), Reason> {
        let output = node.outputs.first().ok_or("it has no output")?.clone();
        let constant = node.inputs.first().is_none_or(|name| self.constants.contains_key(name));
        let computed = match node.op.as_str() {
            "Constant" | "ConstantOfShape" => None,
            "Unsqueeze" | "Squeeze" | "Reshape" | "Identity" if constant => None,
            _ => Some(self.operation(node)?),
        };
        match computed {
            Some(maps) => self.maps.insert(output, maps).map(|_| ()),
            None => self.constants.insert(output, self.constant_of(node)?).map(|_| ()),
        };
        Ok(())
    }

    /// What a node computes from constants.
    fn constant_of(&self, node: &Node) -> Result<Tensor, Reason> {
        let value = |name: &str| node.attribute(name);
        match node.op.as_str() {
            "Constant" => {
                let numbers = |values: Vec<f64>| Tensor { shape: vec![values.len()], values, fault: None };
                let one = |value: f64| Tensor { shape: Vec::new(), values: vec![value], fault: None };
                if let Some(tensor) = value("value").and_then(|attribute| attribute.tensor.clone()) {
                    return Ok(tensor);
                }
                let floats = value("value_floats").map(|a| a.floats.iter().map(|x| f64::from(*x)).collect());
                let integers = value("value_ints").map(|a| a.integers.iter().map(|x| *x as f64).collect());
                let float = value("value_float").and_then(|a| a.float).map(|x| one(f64::from(x)));
                let integer = value("value_int").and_then(|a| a.integer).map(|x| one(x as f64));
                let list = floats.or(integers).map(numbers);
                list.or(float).or(integer).ok_or("its value is of a type that is not supported".into())
            }
            "ConstantOfShape" => {
                let shape = self.constant(input_name(node, 0)?)?.values.iter().map(|side| *side as usize);
                let shape: Vec<usize> = shape.collect();
                let tensor = value("value").and_then(|attribute| attribute.tensor.as_ref());
                let number = tensor.and_then(|tensor| tensor.values.first().copied()).unwrap_or(0.0);
                Ok(Tensor { values: vec![number; shape.iter().product()], shape, fault: None })
            }
            // The same numbers in another shape.
            _ => {
                let Tensor { shape, values, .. } = self.constant(input_name(node, 0)?)?.clone();
                let shape = self.reshaped(node, shape, values.len())?;
                Ok(Tensor { shape, values, fault: None })
            }
        }
    }

    /// The shape of a constant after a node.
    fn reshaped(&self, node: &Node, mut shape: Vec<usize>, count: usize) -> Result<Vec<usize>, Reason> {
        match node.op.as_str() {
            "Unsqueeze" => {
                let mut axes = self.axes(node)?;
                axes.sort_unstable();
                for axis in axes {
                    let axis = usize::try_from(axis).ok().filter(|axis| *axis <= shape.len());
                    shape.insert(axis.ok_or("axes from the end are not supported here")?, 1);
                }
            }
            "Squeeze" => shape.retain(|side| *side != 1),
            "Reshape" => {
                let target = self.constant(input_name(node, 1)?)?.values.clone();
                let known: f64 = target.iter().filter(|side| **side > 0.0).product();
                let side = |side: &f64| if *side > 0.0 { *side as usize } else { count / known as usize };
                let target: Vec<usize> = target.iter().map(side).collect();
                if target.iter().product::<usize>() != count {
                    return Err(format!("{count} numbers do not fit the shape {target:?}"));
                }
                shape = target;
            }
            _ => {}
        }
        Ok(shape)
    }

    /// Adds the operation of a node.
    fn operation(&mut self, node: &Node) -> Result<Maps, Reason> {
        match node.op.as_str() {
            "Conv" => self.convolution(node),
            "Gemm" | "MatMul" => self.fully_connected(node),
            "Add" | "Sum" | "Sub" | "Mul" | "Div" => self.arithmetic(node),
            "Concat" => self.concat(node),
            "Pad" => self.pad(node),
            "MaxPool" => {
                let mut maps = self.padded(input_name(node, 0)?)?.clone();
                let mut pool = node.window()?;
                let lowest = |value: f32| value < -1e30;
                pool.padding = joined(pool.padding, maps.padding.take(), lowest)?;
                maps.node = self.add(node, Op::MaxPool(pool), &[maps.node]);
                Ok(maps)
            }
            "Identity" | "Dropout" => Ok(self.padded(input_name(node, 0)?)?.clone()),
            _ => self.simple(node),
        }
    }

    /// An operation with one input and no weights of its own, or batch normalisation.
    fn simple(&mut self, node: &Node) -> Result<Maps, Reason> {
        let mut maps = self.value(input_name(node, 0)?)?.clone();
        let op = match node.op.as_str() {
            "Relu" => Op::Relu,
            "Sigmoid" => Op::Sigmoid,
            "Clip" => self.clip(node)?,
            "AveragePool" => {
                let count_padding = node.integer("count_include_pad", 0) == 1;
                Op::AveragePool { pool: node.window()?, count_padding }
            }
            "GlobalAveragePool" => Op::GlobalAverage,
            "ReduceMean" => {
                let places: Vec<i64> = self.axes(node)?.into_iter().map(|axis| axis.rem_euclid(4)).collect();
                if places != [2, 3] {
                    return Err("means are supported over height and width (axes 2 and 3)".into());
                }
                maps.flat = node.integer("keepdims", 1) == 0;
                Op::GlobalAverage
            }
            "LRN" => Op::LocalResponse {
                size: whole(node.integer("size", 1))?,
                alpha: node.float("alpha", 1e-4).into(),
                beta: node.float("beta", 0.75).into(),
                k: node.float("bias", 1.0).into(),
            },
            "BatchNormalization" => {
                let channels = maps.channels.ok_or("its channels are not known")?;
                Op::BatchNorm {
                    gamma: self.vector(node, 1, "gamma", channels)?,
                    beta: self.vector(node, 2, "beta", channels)?,
                    mean: self.vector(node, 3, "mean", channels)?,
                    variance: self.vector(node, 4, "variance", channels)?,
                    epsilon: node.float("epsilon", 1e-5).into(),
                }
            }
            "Flatten" | "Reshape" | "Squeeze" => {
                self.flattens(node, &maps)?;
                if maps.flat {
                    return Ok(maps);
                }
                maps = Maps { flat: true, channels: None, ..maps };
                Op::Flatten
            }
            "Softmax" => {
                let axis = node.integer("axis", 1);
                if axis != 1 && !(maps.flat && axis == -1) {
                    return Err(format!("Softmax is supported over channels (axis 1), not over axis {axis}"));
                }
                Op::Softmax
            }
            op => return Err(format!("{op} is supported for constants only")),
        };
        maps.node = self.add(node, op, &[maps.node]);
        Ok(maps)
    }

    /// Whether the node makes one row of each picture's values.
    fn flattens(&self, node: &Node, maps: &Maps) -> Result<(), Reason> {
        let fits = match node.op.as_str() {
            "Flatten" => node.integer("axis", 1) == 1,
            "Reshape" => self.constant(input_name(node, 1)?)?.values.len() == 2,
            _ => {
                let axes: Vec<i64> = self.axes(node)?.into_iter().map(|axis| axis.rem_euclid(4)).collect();
                axes == [2, 3]
            }
        };
        if fits || maps.flat {
            Ok(())
        } else {
            Err("only shapes of two dimensions, one of them the pictures, are supported".into())
        }
    }

    /// The axes of a reduction, as attribute (until 2022) or input.
    fn axes(&self, node: &Node) -> Result<Vec<i64>, Reason> {
        if let Some(axes) = node.attribute("axes") {
            return Ok(axes.integers.clone());
        }
        Ok(self.constant(input_name(node, 1)?)?.values.iter().map(|axis| *axis as i64).collect())
    }

    /// Limits are attributes (until 2019) or inputs.
    fn clip(&self, node: &Node) -> Result<Op, Reason> {
        let limit = |attribute: &str, input: usize, default: f32| -> Result<f32, Reason> {
            if node.inputs.get(input).is_some_and(|name| !name.is_empty()) {
                let tensor = self.constant(&node.inputs[input])?;
                return tensor.values.first().map(|value| *value as f32).ok_or("a limit is empty".into());
            }
            Ok(node.float(attribute, default))
        };
        Ok(Op::Clip { low: limit("min", 1, f32::MIN)?, high: limit("max", 2, f32::MAX)? })
    }

    fn convolution(&mut self, node: &Node) -> Result<Maps, Reason> {
        let mut maps = self.padded(input_name(node, 0)?)?.clone();
        let kernel = self.constant(input_name(node, 1)?)?.clone();
        let [to, from, _, _] = kernel.shape[..] else {
            return Err(format!(
                "its kernel has the shape {:?}, but four dimensions are needed",
                kernel.shape
            ));
        };
        let groups = whole(node.integer("group", 1))?;
        if maps.channels.is_some_and(|channels| channels != from * groups) {
            let channels = maps.channels.unwrap_or_default();
            return Err(format!("its kernel is for {} channels, but there are {channels}", from * groups));
        }
        let padding = joined(node.padding()?, maps.padding.take(), |value| value == 0.0)?;
        let weight = self.array(node, "weight", kernel.shape, kernel.values.into_iter());
        let given = node.inputs.get(2).is_some_and(|name| !name.is_empty());
        let bias = if given { Some(self.vector(node, 2, "bias", to)?) } else { None };
        let (stride, dilation) = (node.pair("strides", Some(1))?, node.pair("dilations", Some(1))?);
        let op = Op::Conv { weight, bias, stride, dilation, groups, padding };
        Ok(Maps { node: self.add(node, op, &[maps.node]), channels: Some(to), ..maps })
    }

    /// A matrix product as a convolution of 1 x 1.
    fn fully_connected(&mut self, node: &Node) -> Result<Maps, Reason> {
        let maps = self.value(input_name(node, 0)?)?.clone();
        let matrix = self.constant(input_name(node, 1)?)?.clone();
        let [rows, columns] = matrix.shape[..] else {
            return Err(format!(
                "its matrix has the shape {:?}, but two dimensions are needed",
                matrix.shape
            ));
        };
        if !maps.flat {
            return Err("matrix products are supported after Flatten, Reshape or Squeeze".into());
        }
        let plain = node.float("alpha", 1.0) == 1.0
            && node.float("beta", 1.0) == 1.0
            && node.integer("transA", 0) == 0;
        if !plain {
            return Err("alpha and beta must be 1, and transA 0".into());
        }
        let transposed = node.integer("transB", 0) == 1;
        let (to, from) = if transposed { (rows, columns) } else { (columns, rows) };
        let at = |i: usize| if transposed { i } else { (i % from) * to + i / from };
        let values = (0..to * from).map(|i| matrix.values[at(i)]).collect::<Vec<f64>>();
        let weight = self.array(node, "weight", vec![to, from, 1, 1], values.into_iter());
        let bias = if node.inputs.len() > 2 { Some(self.vector(node, 2, "bias", to)?) } else { None };
        let padding = Padding::even(0);
        let op = Op::Conv { weight, bias, stride: [1; 2], dilation: [1; 2], groups: 1, padding };
        Ok(Maps { node: self.add(node, op, &[maps.node]), channels: Some(to), ..maps })
    }

    /// Sums and products, of maps or with a constant per channel.
    fn arithmetic(&mut self, node: &Node) -> Result<Maps, Reason> {
        let is_constant = |name: &&String| self.constants.contains_key(*name);
        if let Some(constant) = node.inputs.iter().position(|name| is_constant(&name)) {
            return self.with_constant(node, constant);
        }
        let op = match node.op.as_str() {
            "Add" | "Sum" => Op::Add,
            "Mul" => Op::Multiply,
            op => return Err(format!("{op} is supported with a constant only")),
        };
        let maps = node.inputs.iter().map(|name| self.value(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<usize> = maps.iter().map(|maps| maps.node).collect();
        let first = maps.into_iter().next().ok_or("it has no input")?;
        Ok(Maps { node: self.add(node, op, &inputs), ..first })
    }

    /// A constant per channel is a batch normalisation without mean and variance, which can become part of a convolution.
    fn with_constant(&mut self, node: &Node, constant: usize) -> Result<Maps, Reason> {
        if node.inputs.len() != 2 || (constant == 0 && matches!(node.op.as_str(), "Sub" | "Div")) {
            return Err("one constant is supported, as the second input".into());
        }
        let maps = self.value(&node.inputs[1 - constant])?.clone();
        let tensor = self.constant(&node.inputs[constant])?.clone();
        let channels = maps.channels.ok_or("its channels are not known")?;
        // `[C]` beside a row of values, `[C, 1, 1]` or `[1, C, 1, 1]` beside maps, or one number.
        let after = if maps.flat { 0 } else { 2 };
        let long: Vec<usize> = (0..tensor.shape.len()).filter(|axis| tensor.shape[*axis] != 1).collect();
        let fits = match long[..] {
            [] => true,
            [axis] => axis + after + 1 == tensor.shape.len() && tensor.shape[axis] == channels,
            _ => false,
        };
        if !fits {
            return Err(format!(
                "its constant has the shape {:?}; one number per channel is supported",
                tensor.shape
            ));
        }
        let number = |channel: usize| tensor.values[if long.is_empty() { 0 } else { channel }];
        let numbers = move |make: fn(f64) -> f64| (0..channels).map(number).map(make).collect::<Vec<f64>>();
        let (factors, shifts) = match node.op.as_str() {
            "Mul" => (numbers(|x| x), numbers(|_| 0.0)),
            "Div" => (numbers(|x| 1.0 / x), numbers(|_| 0.0)),
            "Sub" => (numbers(|_| 1.0), numbers(|x| -x)),
            _ => (numbers(|_| 1.0), numbers(|x| x)),
        };
        let op = Op::BatchNorm {
            gamma: self.array(node, "gamma", vec![channels], factors.into_iter()),
            beta: self.array(node, "beta", vec![channels], shifts.into_iter()),
            mean: self.array(node, "mean", vec![channels], std::iter::repeat_n(0.0, channels)),
            variance: self.array(node, "variance", vec![channels], std::iter::repeat_n(1.0, channels)),
            epsilon: 0.0,
        };
        Ok(Maps { node: self.add(node, op, &[maps.node]), ..maps })
    }

    fn concat(&mut self, node: &Node) -> Result<Maps, Reason> {
        let maps = node.inputs.iter().map(|name| self.value(name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let first = maps.first().ok_or("it has no input")?.clone();
        let axis = node.integer("axis", 1);
        if axis != 1 && axis != if first.flat { -1 } else { -3 } {
            return Err(format!("only channels (axis 1) can be joined, not axis {axis}"));
        }
        let channels = maps.iter().map(|maps| maps.channels).sum();
        let inputs: Vec<usize> = maps.iter().map(|maps| maps.node).collect();
        Ok(Maps { node: self.add(node, Op::Concat, &inputs), channels, ..first })
    }

    /// Padding waits for the operation that follows.
    fn pad(&mut self, node: &Node) -> Result<Maps, Reason> {
        let maps = self.value(input_name(node, 0)?)?.clone();
        let mode = node.attribute("mode").and_then(|attribute| attribute.text.as_deref());
        if mode.is_some_and(|mode| mode != "constant") {
            return Err("only padding with a constant is supported".into());
        }
        let pads: Vec<i64> = match node.attribute("pads") {
            Some(pads) => pads.integers.clone(),
            None => self.constant(input_name(node, 1)?)?.values.iter().map(|pad| *pad as i64).collect(),
        };
        let [0, 0, top, left, 0, 0, bottom, right] = pads[..] else {
            return Err("only height and width can be padded".into());
        };
        let given = node.inputs.get(2).is_some_and(|name| !name.is_empty());
        let value = match given {
            true => self.constant(&node.inputs[2])?.values.first().map_or(0.0, |value| *value as f32),
            false => node.float("value", 0.0),
        };
        Ok(Maps {
            padding: Some(([whole(top)?, whole(left)?, whole(bottom)?, whole(right)?], value)),
            ..maps
        })
    }
}
