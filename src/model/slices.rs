//! Tensors on the CPU as slices.

use candle_core::Layout;

/// The part of a storage that a contiguous layout covers.
pub(crate) fn slice<'a, T>(data: &'a [T], layout: &Layout) -> candle_core::Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&data[from..to]),
        None => Err(candle_core::Error::Msg("the optimiser needs contiguous tensors".to_string())),
    }
}

/// As [`slice`], to be changed.
pub(crate) fn slice_mut<'a, T>(data: &'a mut [T], layout: &Layout) -> candle_core::Result<&'a mut [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&mut data[from..to]),
        None => Err(candle_core::Error::Msg("the optimiser needs contiguous tensors".to_string())),
    }
}
