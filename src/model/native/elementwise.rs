//! RMS norm, rotary positions, SwiGLU: forward, and backward from what the forward pass was given.

use super::real::{Real, dot};
use super::simd::simd;

simd! {
    /// y = x / rms(x) · gain for rows of `width` (Zhang and Sennrich 2019); `inverse` gets 1 / rms of each row.
    pub(crate) fn rms_norm<T>(x: &[T], width: usize, gain: &[T], eps: T, y: &mut [T], inverse: &mut [T]) {
        let size = T::of(width as f64);
        for ((x, y), inverse) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(inverse) {
            let scale = T::ONE / (dot(x, x) / size + eps).root();
            *inverse = scale;
            for ((y, x), gain) in y.iter_mut().zip(x).zip(gain) {
                *y = *x * scale * *gain;
            }
        }
    }
}

simd! {
    /// Adds the gradient with respect to `x` to `dx` and that of the gain to `dgain`, which is empty for a frozen gain.
    pub(crate) fn rms_norm_backward<T>(
        x: &[T], width: usize, gain: &[T], inverse: &[T], dy: &[T], dx: &mut [T], dgain: &mut [T],
    ) {
        let size = T::of(width as f64);
        let mut scaled = vec![T::ZERO; width];
        for (((x, dy), dx), inverse) in x.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width)).zip(inverse) {
            let scale = *inverse;
            for ((scaled, dy), gain) in scaled.iter_mut().zip(dy).zip(gain) {
                *scaled = *dy * *gain;
            }
            for ((dgain, dy), x) in dgain.iter_mut().zip(dy).zip(x) {
                *dgain = dy.fma(*x * scale, *dgain);
            }
            let pull = dot(&scaled, x) * scale * scale * scale / size;
            for ((dx, scaled), x) in dx.iter_mut().zip(&scaled).zip(x) {
                *dx += *scaled * scale - *x * pull;
            }
        }
    }
}

simd! {
    /// Adds `bias` to every row.
    pub(crate) fn add_rows<T>(x: &mut [T], bias: &[T]) {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x += *bias;
            }
        }
    }
}

simd! {
    /// Adds every row of `dy` to the gradient of a bias.
    pub(crate) fn sum_rows<T>(dy: &[T], sum: &mut [T]) {
        for row in dy.chunks_exact(sum.len()) {
            for (sum, dy) in sum.iter_mut().zip(row) {
                *sum += *dy;
            }
        }
    }
}

simd! {
    /// [`rms_norm`] of every head in place: heads fill the first `width` elements of rows `stride` apart. `inverse` gets one number a head.
    pub(crate) fn head_norm<T>(x: &mut [T], stride: usize, width: usize, gain: &[T], eps: T, inverse: &mut [T]) {
        let (head, size) = (gain.len(), T::of(gain.len() as f64));
        for (row, inverse) in x.chunks_mut(stride).zip(inverse.chunks_exact_mut(width / head)) {
            for (x, inverse) in row[..width].chunks_exact_mut(head).zip(inverse) {
                let scale = T::ONE / (dot(x, x) / size + eps).root();
                *inverse = scale;
                for (x, gain) in x.iter_mut().zip(gain) {
                    *x = *x * scale * *gain;
                }
            }
        }
    }
}

simd! {
    /// The gradient of [`head_norm`]: `dx` holds that of its output and becomes that of its input `x`, whose rows lie `width` apart. `dgain` is empty for a frozen gain.
    pub(crate) fn head_norm_backward<T>(
        x: &[T], width: usize, gain: &[T], inverse: &[T], dx: &mut [T], stride: usize, dgain: &mut [T],
    ) {
        let (head, size) = (gain.len(), T::of(gain.len() as f64));
        for ((x, dx), inverse) in x.chunks_exact(width).zip(dx.chunks_mut(stride)).zip(inverse.chunks_exact(width / head)) {
            for ((x, dx), scale) in x.chunks_exact(head).zip(dx[..width].chunks_exact_mut(head)).zip(inverse) {
                let scale = *scale;
                for ((dx, x), dgain) in dx.iter().zip(x).zip(dgain.iter_mut()) {
                    *dgain = dx.fma(*x * scale, *dgain);
                }
                for (dx, gain) in dx.iter_mut().zip(gain) {
                    *dx *= *gain;
                }
                let pull = dot(dx, x) * scale * scale * scale / size;
                for (dx, x) in dx.iter_mut().zip(x) {
                    *dx = *dx * scale - *x * pull;
                }
            }
        }
    }
}

/// Cosines and sines of rotary positions, `[context, head / 2]` each (Su et al. 2021; halves split as in Llama).
#[derive(Debug)]
pub(crate) struct Rope<T> {
    pub(crate) half: usize,
    pub(crate) cos: Vec<T>,
    pub(crate) sin: Vec<T>,
}

impl<T: Real> Rope<T> {
    /// `periods` as of [`DecoderConfig::rope_periods`](crate::model::DecoderConfig::rope_periods).
    pub(crate) fn new(context: usize, periods: &[f64]) -> Rope<T> {
        let half = periods.len();
        let mut cos = Vec::with_capacity(context * half);
        let mut sin = Vec::with_capacity(context * half);
        for position in 0..context {
            for period in periods {
                let angle = position as f64 / period;
                cos.push(T::of(angle.cos()));
                sin.push(T::of(angle.sin()));
            }
        }
        Rope { half, cos, sin }
    }

    /// Turns every head of every row in place; `backward` turns back, which is the gradient of the forward turn.
    /// Rows are `stride` apart, the heads fill the first `width` elements.
    pub(crate) fn turn(&self, x: &mut [T], stride: usize, width: usize, positions: &[u32], backward: bool) {
        rotate(x, stride, width, positions, &self.cos, &self.sin, self.half, if backward { -T::ONE } else { T::ONE });
    }
}

simd! {
    fn rotate<T>(x: &mut [T], stride: usize, width: usize, positions: &[u32], cos: &[T], sin: &[T], half: usize, sign: T) {
        for (row, position) in x.chunks_mut(stride).zip(positions) {
            let at = *position as usize * half;
            let (cos, sin) = (&cos[at..at + half], &sin[at..at + half]);
            for head in row[..width].chunks_exact_mut(2 * half) {
                let (low, high) = head.split_at_mut(half);
                for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                    let (a, b, s) = (*low, *high, *sin * sign);
                    *low = a * *cos - b * s;
                    *high = b * *cos + a * s;
                }
            }
        }
    }
}

simd! {
    /// silu(gate) · up, rows of `[gate, up]` (Shazeer 2020).
    pub(crate) fn swiglu<T>(gate_up: &[T], ffn: usize, out: &mut [T]) {
        for (row, out) in gate_up.chunks_exact(2 * ffn).zip(out.chunks_exact_mut(ffn)) {
            let (gate, up) = row.split_at(ffn);
            for ((out, gate), up) in out.iter_mut().zip(gate).zip(up) {
                *out = *gate / (T::ONE + (-*gate).expo()) * *up;
            }
        }
    }
}

simd! {
    /// Overwrites `gate_up` with its gradient, given that of the product, and writes the product itself to `out` on the way.
    pub(crate) fn swiglu_backward<T>(gate_up: &mut [T], ffn: usize, dout: &[T], out: &mut [T]) {
        for ((row, dout), out) in gate_up.chunks_exact_mut(2 * ffn).zip(dout.chunks_exact(ffn)).zip(out.chunks_exact_mut(ffn)) {
            let (gate, up) = row.split_at_mut(ffn);
            for (((gate, up), dout), out) in gate.iter_mut().zip(up).zip(dout).zip(out) {
                let sigmoid = T::ONE / (T::ONE + (-*gate).expo());
                let silu = *gate * sigmoid;
                *out = silu * *up;
                let slope = sigmoid + silu * (T::ONE - sigmoid);
                *gate = *dout * *up * slope;
                *up = *dout * silu;
            }
        }
    }
}
