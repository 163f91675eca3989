//! Ranks the images that a unit responds to most, and chooses base images and graded references.
//!
//! As in the study: the strongest images, sorted ascending, are cut into ten bins of equal size. The top bin holds the base
//! images: image set b takes its b-th. Each lower bin is permuted and gives image set b one reference, so that the nine
//! references of a set are graded from weaker to stronger.

use super::dice::Dice;

/// Number of bins: one of base images and nine of references.
pub const BINS: usize = 10;

/// Number of natural references in the condition that mixes natural and synthetic ones: those of the strongest bins
/// below the base images.
pub const MIXED_NATURAL: usize = 5;

/// The images that one unit responds to most, as indices of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Favourites {
    /// The lower bins, weakest first, each in random order.
    references: Vec<Vec<usize>>,
    /// The top bin, ascending.
    bases: Vec<usize>,
}

impl Favourites {
    /// Takes the strongest `BINS * bin_size` images by their `responses`. Of equal responses the earlier image counts as weaker. `None` if
    /// the pool is too small.
    pub fn rank(responses: &[f64], bin_size: usize, dice: &Dice) -> Option<Self> {
        let mut order: Vec<usize> = (0..responses.len()).collect();
        order.sort_by(|a, b| responses[*a].total_cmp(&responses[*b]));
        let strongest = &order[responses.len().checked_sub(BINS * bin_size)?..];
        let mut bins: Vec<Vec<usize>> = strongest.chunks(bin_size).map(<[usize]>::to_vec).collect();
        let bases = bins.pop()?;
        let permuted = |bin: Vec<usize>| dice.permutation(bin.len()).into_iter().map(|i| bin[i]).collect();
        Some(Self { references: bins.into_iter().map(permuted).collect(), bases })
    }

    /// The base image of an image set, which must be smaller than the size of a bin.
    pub fn base(&self, image_set: usize) -> usize {
        self.bases[image_set]
    }

    /// The number of image sets.
    pub fn image_sets(&self) -> usize {
        self.bases.len()
    }

    /// The nine references of an image set, weakest first.
    pub fn references(&self, image_set: usize) -> Vec<usize> {
        self.references.iter().map(|bin| bin[image_set]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pool in which image i has the rank i * 7 mod 64.
    fn pool() -> Vec<f64> {
        (0..64).map(|i| f64::from(i * 7 % 64)).collect()
    }

    #[test]
    fn bins_are_graded_and_bases_strongest() {
        let responses = pool();
        let favourites = Favourites::rank(&responses, 4, &Dice::new(1, "test", 0)).unwrap();
        assert_eq!(favourites.image_sets(), 4);
        let bases: Vec<f64> = (0..4).map(|set| responses[favourites.base(set)]).collect();
        assert_eq!(bases, [60.0, 61.0, 62.0, 63.0]);
        for set in 0..4 {
            let references = favourites.references(set);
            assert_eq!(references.len(), 9);
            for (bin, image) in references.iter().enumerate() {
                let low = 24.0 + 4.0 * bin as f64;
                assert!((low..low + 4.0).contains(&responses[*image]), "set {set}, bin {bin}");
            }
        }
    }

    #[test]
    fn sets_share_no_image() {
        let favourites = Favourites::rank(&pool(), 4, &Dice::new(1, "test", 0)).unwrap();
        let mut all: Vec<usize> = (0..4).flat_map(|set| favourites.references(set)).collect();
        all.extend((0..4).map(|set| favourites.base(set)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 40);
    }

    #[test]
    fn bins_are_permuted() {
        let favourites = Favourites::rank(&pool(), 4, &Dice::new(1, "test", 0)).unwrap();
        let responses = pool();
        let in_order = (0..9).all(|bin| {
            (1..4).all(|set| {
                responses[favourites.references(set)[bin]] > responses[favourites.references(set - 1)[bin]]
            })
        });
        assert!(!in_order);
        let other = Favourites::rank(&pool(), 4, &Dice::new(2, "test", 0)).unwrap();
        assert_ne!(favourites, other);
        assert_eq!(favourites.base(2), other.base(2));
    }

    #[test]
    fn a_small_pool_is_refused() {
        assert!(Favourites::rank(&[1.0; 39], 4, &Dice::new(1, "test", 0)).is_none());
        assert!(Favourites::rank(&[1.0; 40], 4, &Dice::new(1, "test", 0)).is_some());
    }
}
