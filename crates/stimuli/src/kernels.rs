//! Loops over numbers.
//!
//! They are written out because they take nearly all the time, and the development profile, which does not unroll iterators, should
//! also be fast. All slices after the first must be at least as long as the first.

/// `out[i] = f(a[i])`.
#[inline(always)]
pub fn map(out: &mut [f32], a: &[f32], f: impl Fn(f32) -> f32) {
    let n = out.len();
    let a = &a[..n];
    let mut i = 0;
    while i < n {
        out[i] = f(a[i]);
        i += 1;
    }
}

/// `out[i] = f(a[i], b[i])`.
#[inline(always)]
pub fn map2(out: &mut [f32], a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) {
    let n = out.len();
    let (a, b) = (&a[..n], &b[..n]);
    let mut i = 0;
    while i < n {
        out[i] = f(a[i], b[i]);
        i += 1;
    }
}

/// `out[i] = f(a[i], b[i], c[i])`.
#[inline(always)]
pub fn map3(out: &mut [f32], a: &[f32], b: &[f32], c: &[f32], f: impl Fn(f32, f32, f32) -> f32) {
    let n = out.len();
    let (a, b, c) = (&a[..n], &b[..n], &c[..n]);
    let mut i = 0;
    while i < n {
        out[i] = f(a[i], b[i], c[i]);
        i += 1;
    }
}

/// `out[i] += weight * a[i]`.
#[inline(always)]
pub fn add(out: &mut [f32], weight: f32, a: &[f32]) {
    let n = out.len();
    let a = &a[..n];
    let mut i = 0;
    while i < n {
        out[i] += weight * a[i];
        i += 1;
    }
}

/// `out[i] *= f(a[i])`.
#[inline(always)]
pub fn scale(out: &mut [f32], a: &[f32], f: impl Fn(f32) -> f32) {
    let n = out.len();
    let a = &a[..n];
    let mut i = 0;
    while i < n {
        out[i] *= f(a[i]);
        i += 1;
    }
}

/// The sum of `a[i] * b[i]`, in four interleaved parts.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (n, mut i) = (a.len(), 0);
    let b = &b[..n];
    let mut sums = [0.0f32; 4];
    while i + 4 <= n {
        sums[0] += a[i] * b[i];
        sums[1] += a[i + 1] * b[i + 1];
        sums[2] += a[i + 2] * b[i + 2];
        sums[3] += a[i + 3] * b[i + 3];
        i += 4;
    }
    while i < n {
        sums[0] += a[i] * b[i];
        i += 1;
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_process_every_number() {
        let (a, b, c) = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0; 5], [0.5; 5]);
        let mut out = [0.0; 5];
        map(&mut out, &a, |x| x + 1.0);
        assert_eq!(out, [2.0, 3.0, 4.0, 5.0, 6.0]);
        map2(&mut out, &a, &b, |x, y| x * y);
        assert_eq!(out, [2.0, 4.0, 6.0, 8.0, 10.0]);
        map3(&mut out, &a, &b, &c, |x, y, z| x * y + z);
        assert_eq!(out, [2.5, 4.5, 6.5, 8.5, 10.5]);
        add(&mut out, 2.0, &a);
        assert_eq!(out, [4.5, 8.5, 12.5, 16.5, 20.5]);
        scale(&mut out, &b, |x| 1.0 / x);
        assert_eq!(out, [2.25, 4.25, 6.25, 8.25, 10.25]);
        assert_eq!(dot(&a, &b), 30.0);
    }
}
