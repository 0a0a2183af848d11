//! Training and generation on the CPU: kernels over slices, the decoder forward and backward, nothing allocated per operation
//! that candle would (its tape, broadcasts, zeroed gradients).
//!
//! A row's numbers do not depend on which rows share its batch, nor on the instruction set ([`simd`]).

#![expect(
    clippy::inline_always,
    reason = "a kernel is compiled for an instruction set only where it is inlined into the function that enables it"
)]

pub(crate) mod attention;
pub(crate) mod backward;
pub(crate) mod batch;
pub(crate) mod decode;
pub(crate) mod elementwise;
mod figures;
pub(crate) mod gradients;
pub(crate) mod head;
pub(crate) mod low_rank;
pub(crate) mod matmul;
pub(crate) mod packed;
pub(crate) mod pass;
pub(crate) mod past;
pub(crate) mod path;
pub(crate) mod real;
pub(crate) mod simd;
pub(crate) mod team;
pub(crate) mod value;
pub(crate) mod vector;

pub(crate) use low_rank::LowRank;
pub(crate) use packed::Packed;
pub(crate) use real::Real;
