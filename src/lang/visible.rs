//! What may reach a terminal of texts, names and messages that others wrote.

use std::borrow::Cow;

/// Without what moves the cursor, sets colours, hides text or turns its direction: each such character becomes U+FFFD. New lines and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// As [`visible`], and on one line.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

/// A control character, or a mark of direction (Unicode Standard Annex 9).
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control() || turns(c) || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

/// Makes what follows be shown in another order than it is read in.
pub(crate) fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// With spaces behind it, to so many characters. (The formatting macros stop at a width of 65 535.)
pub(crate) fn pad(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(spaces))
}

fn replaced(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    match text.chars().any(&hidden) {
        true => text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_replaced() {
        assert_eq!(visible("a\tb\nc \u{fc}"), "a\tb\nc \u{fc}");
        assert_eq!(visible("\u{1b}[31mx\r\u{7f}\u{9b}2J"), "\u{fffd}[31mx\u{fffd}\u{fffd}\u{fffd}2J");
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{200f}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(on_one_line("a\nb\tc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn padding_of_any_width() {
        assert_eq!(pad("\u{fc}b", 4), "\u{fc}b  ");
        assert_eq!(pad("abc", 2), "abc");
        assert_eq!(pad("", 70_000).len(), 70_000);
    }
}
