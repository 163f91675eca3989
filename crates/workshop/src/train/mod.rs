//! Trains networks: the demo network on scenes.

mod adam;
mod classifier;
mod scenes;

pub use classifier::{Epoch, Training, accuracy, train_demo};
pub use scenes::Scenes;
