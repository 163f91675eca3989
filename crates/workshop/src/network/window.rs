//! The response of a unit to many pictures that differ from one in a square, computed for the affected region only.
//!
//! The square changes a window of each map. Windows of one node have one size, so that a batch of positions is one tensor. A
//! convolution reads a larger region than it writes: what lies outside the changed window of its input comes from the maps of
//! the unchanged picture. The result equals that of a full pass. (Nakandala et al., SIGMOD 2019, name the idea.)

use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, TensorData};

use super::forward::{Network, device, values};
use super::graph::{Node, Op, Padding};
use super::pool;

/// Positions per batch.
const BATCH: usize = 32;

/// The values of one node for the unchanged picture.
struct Map {
    channels: usize,
    size: [usize; 2],
    values: Vec<f32>,
}

/// The windows of one node in a batch of positions.
struct Windows {
    size: [usize; 2],
    /// Upper left corners, one per position.
    at: Vec<[usize; 2]>,
    values: Tensor<4>,
}

/// How an operation along one axis reads its input.
#[derive(Clone, Copy)]
struct Reach {
    kernel: usize,
    stride: usize,
    /// Rows or columns of padding before the first.
    before: usize,
}

/// A picture whose changes a unit is asked about.
pub struct Base<'a> {
    network: &'a Network,
    unit: usize,
    needed: Vec<bool>,
    maps: Vec<Option<Map>>,
    mean: f64,
}

/// The changed windows of the network's input: all of one size.
pub struct Changes {
    /// Height and width.
    pub size: [usize; 2],
    /// Upper left corners.
    pub at: Vec<[usize; 2]>,
    /// The new values by position, channel, row and column.
    pub values: Vec<f32>,
}

impl<'a> Base<'a> {
    /// Computes all maps of a picture (`[1, channels, height, width]`) that the `unit`, a node with one map, depends on.
    pub fn new(network: &'a Network, unit: usize, picture: Tensor<4>) -> Self {
        let needed = network.graph().needed(&[unit]);
        let nodes: Vec<usize> = (0..=unit).filter(|node| needed[*node]).collect();
        let mut maps: Vec<Option<Map>> = (0..=unit).map(|_| None).collect();
        for (node, tensor) in nodes.iter().zip(network.forward(picture, &nodes)) {
            let [_, channels, height, width] = tensor.dims();
            maps[*node] = Some(Map { channels, size: [height, width], values: values(tensor) });
        }
        let last = maps[unit].as_ref().expect("the unit is among the nodes");
        let mean = sum(&last.values) / last.values.len() as f64;
        Self { network, unit, needed, maps, mean }
    }

    /// The unit's response to the unchanged picture.
    pub fn response(&self) -> f64 {
        self.mean
    }

    /// The unit's responses to the changed pictures.
    pub fn responses(&self, changes: &Changes) -> Vec<f64> {
        let count = changes.at.len();
        let each = changes.values.len() / count.max(1);
        (0..count)
            .step_by(BATCH)
            .flat_map(|from| {
                let to = (from + BATCH).min(count);
                let channels = each / (changes.size[0] * changes.size[1]);
                let shape = [to - from, channels, changes.size[0], changes.size[1]];
                let data = TensorData::new(changes.values[from * each..to * each].to_vec(), shape);
                let values = Tensor::from_data(data, &device());
                self.batch(Windows { size: changes.size, at: changes.at[from..to].to_vec(), values })
            })
            .collect()
    }

    fn map(&self, node: usize) -> &Map {
        self.maps[node].as_ref().expect("needed nodes have maps")
    }

    fn batch(&self, input: Windows) -> Vec<f64> {
        let mut windows: Vec<Option<Windows>> = (0..=self.unit).map(|_| None).collect();
        windows[0] = Some(input);
        for (index, node) in self.network.graph().nodes().iter().enumerate().take(self.unit + 1).skip(1) {
            if self.needed[index] {
                windows[index] = Some(self.node(index, node, &windows));
            }
        }
        let last = windows[self.unit].take().expect("the unit is computed last");
        let map = self.map(self.unit);
        let area = last.size[0] * last.size[1];
        let new = values(last.values);
        let changed = new.chunks(area).zip(&last.at).map(|(window, at)| {
            let mut old = Vec::with_capacity(area);
            map.copy(*at, last.size, 0.0, 0, &mut old);
            sum(window) - sum(&old)
        });
        changed.map(|difference| self.mean + difference / map.values.len() as f64).collect()
    }

    /// The windows of a node, given those of its inputs.
    fn node(&self, index: usize, node: &Node, windows: &[Option<Windows>]) -> Windows {
        let inputs: Vec<(&Map, &Windows)> = node
            .inputs
            .iter()
            .map(|input| (self.map(*input), windows[*input].as_ref().expect("inputs come first")))
            .collect();
        let map = self.map(index);
        let reach = [0, 1].map(|axis| self.reach(&node.op, inputs[0].0.size, axis));
        let (size, at) = match reach {
            [Some(rows), Some(columns)] => affected(&inputs, map.size, [rows, columns]),
            _ => (map.size, vec![[0; 2]; inputs[0].1.at.len()]),
        };
        let values = self.compute(node, &inputs, (size, &at), reach);
        Windows { size, at, values }
    }

    /// How an operation reads its input along an axis; `None` if every output depends on all inputs.
    fn reach(&self, op: &Op, input: [usize; 2], axis: usize) -> Option<Reach> {
        match op {
            Op::Conv { weight, stride, dilation, padding, .. } => {
                let [_, _, height, width] = self.network.kernels[weight].dims();
                let kernel = [(height - 1) * dilation[0] + 1, (width - 1) * dilation[1] + 1];
                let before = padding.resolve(input, kernel, *stride)[axis];
                Some(Reach { kernel: kernel[axis], stride: stride[axis], before })
            }
            Op::MaxPool(window) | Op::AveragePool { pool: window, .. } => {
                let before = pool::edges(window, input)[axis];
                Some(Reach { kernel: window.kernel[axis], stride: window.stride[axis], before })
            }
            Op::GlobalAverage | Op::Flatten => None,
            _ => Some(Reach { kernel: 1, stride: 1, before: 0 }),
        }
    }

    fn compute(
        &self,
        node: &Node,
        inputs: &[(&Map, &Windows)],
        (size, at): ([usize; 2], &[[usize; 2]]),
        reach: [Option<Reach>; 2],
    ) -> Tensor<4> {
        let [Some(rows), Some(columns)] = reach else {
            let whole = inputs[0].0.size;
            let input = gather(inputs[0], whole, &vec![[0; 2]; at.len()], 0.0);
            return self.network.apply(&node.op, vec![input]);
        };
        let region =
            [(size[0] - 1) * rows.stride + rows.kernel, (size[1] - 1) * columns.stride + columns.kernel];
        let from: Vec<[isize; 2]> = at
            .iter()
            .map(|[y, x]| {
                let start = |i: usize, reach: Reach| (i * reach.stride) as isize - reach.before as isize;
                [start(*y, rows), start(*x, columns)]
            })
            .collect();
        let beyond = if matches!(node.op, Op::MaxPool(_)) { f32::MIN } else { 0.0 };
        let is_small = |map: &Map| map.size == [1, 1] && inputs.iter().any(|(other, _)| other.size != [1, 1]);
        let parts = inputs.iter().map(|(map, windows)| {
            if is_small(map) { windows.values.clone() } else { shifted(map, windows, region, &from, beyond) }
        });
        let parts: Vec<Tensor<4>> = parts.collect();
        match &node.op {
            Op::Conv { weight, bias, stride, dilation, groups, .. } => {
                let op = Op::Conv {
                    weight: weight.clone(),
                    bias: bias.clone(),
                    stride: *stride,
                    dilation: *dilation,
                    groups: *groups,
                    padding: Padding::even(0),
                };
                self.network.apply(&op, parts)
            }
            Op::MaxPool(window) => {
                let valid = super::graph::Pool { padding: Padding::even(0), ceil: false, ..*window };
                self.network.apply(&Op::MaxPool(valid), parts)
            }
            Op::AveragePool { pool: window, count_padding } => {
                let options = AvgPoolOptions::new(window.kernel).with_stride(window.stride);
                let means = avg_pool2d(parts.into_iter().next().expect("a pooling has an input"), options);
                let counted = *count_padding && window.padding != Padding::Same;
                if counted { means } else { means * shares(inputs[0].0.size, size, &from, [rows, columns]) }
            }
            op => self.network.apply(op, parts),
        }
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum()
}

/// The size of the changed windows of an operation's output, and their corners.
fn affected(
    inputs: &[(&Map, &Windows)],
    map: [usize; 2],
    reach: [Reach; 2],
) -> ([usize; 2], Vec<[usize; 2]>) {
    // Maps of 1 x 1 scale whole maps.
    if inputs.iter().any(|(input, _)| input.size == [1, 1]) && map != [1, 1] {
        return (map, vec![[0; 2]; inputs[0].1.at.len()]);
    }
    let along = |axis: usize| -> (usize, Vec<usize>) {
        let Reach { kernel, stride, before } = reach[axis];
        let ranges: Vec<(usize, usize)> = (0..inputs[0].1.at.len())
            .map(|position| {
                let starts = inputs.iter().map(|(_, windows)| windows.at[position][axis]);
                let ends = inputs.iter().map(|(_, windows)| windows.at[position][axis] + windows.size[axis]);
                let (start, end) = (starts.min().unwrap_or(0), ends.max().unwrap_or(0));
                let first = (start + before + 1).saturating_sub(kernel).div_ceil(stride);
                (first.min(map[axis] - 1), (end + before).div_ceil(stride).min(map[axis]))
            })
            .collect();
        let size = ranges.iter().map(|(from, to)| to.saturating_sub(*from)).max().unwrap_or(0).max(1);
        (size, ranges.iter().map(|(from, _)| (*from).min(map[axis] - size)).collect())
    };
    let ((height, rows), (width, columns)) = (along(0), along(1));
    ([height, width], rows.into_iter().zip(columns).map(|(y, x)| [y, x]).collect())
}

/// The regions that an operation reads: windows themselves if they are just that, else base maps with the windows pasted in.
fn shifted(map: &Map, windows: &Windows, region: [usize; 2], from: &[[isize; 2]], beyond: f32) -> Tensor<4> {
    let same = windows.size == region
        && windows.at.iter().zip(from).all(|(at, from)| at.map(|i| i as isize) == *from);
    if same {
        return windows.values.clone();
    }
    gather_from((map, windows), region, from, beyond)
}

fn gather(input: (&Map, &Windows), region: [usize; 2], from: &[[usize; 2]], beyond: f32) -> Tensor<4> {
    let from: Vec<[isize; 2]> = from.iter().map(|at| at.map(|i| i as isize)).collect();
    gather_from(input, region, &from, beyond)
}

fn gather_from(
    (map, windows): (&Map, &Windows),
    region: [usize; 2],
    from: &[[isize; 2]],
    beyond: f32,
) -> Tensor<4> {
    let [height, width] = region;
    let mut all = Vec::with_capacity(from.len() * map.channels * height * width);
    let new = values(windows.values.clone());
    let area = windows.size[0] * windows.size[1];
    for (position, (from, at)) in from.iter().zip(&windows.at).enumerate() {
        for channel in 0..map.channels {
            let start = all.len();
            map.copy_from(*from, region, beyond, channel, &mut all);
            let window = &new[(position * map.channels + channel) * area..][..area];
            paste(&mut all[start..], region, *from, window, windows.size, *at);
        }
    }
    Tensor::from_data(TensorData::new(all, [from.len(), map.channels, height, width]), &device())
}

/// Writes the part of a window that lies within a region into it.
fn paste(
    region: &mut [f32],
    [height, width]: [usize; 2],
    from: [isize; 2],
    window: &[f32],
    size: [usize; 2],
    at: [usize; 2],
) {
    let left = at[1] as isize - from[1];
    let (first, last) = (left.max(0), (left + size[1] as isize).min(width as isize));
    if first >= last {
        return;
    }
    for row in 0..size[0] {
        let y = at[0] as isize + row as isize - from[0];
        if (0..height as isize).contains(&y) {
            let source = &window[row * size[1]..][(first - left) as usize..(last - left) as usize];
            let start = y as usize * width;
            region[start + first as usize..start + last as usize].copy_from_slice(source);
        }
    }
}

/// For a mean that leaves padding out: the number of places in a window over the number of those within the map.
fn shares(map: [usize; 2], size: [usize; 2], from: &[[isize; 2]], reach: [Reach; 2]) -> Tensor<4> {
    let inside = |start: isize, i: usize, axis: usize| {
        let begin = start + (i * reach[axis].stride) as isize;
        let end = (begin + reach[axis].kernel as isize).min(map[axis] as isize);
        (end - begin.max(0)) as f32 / reach[axis].kernel as f32
    };
    let mut all = Vec::with_capacity(from.len() * size[0] * size[1]);
    for [top, left] in from {
        for y in 0..size[0] {
            all.extend((0..size[1]).map(|x| 1.0 / (inside(*top, y, 0) * inside(*left, x, 1))));
        }
    }
    Tensor::from_data(TensorData::new(all, [from.len(), 1, size[0], size[1]]), &device())
}

impl Map {
    /// Adds a region of one channel, which lies within the map.
    fn copy(&self, at: [usize; 2], size: [usize; 2], beyond: f32, channel: usize, out: &mut Vec<f32>) {
        self.copy_from(at.map(|i| i as isize), size, beyond, channel, out);
    }

    /// Adds a region of one channel, with `beyond` where it reaches over the edges.
    fn copy_from(
        &self,
        from: [isize; 2],
        [height, width]: [usize; 2],
        beyond: f32,
        channel: usize,
        out: &mut Vec<f32>,
    ) {
        let [rows, columns] = self.size;
        let first = from[1].clamp(0, columns as isize) as usize;
        let last = (from[1] + width as isize).clamp(0, columns as isize) as usize;
        for row in from[0]..from[0] + height as isize {
            if !(0..rows as isize).contains(&row) {
                out.resize(out.len() + width, beyond);
                continue;
            }
            let line = &self.values[(channel * rows + row as usize) * columns..][..columns];
            let before = (first as isize - from[1]).clamp(0, width as isize) as usize;
            out.resize(out.len() + before, beyond);
            out.extend_from_slice(&line[first..last]);
            out.resize(out.len() + width - before - (last - first), beyond);
        }
    }
}
