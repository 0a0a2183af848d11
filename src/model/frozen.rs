//! The product with a matrix that is not trained.
//!
//! Candle's product makes the gradients of both sides and keeps them until the pass is over, tracked or not: below an adapter that would be a second model.

use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Storage, Tensor, bail};

/// `x[rows, inner] · Wᵀ` for `W[outer, inner]`, with the gradient of x alone.
struct Frozen {
    weight: Tensor,
}

pub(super) fn product(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    x.apply_op1(Frozen { weight: weight.detach() })
}

impl Frozen {
    fn forward<S: BackendStorage>(&self, x: &S, layout: &Layout, same: fn(&Storage) -> Option<&S>) -> Result<(S, Shape)> {
        let (outer, inner) = self.weight.dims2()?;
        let rows = layout.shape().elem_count() / inner;
        let (storage, weight) = self.weight.storage_and_layout();
        let Some(storage) = same(&storage) else { bail!("a frozen matrix lies on another device than what it is multiplied with") };
        let product = x.matmul(storage, (1, rows, outer, inner), layout, &weight.transpose(0, 1)?)?;
        Ok((product, Shape::from((rows, outer))))
    }
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(x, layout, |storage| match storage {
            Storage::Cpu(storage) => Some(storage),
            _ => None,
        })
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &candle_core::CudaStorage, layout: &Layout) -> Result<(candle_core::CudaStorage, Shape)> {
        self.forward(x, layout, |storage| match storage {
            Storage::Cuda(storage) => Some(storage),
            _ => None,
        })
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, slope: &Tensor) -> Result<Option<Tensor>> {
        slope.contiguous()?.matmul(&self.weight).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn it_is_candles_product_and_keeps_no_gradient_of_the_matrix() {
        let random = |rows: usize, columns: usize| Tensor::randn(0f64, 1.0, (rows, columns), &Device::Cpu).unwrap();
        let (x, weight, slope) = (Var::from_tensor(&random(5, 7)).unwrap(), random(3, 7), random(5, 3));
        let loss = |y: &Tensor| (y * &slope).unwrap().sum_all().unwrap();
        let (ours, theirs) = (product(&x, &weight).unwrap(), x.matmul(&weight.t().unwrap()).unwrap());
        let (found, expected) = (loss(&ours).backward().unwrap(), loss(&theirs).backward().unwrap());
        let apart = |a: &Tensor, b: &Tensor| (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(apart(&ours, &theirs) < 1e-12);
        assert!(apart(found.get(&x).unwrap(), expected.get(&x).unwrap()) < 1e-12);
        assert!(found.get(&weight).is_none());
    }
}
