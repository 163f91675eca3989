//! Colour decorrelation: three numbers that are uncorrelated in natural pictures become red, green and blue.

use super::image::Image;

/// What red, green and blue (rows) get from each of the three numbers.
pub type Matrix = [[f32; 3]; 3];

pub const IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The root of the covariance of ImageNet's colours, as given in lucid's `optvis/param/color.py`.
const IMAGENET: Matrix = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/// ImageNet's colours, scaled as lucid does.
pub fn imagenet() -> Matrix {
    scaled(IMAGENET)
}

/// The matrix over the length of its longest column.
fn scaled(matrix: Matrix) -> Matrix {
    let length = |column: usize| matrix.iter().map(|row| row[column] * row[column]).sum::<f32>().sqrt();
    let longest = length(0).max(length(1)).max(length(2));
    matrix.map(|row| row.map(|value| value / longest))
}

/// The root of the covariance of the images' colours: eigenvectors times the roots of their eigenvalues.
pub fn of(images: &[Image]) -> Matrix {
    let mut covariance = [[0.0f64; 3]; 3];
    let (mut means, mut count) = ([0.0f64; 3], 0.0);
    for image in images {
        let channels = [0, 1, 2].map(|channel| image.channel(channel));
        for at in 0..image.side * image.side {
            let colour = channels.map(|channel| f64::from(channel[at]));
            for i in 0..3 {
                means[i] += colour[i];
                for j in 0..3 {
                    covariance[i][j] += colour[i] * colour[j];
                }
            }
        }
        count += (image.side * image.side) as f64;
    }
    for i in 0..3 {
        for j in 0..3 {
            covariance[i][j] = covariance[i][j] / count - means[i] * means[j] / (count * count);
        }
    }
    // Grey pictures have one colour only; a little of the others keeps the matrix invertible.
    let little = 1e-3 * (0..3).map(|i| covariance[i][i]).sum::<f64>().max(1e-6);
    (0..3).for_each(|i| covariance[i][i] += little);
    scaled(root(covariance))
}

/// Eigenvectors times the roots of eigenvalues, the largest first, by Jacobi's rotations.
fn root(mut a: [[f64; 3]; 3]) -> Matrix {
    let mut vectors = IDENTITY.map(|row| row.map(f64::from));
    for _ in 0..12 {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            let angle = 0.5 * (2.0 * a[p][q]).atan2(a[p][p] - a[q][q]);
            let (sin, cos) = angle.sin_cos();
            let turn = |row: &mut [f64; 3]| {
                (row[p], row[q]) = (cos * row[p] + sin * row[q], cos * row[q] - sin * row[p])
            };
            a.iter_mut().for_each(turn);
            vectors.iter_mut().for_each(turn);
            a = transposed(&a);
            a.iter_mut().for_each(turn);
        }
    }
    let mut order = [0, 1, 2];
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]));
    vectors.map(|row| order.map(|i| (row[i] * a[i][i].max(0.0).sqrt()) as f32))
}

/// The inverse by cofactors.
pub fn inverse(m: &Matrix) -> Matrix {
    let cofactor = |i: usize, j: usize| {
        let at = |r: usize, c: usize| m[(i + r) % 3][(j + c) % 3];
        at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
    };
    let determinant: f32 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| cofactor(j, i) / determinant))
}

/// Each pixel's three numbers after the matrix.
pub fn apply(matrix: &Matrix, values: &[f32]) -> Vec<f32> {
    let area = values.len() / 3;
    let (first, rest) = values.split_at(area);
    let (second, third) = rest.split_at(area);
    let mut out = Vec::with_capacity(values.len());
    for [a, b, c] in matrix {
        out.extend(first.iter().zip(second).zip(third).map(|((x, y), z)| a * x + b * y + c * z));
    }
    out
}

pub fn transposed<T: Copy>(m: &[[T; 3]; 3]) -> [[T; 3]; 3] {
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| m[j][i]))
}

#[cfg(test)]
mod tests {
    use weber_stimuli::dice::Dice;

    use super::*;

    fn product(a: &Matrix, b: &Matrix) -> Matrix {
        [0, 1, 2].map(|i| [0, 1, 2].map(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    }

    fn near(a: &Matrix, b: &Matrix) -> bool {
        a.concat().iter().zip(b.concat()).all(|(a, b)| (a - b).abs() < 0.01)
    }

    #[test]
    fn own_colours_recover_the_matrix_that_made_them() {
        let dice = Dice::new(1, "colours", 0);
        let numbers: Vec<f32> = (0..3 * 64 * 64).map(|_| dice.normal()).collect();
        let image = Image { side: 64, values: apply(&IMAGENET, &numbers) };
        let (found, made) = (of(&[image]), imagenet());
        let covariance = |m: &Matrix| product(m, &transposed(m));
        assert!(near(&covariance(&found), &covariance(&made)), "{found:?} {made:?}");
        assert!(near(&product(&found, &inverse(&found)), &IDENTITY));
        let columns = transposed(&found);
        let dot = |i: usize, j: usize| (0..3).map(|k| columns[i][k] * columns[j][k]).sum::<f32>();
        assert!((dot(0, 0) - 1.0).abs() < 1e-3 && dot(0, 1).abs() < 1e-3);
    }

    #[test]
    fn grey_pictures_have_usable_colours() {
        let values: Vec<f32> = (0..3 * 16).map(|i| (i % 16) as f32 / 16.0).collect();
        let matrix = of(&[Image { side: 4, values }]);
        assert!(inverse(&matrix).concat().iter().all(|value| value.is_finite()));
    }
}
