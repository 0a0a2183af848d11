//! Rotary positions: how fast each pair of a head turns.

use super::{DecoderConfig, ModelError};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// How the turning is slowed down for contexts longer than the one a model was first trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RopeScaling {
    /// Positions turn as they were trained.
    #[default]
    None,
    /// Positions are divided by `factor` (Chen et al. 2023).
    Linear {
        /// Above 0.
        factor: f64,
    },
    /// That of Llama 3: slow pairs are slowed by `factor`, fast ones are not, those between by a mean of both.
    Llama3 {
        /// Above 0.
        factor: f64,
        /// Pairs that turn fewer times than this within `original_context` are slow.
        low_freq_factor: f64,
        /// Pairs that turn more times than this within `original_context` are fast.
        high_freq_factor: f64,
        /// Tokens of the context that the model was first trained on.
        original_context: usize,
    },
}

impl RopeScaling {
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(ModelError::Config(format!("the rope scaling's `{name}` is {value}, it has to be positive")))
        };
        match self {
            Self::None => Ok(()),
            Self::Linear { factor } => positive("factor", *factor),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                positive("factor", *factor)?;
                positive("low_freq_factor", *low_freq_factor)?;
                positive("high_freq_factor", *high_freq_factor)?;
                positive("original_max_position_embeddings", *original_context as f64)?;
                if high_freq_factor <= low_freq_factor {
                    let message = format!(
                        "the rope scaling's `high_freq_factor` ({high_freq_factor}) has to be above its `low_freq_factor` ({low_freq_factor})"
                    );
                    return Err(ModelError::Config(message));
                }
                Ok(())
            }
        }
    }
}

impl DecoderConfig {
    /// Positions in which each pair of a head turns by one radian; `head / 2` of them.
    pub(crate) fn rope_periods(&self) -> Vec<f64> {
        let head = self.head_width();
        let plain = |i: usize| self.rope_theta.powf(2.0 * i as f64 / head as f64);
        (0..head / 2).map(|i| self.scaled(plain(i))).collect()
    }

    fn scaled(&self, period: f64) -> f64 {
        match self.variant.rope {
            RopeScaling::None => period,
            RopeScaling::Linear { factor } => period * factor,
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                // Whole turns within the original context say how fast a pair is.
                let turns = original_context as f64 / (TAU * period);
                if turns < low_freq_factor {
                    return period * factor;
                }
                if turns > high_freq_factor {
                    return period;
                }
                let share = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
                1.0 / ((1.0 - share) / (period * factor) + share / period)
            }
        }
    }
}
