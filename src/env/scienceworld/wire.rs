//! The words of the py4j protocol (0.10), as the server inside the simulator's archive speaks it.
//!
//! Text over TCP, UTF-8. A request is a command line, the arguments one a line, and `e`. An answer is one line: `!y` and a typed value,
//! or `!x` and an error. Strings escape backslash, carriage return and line feed, nothing else.

use std::sync::{Arc, Mutex, PoisonError};

/// An object in the server's table. The server keeps it until told otherwise: dropping the last handle queues its release,
/// which the client sends before its next call.
#[derive(Debug)]
pub(super) struct Handle {
    id: String,
    dropped: Dropped,
}

/// The ids that wait to be released.
#[derive(Clone, Debug, Default)]
pub(super) struct Dropped(Arc<Mutex<Vec<String>>>);

impl Dropped {
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Handle {
    pub(super) fn new(id: &str, dropped: &Dropped) -> Self {
        Self { id: id.into(), dropped: dropped.clone() }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        self.dropped.0.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }
}

/// Overloads are found by the exact type, so there is one variant for each type in use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arg<'a> {
    Text(&'a str),
    Int(i32),
    Bool(bool),
    Object(&'a Handle),
}

impl Arg<'_> {
    pub(super) fn write(&self, request: &mut String) {
        match self {
            Self::Text(text) => {
                request.push('s');
                escape(text, request);
            }
            Self::Int(number) => request.push_str(&format!("i{number}")),
            Self::Bool(flag) => request.push_str(if *flag { "btrue" } else { "bfalse" }),
            Self::Object(handle) => {
                request.push('r');
                request.push_str(handle.id());
            }
        }
        request.push('\n');
    }
}

#[derive(Debug)]
pub(super) enum Answer {
    Void,
    Null,
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    /// Any object: plain, list, map, set, array, iterator.
    Object(Handle),
}

/// What one answer line says.
#[derive(Debug)]
pub(super) enum Reply {
    Done(Answer),
    /// The server's own complaint, in words.
    Refused(String),
    /// A Java exception; its text is asked for with a second request.
    Threw(Handle),
}

/// Reads an answer line, without its line end. `None` where it is not one.
pub(super) fn parse(line: &str, dropped: &Dropped) -> Option<Reply> {
    let rest = line.strip_prefix('!')?;
    let (outcome, typed) = split_letter(rest)?;
    let (letter, value) = split_letter(typed)?;
    match (outcome, letter) {
        ('y', 'v') => Some(Reply::Done(Answer::Void)),
        ('y', 'n') => Some(Reply::Done(Answer::Null)),
        ('y', 's') => Some(Reply::Done(Answer::Text(unescape(value)))),
        ('y', 'i' | 'L') => value.parse().ok().map(|number| Reply::Done(Answer::Int(number))),
        ('y', 'd') => value.parse().ok().map(|number| Reply::Done(Answer::Double(number))),
        ('y', 'b') => value.parse().ok().map(|flag| Reply::Done(Answer::Bool(flag))),
        ('y', 'r' | 'l' | 'a' | 'h' | 't' | 'g') if !value.is_empty() => Some(Reply::Done(Answer::Object(Handle::new(value, dropped)))),
        ('x', 's') => Some(Reply::Refused(unescape(value))),
        ('x', 'r') if !value.is_empty() => Some(Reply::Threw(Handle::new(value, dropped))),
        _ => None,
    }
}

fn split_letter(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let letter = chars.next()?;
    Some((letter, chars.as_str()))
}

pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// From left to right, so that an escaped backslash before an `n` stays a backslash and an `n`.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape(text, &mut out);
        out
    }

    #[test]
    fn a_backslash_before_an_n_survives() {
        assert_eq!(escaped("a\\nb"), "a\\\\nb");
        assert_eq!(unescape("a\\\\nb"), "a\\nb");
        assert_eq!(unescape("a\\nb"), "a\nb");
    }

    #[test]
    fn answers_of_every_type() {
        let dropped = Dropped::default();
        let done = |line: &str| match parse(line, &dropped) {
            Some(Reply::Done(answer)) => format!("{answer:?}"),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(done("!yv"), "Void");
        assert_eq!(done("!yn"), "Null");
        assert_eq!(done("!ysin it\\n\ta caf\u{e9}"), "Text(\"in it\\n\\ta caf\u{e9}\")");
        assert_eq!(done("!yi-3"), "Int(-3)");
        assert_eq!(done("!yL9"), "Int(9)");
        assert_eq!(done("!yd-1.0"), "Double(-1.0)");
        assert_eq!(done("!ybtrue"), "Bool(true)");
        for letter in ["r", "l", "a", "h", "t", "g"] {
            assert!(done(&format!("!y{letter}o12")).starts_with("Object(Handle { id: \"o12\""));
        }
        assert_eq!(dropped.take(), vec!["o12"; 6], "dropped handles wait to be released");
        assert!(matches!(parse("!xsno such method", &dropped), Some(Reply::Refused(text)) if text == "no such method"));
        assert!(matches!(parse("!xro5", &dropped), Some(Reply::Threw(handle)) if handle.id() == "o5"));
    }

    #[test]
    fn what_is_no_answer() {
        for line in ["", "!", "!y", "y", "!yr", "!yixx", "!zv", "hello", "!ybmaybe"] {
            assert!(parse(line, &Dropped::default()).is_none(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn strings_come_back(text in any::<String>()) {
            let line = escaped(&text);
            prop_assert!(!line.contains('\n') && !line.contains('\r'));
            prop_assert_eq!(unescape(&line), text);
        }

        #[test]
        fn no_line_panics(line in any::<String>()) {
            let _ = parse(&line, &Dropped::default());
        }
    }
}
