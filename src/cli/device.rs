//! Which device is used; asked for at run time, since a binary with CUDA may run where there is none.

use super::tell;
use crate::model::without_frames;
use candle_core::Device;

/// # Errors
/// If CUDA was demanded and is not there.
pub(super) fn open(name: &str) -> Result<Device, String> {
    match name {
        "cpu" => Ok(Device::Cpu),
        "cuda" => Device::new_cuda(0).map_err(|error| match cfg!(feature = "cuda") {
            true => format!("the setting `device` is `cuda`, but no CUDA device answers: {}", without_frames(&error)),
            false => "the setting `device` is `cuda`, but this binary was built without it (cargo build --features cuda)".into(),
        }),
        _ if cfg!(feature = "cuda") => Ok(Device::new_cuda(0).unwrap_or_else(|error| {
            tell(&format!("no CUDA device answers ({}); using the CPU", without_frames(&error)));
            Device::Cpu
        })),
        _ => Ok(Device::Cpu),
    }
}
