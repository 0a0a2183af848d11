//! The `loss` and the `advantage` of a stage, and conditions on episodes.

use crate::kind::{Field, Identity, Reader};
use crate::lang::print::{by_name, canonical};
use crate::lang::term::{LossBlock, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct LossField(pub LossBlock);

impl Identity for LossField {
    fn identity(&self) -> serde_json::Value {
        let terms = self.0.terms.iter().map(|t| (t.name.to_string(), canonical(&t.term).into()));
        let minimize = ("minimize".to_string(), self.0.minimize.as_ref().map(|m| canonical(m)).into());
        serde_json::Value::Object(terms.chain([minimize]).collect())
    }
}

impl LossField {
    /// Name and text of each line, named terms by their names.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        let terms = self.0.terms.iter().map(|t| (t.name.to_string(), by_name(&t.term)));
        terms.chain(self.0.minimize.iter().map(|m| ("minimize".to_string(), by_name(m)))).collect()
    }
}

impl Field for LossField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match &value.kind {
            ValueKind::Loss(block) => Some(Self(block.clone())),
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "a block `loss { … minimize = … }`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

#[derive(Clone, Debug)]
pub(crate) struct AdvantageField(pub Arc<Term>);

impl Identity for AdvantageField {
    fn identity(&self) -> serde_json::Value {
        canonical(&self.0).into()
    }
}

impl Field for AdvantageField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let kind = match &value.kind {
            ValueKind::Term(term) => return Some(Self(term.clone())),
            ValueKind::Number(n) => TermKind::Number(*n),
            _ => {
                reader.mismatch(value, &Self::expects());
                return None;
            }
        };
        Some(Self(Term::new(kind, value.span, None)))
    }

    fn expects() -> String {
        "an expression over the collected batch, such as `gae(outcome, value)`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ConditionField(pub Arc<Term>);

impl Identity for ConditionField {
    fn identity(&self) -> serde_json::Value {
        canonical(&self.0).into()
    }
}

impl Field for ConditionField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match &value.kind {
            ValueKind::Term(term) => Some(Self(term.clone())),
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "a condition on an episode, such as `success` or `score > 0.5`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}
