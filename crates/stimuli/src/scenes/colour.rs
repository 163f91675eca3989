//! Colours, mixing, and palettes.

use std::ops::{Add, Mul, Sub};

use crate::dice::Dice;

/// Red, green, blue as shown on a screen (sRGB), nominally 0 to 1; values outside are cut off at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub f32, pub f32, pub f32);

impl Add for Rgb {
    type Output = Self;
    #[inline]
    fn add(self, o: Self) -> Self {
        Self(self.0 + o.0, self.1 + o.1, self.2 + o.2)
    }
}

impl Sub for Rgb {
    type Output = Self;
    #[inline]
    fn sub(self, o: Self) -> Self {
        Self(self.0 - o.0, self.1 - o.1, self.2 - o.2)
    }
}

impl Mul<f32> for Rgb {
    type Output = Self;
    #[inline]
    fn mul(self, k: f32) -> Self {
        Self(self.0 * k, self.1 * k, self.2 * k)
    }
}

impl Rgb {
    pub const WHITE: Self = Self(0.97, 0.96, 0.94);
    pub const BLACK: Self = Self(0.07, 0.07, 0.09);

    /// From 0xRRGGBB.
    pub const fn hex(code: u32) -> Self {
        Self(
            ((code >> 16) & 255) as f32 / 255.0,
            ((code >> 8) & 255) as f32 / 255.0,
            (code & 255) as f32 / 255.0,
        )
    }

    /// Hue in turns (0 red, 1/3 green, 2/3 blue), saturation and lightness 0 to 1.
    pub fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let amount = saturation * lightness.min(1.0 - lightness);
        let channel = |n: f32| {
            let k = (n + hue * 12.0).rem_euclid(12.0);
            lightness - amount * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
        };
        Self(channel(0.0), channel(8.0), channel(4.0))
    }

    /// This colour at `t` = 0, the other at `t` = 1.
    #[inline]
    pub fn mix(self, other: Self, t: f32) -> Self {
        self + (other - self) * t
    }

    /// Towards white.
    pub fn tint(self, t: f32) -> Self {
        self.mix(Self::WHITE, t)
    }

    /// Towards a bluish black.
    pub fn shade(self, t: f32) -> Self {
        self.mix(Self(0.05, 0.05, 0.12), t)
    }

    /// The same colour a little lighter or darker, warmer or cooler.
    pub fn vary(self, dice: &Dice, amount: f32) -> Self {
        let light = dice.range(-amount, amount);
        let warm = dice.range(-amount, amount) * 0.4;
        Self(self.0 + light + warm, self.1 + light, self.2 + light - warm)
    }

    /// The colour under a coloured light.
    pub fn lit(self, light: Self) -> Self {
        Self(self.0 * light.0, self.1 * light.1, self.2 * light.2)
    }

    pub fn luminance(self) -> f32 {
        0.299 * self.0 + 0.587 * self.1 + 0.114 * self.2
    }
}

/// Five matching colours.
pub type Palette = [Rgb; 5];

const fn palette(codes: [u32; 5]) -> Palette {
    [Rgb::hex(codes[0]), Rgb::hex(codes[1]), Rgb::hex(codes[2]), Rgb::hex(codes[3]), Rgb::hex(codes[4])]
}

/// Hand-picked palettes: warm, cool, muted and strong ones.
const PALETTES: [Palette; 28] = [
    palette([0x264653, 0x2A9D8F, 0xE9C46A, 0xF4A261, 0xE76F51]),
    palette([0xE63946, 0xF1FAEE, 0xA8DADC, 0x457B9D, 0x1D3557]),
    palette([0xCDB4DB, 0xFFC8DD, 0xFFAFCC, 0xBDE0FE, 0xA2D2FF]),
    palette([0x606C38, 0x283618, 0xFEFAE0, 0xDDA15E, 0xBC6C25]),
    palette([0x8ECAE6, 0x219EBC, 0x023047, 0xFFB703, 0xFB8500]),
    palette([0xF72585, 0x7209B7, 0x3A0CA3, 0x4361EE, 0x4CC9F0]),
    palette([0xD9ED92, 0x99D98C, 0x52B69A, 0x168AAD, 0x1E6091]),
    palette([0xFFCDB2, 0xFFB4A2, 0xE5989B, 0xB5838D, 0x6D6875]),
    palette([0x5F0F40, 0x9A031E, 0xFB8B24, 0xE36414, 0x0F4C5C]),
    palette([0xF8F9FA, 0xCED4DA, 0x868E96, 0x495057, 0x212529]),
    palette([0xFFBE0B, 0xFB5607, 0xFF006E, 0x8338EC, 0x3A86FF]),
    palette([0x386641, 0x6A994E, 0xA7C957, 0xF2E8CF, 0xBC4749]),
    palette([0xDAD7CD, 0xA3B18A, 0x588157, 0x3A5A40, 0x344E41]),
    palette([0x0D1B2A, 0x1B263B, 0x415A77, 0x778DA9, 0xE0E1DD]),
    palette([0xEDAFB8, 0xF7E1D7, 0xDEDBD2, 0xB0C4B1, 0x4A5759]),
    palette([0x003049, 0xD62828, 0xF77F00, 0xFCBF49, 0xEAE2B7]),
    palette([0x2B2D42, 0x8D99AE, 0xEDF2F4, 0xEF233C, 0xD90429]),
    palette([0x00B4D8, 0x90E0EF, 0xCAF0F8, 0x0077B6, 0x03045E]),
    palette([0x582F0E, 0x7F4F24, 0xA68A64, 0xB6AD90, 0xC2C5AA]),
    palette([0xFF595E, 0xFFCA3A, 0x8AC926, 0x1982C4, 0x6A4C93]),
    palette([0x335C67, 0xFFF3B0, 0xE09F3E, 0x9E2A2B, 0x540B0E]),
    palette([0x70D6FF, 0xFF70A6, 0xFF9770, 0xFFD670, 0xE9FF70]),
    palette([0x3D405B, 0xE07A5F, 0xF4F1DE, 0x81B29A, 0xF2CC8F]),
    palette([0x10002B, 0x3C096C, 0x7B2CBF, 0xC77DFF, 0xE0AAFF]),
    palette([0xB7094C, 0x892B64, 0x5C4D7D, 0x2E6F95, 0x0091AD]),
    palette([0xFAF3DD, 0xC8D5B9, 0x8FC0A9, 0x68B0AB, 0x4A7C59]),
    palette([0xF94144, 0xF8961E, 0xF9C74F, 0x90BE6D, 0x577590]),
    palette([0x463F3A, 0x8A817C, 0xBCB8B1, 0xF4F3EE, 0xE0AFA0]),
];

/// A palette in random order.
pub fn random_palette(dice: &Dice) -> Palette {
    let chosen = dice.pick(&PALETTES);
    let order = dice.permutation(5);
    [chosen[order[0]], chosen[order[1]], chosen[order[2]], chosen[order[3]], chosen[order[4]]]
}

/// Two colours of the palette that differ in lightness, the darker first.
pub fn contrasting(dice: &Dice, palette: &Palette) -> (Rgb, Rgb) {
    let a = dice.pick(palette);
    let b = palette
        .iter()
        .copied()
        .max_by(|x, y| {
            (x.luminance() - a.luminance()).abs().total_cmp(&(y.luminance() - a.luminance()).abs())
        })
        .unwrap_or(Rgb::WHITE);
    if a.luminance() < b.luminance() { (a, b) } else { (b, a) }
}

/// A green of plants.
pub fn leaf_green(dice: &Dice) -> Rgb {
    Rgb::hsl(dice.range(0.2, 0.38), dice.range(0.35, 0.7), dice.range(0.25, 0.45))
}

/// A bright colour of flowers, toys and sweets.
pub fn vivid(dice: &Dice) -> Rgb {
    Rgb::hsl(dice.unit(), dice.range(0.7, 0.95), dice.range(0.48, 0.62))
}
