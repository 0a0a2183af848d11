//! How a response is made from a policy's distributions.

use crate::kind::{Category, Count, Entry, Identity, NonNegative, Positive, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::model::{Tokenizer, Until};
use crate::{kind, words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt;
use std::sync::Arc;

/// The declared way, resolved to numbers; saved with a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decode {
    Sample {
        temperature: f64,
        top_k: Option<usize>,
        top_p: Option<f64>,
        min_p: Option<f64>,
        max_tokens: usize,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        stop: Vec<String>,
    },
    Choose {
        temperature: f64,
    },
}

impl Decode {
    /// 0 is greedy: the most likely token or action, always.
    pub(crate) fn temperature(&self) -> f64 {
        match self {
            Self::Sample { temperature, .. } | Self::Choose { temperature } => *temperature,
        }
    }

    /// The texts that end a response.
    pub(crate) fn until(&self, tokenizer: &Arc<Tokenizer>) -> Option<Until> {
        match self {
            Self::Sample { stop, .. } => Until::new(tokenizer.clone(), stop),
            Self::Choose { .. } => None,
        }
    }
}

pub(crate) trait DecodeKind: Identity + fmt::Debug + Send + Sync + 'static {
    fn decode(&self) -> Decode;
}

kind! {
    /// Free sampling, token by token, until the end token or one of the texts of `stop`.
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
    pub(crate) struct Sample as "sample" with own identity {
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
        /// Texts that end a response, such as `["\n"]`. The text ends before the first of them; the tokens that made it count as the response's, as the end token does.
        stop: Vec<String> [default Vec::new()],
    }
}

words! {
    /// What is chosen from.
    pub(crate) enum From {
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
    pub(crate) struct Choose as "choose" with own identity {
        /// What is chosen from.
        from: From [added default From::Admissible],
        /// Divides the logits; 0 takes the most likely branch.
        temperature: NonNegative [default NonNegative(1.0)],
    }
}

/// As a policy's folder has it: the kind's name once more, and `stop` where there is one.
impl Identity for Sample {
    fn identity(&self) -> serde_json::Value {
        let Self { temperature, max_tokens, top_k, top_p, min_p, stop } = self;
        let mut fields = json!({
            "temperature": temperature.identity(),
            "top_k": top_k.identity(),
            "top_p": top_p.identity(),
            "min_p": min_p.identity(),
            "max_tokens": max_tokens.identity(),
        });
        if !stop.is_empty() {
            fields["stop"] = stop.identity();
        }
        json!({ "sample": fields })
    }
}

impl Identity for Choose {
    fn identity(&self) -> serde_json::Value {
        json!({ "choose": self.fields() })
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
            stop: self.stop.clone(),
        }
    }
}

impl DecodeKind for Choose {
    fn decode(&self) -> Decode {
        Decode::Choose { temperature: self.temperature.0 }
    }
}

fn read_choose(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn DecodeKind>> {
    reader.refuse_unknown(component, &[&Choose::INFO], |_| false);
    Some(Arc::new(Choose::read_fields(component, reader)?))
}

fn read_sample(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn DecodeKind>> {
    reader.refuse_unknown(component, &[&Sample::INFO], |_| false);
    let sample = Sample::read_fields(component, reader)?;
    if sample.stop.iter().any(String::is_empty) {
        let at = component.fields.get("stop").map_or(component.kind_span, |f| f.value.span);
        reader
            .report(Diagnostic::error("E0202", at, "an empty text ends every response").help("leave it out, or write the text to stop at"));
        return None;
    }
    Some(Arc::new(sample))
}

impl Category for dyn DecodeKind {
    const WORDS: &'static str = "a way to decode: `sample { … }` or `choose { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn DecodeKind>] = &[
            Entry { info: &Choose::INFO, read: |_, c, r| read_choose(c, r) },
            Entry { info: &Sample::INFO, read: |_, c, r| read_sample(c, r) },
        ];
        ENTRIES
    }
}
