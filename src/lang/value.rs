//! What an expression means once names are resolved: plain data for fields of kinds, closed terms for equations.

use super::source::Span;
use super::term::{LossBlock, Term, Weight};
use indexmap::IndexMap;
use std::sync::Arc;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    pub(crate) weight: Weight,
    /// Where it was written.
    pub span: Span,
    /// For the member of a component (`house.train`): the component, and the path as written.
    pub(crate) owner: Option<Arc<Owner>>,
}

#[derive(Debug)]
pub(crate) struct Owner {
    pub value: Arc<Value>,
    /// `house.train`
    pub path: String,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// Also a term that is a constant.
    Number(f64),
    /// `"…"`
    Text(String),
    /// `true`, `false`
    Bool(bool),
    /// Seconds.
    Duration(f64),
    /// Bytes.
    Size(u64),
    /// `[a, b]`
    List(Vec<Arc<Value>>),
    /// `low..high`
    Range(Arc<Value>, Arc<Value>),
    /// `turn`, `episode`: a word of the vocabulary.
    Key(Arc<str>),
    /// `kind { … }`
    Component(Component),
    /// A prompt with its name.
    Prompt {
        /// What it is called.
        name: String,
        /// With its placeholders.
        text: String,
        /// Its name, where it was written.
        defined: Span,
    },
    /// `train.best`
    Stage(StageRef),
    /// An expression over quantities.
    Term(Arc<Term>),
    /// `loss { … }`
    Loss(LossBlock),
    /// A single word that names nothing: fine where a kind's field expects one of its words, an error anywhere else.
    Word {
        /// The word.
        name: String,
        /// A name that it may be meant for.
        close: Option<String>,
        /// What to write instead, if other tools have the word.
        foreign: Option<&'static str>,
        /// It is the name of the very line that it stands in.
        itself: bool,
    },
    /// Stands where an error was already reported.
    Poison,
}

/// `kind { field = value }`, read by its kind.
#[derive(Clone, Debug)]
pub struct Component {
    /// The word in front.
    pub kind: String,
    /// Where it was written.
    pub kind_span: Span,
    /// By name, in the order written.
    pub fields: IndexMap<String, FieldValue>,
    /// The resolver's note of how it was written, so that `name { field = other }` can be evaluated afresh.
    pub(super) template: usize,
}

/// A field of a component.
#[derive(Clone, Debug)]
pub struct FieldValue {
    /// Its name, where it was written.
    pub name_span: Span,
    /// What it is given.
    pub value: Arc<Value>,
}

impl Component {
    /// A kind without fields, as a bare word.
    pub(crate) fn bare(kind: &str, span: Span) -> Self {
        Self { kind: kind.to_string(), kind_span: span, fields: IndexMap::new(), template: usize::MAX }
    }
}

/// `train.best`, `ppo.seen`.
#[derive(Clone, Debug, PartialEq)]
pub struct StageRef {
    /// `None`: the pipeline that mentions it.
    pub pipeline: Option<String>,
    /// Its name.
    pub stage: String,
    /// Where it was written.
    pub stage_span: Span,
    /// The name and its place; `None`: the stage's first that fits.
    pub output: Option<(String, Span)>,
    /// Of `train.at(40)` the number, as it is written out, and its place: the stage as it was after so many of its steps.
    pub at: Option<(Arc<str>, Span)>,
}

impl Value {
    /// Of a value that was written at `span`.
    pub fn new(kind: ValueKind, span: Span) -> Arc<Self> {
        let weight = match &kind {
            ValueKind::List(items) => Weight::around(items.iter().map(|item| item.weight)),
            ValueKind::Range(low, high) => Weight::around([low.weight, high.weight]),
            ValueKind::Component(component) => Weight::around(component.fields.values().map(|field| field.value.weight)),
            ValueKind::Term(term) => term.weight,
            _ => Weight::ONE,
        };
        Arc::new(Self { kind, weight, span, owner: None })
    }

    pub(crate) fn poison(span: Span) -> Arc<Self> {
        Self::new(ValueKind::Poison, span)
    }

    /// With its article, for messages.
    pub(crate) fn words(&self) -> String {
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

/// Characters of a value that is told in passing.
const FEW: usize = 80;

impl Value {
    /// As it would be written, where that takes few words; `None` of blocks, stages and mistakes.
    pub(crate) fn in_few_words(&self) -> Option<String> {
        let text = match &self.kind {
            ValueKind::Number(n) => number_text(*n),
            ValueKind::Text(text) => super::print::quoted(text),
            ValueKind::Bool(b) => b.to_string(),
            ValueKind::Duration(seconds) => format!("{}s", number_text(*seconds)),
            ValueKind::Size(bytes) => format!("{bytes}B"),
            ValueKind::List(items) => format!("[{}]", items.iter().map(|item| item.in_few_words()).collect::<Option<Vec<_>>>()?.join(", ")),
            ValueKind::Range(low, high) => format!("{}..{}", low.in_few_words()?, high.in_few_words()?),
            ValueKind::Term(term) => super::print::shortened(term, FEW),
            ValueKind::Key(word) => word.to_string(),
            ValueKind::Word { name, .. } => name.clone(),
            ValueKind::Component(component) => format!("{} {{ … }}", component.kind),
            ValueKind::Prompt { .. } | ValueKind::Stage(_) | ValueKind::Loss(_) | ValueKind::Poison => return None,
        };
        (text.chars().count() <= FEW + 1).then_some(text)
    }
}

/// A number as people write it: `0.001`, `5e-6`. Reading it gives the same number.
pub(crate) fn number_text(n: f64) -> String {
    match n.abs() {
        a if a != 0.0 && !(1e-4..1e15).contains(&a) => format!("{n:e}"),
        _ => n.to_string(),
    }
}
