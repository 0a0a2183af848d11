//! The registry of policies, and what one is asked for.

use super::causal_lm::CausalLm;
use super::decoder::Decoder;
use super::live::Policy;
use super::published::Loading;
use crate::kind::{Category, Entry, Identity, KindInfo, Reader};
use crate::lang::value::Component;
use crate::model::ModelError;
use candle_core::Device;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A new policy, as a pipeline declares it.
pub(crate) trait PolicyKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The policy before its first update.
    ///
    /// # Errors
    /// If what it is made of cannot be fetched, read or held.
    fn make(&self, place: &mut dyn Workshop) -> Result<Policy, ModelError>;
}

/// What the making of a policy may ask of the stage that it is made in.
pub(crate) trait Workshop {
    fn device(&self) -> &Device;

    /// A seed for the draws of one thing.
    fn seed(&self, of: &str) -> u64;

    /// Where fetched models are kept.
    fn models(&self) -> PathBuf;

    /// The folder of the output that was given to a field.
    ///
    /// # Errors
    /// If none was given.
    fn input(&self, field: &str) -> Result<PathBuf, ModelError>;

    fn hear(&mut self, loading: Loading<'_>);
}

impl Category for dyn PolicyKind {
    const WORDS: &'static str = "a policy such as `decoder { … }` or `causal_lm { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn PolicyKind>] = &[
            Entry { info: &Decoder::INFO, read: |_, c, r| read(c, r, &Decoder::INFO, Decoder::read_checked) },
            Entry { info: &CausalLm::INFO, read: |_, c, r| read(c, r, &CausalLm::INFO, CausalLm::read_checked) },
        ];
        ENTRIES
    }
}

fn read<T: PolicyKind>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn PolicyKind>> {
    reader.refuse_unknown(component, &[info], |_| false);
    Some(Arc::new(fields(component, reader)?))
}
