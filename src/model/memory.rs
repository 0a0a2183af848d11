//! Whether a thing will fit, asked before it is begun: better a sentence than a killed process.

use super::error::without_frames;
use super::native::pass::{Keep, Pass};
use super::native::past;
use super::{DecoderConfig, ModelError, Weights};
use candle_core::{Device, Var};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a device could give at present; `None` where it does not say.
fn available(device: &Device) -> Option<u64> {
    match device {
        Device::Cpu => host(),
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => device.cuda_stream().context().mem_get_info().ok().map(|(free, _)| free as u64),
        _ => None,
    }
}

/// Bytes that this machine could give to the CPU at present; `None` where it does not say.
pub(crate) fn host() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kibibytes)
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1u32 << 30))
}

fn counted(parameters: usize) -> String {
    match parameters as f64 {
        count if count >= 1e9 => format!("{:.2} billion parameters", count / 1e9),
        count => format!("{:.1} million parameters", count / 1e6),
    }
}

fn product(factors: &[usize]) -> u64 {
    factors.iter().fold(1, |product, factor| product.saturating_mul(*factor as u64))
}

fn fits(needed: u64, available: Option<u64>, what: &str, lower: &str) -> Result<(), ModelError> {
    match available {
        Some(there) if needed > there => {
            Err(ModelError::Memory(format!("{what} needs about {}, and {} are free; {lower}", gib(needed), gib(there))))
        }
        _ => Ok(()),
    }
}

/// The parameters as 32-bit floats; on the CPU also the copy of them in the kernels' layout.
pub(crate) fn model_bytes(config: &DecoderConfig, cpu: bool) -> u64 {
    product(&[if cpu { 8 } else { 4 }, config.parameters()])
}

/// What an optimiser keeps of trained parameters, so many numbers in all; their gradient; and the part of it that is being added.
pub(crate) fn training_bytes(trained: usize, kept: usize) -> u64 {
    product(&[4, kept.saturating_add(trained.saturating_mul(2))])
}

/// Keys and values of so many positions, in numbers of so many bytes.
pub(crate) fn cache_bytes(config: &DecoderConfig, number: usize, positions: usize) -> u64 {
    product(&[2 * number, positions, config.layers, config.kv_width()])
}

/// The most that is kept of so many tokens between a forward pass on the CPU and its backward pass.
pub(crate) fn activation_bytes(config: &DecoderConfig, tokens: usize) -> u64 {
    let (token, output) = Pass::<f32>::size(config, Keep::All);
    product(&[4, tokens, token + past::width(config) + output])
}

pub(crate) fn fits_model(config: &DecoderConfig, device: &Device) -> Result<(), ModelError> {
    let copy = if device.is_cpu() { " with a working copy" } else { "" };
    let what = format!("a model of {}, as 32-bit floats{copy},", counted(config.parameters()));
    fits(model_bytes(config, device.is_cpu()), available(device), &what, "take a smaller model")
}

/// Keys and values of every position that a generator has room for.
pub(crate) fn fits_cache(weights: &Weights, slots: usize, capacity: usize) -> Result<(), ModelError> {
    let bytes = cache_bytes(weights.config(), weights.dtype().size_in_bytes(), slots.saturating_mul(capacity));
    let what = format!("room for {slots} responses at a time of up to {capacity} tokens with their prompts");
    fits(bytes, available(&weights.device()), &what, "lower the policy's `context`")
}

/// What an optimiser keeps of each trained parameter (so many numbers for each of its own), its gradient, and the part of it that is being added.
pub(crate) fn fits_training(weights: &Weights, keeps: impl Fn(&String, &Var) -> usize) -> Result<(), ModelError> {
    let all = || weights.trained().iter().map(|(name, var)| (keeps(name, var), var.elem_count()));
    let trained = all().map(|(_, count)| count).sum();
    let kept: usize = all().map(|(kept, count)| kept.saturating_mul(count)).sum();
    let moments = match all().map(|(kept, _)| kept).max() {
        None | Some(0) => String::new(),
        Some(1) => "one moment and ".into(),
        Some(2) => "two moments and ".into(),
        Some(n) => format!("{n} moments and "),
    };
    let what = format!("training {}, with {moments}the gradients of each,", counted(trained));
    let lower = "train an adapter (`adapter = lora { … }`), or take a smaller model";
    fits(training_bytes(trained, kept), available(&weights.device()), &what, lower)
}

/// The most activations that were found to fit. What is freed stays with the process in part, so to ask again could be answered wrongly.
static FITTED: AtomicU64 = AtomicU64::new(0);

/// What is kept of a micro-batch between its forward and its backward pass.
pub(crate) fn fits_activations(device: &Device, bytes: usize, rows: usize, tokens: usize) -> Result<(), ModelError> {
    let bytes = bytes as u64;
    if bytes <= FITTED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let what = format!("a backward pass over {rows} rows of {tokens} tokens together");
    fits(bytes, available(device), &what, "lower `micro_batch`, set `checkpointing = true`, or shorten the prompts")?;
    FITTED.fetch_max(bytes, Ordering::Relaxed);
    Ok(())
}

/// What a device said when it had no more.
pub(crate) fn exhausted(error: &candle_core::Error) -> Option<String> {
    let text = without_frames(error);
    let said = ["OUT_OF_MEMORY", "out of memory"].iter().any(|words| text.contains(words));
    said.then(|| format!("the device has no memory left ({text}); lower `micro_batch` or `context`, or set `checkpointing = true`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::config::tests::tiny;
    use candle_core::DType;

    #[test]
    fn what_does_not_fit_is_said_with_its_size() {
        let message = fits(3 << 30, Some(1 << 30), "this", "lower that").unwrap_err().to_string();
        assert_eq!(message, "this needs about 3.0 GiB, and 1.0 GiB are free; lower that");
        assert!(fits(3 << 30, Some(4 << 30), "this", "lower that").is_ok());
        assert!(fits(3 << 30, None, "this", "lower that").is_ok());
    }

    #[test]
    fn a_generator_and_a_backward_pass_that_are_too_large() {
        let weights = Weights::init(&tiny(), 1, &Device::Cpu, DType::F32).unwrap();
        let message = fits_cache(&weights, 1 << 30, 64).unwrap_err().to_string();
        assert!(
            message.starts_with("room for 1073741824 responses at a time of up to 64 tokens with their prompts needs about "),
            "{message}"
        );
        assert!(message.ends_with("lower the policy's `context`"), "{message}");
        let message = fits_activations(&Device::Cpu, 1 << 50, 16, 16384).unwrap_err().to_string();
        assert!(message.starts_with("a backward pass over 16 rows of 16384 tokens together needs about 1048576.0 GiB, and "), "{message}");
        assert!(message.ends_with("free; lower `micro_batch`, set `checkpointing = true`, or shorten the prompts"), "{message}");
        assert_eq!(counted(134_515_008), "134.5 million parameters");
        assert!(fits_training(&weights, |_, _| 2).is_ok());
    }

    #[test]
    fn a_device_without_memory_says_what_to_lower() {
        let error = ModelError::from(candle_core::Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")\nframe 1".into()));
        let message = error.to_string();
        assert!(
            message.starts_with("the device has no memory left (DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")); "),
            "{message}"
        );
        assert!(matches!(ModelError::from(candle_core::Error::Msg("another".into())), ModelError::Tensor(_)));
    }
}
