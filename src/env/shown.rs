//! What others wrote, as it may stand in a message.

/// Of a line that is shown.
const SHOWN: usize = 200;

/// The beginning of a line, as it may stand in a message: nothing in it is obeyed by a terminal.
pub(super) fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut out = String::new();
    for letter in text.trim_end().chars().take(SHOWN) {
        if letter.is_control() {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    if text.trim_end().chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_line_is_short_and_harmless() {
        assert_eq!(shown(b"\x1b[2Jgone\r\n"), "\\u{1b}[2Jgone");
        assert_eq!(shown(&[b'x'; 5000]).chars().count(), SHOWN + 1);
        assert_eq!(shown(b"\xff{}\n"), "\u{fffd}{}");
    }
}
