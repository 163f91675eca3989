//! Sine, exponential and arctangent with the same bits on every machine.
//!
//! The standard library uses the platform's C library, whose last bits differ. The demo's images must be the same everywhere, so
//! these functions use only additions, multiplications, divisions and square roots, which IEEE 754 rounds in one way. The
//! precision (about 1e-5) suffices for pictures.

/// sin(2 pi `turns`).
#[inline]
pub fn sin_turns(turns: f32) -> f32 {
    let mut t = turns - turns.floor();
    if t > 0.5 {
        t -= 1.0;
    }
    if t > 0.25 {
        t = 0.5 - t;
    } else if t < -0.25 {
        t = -0.5 - t;
    }
    let x = t * std::f32::consts::TAU;
    let x2 = x * x;
    x * (1.0 + x2 * (-1.0 / 6.0 + x2 * (1.0 / 120.0 + x2 * (-1.0 / 5040.0 + x2 / 362_880.0))))
}

/// cos(2 pi `turns`).
#[inline]
pub fn cos_turns(turns: f32) -> f32 {
    sin_turns(turns + 0.25)
}

/// e to the power of `x`; 0 below -80, and `x` is capped at 80.
#[inline]
pub fn exp(x: f32) -> f32 {
    if x < -80.0 {
        return 0.0;
    }
    let scaled = x.min(80.0) * std::f32::consts::LOG2_E;
    let whole = scaled.floor();
    let f = (scaled - whole) * std::f32::consts::LN_2;
    let fraction =
        1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f / 720.0)))));
    fraction * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

/// The angle of the vector (`x`, `y`) in turns, from -0.5 to 0.5; 0 for the zero vector.
#[inline]
pub fn angle_turns(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let large = ax.max(ay);
    if large == 0.0 {
        return 0.0;
    }
    let r = ax.min(ay) / large;
    let r2 = r * r;
    // A minimax polynomial for arctan on 0..1 (error below 1e-5), in radians.
    let a = r * (0.999_866 + r2 * (-0.330_299_5 + r2 * (0.180_141 + r2 * (-0.085_133 + r2 * 0.020_835_1))));
    let mut turns = a / std::f32::consts::TAU;
    if ay > ax {
        turns = 0.25 - turns;
    }
    if x < 0.0 {
        turns = 0.5 - turns;
    }
    if y < 0.0 { -turns } else { turns }
}

/// 0 below `from`, 1 above `to`, a smooth cubic between.
#[inline]
pub fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for i in -400..400 {
            let x = i as f32 * 0.0173;
            let radians = x * std::f32::consts::TAU;
            assert!((sin_turns(x) - radians.sin()).abs() < 2e-5, "sin {x}");
            assert!((cos_turns(x) - radians.cos()).abs() < 2e-5, "cos {x}");
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-4, "exp {x}");
            let (s, c) = radians.sin_cos();
            assert!(
                (angle_turns(s * 3.0, c * 3.0) * std::f32::consts::TAU - s.atan2(c)).abs() < 1e-4,
                "atan {x}"
            );
        }
        assert_eq!(exp(-100.0), 0.0);
        assert_eq!(angle_turns(0.0, 0.0), 0.0);
    }
}
