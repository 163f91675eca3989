//! Pooling by maxima of shifted slices: rows first, then columns. burn's own pooling takes several times as long.

use burn::tensor::{Tensor, TensorData};

use super::forward::{device, values};
use super::graph::{Padding, Pool};

/// The lowest finite number, as padding that no maximum chooses.
const LOWEST: f32 = f32::MIN;

/// Height and width of the output for a padded input.
fn outputs(pool: &Pool, height: usize, width: usize) -> [usize; 2] {
    let along = |side: usize, axis: usize| (side - pool.kernel[axis]) / pool.stride[axis] + 1;
    [along(height, 0), along(width, 1)]
}

/// The rows above, columns left, rows below and columns right that the pooling adds, `ceil` included.
pub(super) fn edges(pool: &Pool, [height, width]: [usize; 2]) -> [usize; 4] {
    let [top, left, mut bottom, mut right] = pool.padding.resolve([height, width], pool.kernel, pool.stride);
    if pool.ceil && pool.padding != Padding::Same {
        // The last window must start within the input or the padding before it.
        let rest = |side: usize, before: usize, after: usize, kernel: usize, stride: usize| {
            let all = side + before + after;
            let count = (all - kernel).div_ceil(stride) + 1;
            let count = if (count - 1) * stride >= side + before { count - 1 } else { count };
            after.max(((count - 1) * stride + kernel).saturating_sub(side + before))
        };
        bottom = rest(height, top, bottom, pool.kernel[0], pool.stride[0]);
        right = rest(width, left, right, pool.kernel[1], pool.stride[1]);
    }
    [top, left, bottom, right]
}

/// The largest value of each window.
pub(super) fn max(x: Tensor<4>, pool: &Pool) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let [top, left, bottom, right] = edges(pool, [height, width]);
    if !x.is_autodiff() {
        return plain_max(x, pool, [top, left, bottom, right]);
    }
    let padded =
        if [top, left, bottom, right] == [0; 4] { x } else { x.pad((left, right, top, bottom), LOWEST) };
    let [_, _, height, width] = padded.dims();
    let [rows, columns] = outputs(pool, height, width);
    let tall = shifted_maximum(padded, 2, pool.kernel[0], pool.stride[0], rows);
    shifted_maximum(tall, 3, pool.kernel[1], pool.stride[1], columns)
}

/// [`max`] without gradient, on plain numbers.
fn plain_max(x: Tensor<4>, pool: &Pool, [top, left, bottom, right]: [usize; 4]) -> Tensor<4> {
    let [pictures, channels, height, width] = x.dims();
    let [rows, columns] = outputs(pool, height + top + bottom, width + left + right);
    let numbers = values(x);
    let mut out = Vec::with_capacity(pictures * channels * rows * columns);
    let mut line = vec![LOWEST; width + left + right];
    for map in numbers.chunks_exact(height * width) {
        for row in 0..rows {
            line.fill(LOWEST);
            let from = row * pool.stride[0];
            for y in from.max(top)..(from + pool.kernel[0]).min(top + height) {
                let source = &map[(y - top) * width..][..width];
                for (largest, value) in line[left..left + width].iter_mut().zip(source) {
                    *largest = largest.max(*value);
                }
            }
            out.extend((0..columns).map(|column| {
                let window = &line[column * pool.stride[1]..][..pool.kernel[1]];
                window.iter().fold(LOWEST, |largest, value| largest.max(*value))
            }));
        }
    }
    Tensor::from_data(TensorData::new(out, [pictures, channels, rows, columns]), &device())
}

/// The maximum over `kernel` neighbours along one dimension, at every `stride`-th place.
fn shifted_maximum(x: Tensor<4>, dim: usize, kernel: usize, stride: usize, count: usize) -> Tensor<4> {
    let end = |start: usize| start + (count - 1) * stride + 1;
    let part = |start: usize| {
        let slice = burn::tensor::Slice::new(start as isize, Some(end(start) as isize), stride as isize);
        x.clone().slice_dim(dim, slice)
    };
    (1..kernel).fold(part(0), |largest, start| largest.max_pair(part(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Tensor<4> {
        let numbers: Vec<f32> = (0..2 * 3 * 7 * 9).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        Tensor::from_data(TensorData::new(numbers, [2, 3, 7, 9]), &device())
    }

    /// The definition: the largest of all values that a window covers.
    fn directly(x: &[f32], pool: &Pool, rows: usize, columns: usize, [top, left]: [usize; 2]) -> Vec<f32> {
        let mut out = Vec::new();
        for map in x.chunks(7 * 9) {
            for row in 0..rows {
                for column in 0..columns {
                    let window =
                        (0..pool.kernel[0]).flat_map(|dy| (0..pool.kernel[1]).map(move |dx| (dy, dx)));
                    let inside = window.filter_map(|(dy, dx)| {
                        let y = (row * pool.stride[0] + dy).checked_sub(top)?;
                        let x = (column * pool.stride[1] + dx).checked_sub(left)?;
                        (y < 7 && x < 9).then(|| map[y * 9 + x])
                    });
                    out.push(inside.fold(f32::MIN, f32::max));
                }
            }
        }
        out
    }

    #[test]
    fn both_ways_follow_the_definition() {
        for (kernel, stride, padding, ceil, size, before) in [
            ([3, 3], [1, 1], Padding::Same, false, [7, 9], [1, 1]),
            ([3, 3], [2, 2], Padding::Same, false, [4, 5], [1, 1]),
            ([3, 3], [2, 2], Padding::even(0), true, [3, 4], [0, 0]),
            ([2, 3], [2, 1], Padding::Explicit([0, 1, 1, 0]), false, [4, 8], [0, 1]),
        ] {
            let pool = Pool { kernel, stride, padding, ceil };
            let expected = directly(&values(picture()), &pool, size[0], size[1], before);
            let plain = max(picture(), &pool);
            assert_eq!(plain.dims(), [2, 3, size[0], size[1]], "{pool:?}");
            assert_eq!(values(plain), expected, "{pool:?}");
            assert_eq!(values(max(picture().autodiff(), &pool).inner()), expected, "{pool:?}");
        }
    }
}
