//! The registry of policies, and what one is asked for.

use super::causal_lm::CausalLm;
use super::conversation::Talk;
use super::decode::Decode;
use super::decoder::Decoder;
use super::live::Policy;
use super::published::Loading;
use crate::kind::{Category, Entry, Identity, KindInfo, Part, Reader};
use crate::lang::value::Component;
use crate::model::pretrained::Content;
use crate::model::{DecoderConfig, ModelError};
use candle_core::Device;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How large a policy is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Size {
    pub config: DecoderConfig,
    /// Numbers that are trained.
    pub trained: usize,
}

/// A new policy, as a pipeline declares it.
pub(crate) trait PolicyKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The policy before its first update.
    ///
    /// # Errors
    /// If what it is made of cannot be fetched, read or held.
    fn make(&self, place: &mut dyn Workshop) -> Result<Policy, ModelError>;

    /// The most tokens of a prompt and its response together, and how responses are made.
    fn room(&self) -> (usize, &Part<Decode>);

    /// Its size, where that is known before it is made. Fetched models are kept in `models`; `vocabulary` gives the most tokens of the tokenizer that a
    /// field is given.
    fn size(&self, models: &Path, vocabulary: &dyn Fn(&str) -> Option<usize>) -> Option<Size>;

    /// What its weights are called, if it does not begin with random ones.
    fn loaded(&self) -> Option<String> {
        None
    }

    /// What it is made of that lies outside of the store, as it is spoken of.
    fn outside(&self) -> Option<String> {
        None
    }

    /// Folders and files on this machine whose content is part of what it is.
    fn contents(&self) -> Vec<&Path> {
        Vec::new()
    }

    /// Looks at what it is made of without making it: whether it is there, and can be read but for its tensors. Fetched models are kept in `models`;
    /// with `fetch`, what is not there is fetched. `talk`: what a conversation will ask of it.
    ///
    /// # Errors
    /// What is missing or cannot be used.
    fn look(&self, _models: &Path, _fetch: bool, _talk: Option<Talk>, _say: &mut dyn FnMut(&str)) -> Result<String, ModelError> {
        Ok(String::new())
    }
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

    /// What a folder or file held when the plan was made, if it is part of what the task is.
    fn content(&self, path: &Path) -> Option<Content>;

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
