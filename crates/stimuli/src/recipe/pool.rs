//! Pools of natural images.

use thiserror::Error;

use crate::picture::Picture;
use crate::scenes::view::View;

/// Natural images that a recipe names.
pub trait Pool: Sync {
    /// The picture of an image.
    ///
    /// # Errors
    /// See [`PoolError`].
    fn picture(&self, image: &str) -> Result<Picture, PoolError>;
}

/// Why a pool cannot give an image.
#[derive(Debug, Error)]
#[error("the pool's image `{image}` cannot be used: {reason}")]
pub struct PoolError {
    /// The image's name.
    pub image: String,
    /// What is wrong.
    pub reason: String,
}

/// Views of scenes, painted when they are asked for. An image's name is its number.
#[derive(Clone, Copy, Debug)]
pub struct Views {
    /// The seed of scenes and views.
    pub seed: u64,
    /// The number of scenes that views show parts of.
    pub scenes: usize,
}

impl Views {
    /// The pool of the demo study, for the seed of its recipe.
    pub fn demo(seed: u64) -> Self {
        Self { seed, scenes: 5_200 }
    }
}

impl Pool for Views {
    fn picture(&self, image: &str) -> Result<Picture, PoolError> {
        let number = image.parse().map_err(|_| PoolError {
            image: image.to_owned(),
            reason: "a view has a number as its name".to_owned(),
        })?;
        Ok(View::numbered(self.seed, number, self.scenes).paint(self.seed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_have_numbers_as_names() {
        let views = Views { seed: 3, scenes: 500 };
        assert!(views.picture("12").unwrap() == View::numbered(3, 12, 500).paint(3));
        let error = views.picture("twelve").unwrap_err().to_string();
        assert!(error.contains("`twelve`") && error.contains("number"), "{error}");
    }
}
