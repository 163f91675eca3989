//! The settings of a study's stimuli.

use serde::{Deserialize, Serialize};
use weber_stimuli::inlay::Patch;
use weber_stimuli::ranking::BINS;

use super::StudyError;
use crate::search::Search;

/// What is made, and how. The same settings with the same model and images give the same files on the same kind of machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The number of image sets of each unit that is studied. The reference study has 10.
    pub image_sets: usize,
    /// Images in each of the ten bins of a unit's strongest images. The reference study has 20.
    pub bin_size: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    pub patch: Patch,
    pub search: Search,
    /// Whether base images are chosen so that simple rules answer about half of the trials.
    pub balance: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            image_sets: 10,
            bin_size: 20,
            seed: 1,
            patch: Patch::STUDY,
            search: Search::Coarse,
            balance: false,
        }
    }
}

impl Options {
    /// Checks that the settings fit together and fit the pool.
    ///
    /// # Errors
    /// What does not fit, and what would.
    pub fn check(&self, images: usize) -> Result<(), StudyError> {
        let refuse = |reason: String| Err(StudyError::Options(reason));
        if self.image_sets == 0 || self.image_sets > self.bin_size {
            return refuse(format!(
                "{} image sets, but they must be 1 to {}, the number of images in a bin",
                self.image_sets, self.bin_size
            ));
        }
        if !self.patch.is_valid() {
            return refuse(format!(
                "a patch of {} px every {} px, but the side must be 1 to 224 px and the stride at least 1 px",
                self.patch.side, self.patch.stride
            ));
        }
        let least = 2 * BINS * self.bin_size;
        if images < least {
            return refuse(format!(
                "the pool has {images} images, but {BINS} bins of {} need at least {least}; add images or make bins smaller",
                self.bin_size
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_do_not_fit_are_refused() {
        let refused = |change: fn(&mut Options), images: usize| {
            let mut options = Options::default();
            change(&mut options);
            options.check(images).unwrap_err().to_string()
        };
        assert!(Options::default().check(400).is_ok());
        assert!(refused(|o| o.image_sets = 0, 400).contains("must be 1 to 20"));
        assert!(refused(|o| o.image_sets = 21, 400).contains("21 image sets"));
        assert!(refused(|o| o.patch.side = 300, 400).contains("1 to 224 px"));
        assert!(refused(|_| (), 399).contains("need at least 400"));
    }
}
