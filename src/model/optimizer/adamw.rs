//! AdamW's arithmetic: on the CPU in place, on other devices and for short parameters in candle's operations.

use super::Parameter;
use crate::model::ModelError;
use crate::model::native::Real;
use crate::model::native::simd::simd;
use crate::model::slices::{slice, slice_mut};
use candle_core::{CpuStorage, DType, InplaceOp2, InplaceOp3, Layout, Tensor};

/// Loshchilov and Hutter (arXiv:1711.05101), algorithm 2, at one learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Above 0.
    pub lr: f64,
    /// Of the mean of the gradient; from 0, below 1.
    pub beta1: f64,
    /// Of the mean of its square; from 0, below 1.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Times the learning rate; 0 for what does not decay.
    pub weight_decay: f64,
}

const MEAN: &str = "first";
const MEAN_SQUARE: &str = "second";

impl AdamW {
    /// Running means of the gradient and of its square.
    pub const KEEPS: &[&str] = &[MEAN, MEAN_SQUARE];

    /// The update with a number, counted from 1.
    ///
    /// # Errors
    /// If the device refuses.
    pub fn update(&self, number: u64, parameter: &Parameter<'_>) -> Result<(), ModelError> {
        let correction = |beta: f64| 1.0 - beta.powf(number as f64);
        let (mean, square) = (Mean { beta: self.beta1 }, MeanSquare { beta: self.beta2 });
        let apply = Apply {
            keep: 1.0 - self.lr * self.weight_decay,
            rate: self.lr / correction(self.beta1),
            root: correction(self.beta2).sqrt(),
            eps: self.eps,
        };
        let (theta, gradient) = (parameter.value(), parameter.gradient);
        let (first, second) = (parameter.kept(MEAN)?, parameter.kept(MEAN_SQUARE)?);
        if theta.device().is_cpu() && matches!(theta.dtype(), DType::F32 | DType::F64) {
            first.inplace_op2(gradient, &mean)?;
            second.inplace_op2(gradient, &square)?;
            return Ok(theta.inplace_op3(&first, &second, &apply)?);
        }
        let first = ((first * mean.beta)? + (gradient * (1.0 - mean.beta))?)?;
        let second = ((second * square.beta)? + (gradient.sqr()? * (1.0 - square.beta))?)?;
        parameter.set(&apply.composite(&theta, &first, &second)?)?;
        parameter.keep(MEAN, &first)?;
        parameter.keep(MEAN_SQUARE, &second)
    }
}

/// m ← β m + (1 − β) g
struct Mean {
    beta: f64,
}

/// v ← β v + (1 − β) g²
struct MeanSquare {
    beta: f64,
}

/// θ ← keep θ − rate m / (√v / root + eps)
struct Apply {
    keep: f64,
    rate: f64,
    root: f64,
    eps: f64,
}

impl Apply {
    fn composite(&self, theta: &Tensor, first: &Tensor, second: &Tensor) -> Result<Tensor, ModelError> {
        let below = ((second.sqrt()? / self.root)? + self.eps)?;
        let change = ((first / below)? * self.rate)?;
        Ok(((theta * self.keep)? - change)?)
    }
}

simd! {
    fn apply_all<T>(theta: &mut [T], m: &[T], v: &[T], keep: T, rate: T, root: T, eps: T) {
        for ((theta, m), v) in theta.iter_mut().zip(m).zip(v) {
            *theta = *theta * keep - *m * rate / (v.root() * root + eps);
        }
    }
}

simd! {
    fn mean_all<T>(m: &mut [T], g: &[T], keep: T, add: T) {
        for (m, g) in m.iter_mut().zip(g) {
            *m = *m * keep + *g * add;
        }
    }
}

simd! {
    fn mean_square_all<T>(v: &mut [T], g: &[T], keep: T, add: T) {
        for (v, g) in v.iter_mut().zip(g) {
            *v = *v * keep + *g * *g * add;
        }
    }
}

fn unsupported() -> candle_core::Error {
    candle_core::Error::Msg("the optimiser works on f32 and f64 only".to_string())
}

impl InplaceOp2 for Mean {
    fn name(&self) -> &'static str {
        "adamw mean"
    }

    fn cpu_fwd(&self, m: &mut CpuStorage, lm: &Layout, g: &CpuStorage, lg: &Layout) -> candle_core::Result<()> {
        fn run<T: Real>(m: &mut [T], g: &[T], beta: f64) {
            mean_all(m, g, T::of(beta), T::of(1.0 - beta));
        }
        match (m, g) {
            (CpuStorage::F32(m), CpuStorage::F32(g)) => run(slice_mut(m, lm)?, slice(g, lg)?, self.beta),
            (CpuStorage::F64(m), CpuStorage::F64(g)) => run(slice_mut(m, lm)?, slice(g, lg)?, self.beta),
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

impl InplaceOp2 for MeanSquare {
    fn name(&self) -> &'static str {
        "adamw mean square"
    }

    fn cpu_fwd(&self, v: &mut CpuStorage, lv: &Layout, g: &CpuStorage, lg: &Layout) -> candle_core::Result<()> {
        fn run<T: Real>(v: &mut [T], g: &[T], beta: f64) {
            mean_square_all(v, g, T::of(beta), T::of(1.0 - beta));
        }
        match (v, g) {
            (CpuStorage::F32(v), CpuStorage::F32(g)) => run(slice_mut(v, lv)?, slice(g, lg)?, self.beta),
            (CpuStorage::F64(v), CpuStorage::F64(g)) => run(slice_mut(v, lv)?, slice(g, lg)?, self.beta),
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

impl InplaceOp3 for Apply {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        lt: &Layout,
        m: &CpuStorage,
        lm: &Layout,
        v: &CpuStorage,
        lv: &Layout,
    ) -> candle_core::Result<()> {
        fn run<T: Real>(theta: &mut [T], m: &[T], v: &[T], by: [f64; 4]) {
            let [keep, rate, root, eps] = by.map(T::of);
            apply_all(theta, m, v, keep, rate, root, eps);
        }
        let Apply { keep, rate, root, eps } = *self;
        match (theta, m, v) {
            (CpuStorage::F32(theta), CpuStorage::F32(m), CpuStorage::F32(v)) => {
                run(slice_mut(theta, lt)?, slice(m, lm)?, slice(v, lv)?, [keep, rate, 1.0 / root, eps]);
            }
            (CpuStorage::F64(theta), CpuStorage::F64(m), CpuStorage::F64(v)) => {
                run(slice_mut(theta, lt)?, slice(m, lm)?, slice(v, lv)?, [keep, rate, 1.0 / root, eps]);
            }
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::optimizer::tests::{Trainer, fixture};

    #[test]
    fn in_place_and_composite_agree() {
        let values = |tensor: &Tensor| -> Vec<f64> { tensor.flatten_all().unwrap().to_vec1().unwrap() };
        let (weights, gradients) = fixture();
        let copy = weights.duplicate().unwrap();
        Trainer::new(0.01, &weights).step(&weights, &gradients);
        let apply = Apply { keep: 1.0 - 0.01 * 0.01, rate: 0.01 / 0.1, root: 0.001f64.sqrt(), eps: 1e-8 };
        for (name, var) in copy.variables().iter().filter(|(_, v)| v.rank() >= 2) {
            let gradient = &gradients.tensors()[name];
            let (first, second) = ((gradient * 0.1).unwrap(), (gradient.sqr().unwrap() * 0.001).unwrap());
            let found = apply.composite(&var.as_detached_tensor(), &first, &second).unwrap();
            for (a, b) in values(&found).iter().zip(values(&weights.variables()[name])) {
                assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
