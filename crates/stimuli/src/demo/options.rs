//! The options of the demo.

use serde::{Deserialize, Serialize};

use super::BuildError;
use crate::ranking::BINS;

/// The options from which the demo is built. The same options give the same files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoOptions {
    /// Number of image sets of the main trials, from 1 to `bin_size`. The study has 10.
    pub image_sets: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Number of scenes that are ranked.
    pub pool: usize,
    /// Number of scenes in each of the ten bins, of base images and of references. The study has 20.
    pub bin_size: usize,
    /// Steps of optimisation of the synthetic images.
    pub ascent_steps: usize,
}

impl DemoOptions {
    /// The proportions of the study for that many image sets. Up to four sets come from a smaller pool, with smaller bins and fewer
    /// steps of optimisation, so that a trial of the server is quick.
    pub fn new(image_sets: usize) -> Self {
        let small = image_sets <= 4;
        Self {
            image_sets,
            seed: 1,
            pool: if small { 1_248 } else { 6_240 },
            bin_size: if small { 4 } else { 20 },
            ascent_steps: if small { 24 } else { 60 },
        }
    }

    /// Checks that the numbers fit together.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let refuse = |reason: String| Err(BuildError::Options(reason));
        if self.image_sets == 0 || self.image_sets > self.bin_size {
            return refuse(format!(
                "{} image sets, but they must be 1 to {} (the size of a bin)",
                self.image_sets, self.bin_size
            ));
        }
        if self.pool < 2 * BINS * self.bin_size {
            return refuse(format!(
                "a pool of {} scenes, but {BINS} bins of {} need at least {}",
                self.pool,
                self.bin_size,
                2 * BINS * self.bin_size
            ));
        }
        if self.ascent_steps == 0 {
            return refuse("no steps of optimisation, but synthetic images need at least 1".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_study_has_its_numbers() {
        let study = DemoOptions::new(10);
        assert_eq!((study.image_sets, study.bin_size), (10, 20));
        assert!(study.check().is_ok());
        assert!(DemoOptions::new(2).check().is_ok());
        assert!(DemoOptions::new(20).check().is_ok());
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let refused = |change: fn(&mut DemoOptions)| {
            let mut options = DemoOptions::new(2);
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert!(refused(|o| o.image_sets = 0).contains("must be 1 to 4"));
        assert!(refused(|o| o.image_sets = 5).contains("5 image sets"));
        assert!(refused(|o| o.pool = 79).contains("need at least 80"));
        assert!(refused(|o| o.ascent_steps = 0).contains("at least 1"));
    }
}
