//! Pooling by maxima of shifted slices: rows first, then columns. burn's own pooling takes several times as long.

use burn::tensor::Tensor;

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
    let padded =
        if [top, left, bottom, right] == [0; 4] { x } else { x.pad((left, right, top, bottom), LOWEST) };
    let [_, _, height, width] = padded.dims();
    let [rows, columns] = outputs(pool, height, width);
    let tall = shifted_maximum(padded, 2, pool.kernel[0], pool.stride[0], rows);
    shifted_maximum(tall, 3, pool.kernel[1], pool.stride[1], columns)
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
