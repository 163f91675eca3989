//! The screens and mice of simulated people, as far as answers record them.

use rand::RngExt;
use rand_chacha::ChaCha20Rng;

/// Pixel ratios and intervals between frames in ms that browsers report: common screens, a scaled, a high-resolution and a fast
/// one, and a browser that saves power.
const DISPLAYS: [(f64, f64); 5] = [(1.0, 16.7), (1.25, 16.7), (2.0, 16.7), (1.0, 6.9), (2.0, 33.3)];

/// How long a mouse button is held down, in ms. The click happens when it is released.
const HELD_MS: f64 = 90.0;

/// A stream of its own keeps draws of the display from changing other draws for the same person.
const STREAM: u64 = 1;

/// A person's screen and mouse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Display {
    /// Device px per image px. Simulated people show images in their own size.
    pub device_scale: f64,
    /// Interval between frames, in ms.
    pub frame_ms: f64,
}

impl Display {
    /// Draws one of the displays.
    pub fn draw(of_person: &ChaCha20Rng) -> Self {
        let mut rng = of_person.clone();
        rng.set_stream(STREAM);
        let (device_scale, frame_ms) = DISPLAYS[rng.random_range(0..DISPLAYS.len())];
        Self { device_scale, frame_ms }
    }

    /// When the mouse button was pressed down for a click, in ms to 0.1.
    pub fn pointerdown_rt(rt_ms: f64) -> f64 {
        ((rt_ms - HELD_MS).max(0.0) * 10.0).round() / 10.0
    }
}
