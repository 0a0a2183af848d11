//! The `loss` and the `advantage` of a stage.

use crate::kind::{Field, Reader};
use crate::lang::print::{by_name, canonical};
use crate::lang::term::{LossBlock, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct LossField(pub LossBlock);

impl Serialize for LossField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let minimize = self.0.minimize.as_ref();
        let mut map = serializer.serialize_map(None)?;
        for term in &self.0.terms {
            map.serialize_entry(term.name.as_ref(), &canonical(&term.term))?;
        }
        map.serialize_entry("minimize", &minimize.map(|m| canonical(m)))?;
        map.end()
    }
}

impl LossField {
    /// Name and text of each line, named terms by their names.
    pub fn lines(&self) -> Vec<(String, String)> {
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
pub struct AdvantageField(pub Arc<Term>);

impl Serialize for AdvantageField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&canonical(&self.0))
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
