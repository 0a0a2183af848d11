//! Matrix products outside of a model's passes.

use super::ModelError;
use super::native::Real;
use super::native::matmul::{Left, Right, Write, group_columns, multiply};
use super::native::simd::LANES;
use candle_core::{DType, Tensor};

/// `[m, k] · [k, n]`. On the CPU by its kernels: no bit depends on threads or on the instruction set.
///
/// # Errors
/// If the shapes do not fit, or the device refuses.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor, ModelError> {
    let ((rows, inner), (other, columns)) = (a.dims2()?, b.dims2()?);
    if inner != other {
        return Err(ModelError::input(format!("matrices of {rows} × {inner} and {other} × {columns} have no product")));
    }
    match (a.device().is_cpu(), a.dtype()) {
        (true, DType::F32) => on_cpu::<f32>(a, b, [rows, inner, columns]),
        (true, DType::F64) => on_cpu::<f64>(a, b, [rows, inner, columns]),
        _ => Ok(a.matmul(b)?),
    }
}

fn on_cpu<T: Real>(a: &Tensor, b: &Tensor, [rows, inner, columns]: [usize; 3]) -> Result<Tensor, ModelError> {
    let left = a.flatten_all()?.to_vec1::<T>()?;
    let right = group_columns(&b.flatten_all()?.to_vec1::<T>()?, inner, columns);
    let mut out = vec![T::ZERO; rows * columns];
    let right = Right { data: &right, row: LANES, group: inner * LANES };
    multiply(Left { data: &left, stride: inner }, rows, inner, right, columns, &mut out, columns, Write::Set);
    Ok(Tensor::from_vec(out, (rows, columns), a.device())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn agrees_with_sums_by_hand_also_of_what_is_turned() {
        let a = Tensor::new(&[[1f64, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::Cpu).unwrap();
        let squared = product(&a, &a.t().unwrap()).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(squared, [[14.0, 32.0], [32.0, 77.0]]);
        let other = product(&a.t().unwrap(), &a).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(other, [[17.0, 22.0, 27.0], [22.0, 29.0, 36.0], [27.0, 36.0, 45.0]]);
        let message = product(&a, &a).unwrap_err().to_string();
        assert_eq!(message, "matrices of 2 × 3 and 2 × 3 have no product");
    }
}
