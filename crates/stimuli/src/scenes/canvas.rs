//! A canvas of colours, on which forms are painted with smooth edges and soft shadows.

use super::colour::Rgb;
use super::noise::grain;
use crate::maths::{cos_turns, sin_turns, smoothstep};
use crate::picture::{Picture, SIDE};

/// Side of the canvas in px, as a float.
pub const SIZE: f32 = SIDE as f32;

/// A place on the canvas: centre, size and rotation of a thing that is described in its own units.
#[derive(Clone, Copy)]
pub struct Frame {
    pub x: f32,
    pub y: f32,
    /// The number of px in a unit.
    pub scale: f32,
    cos: f32,
    sin: f32,
}

impl Frame {
    pub fn new(x: f32, y: f32, scale: f32) -> Self {
        Self { x, y, scale, cos: 1.0, sin: 0.0 }
    }

    /// The frame, turned clockwise by this many turns.
    pub fn turned(self, turns: f32) -> Self {
        let (c, s) = (cos_turns(turns), sin_turns(turns));
        Self { cos: self.cos * c - self.sin * s, sin: self.cos * s + self.sin * c, ..self }
    }

    /// A frame at the point (`u`, `v`) of this one, with `k` times its scale and the same rotation.
    pub fn at(&self, u: f32, v: f32, k: f32) -> Self {
        let (x, y) = self.point(u, v);
        Self { x, y, scale: self.scale * k, ..*self }
    }

    /// The point (`u`, `v`) of the thing on the canvas.
    pub fn point(&self, u: f32, v: f32) -> (f32, f32) {
        (
            self.x + self.scale * (u * self.cos - v * self.sin),
            self.y + self.scale * (u * self.sin + v * self.cos),
        )
    }

    /// The point (`x`, `y`) of the canvas in units of the thing.
    #[inline]
    fn local(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = ((x - self.x) / self.scale, (y - self.y) / self.scale);
        (dx * self.cos + dy * self.sin, dy * self.cos - dx * self.sin)
    }
}

/// Columns `left..right` of the rows `top..bottom`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    /// The whole canvas.
    pub const WHOLE: Self = Self { left: 0, top: 0, right: SIDE, bottom: SIDE };

    /// The pixels of a box (left, top, right, bottom in px), as far as they lie in this area.
    fn clip(self, area: (f32, f32, f32, f32)) -> Self {
        let (across, down) = ((self.left as f32, self.right as f32), (self.top as f32, self.bottom as f32));
        let limited = |value: f32, (low, high): (f32, f32)| value.clamp(low, high) as usize;
        Self {
            left: limited(area.0.floor(), across),
            top: limited(area.1.floor(), down),
            right: limited(area.2.ceil(), across),
            bottom: limited(area.3.ceil(), down),
        }
    }
}

/// The unfinished picture.
pub struct Canvas {
    pixels: Vec<Rgb>,
    /// What is painted. The rest stays black.
    area: Area,
    lacks: bool,
}

impl Canvas {
    /// A black canvas, on which only an area is painted.
    pub fn new(area: Area) -> Self {
        Self { pixels: vec![Rgb::BLACK; SIDE * SIDE], area, lacks: false }
    }

    /// Paints over everything with the colour of each point (x, y in px, pixel centres at .5).
    pub fn cover(&mut self, colour: impl Fn(f32, f32) -> Rgb) {
        self.lay((0.0, 0.0, SIZE, SIZE), |x, y| (colour(x, y), 1.0));
    }

    /// Paints colours with opacities on the pixels of a box (left, top, right, bottom in px).
    #[inline]
    pub fn lay(&mut self, area: (f32, f32, f32, f32), paint: impl Fn(f32, f32) -> (Rgb, f32)) {
        let Area { left, top, right, bottom } = self.area.clip(area);
        for row in top..bottom {
            let line = &mut self.pixels[row * SIDE..(row + 1) * SIDE];
            for (column, pixel) in line.iter_mut().enumerate().take(right).skip(left) {
                let (colour, opacity) = paint(column as f32 + 0.5, row as f32 + 0.5);
                if opacity > 0.0 {
                    *pixel = pixel.mix(colour, opacity.min(1.0));
                }
            }
        }
    }

    /// Paints a form from the `distance` to its outline (negative inside) and its colour (by u, v and distance), in the units of the
    /// frame, within `extent` units of its centre.
    #[inline]
    pub fn form(
        &mut self,
        frame: &Frame,
        extent: f32,
        distance: impl Fn(f32, f32) -> f32,
        colour: impl Fn(f32, f32, f32) -> Rgb,
    ) {
        self.lay(reach(frame, extent, 1.0), |x, y| {
            let (u, v) = frame.local(x, y);
            let d = distance(u, v);
            let coverage = (0.5 - d * frame.scale).clamp(0.0, 1.0);
            if coverage > 0.0 { (colour(u, v, d), coverage) } else { (Rgb::BLACK, 0.0) }
        });
    }

    /// Darkens the surroundings of a form, up to `softness` units away. `strength` is 0 to 1.
    #[inline]
    pub fn shadow(
        &mut self,
        frame: &Frame,
        extent: f32,
        softness: f32,
        strength: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        self.lay(reach(frame, extent + softness, 0.0), |x, y| {
            let (u, v) = frame.local(x, y);
            let d = distance(u, v);
            (Rgb(0.04, 0.04, 0.09), strength * (1.0 - smoothstep(-softness, softness, d)))
        });
    }

    /// Adds light of a colour around a point, fading out at `radius` px.
    pub fn glow(&mut self, x: f32, y: f32, radius: f32, colour: Rgb, strength: f32) {
        // Pixels at the edge that the box covers only partly get next to no light.
        let box_ = [x - radius, y - radius, x + radius, y + radius].map(f32::trunc);
        let area = self.area.clip((box_[0], box_[1], box_[2], box_[3]));
        for row in area.top..area.bottom {
            for column in area.left..area.right {
                let (dx, dy) = (column as f32 + 0.5 - x, row as f32 + 0.5 - y);
                let d = (dx * dx + dy * dy).sqrt() / radius;
                if d < 1.0 {
                    let pixel = &mut self.pixels[row * SIDE + column];
                    *pixel = *pixel + colour * (strength * (1.0 - d) * (1.0 - d));
                }
            }
        }
    }

    /// The colours of all pixels, row by row, for something that mirrors them below the row `from`.
    pub fn mirrored(&mut self, from: f32) -> Vec<Rgb> {
        self.lacks |= self.area != Area::WHOLE && from < self.area.bottom as f32;
        self.pixels.clone()
    }

    /// Whether something that is painted mirrors a part that is not.
    pub fn lacks(&self) -> bool {
        self.lacks
    }

    /// The finished picture, multiplied by a tint of light, darker towards the corners by `vignette`, with `film` grain.
    pub fn develop(&self, tint: Rgb, vignette: f32, film: f32, seed: u32) -> Picture {
        let Area { left, top, right, bottom } = self.area;
        Picture::from_fn(|x, y| {
            if !(left..right).contains(&x) || !(top..bottom).contains(&y) {
                return [0; 3];
            }
            let (dx, dy) = ((x as f32 + 0.5) / SIZE - 0.5, (y as f32 + 0.5) / SIZE - 0.5);
            let light = 1.0 - vignette * 2.0 * (dx * dx + dy * dy);
            let speck = (grain(x as i32, y as i32, seed) - 0.5) * film;
            let p = self.pixels[y * SIDE + x];
            let byte =
                |value: f32, tint: f32| ((value * tint * light + speck).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            [byte(p.0, tint.0), byte(p.1, tint.1), byte(p.2, tint.2)]
        })
    }
}

/// The box on the canvas that contains everything within `extent` units of the frame's centre, and `margin` px.
fn reach(frame: &Frame, extent: f32, margin: f32) -> (f32, f32, f32, f32) {
    let r = extent * frame.scale * if frame.sin == 0.0 { 1.0 } else { 1.2 } + margin;
    (frame.x - r, frame.y - r, frame.x + r, frame.y + r)
}
