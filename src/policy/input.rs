//! Fields that take another stage's output.

use super::decode::Decode;
use super::endpoint::Endpoint;
use super::kinds::PolicyKind;
use crate::kind::{Artifact, Field, Identity, Part, Reader};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use std::sync::Arc;

/// A use of a stage's output. Its identity in a digest is the producing task's; here only the field stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StageInput {
    /// What the context is asked for: `policy.tokenizer`.
    pub field: String,
    /// The name of the stage, which changes no digest.
    pub stage: String,
    pub span: Span,
}

impl Identity for StageInput {
    fn identity(&self) -> serde_json::Value {
        serde_json::json!({ "input": self.field })
    }
}

impl StageInput {
    /// `None`, and nothing is said, if the value is no stage.
    pub(super) fn read(value: &Value, reader: &mut Reader<'_, '_>, takes: &[Artifact], many: bool) -> Option<Self> {
        let ValueKind::Stage(stage) = &value.kind else { return None };
        reader.refer(stage, takes, many, value.span);
        Some(Self { field: reader.field(), stage: stage.stage.clone(), span: value.span })
    }

    fn required(value: &Value, reader: &mut Reader<'_, '_>, takes: &[Artifact], many: bool, words: &str) -> Option<Self> {
        let input = Self::read(value, reader, takes, many);
        if input.is_none() {
            reader.mismatch(value, words);
        }
        input
    }
}

macro_rules! input {
    ($(#[doc = $doc:literal])* $name:ident, $artifact:ident, $many:literal, $words:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub StageInput);

        impl Identity for $name {
            fn identity(&self) -> serde_json::Value {
                self.0.identity()
            }
        }

        impl Field for $name {
            fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
                StageInput::required(value, reader, &[Artifact::$artifact], $many, $words).map(Self)
            }

            fn expects() -> String {
                $words.into()
            }

            fn shown(&self) -> Option<String> {
                None
            }
        }
    };
}

input!(
    /// The tokenizer of a `tokenizer` stage.
    TokenizerInput, Tokenizer, false, "a `tokenizer` stage"
);
input!(
    /// Episodes of a `collect` or `rl` stage.
    EpisodesInput, Episodes, true, "a stage that gives episodes, such as `collect`"
);

input!(
    /// The state of a training in the middle, to go on from.
    StateInput, State, false, "an `rl` stage in the middle, such as `train.at(40)`"
);

/// Any output of any stage, for reports.
#[derive(Clone, Debug)]
pub(crate) struct AnyInput(pub StageInput);

impl Identity for AnyInput {
    fn identity(&self) -> serde_json::Value {
        self.0.identity()
    }
}

impl Field for AnyInput {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        StageInput::required(value, reader, &[], true, &Self::expects()).map(Self)
    }

    fn expects() -> String {
        "a stage".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

/// A policy: a new one, or what a stage gives.
#[derive(Clone, Debug)]
pub(crate) enum PolicyInput {
    New(Part<dyn PolicyKind>),
    Stage(StageInput),
}

impl PolicyInput {
    /// Where it was written.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::New(part) => part.span,
            Self::Stage(input) => input.span,
        }
    }

    /// Refuses a new policy that is to play and whose responses leave no room for a prompt. `decode`: if not as the policy says. Of a stage's policy
    /// this was looked at where it was made.
    pub(crate) fn refuse_without_room(&self, decode: Option<&Part<Decode>>, reader: &mut Reader<'_, '_>) {
        let Self::New(part) = self else { return };
        let (context, own) = part.room();
        let decode = decode.unwrap_or(own);
        let (what, length, lower) = match **decode {
            Decode::Sample { max_tokens, .. } => ("responses", max_tokens, "`max_tokens` of `sample`"),
            Decode::Choose { thought: Some(most), .. } => ("thoughts", most, "`thought` of `choose`"),
            Decode::Choose { thought: None, .. } => return,
        };
        if length >= context {
            let place = if decode.span == Span::NONE { part.span } else { decode.span };
            let message = format!("{what} of up to {length} tokens leave no room for a prompt in a context of {context}");
            reader.report(Diagnostic::error("E0202", place, message).help(format!("lower {lower}, or raise `context`")));
        }
    }

    /// Where it chooses among the possible actions, as far as that is written here; `decode`: if not as the policy says.
    pub(crate) fn choice(&self, decode: Option<&Part<Decode>>) -> Option<(&'static str, Span)> {
        let decode = match (decode, self) {
            (Some(decode), _) => decode,
            (None, Self::New(part)) => part.room().1,
            (None, Self::Stage(_)) => return None,
        };
        let span = if decode.span == Span::NONE { self.span() } else { decode.span };
        matches!(**decode, Decode::Choose { .. }).then_some(("choose", span))
    }
}

impl Identity for PolicyInput {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::New(part) => part.identity(),
            Self::Stage(input) => input.identity(),
        }
    }
}

impl Field for PolicyInput {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        if let Some(input) = StageInput::read(value, reader, &[Artifact::Policy], false) {
            return Some(Self::Stage(input));
        }
        match &value.kind {
            ValueKind::Component(component) if component.kind == Endpoint::INFO.name => {
                let message = format!("`{}` needs a model's weights, and an endpoint answers in text", reader.field());
                let help = "an endpoint plays in `evaluate` and `collect`; `sft` can teach another policy what it collected";
                reader.report(Diagnostic::error("E0201", value.span, message).help(help));
                None
            }
            ValueKind::Component(_) => Part::read(value, reader).map(Self::New),
            ValueKind::Text(text) => {
                let message = format!("expected {}, found a string", Self::expects());
                let hub = text.contains('/') && !text.contains(':') && !text.starts_with(['/', '.', '~']);
                let source = if hub { format!("hub:{text}") } else { text.clone() };
                let help = format!("a published model is `causal_lm {{ weights = {source:?} }}`");
                reader.report(Diagnostic::error("E0201", value.span, message).help(help));
                None
            }
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "a policy: a stage that gives one, or a new one such as `decoder { … }`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}
