//! Light colouring of `.epo` text. It only has to look right: text that is not in the language comes out plain, whole and in order.

/// What a piece of text is, as the class of a `<span>`; `None` is plain.
pub(super) type Piece<'a> = (Option<&'static str>, &'a str);

const WORDS: [&str; 15] =
    ["import", "as", "pipeline", "from", "fn", "prompt", "without", "language", "loss", "stages", "and", "or", "not", "true", "false"];

/// Cuts `text` into pieces; put together again they are `text`.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (class, length) = match first {
            '#' => (Some("hc"), rest.find('\n').unwrap_or(rest.len())),
            '"' => (Some("hs"), string(rest)),
            '0'..='9' => (Some("hn"), number(rest)),
            c if c.is_alphabetic() || c == '_' => {
                let length = word(rest);
                (class_of(&rest[..length], &rest[length..]), length)
            }
            _ => (None, rest.find(|c: char| matches!(c, '#' | '"' | '_' | '0'..='9') || c.is_alphabetic()).unwrap_or(rest.len())),
        };
        // Every branch takes at least the first character.
        let (piece, tail) = rest.split_at(length.max(first.len_utf8()));
        pieces.push((class, piece));
        rest = tail;
    }
    pieces
}

fn string(text: &str) -> usize {
    if let Some(body) = text.strip_prefix("\"\"\"") {
        return body.find("\"\"\"").map_or(text.len(), |at| at + 6);
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// Digits, a fraction (but not the dots of a range), an exponent, a unit.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        let goes_on = match byte {
            b'.' => next.is_some_and(u8::is_ascii_digit),
            b'-' | b'+' => at > 0 && matches!(bytes[at - 1], b'e' | b'E') && next.is_some_and(u8::is_ascii_digit),
            other => other.is_ascii_alphanumeric() || *other == b'_',
        };
        if !goes_on {
            break;
        }
        at += 1;
    }
    at
}

fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
}

fn class_of(word: &str, after: &str) -> Option<&'static str> {
    let next = after.trim_start_matches([' ', '\t']);
    if next.starts_with('=') && !next.starts_with("==") {
        Some("hf")
    } else if WORDS.contains(&word) {
        Some("hk")
    } else if next.starts_with('{') {
        Some("ht")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn classed(text: &str) -> Vec<(&'static str, &str)> {
        pieces(text).into_iter().filter_map(|(class, piece)| Some((class?, piece))).collect()
    }

    #[test]
    fn the_parts_of_a_line_are_told_apart() {
        assert_eq!(
            classed("lr = cosine(5e-6, warmup = 0.1) # eq. 6\n"),
            [("hf", "lr"), ("hn", "5e-6"), ("hf", "warmup"), ("hn", "0.1"), ("hc", "# eq. 6")]
        );
        assert_eq!(classed("optimizer = adamw { }"), [("hf", "optimizer"), ("ht", "adamw")]);
        assert_eq!(classed("import \"std/losses.epo\""), [("hk", "import"), ("hs", "\"std/losses.epo\"")]);
        assert_eq!(classed("r = 0.5..1.5"), [("hf", "r"), ("hn", "0.5"), ("hn", "1.5")]);
        assert_eq!(classed("t = 30min == 4"), [("hf", "t"), ("hn", "30min"), ("hn", "4")]);
        assert_eq!(
            classed("prompt p = \"\"\"\na # \"b\" {c}\n\"\"\"\nx"),
            [("hk", "prompt"), ("hf", "p"), ("hs", "\"\"\"\na # \"b\" {c}\n\"\"\"")]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in any::<String>()) {
            let joined: String = pieces(&text).into_iter().map(|(_, piece)| piece).collect();
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn nothing_is_lost_of_text_like_ours(text in "[a-e0-9_.\"#\\\\\n {}=+-]{0,60}") {
            let joined: String = pieces(&text).into_iter().map(|(_, piece)| piece).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
