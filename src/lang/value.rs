//! What an expression means once names are resolved: plain data for fields of kinds, closed terms for equations.

use super::source::Span;
use super::term::{LossBlock, Term};
use indexmap::IndexMap;
use std::sync::Arc;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Value {
    pub kind: ValueKind,
    pub span: Span,
    /// For the member of a component (`house.train`): the component, and the path as written.
    pub owner: Option<Arc<Owner>>,
}

#[derive(Debug)]
pub struct Owner {
    pub value: Arc<Value>,
    /// `house.train`
    pub path: String,
}

#[derive(Clone, Debug)]
pub enum ValueKind {
    Number(f64),
    Text(String),
    Bool(bool),
    /// Seconds.
    Duration(f64),
    /// Bytes.
    Size(u64),
    List(Vec<Arc<Value>>),
    Range(Arc<Value>, Arc<Value>),
    /// `turn`, `episode`: a word of the vocabulary.
    Key(Arc<str>),
    Component(Component),
    /// A prompt with its name.
    Prompt {
        name: String,
        text: String,
    },
    Stage(StageRef),
    /// An expression over quantities.
    Term(Arc<Term>),
    Loss(LossBlock),
    /// A single word that names nothing: fine where a kind's field expects one of its words, an error anywhere else.
    Word {
        name: String,
        close: Option<String>,
    },
    /// Stands where an error was already reported.
    Poison,
}

#[derive(Clone, Debug)]
pub struct Component {
    pub kind: String,
    pub kind_span: Span,
    pub fields: IndexMap<String, FieldValue>,
    /// The resolver's note of how it was written, so that `name { field = other }` can be evaluated afresh.
    pub(super) template: usize,
}

#[derive(Clone, Debug)]
pub struct FieldValue {
    pub name_span: Span,
    pub value: Arc<Value>,
}

impl Component {
    /// A kind without fields, as a bare word.
    pub fn bare(kind: &str, span: Span) -> Self {
        Self { kind: kind.to_string(), kind_span: span, fields: IndexMap::new(), template: usize::MAX }
    }
}

/// `train.best`, `ppo.seen`.
#[derive(Clone, Debug, PartialEq)]
pub struct StageRef {
    /// `None`: the pipeline that mentions it.
    pub pipeline: Option<String>,
    pub stage: String,
    pub stage_span: Span,
    pub output: Option<(String, Span)>,
}

impl Value {
    pub fn new(kind: ValueKind, span: Span) -> Arc<Self> {
        Arc::new(Self { kind, span, owner: None })
    }

    pub fn poison(span: Span) -> Arc<Self> {
        Self::new(ValueKind::Poison, span)
    }

    /// With its article, for messages.
    pub fn words(&self) -> String {
        match &self.kind {
            ValueKind::Number(_) => "a number".into(),
            ValueKind::Text(_) => "a string".into(),
            ValueKind::Bool(_) => "a boolean".into(),
            ValueKind::Duration(_) => "a duration".into(),
            ValueKind::Size(_) => "a size".into(),
            ValueKind::List(_) => "a list".into(),
            ValueKind::Range(..) => "a range".into(),
            ValueKind::Key(word) => format!("the word `{word}`"),
            ValueKind::Component(c) => format!("`{} {{ … }}`", c.kind),
            ValueKind::Prompt { name, .. } => format!("the prompt `{name}`"),
            ValueKind::Stage(s) => format!("the stage `{}`", s.stage),
            ValueKind::Term(_) => "an expression over the batch".into(),
            ValueKind::Loss(_) => "a loss".into(),
            ValueKind::Word { name, .. } => format!("the word `{name}`"),
            ValueKind::Poison => "a mistaken value".into(),
        }
    }
}

/// A number as people write it: `0.001`, `5e-6`. Reading it gives the same number.
pub fn number_text(n: f64) -> String {
    match n.abs() {
        a if a != 0.0 && !(1e-4..1e15).contains(&a) => format!("{n:e}"),
        _ => n.to_string(),
    }
}
