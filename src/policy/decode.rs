//! How a response is made from a policy's distributions.

use crate::kind::{Category, Count, Entry, NonNegative, Positive, Reader};
use crate::lang::value::Component;
use crate::{kind, words};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The declared way, resolved to numbers; saved with a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    Sample { temperature: f64, top_k: Option<usize>, top_p: Option<f64>, min_p: Option<f64>, max_tokens: usize },
    Choose { temperature: f64 },
}

impl Decode {
    /// 0 is greedy: the most likely token or action, always.
    pub fn temperature(&self) -> f64 {
        match self {
            Self::Sample { temperature, .. } | Self::Choose { temperature } => *temperature,
        }
    }
}

pub trait DecodeKind: fmt::Debug + Send + Sync + 'static {
    fn decode(&self) -> Decode;
}

kind! {
    /// Free sampling, token by token, until the end token.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     test  = evaluate { policy = decoder { tokenizer = words, decode = sample { temperature = 0.7, max_tokens = 32 } }, on = house.train }
    ///     page  = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub struct Sample as "sample" {
        /// Divides the logits; 0 takes the most likely token.
        temperature: NonNegative [default NonNegative(1.0)],
        /// The most tokens of a response.
        max_tokens: Count [default Count(512)],
        /// Only the k most likely tokens.
        top_k: Option<Count> [default None],
        /// Only the most likely tokens that together have this probability.
        top_p: Option<Positive> [default None],
        /// Only tokens at least this many times as likely as the most likely one.
        min_p: Option<Positive> [default None],
    }
}

words! {
    /// What is chosen from.
    pub enum From {
        /// The environment's admissible actions.
        Admissible = "admissible",
    }
}

kind! {
    /// A choice among the actions that are possible: the policy scores them token by token along their prefix tree, so every action is valid and
    /// the entropy is over real choices. Tokens that the tree forces are no response tokens.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     test  = evaluate { policy = decoder { tokenizer = words, decode = choose { from = admissible } }, on = house.train }
    ///     page  = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub struct Choose as "choose" {
        /// What is chosen from.
        from: From [default From::Admissible],
        /// Divides the logits; 0 takes the most likely branch.
        temperature: NonNegative [default NonNegative(1.0)],
    }
}

impl DecodeKind for Sample {
    fn decode(&self) -> Decode {
        Decode::Sample {
            temperature: self.temperature.0,
            top_k: self.top_k.map(|k| k.0),
            top_p: self.top_p.map(|p| p.0),
            min_p: self.min_p.map(|p| p.0),
            max_tokens: self.max_tokens.0,
        }
    }
}

impl DecodeKind for Choose {
    fn decode(&self) -> Decode {
        Decode::Choose { temperature: self.temperature.0 }
    }
}

fn read<T: DecodeKind>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &'static kind::KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn DecodeKind>> {
    reader.refuse_unknown(component, &[info], |_| false);
    Some(Arc::new(fields(component, reader)?))
}

impl Category for dyn DecodeKind {
    const WORDS: &'static str = "a way to decode: `sample { … }` or `choose { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn DecodeKind>] = &[
            Entry { info: &Choose::INFO, read: |_, c, r| read(c, r, &Choose::INFO, Choose::read_fields) },
            Entry { info: &Sample::INFO, read: |_, c, r| read(c, r, &Sample::INFO, Sample::read_fields) },
        ];
        ENTRIES
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self.decode()).unwrap_or_default()
    }
}
