//! Steps up a gradient.

use super::preset::Optimiser;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam (Kingma and Ba 2015) or NAdam (Dozat 2016), for one list of parameters.
pub struct Climber {
    kind: Optimiser,
    rate: f32,
    steps: i32,
    means: Vec<f32>,
    squares: Vec<f32>,
}

impl Climber {
    pub fn new(kind: Optimiser, rate: f32, count: usize) -> Self {
        Self { kind, rate, steps: 0, means: vec![0.0; count], squares: vec![0.0; count] }
    }

    /// Moves the parameters one step up.
    pub fn step(&mut self, parameters: &mut [f32], gradient: &[f32]) {
        self.steps += 1;
        // The moments start at zero; what they lack is divided out.
        let full = |beta: f32, steps: i32| 1.0 - beta.powi(steps);
        let root = full(BETA_2, self.steps).sqrt();
        let (of_mean, of_gradient) = match self.kind {
            Optimiser::Adam => (1.0 / full(BETA_1, self.steps), 0.0),
            Optimiser::Nadam => {
                (BETA_1 / full(BETA_1, self.steps + 1), (1.0 - BETA_1) / full(BETA_1, self.steps))
            }
        };
        let moments = self.means.iter_mut().zip(&mut self.squares);
        for ((parameter, gradient), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean = BETA_1 * *mean + (1.0 - BETA_1) * gradient;
            *square = BETA_2 * *square + (1.0 - BETA_2) * gradient * gradient;
            let ahead = of_mean * *mean + of_gradient * gradient;
            *parameter += self.rate * ahead / (square.sqrt() / root + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_climb_to_the_top() {
        for kind in [Optimiser::Adam, Optimiser::Nadam] {
            let mut climber = Climber::new(kind, 0.05, 2);
            let mut place = [3.0, -2.0];
            climber.step(&mut place, &[1e-3, -10.0]);
            // The first step has the length of the rate, however steep the way.
            let expected = if kind == Optimiser::Adam { 0.05 } else { 0.05 * (0.09 / 0.19 + 1.0) };
            assert!((place[0] - 3.0 - expected).abs() < 1e-3 && (place[1] + 2.0 + expected).abs() < 1e-3);
            for _ in 0..2000 {
                let gradient = [-place[0], 2.0 * (1.0 - place[1])];
                climber.step(&mut place, &gradient);
            }
            assert!(place[0].abs() < 0.05 && (place[1] - 1.0).abs() < 0.05, "{kind:?} {place:?}");
        }
    }
}
