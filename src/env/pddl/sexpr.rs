//! Nested lists of words: the form in which PDDL is written. `;` starts a comment, `?` starts a word.

use super::error::{PddlError, Text};

pub(crate) struct Node<'a> {
    /// Byte offset in the text.
    pub at: u32,
    pub kind: Kind<'a>,
}

pub(crate) enum Kind<'a> {
    Word(&'a str),
    List(Vec<Node<'a>>),
}

impl<'a> Node<'a> {
    pub(super) fn word(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Word(word) => Some(word),
            Kind::List(_) => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Node<'a>]> {
        match &self.kind {
            Kind::Word(_) => None,
            Kind::List(items) => Some(items),
        }
    }

    /// The first word of a list: what it is about.
    pub(super) fn head(&self) -> Option<&'a str> {
        self.list().and_then(|items| items.first()).and_then(Node::word)
    }
}

/// Deeper nesting is refused: nothing sensible is written so, and walks over a tree recurse.
const MAX_DEPTH: usize = 100;

/// Reads the one list that a PDDL text consists of. The text must be in lower case already.
pub(crate) fn read<'a>(text: Text<'a>) -> Result<Node<'a>, PddlError> {
    let bytes = text.text.as_bytes();
    let mut open: Vec<(u32, Vec<Node<'a>>)> = Vec::new();
    let mut done: Option<Node<'a>> = None;
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let at = i as u32;
        match byte {
            b';' => i += bytes[i..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - i),
            b if is_space(b) => i += 1,
            _ if done.is_some() => return Err(text.error(at, "unexpected text after the closing `)`")),
            b'(' => {
                if open.len() == MAX_DEPTH {
                    return Err(text.error(at, format!("lists are nested deeper than {MAX_DEPTH}")));
                }
                open.push((at, Vec::new()));
                i += 1;
            }
            b')' => {
                i += 1;
                let Some((at, items)) = open.pop() else { return Err(text.error(at, "unexpected `)`")) };
                let list = Node { at, kind: Kind::List(items) };
                match open.last_mut() {
                    Some((_, outer)) => outer.push(list),
                    None => done = Some(list),
                }
            }
            _ => {
                let end = bytes[i + 1..].iter().position(|&b| is_space(b) || matches!(b, b'(' | b')' | b';' | b'?'));
                let end = end.map_or(bytes.len(), |n| i + 1 + n);
                let word = Node { at, kind: Kind::Word(&text.text[i..end]) };
                match open.last_mut() {
                    Some((_, outer)) => outer.push(word),
                    None => return Err(text.error(at, "expected `(`")),
                }
                i = end;
            }
        }
    }
    if let Some((at, _)) = open.first() {
        return Err(text.error(*at, "this `(` is never closed"));
    }
    done.ok_or_else(|| text.whole("the text is empty"))
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0x0b | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::pddl::error::Part;

    fn text(text: &str) -> Text<'_> {
        Text { part: Part::Domain, text }
    }

    fn show(node: &Node) -> String {
        match &node.kind {
            Kind::Word(word) => (*word).to_string(),
            Kind::List(items) => format!("({})", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        }
    }

    #[test]
    fn words_lists_and_comments() {
        let node = read(text("(a (b?c) ; no (\n d, )")).unwrap();
        assert_eq!(show(&node), "(a (b ?c) d,)");
    }

    #[test]
    fn places_of_mistakes() {
        let message = |s: &str| read(text(s)).err().unwrap().to_string();
        assert_eq!(message("(a\n (b)"), "domain 1:1: this `(` is never closed");
        assert_eq!(message("(a)\n )"), "domain 2:2: unexpected text after the closing `)`");
        assert_eq!(message("a"), "domain 1:1: expected `(`");
        assert_eq!(message(" ; nothing"), "domain: the text is empty");
        assert_eq!(message(&"(".repeat(200)), "domain 1:101: lists are nested deeper than 100");
    }
}
