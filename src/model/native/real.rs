//! The number types of the kernels: `f32`, and `f64` for checking gradients.

use super::Packed;
use super::simd::LANES;
use super::vector::Vectors;
use crate::model::figure::States;
use crate::model::weights::PackedCache;
use bytemuck::Pod;
use candle_core::WithDType;
use std::ops::Neg;
use std::sync::Arc;

pub(crate) trait Real: WithDType + Vectors + Default + Neg<Output = Self> + Pod {
    const ZERO: Self;
    const ONE: Self;
    fn of(value: f64) -> Self;
    /// `self * a + b` in one rounding.
    fn fma(self, a: Self, b: Self) -> Self;
    fn root(self) -> Self;
    fn log(self) -> Self;
    /// e to the power of `self`; the same bits on every instruction set; NaN stays NaN.
    fn expo(self) -> Self;
    fn cache(cache: &mut PackedCache) -> &mut Option<(u64, Arc<Packed<Self>>)>;
    /// The states of a model in these numbers.
    fn states(states: &States) -> Option<(&Packed<Self>, &[Self])>;
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    #[inline(always)]
    fn of(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn fma(self, a: f32, b: f32) -> f32 {
        self.mul_add(a, b)
    }

    #[inline(always)]
    fn root(self) -> f32 {
        self.sqrt()
    }

    #[inline(always)]
    fn log(self) -> f32 {
        self.ln()
    }

    /// Cody and Waite's reduction, x = n ln 2 + r, then a Taylor polynomial of degree 7 on |r| <= ln 2 / 2; within 2 ulp.
    /// Without branches, so that loops over it become vector code.
    #[inline(always)]
    #[allow(clippy::excessive_precision)]
    fn expo(self) -> f32 {
        // Adding 1.5 * 2^23 rounds to an integer, which then stands in the lowest bits.
        const SHIFT: f32 = 12582912.0;
        // Comparisons rather than `max` and `min`: those would swallow a NaN.
        let x = if self < -87.0 { -87.0 } else { self };
        let x = if x > 88.0 { 88.0 } else { x };
        let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
        let n = shifted - SHIFT;
        let r = n.mul_add(-0.693145751953125, x);
        let r = n.mul_add(-1.42860682030941723212e-6, r);
        let p = 1.0 / 5040.0;
        let p = r.mul_add(p, 1.0 / 720.0);
        let p = r.mul_add(p, 1.0 / 120.0);
        let p = r.mul_add(p, 1.0 / 24.0);
        let p = r.mul_add(p, 1.0 / 6.0);
        let p = r.mul_add(p, 0.5);
        let p = r.mul_add(p, 1.0);
        let p = r.mul_add(p, 1.0);
        p * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
    }

    fn cache(cache: &mut PackedCache) -> &mut Option<(u64, Arc<Packed<f32>>)> {
        &mut cache.single
    }

    fn states(states: &States) -> Option<(&Packed<f32>, &[f32])> {
        if let States::Single(model, states) = states { Some((model, states)) } else { None }
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn fma(self, a: f64, b: f64) -> f64 {
        self.mul_add(a, b)
    }

    #[inline(always)]
    fn root(self) -> f64 {
        self.sqrt()
    }

    #[inline(always)]
    fn log(self) -> f64 {
        self.ln()
    }

    #[inline(always)]
    fn expo(self) -> f64 {
        self.exp()
    }

    fn cache(cache: &mut PackedCache) -> &mut Option<(u64, Arc<Packed<f64>>)> {
        &mut cache.double
    }

    fn states(states: &States) -> Option<(&Packed<f64>, &[f64])> {
        if let States::Double(model, states) = states { Some((model, states)) } else { None }
    }
}

/// Adds 16 partial sums in a fixed tree.
#[inline(always)]
pub(crate) fn add_lanes<T: Real>(lanes: [T; LANES]) -> T {
    let mut lanes = lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Σ a·b over slices of one length.
#[inline(always)]
pub(crate) fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (whole_a, rest_a) = a.as_chunks::<LANES>();
    let (whole_b, rest_b) = b.as_chunks::<LANES>();
    for (x, y) in whole_a.iter().zip(whole_b) {
        for i in 0..LANES {
            lanes[i] = x[i].fma(y[i], lanes[i]);
        }
    }
    let mut total = add_lanes(lanes);
    for (x, y) in rest_a.iter().zip(rest_b) {
        total = x.fma(*y, total);
    }
    total
}

/// Σ a.
#[inline(always)]
pub(crate) fn sum<T: Real>(a: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (whole, rest) = a.as_chunks::<LANES>();
    for x in whole {
        for i in 0..LANES {
            lanes[i] += x[i];
        }
    }
    let mut total = add_lanes(lanes);
    for x in rest {
        total += *x;
    }
    total
}

/// The largest element; a NaN among them is not reported here, it comes back through the exponentials.
#[inline(always)]
pub(crate) fn largest<T: Real>(a: &[T]) -> T {
    let Some(first) = a.first() else { return T::ZERO };
    let mut lanes = [*first; LANES];
    let (whole, rest) = a.as_chunks::<LANES>();
    for x in whole {
        for i in 0..LANES {
            lanes[i] = if x[i] > lanes[i] { x[i] } else { lanes[i] };
        }
    }
    let mut top = lanes[0];
    for x in lanes.iter().chain(rest) {
        if *x > top {
            top = *x;
        }
    }
    top
}

/// `y += factor * x`.
#[inline(always)]
pub(crate) fn add_scaled<T: Real>(y: &mut [T], factor: T, x: &[T]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = factor.fma(*x, *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_is_close_everywhere() {
        let mut worst = 0f64;
        for i in -860_000..=860_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max(((f64::from(x.expo()) - exact) / exact).abs());
        }
        assert!(worst < 2.5e-7, "{worst}");
        assert!(f32::NAN.expo().is_nan());
        assert_eq!(0f32.expo(), 1.0);
        assert!(f32::NEG_INFINITY.expo() < 1e-37);
    }

    #[test]
    fn reductions_agree_with_plain_loops() {
        for n in [0, 1, 15, 16, 17, 50] {
            let a: Vec<f64> = (0..n).map(|i| (f64::from(i) * 0.7).sin()).collect();
            let b: Vec<f64> = (0..n).map(|i| (f64::from(i) * 0.3).cos()).collect();
            let plain: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-12);
            assert!((sum(&a) - a.iter().sum::<f64>()).abs() < 1e-12);
            assert_eq!(largest(&a), a.iter().copied().reduce(f64::max).unwrap_or(0.0));
        }
    }
}
