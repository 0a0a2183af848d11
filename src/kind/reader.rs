//! Reads the fields of components into kinds, reporting every mistake with its place.

use super::{Artifact, Field, KindInfo};
use crate::lang::diagnostic::nearest;
use crate::lang::resolve::Resolver;
use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::value::{Component, FieldValue, StageRef, Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A stage's output that a field uses.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    /// `policy`, `of`, `policy.tokenizer`.
    pub field: String,
    pub stage: StageRef,
    /// What the field takes; the first that the stage gives is meant where no output is named.
    pub takes: Vec<Artifact>,
    /// Whether the field takes several (a list, or all instances of an unfolded pipeline).
    pub many: bool,
    pub span: Span,
}

/// Reads the fields of a component, and hears of every mistake in it.
pub struct Reader<'r, 'a> {
    resolver: &'r Resolver<'a>,
    instance: usize,
    /// The fields that lead to where the reader is.
    path: Vec<String>,
    /// What the value being read was written as.
    name_span: Option<Span>,
    pub(crate) references: Vec<Reference>,
    /// Whether stages of a kind may give an artifact; without stages around, none does.
    pub(crate) gives: fn(kind: &str, artifact: Artifact) -> bool,
    /// Quantities whose value is known before the run (`iterations`), for fields that take numbers.
    pub(crate) constants: BTreeMap<&'static str, f64>,
}

/// More fields than these are not listed in a message.
const MOST_LISTED: usize = 8;

/// Whether all that a term reads is where the run is.
fn changes_over_the_run(term: &Term) -> bool {
    match &term.kind {
        TermKind::Number(_) | TermKind::Bool(_) => true,
        TermKind::Quantity(name) => matches!(name.as_ref(), "iteration" | "iterations" | "progress"),
        TermKind::Named { body, .. } => changes_over_the_run(body),
        TermKind::Apply { args, .. } => args.iter().all(|arg| match arg {
            Argument::Term(term) => changes_over_the_run(term),
            Argument::Key(..) | Argument::Text(..) | Argument::Absent => true,
        }),
    }
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(crate) fn new(resolver: &'r Resolver<'a>, instance: usize) -> Self {
        Self {
            resolver,
            instance,
            path: Vec::new(),
            name_span: None,
            references: Vec::new(),
            gives: |_, _| false,
            constants: BTreeMap::new(),
        }
    }

    /// Says what is wrong.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.resolver.diagnostics.borrow_mut().push(diagnostic);
    }

    /// The field being read, for references: `policy.tokenizer`.
    pub(crate) fn field(&self) -> String {
        self.path.join(".")
    }

    /// A line of the pipeline that the reader's stage belongs to.
    pub(crate) fn line(&self, name: &str) -> Option<Arc<Value>> {
        self.resolver.line(self.instance, name)
    }

    /// A field that must be given; with `inherit`, here or as the pipeline's line of that name.
    pub fn required<T: Field>(&mut self, component: &Component, kind: &str, name: &'static str, inherit: bool) -> Option<T> {
        match self.find(component, name, inherit) {
            Some(value) => self.read_at(name, &value),
            None => {
                let mut diagnostic = Diagnostic::error("E0105", component.kind_span, format!("`{kind}` needs the field `{name}`"))
                    .help(format!("`{name}` takes {}", T::expects()));
                if inherit {
                    diagnostic = diagnostic.help(format!("give it here, or as the pipeline's line `{name} = …`"));
                }
                self.report(diagnostic);
                None
            }
        }
    }

    /// A field that may be left out.
    pub fn optional<T: Field>(
        &mut self,
        component: &Component,
        name: &'static str,
        inherit: bool,
        default: impl FnOnce() -> T,
    ) -> Option<T> {
        match self.find(component, name, inherit) {
            Some(value) => self.read_at(name, &value),
            None => Some(default()),
        }
    }

    fn find(&mut self, component: &Component, name: &str, inherit: bool) -> Option<Arc<Value>> {
        match component.fields.get(name) {
            Some(FieldValue { value, name_span }) => {
                self.name_span = Some(*name_span);
                Some(value.clone())
            }
            None if inherit && self.path.is_empty() => self.line(name),
            None => None,
        }
    }

    /// Reads a value as the content of the field `name`.
    pub(crate) fn read_at<T: Field>(&mut self, name: &str, value: &Arc<Value>) -> Option<T> {
        self.path.push(name.to_string());
        let read = T::read(value, self);
        self.path.pop();
        read
    }

    /// Reports every field of a component that none of `infos` declares and `also` does not allow.
    pub fn refuse_unknown(&mut self, component: &Component, infos: &[&KindInfo], also: impl Fn(&FieldValue) -> bool) {
        for (name, field) in &component.fields {
            let known = infos.iter().flat_map(|i| i.fields).map(|f| f.name);
            if known.clone().any(|k| k == name) || matches!(field.value.kind, ValueKind::Poison) || also(field) {
                continue;
            }
            let diagnostic = Diagnostic::error("E0104", field.name_span, format!("unknown field `{name}`"));
            let mut diagnostic = match self.resolver.foreign(name) {
                Some(foreign) => diagnostic.help(foreign),
                None => diagnostic.did_you_mean(name, known.clone()),
            };
            if diagnostic.help.is_empty() {
                let quoted = |names: &[&str]| names.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ");
                let (all, kind) = (known.collect::<Vec<_>>(), &component.kind);
                diagnostic = diagnostic.help(match all.len() {
                    0 => format!("`{kind}` has no fields"),
                    count if count > MOST_LISTED => {
                        let near = quoted(&nearest(name, &all, MOST_LISTED / 2));
                        format!("of its {count} fields the nearest are {near}; `epo-run kinds {kind}` shows all")
                    }
                    _ => format!("the fields of `{kind}` are {}", quoted(&all)),
                });
            }
            self.report(diagnostic);
        }
    }

    /// `expected a number, found …`, or the message about an unknown name.
    pub fn mismatch(&mut self, value: &Value, expected: &str) {
        let diagnostic = match &value.kind {
            ValueKind::Poison => return,
            ValueKind::Word { .. } => {
                // the words that stand in backticks: `expert`, `decoder { … }`
                let quoted = expected.split('`').skip(1).step_by(2).filter_map(|text| text.split([' ', '(', '.']).next());
                let diagnostic = Resolver::unknown_word(value, &quoted.collect::<Vec<_>>());
                if diagnostic.help.is_empty() { diagnostic.help(format!("expected {expected}")) } else { diagnostic }
            }
            ValueKind::Text(text) if expected.contains("number") && text.trim().parse::<f64>().is_ok() => {
                let message = format!("expected {expected}, found a string");
                Diagnostic::error("E0201", value.span, message).help(format!("a number stands without quotes: `{}`", text.trim()))
            }
            // Where a library function was called, not where its body stands.
            ValueKind::Term(term) if expected.contains("number") && changes_over_the_run(term) => {
                let message = format!("expected {expected}, found an expression that changes over the run");
                Diagnostic::error("E0201", term.place(), message)
                    .help("here one number stands for the whole run; `lr` of an optimiser may change")
            }
            ValueKind::Term(term) => Diagnostic::error("E0201", term.place(), format!("expected {expected}, found {}", value.words())),
            _ => Diagnostic::error("E0201", value.span, format!("expected {expected}, found {}", value.words())),
        };
        self.report(diagnostic);
    }

    /// A number, from a number or from an expression whose quantities are known before the run.
    pub fn number(&mut self, value: &Arc<Value>) -> Option<f64> {
        match &value.kind {
            ValueKind::Number(n) => Some(*n),
            ValueKind::Term(term) => self.constant(term),
            _ => None,
        }
    }

    fn constant(&self, term: &Term) -> Option<f64> {
        match &term.kind {
            TermKind::Number(n) => Some(*n),
            TermKind::Bool(b) => Some(f64::from(u8::from(*b))),
            TermKind::Quantity(name) => self.constants.get(name.as_ref()).copied(),
            TermKind::Named { body, .. } => self.constant(body),
            TermKind::Apply { builtin, args } => {
                let args = args.iter().filter(|a| !matches!(a, Argument::Absent));
                let args: Option<Vec<f64>> = args.map(|a| if let Argument::Term(t) = a { self.constant(t) } else { None }).collect();
                builtin.of_numbers(&args?)
            }
        }
    }

    /// One of some bare words.
    pub fn word(&mut self, value: &Arc<Value>, words: &[&'static str]) -> Option<&'static str> {
        let found = match &value.kind {
            ValueKind::Word { name, .. } | ValueKind::Prompt { name, .. } => name.as_str(),
            ValueKind::Key(word) => word.as_ref(),
            ValueKind::Term(term) => match &term.kind {
                TermKind::Quantity(name) => name.as_ref(),
                _ => "",
            },
            // a word may also be the name of a kind without fields
            ValueKind::Component(c) if c.fields.is_empty() => c.kind.as_str(),
            // or of something the user defined: words are a name space of their own
            ValueKind::Stage(stage) if stage.output.is_none() => stage.stage.as_str(),
            ValueKind::Text(text) if words.contains(&text.as_str()) => {
                self.report(Diagnostic::error("E0201", value.span, "this is a word, without quotes").help(format!("write `{text}`")));
                return None;
            }
            ValueKind::Poison => return None,
            _ => "",
        };
        if let Some(word) = words.iter().find(|w| **w == found) {
            return Some(word);
        }
        let list = words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        let what = if found.is_empty() { value.words() } else { format!("`{found}`") };
        let message = match words {
            [one] => format!("expected the word `{one}`, found {what}"),
            _ => format!("expected one of {list}, found {what}"),
        };
        let diagnostic = Diagnostic::error("E0201", value.span, message).did_you_mean(found, words.iter().copied());
        self.report(diagnostic);
        None
    }

    /// Whether a stage is of a kind that may give this.
    pub(crate) fn may_give(&self, stage: &StageRef, artifact: Artifact) -> bool {
        let value = self.resolver.line_quietly(self.instance, &format!("stages.{}", stage.stage));
        matches!(value.as_deref().map(|v| &v.kind), Some(ValueKind::Component(c)) if (self.gives)(&c.kind, artifact))
    }

    /// Notes that the field uses a stage's output.
    pub(crate) fn refer(&mut self, stage: &StageRef, takes: &[Artifact], many: bool, span: Span) {
        self.references.push(Reference { field: self.field(), stage: stage.clone(), takes: takes.to_vec(), many, span });
    }
}
