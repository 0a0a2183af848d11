//! A pretrained model as it is, declared by no pipeline.

use super::causal_lm::{CausalLm, Dtype};
use super::decode::Sample;
use super::live::Policy;
use super::published::Loading;
use crate::kind::{Count, Part};
use crate::lang::Span;
use crate::model::pretrained::Outline;
use crate::model::{ModelError, Source};
use candle_core::Device;
use std::path::Path;
use std::sync::Arc;

impl Policy {
    /// With the model's own context, and through its chat template if it has one. Fetched models are kept in `cache`.
    ///
    /// # Errors
    /// As [`Policy::pretrained`].
    pub(crate) fn of_source(
        weights: Source,
        cache: &Path,
        device: &Device,
        hear: &mut dyn FnMut(Loading<'_>),
    ) -> Result<Policy, ModelError> {
        let path = weights.fetch(cache, &mut |line| hear(Loading::Says(line)))?;
        let outline = Outline::read(&path)?;
        let decode = Part { kind: Sample::INFO.name, value: Arc::new(Sample::default().decode()), span: Span::NONE };
        let model = CausalLm {
            weights,
            hash: None,
            chat: outline.chat.is_some(),
            system: None,
            arguments: None,
            date: None,
            context: Count(outline.config.context),
            decode,
            dtype: Dtype::usual(),
            adapter: None,
        };
        Policy::pretrained(&model, cache, 0, device, hear)
    }
}
