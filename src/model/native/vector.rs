//! Sixteen lanes of a number type, as registers of an instruction set.
//!
//! The compiler does not keep arrays of lanes in registers through the loops of a matrix product unless it optimises
//! fully; with these types it does at every level. The loads and stores are raw, so all of it is unsafe and used in
//! [`matmul`](super::matmul) only.

use super::real::Real;
use super::simd::LANES;
#[cfg(target_arch = "x86_64")]
#[allow(clippy::wildcard_imports, reason = "every name begins with `_mm` and says what it is")]
use std::arch::x86_64::*;

/// # Safety
/// The processor has the instructions of the type; pointers are good for 16 numbers.
pub(crate) trait Vector<T>: Copy {
    unsafe fn zero() -> Self;
    unsafe fn load(from: *const T) -> Self;
    unsafe fn store(self, to: *mut T);
    /// `left · self + sum`, rounded once.
    unsafe fn fma(self, left: T, sum: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
}

/// The vector types of a number type, for each instruction set.
pub(crate) trait Vectors: Sized {
    #[cfg(target_arch = "x86_64")]
    type Wide: Vector<Self>;
    #[cfg(target_arch = "x86_64")]
    type Middle: Vector<Self>;
}

impl<T: Real> Vector<T> for [T; LANES] {
    #[inline(always)]
    unsafe fn zero() -> Self {
        [T::ZERO; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise; an array has no stricter alignment than its elements.
        unsafe { *from.cast::<Self>() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise.
        unsafe { *to.cast::<Self>() = self }
    }

    #[inline(always)]
    unsafe fn fma(self, left: T, sum: Self) -> Self {
        std::array::from_fn(|l| left.fma(self[l], sum[l]))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        std::array::from_fn(|l| self[l] + other[l])
    }
}

/// Implements [`Vector`] for an array of registers.
#[cfg(target_arch = "x86_64")]
macro_rules! registers {
    ($number:ty, $register:ty, $count:literal, $width:literal, $zero:ident, $load:ident, $store:ident, $spread:ident, $fma:ident, $add:ident) => {
        impl Vector<$number> for [$register; $count] {
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: the caller's promise, here and below.
                unsafe { [$zero(); $count] }
            }

            #[inline(always)]
            unsafe fn load(from: *const $number) -> Self {
                std::array::from_fn(|i| unsafe { $load(from.add(i * $width)) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $number) {
                for (i, register) in self.into_iter().enumerate() {
                    unsafe { $store(to.add(i * $width), register) }
                }
            }

            #[inline(always)]
            unsafe fn fma(self, left: $number, sum: Self) -> Self {
                let left = unsafe { $spread(left) };
                std::array::from_fn(|i| unsafe { $fma(left, self[i], sum[i]) })
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                std::array::from_fn(|i| unsafe { $add(self[i], other[i]) })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
registers!(f32, __m512, 1, 16, _mm512_setzero_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps);
#[cfg(target_arch = "x86_64")]
registers!(f32, __m256, 2, 8, _mm256_setzero_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps);
#[cfg(target_arch = "x86_64")]
registers!(f64, __m512d, 2, 8, _mm512_setzero_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_add_pd);
#[cfg(target_arch = "x86_64")]
registers!(f64, __m256d, 4, 4, _mm256_setzero_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_add_pd);

impl Vectors for f32 {
    #[cfg(target_arch = "x86_64")]
    type Wide = [__m512; 1];
    #[cfg(target_arch = "x86_64")]
    type Middle = [__m256; 2];
}

impl Vectors for f64 {
    #[cfg(target_arch = "x86_64")]
    type Wide = [__m512d; 2];
    #[cfg(target_arch = "x86_64")]
    type Middle = [__m256d; 4];
}
