//! Adam (Kingma and Ba 2015) on plain arrays, with decoupled weight decay (Loshchilov and Hutter 2019).

use std::collections::BTreeMap;

use crate::network::Weights;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// The moments of all gradients.
#[derive(Default)]
pub struct Adam {
    steps: i32,
    moments: BTreeMap<String, Vec<[f32; 2]>>,
}

impl Adam {
    /// One step down the gradients. Kernels, but no vectors, shrink by `decay` times the rate.
    pub fn step(
        &mut self,
        weights: &mut Weights,
        gradients: &BTreeMap<String, Vec<f32>>,
        rate: f32,
        decay: f32,
    ) {
        self.steps += 1;
        let (first, second) = (1.0 - BETA_1.powi(self.steps), 1.0 - BETA_2.powi(self.steps));
        for (name, gradient) in gradients {
            let array = weights.0.get_mut(name).expect("gradients belong to weights");
            let moments = self.moments.entry(name.clone()).or_insert_with(|| vec![[0.0; 2]; gradient.len()]);
            let shrink = if array.shape.len() > 1 { 1.0 - rate * decay } else { 1.0 };
            for ((value, g), [m, v]) in array.values.iter_mut().zip(gradient).zip(moments) {
                *m = BETA_1 * *m + (1.0 - BETA_1) * g;
                *v = BETA_2 * *v + (1.0 - BETA_2) * g * g;
                *value = *value * shrink - rate * (*m / first) / ((*v / second).sqrt() + EPSILON);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Array;

    #[test]
    fn steps_reach_the_minimum() {
        let mut weights = Weights([("x".into(), Array { shape: vec![2], values: vec![3.0, -2.0] })].into());
        let mut adam = Adam::default();
        for _ in 0..2_000 {
            let gradient =
                weights.0["x"].values.iter().zip([1.0, 0.5]).map(|(x, to)| 2.0 * (x - to)).collect();
            adam.step(&mut weights, &[("x".to_owned(), gradient)].into(), 0.01, 0.0);
        }
        let [x, y] = weights.0["x"].values[..] else { panic!("two values") };
        assert!((x - 1.0).abs() < 1e-3 && (y - 0.5).abs() < 1e-3, "{x} {y}");
    }
}
