//! Types that a field may have.

use super::{Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, ValueKind, number_text};
use std::sync::Arc;

/// A type that can be read from a value.
pub trait Field: Sized + Identity {
    /// Reads a value or reports why not.
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self>;

    /// In words, with an article: `a number above 0`.
    fn expects() -> String;

    /// As it would be written in a pipeline, for the pages about defaults.
    fn shown(&self) -> Option<String>;
}

impl Field for f64 {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let number = reader.number(value);
        if number.is_none() {
            reader.mismatch(value, &Self::expects());
        }
        number
    }

    fn expects() -> String {
        "a number".into()
    }

    fn shown(&self) -> Option<String> {
        Some(number_text(*self))
    }
}

impl Field for bool {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match value.kind {
            ValueKind::Bool(b) => Some(b),
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "`true` or `false`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for String {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match &value.kind {
            ValueKind::Text(text) => Some(text.clone()),
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "a string".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// A field that may be left out (`[default None]`) and then means something of its own.
impl<T: Field> Field for Option<T> {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        T::read(value, reader).map(Some)
    }

    fn expects() -> String {
        T::expects()
    }

    fn shown(&self) -> Option<String> {
        self.as_ref().and_then(T::shown)
    }
}

/// A list; a single value stands for a list of one.
impl<T: Field> Field for Vec<T> {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        read_list(value, reader, T::read)
    }

    fn expects() -> String {
        format!("a list, each item {}", T::expects())
    }

    fn shown(&self) -> Option<String> {
        let items: Option<Vec<String>> = self.iter().map(T::shown).collect();
        Some(format!("[{}]", items?.join(", ")))
    }
}

/// Reads every item; the mistakes of all are reported.
pub(crate) fn read_list<T>(
    value: &Arc<Value>,
    reader: &mut Reader<'_, '_>,
    read: impl Fn(&Arc<Value>, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Vec<T>> {
    match &value.kind {
        ValueKind::List(items) => {
            let read: Vec<Option<T>> = items.iter().map(|item| read(item, reader)).collect();
            read.into_iter().collect()
        }
        _ => read(value, reader).map(|one| vec![one]),
    }
}

/// `low..high`
impl Field for (f64, f64) {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Range(low, high) = &value.kind else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        let (a, b) = (f64::read(low, reader), f64::read(high, reader));
        let (a, b) = (a?, b?);
        if a > b {
            reader.report(Diagnostic::error("E0202", value.span, format!("this range is empty: {a} is above {b}")));
            return None;
        }
        Some((a, b))
    }

    fn expects() -> String {
        "a range such as `0.5..1.5`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(format!("{}..{}", number_text(self.0), number_text(self.1)))
    }
}
