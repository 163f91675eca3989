//! What all Inception networks here share: nine mixed blocks of four branches (Szegedy et al. 2015).

use super::builder::{Builder, Kernel};
use crate::network::{Op, Padding, Pool};

/// The names of the mixed blocks.
const BLOCKS: [&str; 9] =
    ["mixed3a", "mixed3b", "mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e", "mixed5a", "mixed5b"];

/// Channels of the branches of a block: 1x1, 3x3 (reduced, out), 5x5 (reduced, out), pool.
pub(super) type Widths = [usize; 6];

/// The mixed blocks of a network.
pub(super) struct Blocks {
    pub widths: [Widths; 9],
    /// Side of the kernel of the branch 5x5.
    pub five: usize,
    /// The pools before `mixed4a` and `mixed5a`.
    pub pools: [(&'static str, Pool); 2],
}

impl Blocks {
    /// Adds the blocks after a node with so many channels. Returns the last node and its channels.
    pub fn build(&self, net: &mut Builder, mut x: usize, mut channels: usize) -> (usize, usize) {
        for (name, widths) in BLOCKS.into_iter().zip(self.widths) {
            let pool = match name {
                "mixed4a" => Some(self.pools[0]),
                "mixed5a" => Some(self.pools[1]),
                _ => None,
            };
            if let Some((pool_name, pool)) = pool {
                x = net.max_pool(pool_name, x, pool);
            }
            x = self.mixed(net, name, x, channels, widths);
            channels = widths[0] + widths[2] + widths[4] + widths[5];
        }
        (x, channels)
    }

    fn mixed(&self, net: &mut Builder, name: &str, x: usize, from: usize, widths: Widths) -> usize {
        let [one, three_in, three, five_in, five, pool] = widths;
        let branch = |branch: &str| format!("{name}/{branch}");
        let a = net.conv(&branch("1x1"), x, Kernel::new(from, one, 1));
        let reduced = net.conv(&branch("3x3_reduce"), x, Kernel::new(from, three_in, 1));
        let b = net.conv(&branch("3x3"), reduced, Kernel::new(three_in, three, 3));
        let reduced = net.conv(&branch("5x5_reduce"), x, Kernel::new(from, five_in, 1));
        let c = net.conv(&branch("5x5"), reduced, Kernel::new(five_in, five, self.five));
        let window = Pool { kernel: [3; 2], stride: [1; 2], padding: Padding::even(1), ceil: false };
        let pooled = net.max_pool(&branch("pooled"), x, window);
        let d = net.conv(&branch("pool"), pooled, Kernel::new(from, pool, 1));
        net.add(name, Op::Concat, &[a, b, c, d])
    }
}

/// A pool of 3 x 3 with stride 2 as in TensorFlow.
pub(super) const SAME_POOL: Pool =
    Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::Same, ceil: false };
