//! How a response is made from a policy's distributions.

use crate::kind::{Category, Count, Entry, Identity, Reader, Share, Temperature};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::model::{Tokenizer, Until};
use crate::{kind, words};
use serde::{Deserialize, Serialize};
use serde_json::json;
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
        /// The most tokens of a line that is written before the choice; `None`: there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thought: Option<usize>,
    },
}

impl Decode {
    /// 0 is greedy: the most likely token or action, always.
    pub(crate) fn temperature(&self) -> f64 {
        match self {
            Self::Sample { temperature, .. } | Self::Choose { temperature, .. } => *temperature,
        }
    }

    /// The same at another temperature.
    pub(crate) fn at(&self, new: f64) -> Self {
        let mut decode = self.clone();
        match &mut decode {
            Self::Sample { temperature, .. } | Self::Choose { temperature, .. } => *temperature = new,
        }
        decode
    }

    /// The temperature of the distributions that are learned from: 1 where decoding is greedy.
    pub(crate) fn learned_temperature(&self) -> f64 {
        match self.temperature() {
            0.0 => 1.0,
            temperature => temperature,
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
    pub(crate) struct Sample as "sample" {
        /// Divides the logits; 0 takes the most likely token.
        temperature: Temperature [default Temperature(1.0)],
        /// The most tokens of a response.
        max_tokens: Count<16_777_216> [default Count(512)],
        /// Only the k most likely tokens.
        top_k: Option<Count> [default None],
        /// Only the most likely tokens that together have this probability.
        top_p: Option<Share> [default None],
        /// Only tokens at least this many times as likely as the most likely one.
        min_p: Option<Share> [default None],
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
    /// With a `thought`, the policy first writes a line of its own, over the whole vocabulary, and then chooses: a small model that says what it sees
    /// before it acts has each of the two to learn by itself. Experts that have thoughts show them where the environment has `action = last_line`.
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
    pub(crate) struct Choose as "choose" {
        /// What is chosen from.
        from: From [default From::Admissible],
        /// Divides the logits; 0 takes the most likely branch.
        temperature: Temperature [default Temperature(1.0)],
        /// The most tokens of a thought: a line that is sampled freely before the choice. Left out, there is none.
        thought: Option<Count<4096>> [added default None],
    }
}

impl Sample {
    pub(super) fn decode(&self) -> Decode {
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

impl Choose {
    pub(super) fn decode(&self) -> Decode {
        Decode::Choose { temperature: self.temperature.0, thought: self.thought.map(|most| most.0) }
    }
}

/// As a policy's folder has it.
impl Identity for Decode {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::Sample { temperature, top_k, top_p, min_p, max_tokens, stop } => {
                let mut fields =
                    json!({ "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "max_tokens": max_tokens });
                if !stop.is_empty() {
                    fields["stop"] = stop.identity();
                }
                json!({ "sample": fields })
            }
            Self::Choose { temperature, thought } => {
                let mut fields = json!({ "temperature": temperature });
                if let Some(most) = thought {
                    fields["thought"] = most.identity();
                }
                json!({ "choose": fields })
            }
        }
    }
}

impl Category for Decode {
    const WORDS: &'static str = "a way to decode: `sample { … }` or `choose { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<Decode>] = &[
            Entry { info: &Choose::INFO, read: |_, c, r| read_choose(c, r) },
            Entry { info: &Sample::INFO, read: |_, c, r| read_sample(c, r) },
        ];
        ENTRIES
    }
}

fn read_choose(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<Decode>> {
    reader.refuse_unknown(component, &[&Choose::INFO], |_| false);
    Some(Arc::new(Choose::read_fields(component, reader)?.decode()))
}

fn read_sample(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<Decode>> {
    reader.refuse_unknown(component, &[&Sample::INFO], |_| false);
    let sample = Sample::read_fields(component, reader)?;
    if sample.stop.iter().any(String::is_empty) {
        let at = component.fields.get("stop").map_or(component.kind_span, |f| f.value.span);
        reader
            .report(Diagnostic::error("E0202", at, "an empty text ends every response").help("leave it out, or write the text to stop at"));
        return None;
    }
    Some(Arc::new(sample.decode()))
}
