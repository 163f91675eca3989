//! Surfaces of things, walls, cloths and grounds.

use super::colour::{Palette, Rgb, contrasting};
use super::form::length;
use super::noise::{cells, fbm, grain, noise};
use crate::dice::Dice;
use crate::maths::{cos_turns, sin_turns, smoothstep};

/// The pattern of a surface. [`Material::at`] shows what each looks like.
#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    Plain,
    Stripes,
    Waves,
    Zigzag,
    Checks,
    Tartan,
    Dots,
    Blossoms,
    Rings,
    Bricks,
    Planks,
    Tiles,
    Scales,
    Honeycomb,
    Weave,
    Pebbles,
    Terrazzo,
    Mottled,
    Marble,
}

use Pattern::{
    Blossoms, Bricks, Checks, Dots, Honeycomb, Marble, Mottled, Pebbles, Plain, Planks, Rings, Scales,
    Stripes, Tartan, Terrazzo, Tiles, Waves, Weave, Zigzag,
};

/// Patterns of cloth, paper and painted things.
pub const PRINTS: [Pattern; 11] =
    [Stripes, Stripes, Waves, Zigzag, Checks, Tartan, Dots, Dots, Blossoms, Honeycomb, Scales];
/// Patterns of walls and floors.
pub const MASONRY: [Pattern; 8] = [Bricks, Bricks, Planks, Tiles, Pebbles, Terrazzo, Marble, Mottled];

/// A surface with its colours and sizes.
#[derive(Clone, Copy, Debug)]
pub struct Material {
    pub pattern: Pattern,
    pub ground: Rgb,
    pub figure: Rgb,
    pub accent: Rgb,
    /// Size of one repeat in px.
    pub period: f32,
    /// Share of the figure in one repeat, 0 to 1.
    pub duty: f32,
    cos: f32,
    sin: f32,
    seed: u32,
}

impl Material {
    /// A pattern with colours of the palette; `period` in px.
    pub fn new(pattern: Pattern, dice: &Dice, palette: &Palette, period: f32) -> Self {
        let (dark, light) = contrasting(dice, palette);
        let (ground, figure) = if dice.chance(0.5) { (dark, light) } else { (light, dark) };
        Self {
            pattern,
            ground,
            figure,
            accent: dice.pick(palette),
            period,
            duty: dice.range(0.35, 0.6),
            cos: 1.0,
            sin: 0.0,
            seed: dice.seed(),
        }
        .turned(dice.pick(&[0.0, 0.25, 0.125, 0.375, 0.0, 0.25, dice.unit()]))
    }

    pub fn plain(colour: Rgb) -> Self {
        let (cos, sin) = (1.0, 0.0);
        Self {
            pattern: Plain,
            ground: colour,
            figure: colour,
            accent: colour,
            period: 10.0,
            duty: 0.5,
            cos,
            sin,
            seed: 0,
        }
    }

    /// Any print, or a plain surface with the probability `plain`.
    pub fn print(dice: &Dice, palette: &Palette, plain: f32) -> Self {
        if dice.chance(plain) {
            return Self::plain(dice.pick(palette));
        }
        let period = dice.range(9.0, 26.0);
        Self::new(dice.pick(&PRINTS), dice, palette, period)
    }

    /// Any wall or floor.
    pub fn masonry(dice: &Dice, palette: &Palette) -> Self {
        let pattern = dice.pick(&MASONRY);
        let period = dice.range(14.0, 34.0);
        let wall = Self::new(pattern, dice, palette, period).turned(0.0);
        // Stone has muted colours.
        let stone = wall.ground.mix(Rgb::hsl(0.09, 0.12, 0.55), dice.range(0.2, 0.7));
        let quiet = |colour: Rgb| stone.mix(colour, 0.45);
        let joint = if matches!(pattern, Bricks | Tiles) { wall.figure } else { quiet(wall.figure) };
        Self { accent: quiet(wall.accent), ..wall.coloured(stone, joint) }
    }

    pub fn coloured(self, ground: Rgb, figure: Rgb) -> Self {
        Self { ground, figure, ..self }
    }

    /// The surface, turned by this many turns.
    pub fn turned(self, turns: f32) -> Self {
        Self { cos: cos_turns(turns), sin: sin_turns(turns), ..self }
    }

    /// The colour at a point (px).
    pub fn at(&self, x: f32, y: f32) -> Rgb {
        let p = self.period;
        let (u, v) = ((x * self.cos + y * self.sin) / p, (y * self.cos - x * self.sin) / p);
        match self.pattern {
            Plain => self.ground,
            Stripes => self.blend(self.band(v)),
            Waves => self.blend(self.band(v + 0.35 * sin_turns(u * 0.5))),
            Zigzag => self.blend(self.band(v + (2.0 * (u - u.floor()) - 1.0).abs() * 0.9)),
            Checks => {
                let (a, b) = (self.edge(sin_turns(u * 0.5)), self.edge(sin_turns(v * 0.5)));
                self.blend(a + b - 2.0 * a * b)
            }
            Tartan => self.tartan(u, v),
            Dots => {
                let (du, dv) = lattice(u, v);
                self.blend(self.inside(length(du, dv) - 0.5 * self.duty))
            }
            Blossoms => self.blossoms(u, v),
            Rings => self.blend(self.band(length(u, v))),
            Bricks => self.bricks(u, v),
            Planks => self.planks(u, v),
            Tiles => self.tiles(u, v),
            Scales => self.scales(u, v),
            Honeycomb => {
                // A cell has six neighbours, since every second row is shifted by half.
                let k = cells_hex(u, v);
                self.blend(1.0 - self.inside(0.12 - k))
            }
            Weave => self.weave(u, v),
            Pebbles => {
                let c = cells(u, v, 0.8, self.seed);
                let stone =
                    self.ground.mix(self.accent, c.id * 0.7) * (0.7 + 0.35 * smoothstep(0.0, 0.5, c.gap));
                (self.figure * 0.5).mix(stone, smoothstep(0.03, 0.12, c.gap))
            }
            Terrazzo => {
                let c = cells(u * 1.6, v * 1.6, 1.0, self.seed);
                let chip = if c.id < 0.33 { self.figure } else { self.accent };
                self.ground.mix(chip, smoothstep(0.3, 0.36, c.gap))
            }
            Mottled => self.ground.mix(self.figure, fbm(u, v, 4, self.seed) * 1.4 - 0.2),
            Marble => {
                let warp = fbm(u * 0.6, v * 0.6, 4, self.seed);
                let vein = (sin_turns(u * 0.3 + v * 0.2 + 1.6 * warp)).abs();
                self.ground.mix(self.figure, smoothstep(0.25, 0.0, vein) * 0.8)
            }
        }
    }

    /// The mean of the colours, for a pattern that is too small to be seen.
    pub fn mean(&self) -> Rgb {
        self.ground.mix(self.figure, 0.5)
    }

    fn blend(&self, t: f32) -> Rgb {
        self.ground.mix(self.figure, t)
    }

    /// Half a px around an edge, for smooth outlines.
    #[inline]
    fn soft(&self) -> f32 {
        0.7 / self.period
    }

    /// 1 where a distance in periods is negative, 0 where positive.
    #[inline]
    fn inside(&self, d: f32) -> f32 {
        smoothstep(self.soft(), -self.soft(), d)
    }

    #[inline]
    fn edge(&self, wave: f32) -> f32 {
        smoothstep(-3.0 * self.soft(), 3.0 * self.soft(), wave)
    }

    /// One stripe per unit.
    #[inline]
    fn band(&self, t: f32) -> f32 {
        self.inside((t - t.floor() - 0.5).abs() - 0.5 * self.duty)
    }

    fn tartan(&self, u: f32, v: f32) -> Rgb {
        let thin = |t: f32| self.inside((t - t.floor() - 0.5).abs() - 0.08);
        let warp = self.ground.mix(self.figure, 0.55 * self.band(u));
        let cloth = warp.mix(self.figure, 0.55 * self.band(v));
        cloth.mix(self.accent, 0.7 * thin(u + 0.5)).mix(self.accent, 0.7 * thin(v + 0.5))
    }

    fn blossoms(&self, u: f32, v: f32) -> Rgb {
        let (du, dv) = lattice(u, v);
        let r = length(du, dv);
        let petals = 0.36 + 0.09 * cos_turns(5.0 * crate::maths::angle_turns(dv, du));
        self.blend(self.inside(r - petals)).mix(self.accent, self.inside(r - 0.13))
    }

    fn bricks(&self, u: f32, v: f32) -> Rgb {
        let row = (v * 2.0).floor();
        let shift = if row.rem_euclid(2.0) < 1.0 { 0.0 } else { 0.5 };
        let column = (u + shift).floor();
        let (du, dv) = ((u + shift - column - 0.5).abs(), (v * 2.0 - row - 0.5).abs());
        let joint = self.inside((0.46 - du).min((0.42 - dv) * 0.5));
        let tone = grain(column as i32, row as i32, self.seed) - 0.5;
        let stone = self.ground * (1.0 + 0.25 * tone) * (0.94 + 0.12 * noise(u * 9.0, v * 9.0, self.seed));
        stone.mix(self.figure, joint)
    }

    fn planks(&self, u: f32, v: f32) -> Rgb {
        let board = v.floor();
        let tone = grain(board as i32, 3, self.seed) - 0.5;
        let stretch = u * 0.25 + 7.0 * tone;
        let warp = noise(stretch * 2.0, v * 1.5, self.seed);
        let fibre = noise(stretch, v * 7.0 + 3.0 * warp, self.seed);
        let wood = self.ground.mix(self.figure, 0.28 * fibre + 0.1) * (1.0 + 0.22 * tone);
        let gap = self.inside((v - board).min(1.0 - v + board) - 0.035);
        wood * (1.0 - 0.6 * gap)
    }

    fn tiles(&self, u: f32, v: f32) -> Rgb {
        let (iu, iv) = (u.floor(), v.floor());
        let (du, dv) = ((u - iu - 0.5).abs(), (v - iv - 0.5).abs());
        let pick = grain(iu as i32, iv as i32, self.seed);
        let tile = if pick < 0.5 {
            self.ground
        } else if pick < 0.8 {
            self.figure
        } else {
            self.accent
        };
        (tile * (0.95 + 0.1 * pick)).mix(self.mean().tint(0.7), self.inside(0.46 - du.max(dv)))
    }

    fn scales(&self, u: f32, v: f32) -> Rgb {
        // Each row of round scales covers the row below it. The topmost scale at a point is visible.
        let row = (v * 2.0).floor();
        for step in 0..2 {
            let r = row - step as f32;
            let shift = if r.rem_euclid(2.0) < 1.0 { 0.0 } else { 0.5 };
            let du = u + shift - (u + shift).floor() - 0.5;
            let dv = v - r * 0.5;
            let d = length(du, dv);
            if d < 0.52 || step == 1 {
                let rim = self.inside(0.40 - d);
                return self.blend(1.0).mix(self.ground, 1.0 - rim) * (0.8 + 0.3 * (1.0 - dv));
            }
        }
        self.ground
    }

    fn weave(&self, u: f32, v: f32) -> Rgb {
        let over = (u.floor() + v.floor()).rem_euclid(2.0) < 1.0;
        let (along, across) = if over { (u, v) } else { (v, u) };
        let round = sin_turns(0.5 * (across - across.floor()));
        let bend = sin_turns(0.5 * (along - along.floor()));
        let strand = if over { self.ground } else { self.figure };
        strand * (0.45 + 0.35 * round + 0.25 * bend)
    }
}

/// The offset from the nearest point of a staggered lattice, one point per unit of length.
#[inline]
fn lattice(u: f32, v: f32) -> (f32, f32) {
    let row = (v / 0.8).floor();
    let shift = if row.rem_euclid(2.0) < 1.0 { 0.0 } else { 0.5 };
    (u + shift - (u + shift).floor() - 0.5, v - (row + 0.5) * 0.8)
}

/// How much nearer the nearest point of a hexagonal lattice is than the second nearest.
#[inline]
fn cells_hex(u: f32, v: f32) -> f32 {
    let (mut first, mut second) = (f32::MAX, f32::MAX);
    let row = (v / 0.866).floor();
    for r in [row - 1.0, row, row + 1.0] {
        let shift = if r.rem_euclid(2.0) < 1.0 { 0.25 } else { 0.75 };
        let base = (u - shift).floor() + shift;
        for c in [base, base + 1.0] {
            let d = length(u - c, v - (r + 0.5) * 0.866);
            if d < first {
                second = first;
                first = d;
            } else if d < second {
                second = d;
            }
        }
    }
    second - first
}
