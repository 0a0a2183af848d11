//! Numbers with bounds.

use super::{Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, number_text};
use std::sync::Arc;

macro_rules! bounded {
    ($(#[doc = $doc:literal])* $name:ident($inner:ty), $words:literal, |$n:ident| $holds:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub struct $name(pub $inner);

        impl Identity for $name {
            fn identity(&self) -> serde_json::Value {
                self.0.into()
            }
        }

        impl Field for $name {
            fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
                let Some($n) = reader.number(value) else {
                    reader.mismatch(value, $words);
                    return None;
                };
                if !($holds) {
                    reader.report(Diagnostic::error("E0202", value.span, misfit($words, $n)));
                    return None;
                }
                Some(Self($n as $inner))
            }

            fn expects() -> String {
                $words.into()
            }

            fn shown(&self) -> Option<String> {
                Some(number_text(self.0 as f64))
            }
        }
    };
}

/// 1, 2, 3, … up to what the field's declaration says: what a run holds in memory, or counts through, has a measure. Without one, what only
/// compares may be any number below 10¹².
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Count<const MOST: usize = UNMEASURED>(pub usize);

/// The largest whole number that a field takes.
const UNMEASURED: usize = 999_999_999_999;

impl<const MOST: usize> Identity for Count<MOST> {
    fn identity(&self) -> serde_json::Value {
        self.0.into()
    }
}

impl<const MOST: usize> Field for Count<MOST> {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let Some(n) = reader.number(value) else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        if !(n >= 1.0 && n.fract() == 0.0 && n <= MOST as f64) {
            let message = match MOST {
                UNMEASURED => misfit(&Self::expects(), n),
                _ => format!("expected {}, found {}", Self::expects(), plain(n)),
            };
            reader.report(Diagnostic::error("E0202", value.span, message));
            return None;
        }
        Some(Self(n as usize))
    }

    fn expects() -> String {
        match MOST {
            UNMEASURED => "a whole number of 1 or more".into(),
            most => format!("a whole number from 1 to {}", grouped(most)),
        }
    }

    fn shown(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// As a pipeline may write it: `1_000_000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join("_")
}

/// Large and small numbers in few signs.
fn plain(number: f64) -> String {
    let size = number.abs();
    if size >= UNMEASURED as f64 || size > 0.0 && size < 1e-6 { format!("{number:e}") } else { number.to_string() }
}

bounded!(
    /// Above 0.
    Positive(f64), "a number above 0", |n| n > 0.0 && n.is_finite()
);
bounded!(
    /// 0 or more.
    NonNegative(f64), "a number of 0 or more", |n| n >= 0.0 && n.is_finite()
);
bounded!(
    /// From 0 to 1.
    Fraction(f64), "a number from 0 to 1", |n| (0.0..=1.0).contains(&n)
);

bounded!(
    /// Above 0, up to 1.
    Share(f64), "a number above 0 and not above 1", |n| n > 0.0 && n <= 1.0
);
bounded!(
    /// What divides logits: with a number closer to 0 they are no longer finite, and the largest is meant, which 0 says.
    Temperature(f64), "0, or a number from 1e-6 to 1e6", |n| n == 0.0 || (1e-6..=1e6).contains(&n)
);

bounded!(
    /// From 0 up to, but not, 1: how much is kept from step to step.
    BelowOne(f64), "a number of 0 or more and below 1", |n| (0.0..1.0).contains(&n)
);

fn misfit(expected: &str, found: f64) -> String {
    match found > UNMEASURED as f64 && expected.starts_with("a whole number") {
        true => format!("expected {expected} below 1e12, found {found:e}"),
        false => format!("expected {expected}, found {}", plain(found)),
    }
}

impl Field for usize {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let Some(n) = reader.number(value) else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        if !(n >= 0.0 && n.fract() == 0.0 && n <= UNMEASURED as f64) {
            reader.report(Diagnostic::error("E0202", value.span, misfit(&Self::expects(), n)));
            return None;
        }
        Some(n as usize)
    }

    fn expects() -> String {
        "a whole number of 0 or more".into()
    }

    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Field for u64 {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        usize::read(value, reader).map(|n| n as u64)
    }

    fn expects() -> String {
        usize::expects()
    }

    fn shown(&self) -> Option<String> {
        Some(self.to_string())
    }
}
