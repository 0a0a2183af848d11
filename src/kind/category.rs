//! Families of kinds that may stand in the same place.

use super::{Field, Identity, KindInfo, Reader};
use crate::lang::Diagnostic;
use crate::lang::Span;
use crate::lang::diagnostic::closest;
use crate::lang::value::{Component, Value, ValueKind};
use std::fmt;
use std::sync::Arc;

/// Reads a component of a kind, or reports every mistake in it.
pub type ReadKind<T> = fn(&Arc<Value>, &Component, &mut Reader<'_, '_>) -> Option<Arc<T>>;

/// A line of a category's registry.
pub struct Entry<T: ?Sized + 'static> {
    /// What is said of the kind.
    pub info: &'static KindInfo,
    /// Reads a component of this kind; unknown fields included, every mistake is reported.
    pub read: ReadKind<T>,
}

/// A trait whose implementations are kinds.
pub(crate) trait Category: Identity + fmt::Debug + Send + Sync + 'static {
    /// With its article: `an optimizer`.
    const WORDS: &'static str;

    /// All kinds of the category, in the order of the reference pages.
    fn entries() -> &'static [Entry<Self>];

    /// Those of a program that depends on this crate.
    fn added() -> &'static [Entry<Self>] {
        &[]
    }

    /// Both.
    fn all() -> impl Iterator<Item = &'static Entry<Self>> {
        Self::entries().iter().chain(Self::added())
    }
}

/// A component of a category.
pub(crate) struct Part<T: ?Sized> {
    pub kind: &'static str,
    pub value: Arc<T>,
    pub span: Span,
}

impl<T: ?Sized> Clone for Part<T> {
    fn clone(&self) -> Self {
        Self { kind: self.kind, value: self.value.clone(), span: self.span }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized> std::ops::Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized + Identity> Identity for Part<T> {
    fn identity(&self) -> serde_json::Value {
        serde_json::json!({ self.kind: self.value.identity() })
    }
}

impl<T: Category + ?Sized> Field for Part<T> {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Component(component) = &value.kind else {
            reader.mismatch(value, T::WORDS);
            return None;
        };
        let Some(entry) = T::all().find(|e| e.info.name == component.kind) else {
            let names: Vec<&str> = T::all().map(|e| e.info.name).collect();
            // a name may stand for a component that is written elsewhere
            let here = component.kind_span.source == value.span.source && value.span.range().contains(&component.kind_span.range().start);
            let place = if here { component.kind_span } else { value.span };
            let mut diagnostic = Diagnostic::error("E0201", place, format!("expected {}, found `{}`", T::WORDS, component.kind));
            if !here {
                diagnostic = diagnostic.also(component.kind_span, "written here");
            }
            reader.report(match closest(&component.kind, names.iter().copied()) {
                Some(close) => diagnostic.help(format!("did you mean `{close}`?")),
                None if names.len() == 1 => diagnostic,
                None => diagnostic.help(format!("there are {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))),
            });
            return None;
        };
        let read = (entry.read)(value, component, reader)?;
        Some(Self { kind: entry.info.name, value: read, span: value.span })
    }

    fn expects() -> String {
        T::WORDS.into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{} {{ … }}", self.kind))
    }
}
