//! Noise on the plane, for the irregularity of clouds, stone, bark and grass.

/// A scrambled 32-bit number (the finaliser of MurmurHash3 over the coordinates).
#[inline]
pub fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h =
        seed ^ (x as u32).wrapping_mul(0x85EB_CA6B) ^ (y as u32).wrapping_mul(0xC2B2_AE35).rotate_left(13);
    h ^= h >> 16;
    h = h.wrapping_mul(0x85EB_CA6B);
    h ^= h >> 13;
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

/// A number from 0 to 1 for each point of the grid.
#[inline]
pub fn grain(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / 16_777_216.0
}

/// Smooth value noise from 0 to 1, with one bump per unit of length.
#[inline]
pub fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let top = grain(ix, iy, seed) * (1.0 - sx) + grain(ix + 1, iy, seed) * sx;
    let bottom = grain(ix, iy + 1, seed) * (1.0 - sx) + grain(ix + 1, iy + 1, seed) * sx;
    top * (1.0 - sy) + bottom * sy
}

/// Noise of several octaves (each half as large and half as strong), from 0 to 1 with mean 0.5.
#[inline]
pub fn fbm(x: f32, y: f32, octaves: u32, seed: u32) -> f32 {
    let (mut sum, mut weight, mut total, mut k) = (0.0, 1.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += weight
            * noise(x * k + 17.3 * octave as f32, y * k - 9.1 * octave as f32, seed.wrapping_add(octave));
        total += weight;
        weight *= 0.5;
        k *= 2.0;
    }
    sum / total
}

/// The nearest of the scattered points (one per unit square): its distance, the additional distance of the second nearest, a random
/// number of the point (0 to 1), and the vector from it.
pub struct Cell {
    pub distance: f32,
    pub gap: f32,
    pub id: f32,
    pub offset: (f32, f32),
}

/// Worley's cellular noise; `disorder` 0 is a square lattice, 1 fully random.
#[inline]
pub fn cells(x: f32, y: f32, disorder: f32, seed: u32) -> Cell {
    let (ix, iy) = (x.floor() as i32, y.floor() as i32);
    let (mut first, mut second) = (f32::MAX, f32::MAX);
    let mut id = 0.0;
    let mut offset = (0.0, 0.0);
    for cy in iy - 1..=iy + 1 {
        for cx in ix - 1..=ix + 1 {
            let h = hash(cx, cy, seed);
            let px = cx as f32 + 0.5 + disorder * ((h & 1023) as f32 / 1023.0 - 0.5);
            let py = cy as f32 + 0.5 + disorder * (((h >> 10) & 1023) as f32 / 1023.0 - 0.5);
            let d = (x - px) * (x - px) + (y - py) * (y - py);
            if d < first {
                second = first;
                first = d;
                id = (h >> 20) as f32 / 4096.0;
                offset = (x - px, y - py);
            } else if d < second {
                second = d;
            }
        }
    }
    Cell { distance: first.sqrt(), gap: second.sqrt() - first.sqrt(), id, offset }
}
