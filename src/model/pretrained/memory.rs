//! Whether a thing will fit, asked before it is begun: better a sentence than a killed process.

use crate::model::{DecoderConfig, ModelError};

/// Bytes that the system could give at present; `None` where it does not say.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(1024 * kibibytes)
}

fn gib(bytes: u128) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1u32 << 30))
}

fn fits(needed: u128, available: Option<u64>, what: &str, lower: &str) -> Result<(), ModelError> {
    match available {
        Some(there) if needed > u128::from(there) => {
            Err(ModelError::Memory(format!("{what} needs about {}, and {} are free; {lower}", gib(needed), gib(u128::from(there)))))
        }
        _ => Ok(()),
    }
}

/// The parameters as 32-bit floats, and the copy of them in the kernels' layout.
pub(crate) fn fits_model(config: &DecoderConfig) -> Result<(), ModelError> {
    let parameters = config.parameters() as u128;
    let what = format!("a model of {:.2} billion parameters, as 32-bit floats with a working copy,", parameters as f64 / 1e9);
    fits(8 * parameters, available(), &what, "take a smaller model")
}

/// Keys and values of every position that a generator has room for.
pub(crate) fn fits_cache(config: &DecoderConfig, slots: usize, capacity: usize) -> Result<(), ModelError> {
    let bytes = 8 * (slots as u128) * (capacity as u128) * (config.layers as u128) * (config.kv_width() as u128);
    let what = format!("room for {slots} responses at a time of up to {capacity} tokens with their prompts");
    fits(bytes, available(), &what, "lower the policy's `context`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_with_its_size() {
        let message = fits(3 << 30, Some(1 << 30), "this", "lower that").unwrap_err().to_string();
        assert_eq!(message, "this needs about 3.0 GiB, and 1.0 GiB are free; lower that");
        assert!(fits(3 << 30, Some(4 << 30), "this", "lower that").is_ok());
        assert!(fits(3 << 30, None, "this", "lower that").is_ok());
    }
}
