//! Cuts a text into tokens, for the layout, for messages and for the formatter. Never fails: what is no token becomes one of kind
//! [`TokenKind::Bad`] with a message.

use super::diagnostic::Diagnostic;
use super::layout::MAX_PROBLEMS;
use super::source::{SourceId, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word,
    /// With its unit.
    Number,
    Text,
    TripleText,
    /// An operator other than `=`; also `and`, `or`, `not`.
    Operator,
    Equals,
    Comma,
    Dot,
    /// `(`, `[` or `{`
    Open,
    Close,
    Newline,
    Comment,
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: u32,
    pub end: u32,
}

impl Token {
    pub(crate) fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or("")
    }

    pub(crate) fn span(self, source: SourceId) -> Span {
        Span { source, start: self.start, end: self.end }
    }
}

/// A message about a token.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// Index of the token to blame.
    pub token: usize,
    pub diagnostic: Diagnostic,
}

/// Letters of a name: what is aligned by names stays as narrow as that.
const MAX_NAME: usize = 128;

pub(in crate::lang) fn lex(source: SourceId, text: &str) -> (Vec<Token>, Vec<Problem>) {
    let mut lexer = Lexer { source, text, bytes: text.as_bytes(), at: 0, tokens: Vec::new(), problems: Vec::new() };
    while lexer.at < lexer.bytes.len() {
        lexer.step();
    }
    (lexer.tokens, lexer.problems)
}

/// Whether a text is one name; the words of operators are too.
pub(crate) fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') && bytes.iter().all(|b| is_word(*b))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

struct Lexer<'a> {
    source: SourceId,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    problems: Vec<Problem>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, length: usize) {
        let end = (self.at + length).min(self.bytes.len());
        self.tokens.push(Token { kind, start: self.at as u32, end: end as u32 });
        self.at = end;
    }

    fn run(&self, from: usize, accept: impl Fn(u8) -> bool) -> usize {
        self.bytes.get(from..).unwrap_or(&[]).iter().take_while(|b| accept(**b)).count()
    }

    fn step(&mut self) {
        use TokenKind::*;
        match self.peek(0) {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => self.push(Newline, 1),
            b'#' => {
                let mut length = self.run(self.at, |b| b != b'\n');
                if self.peek(length) == b'\n' && self.peek(length - 1) == b'\r' {
                    length -= 1;
                }
                self.push(Comment, length);
            }
            b'"' => self.string(),
            b'(' | b'[' | b'{' => self.push(Open, 1),
            b')' | b']' | b'}' => self.push(Close, 1),
            b',' => self.push(Comma, 1),
            b'0'..=b'9' => self.number(),
            b if is_word(b) => self.word(),
            _ => self.symbol(),
        }
    }

    fn word(&mut self) {
        let length = self.run(self.at, is_word);
        let after = self.text.get(self.at + length..).and_then(|rest| rest.chars().next());
        if after.is_some_and(char::is_alphanumeric) {
            return self.bad();
        }
        if length > MAX_NAME {
            let span = Span::new(self.source, self.at..self.at + length);
            let message = format!("a name of {length} letters; at most {MAX_NAME} are read");
            return self.problem(Diagnostic::error("E0029", span, message), TokenKind::Bad, length);
        }
        let of_path = self.tokens.last().is_some_and(|t| t.kind == TokenKind::Dot && t.end as usize == self.at);
        let operator = !of_path && matches!(&self.text[self.at..self.at + length], "and" | "or" | "not");
        self.push(if operator { TokenKind::Operator } else { TokenKind::Word }, length);
    }

    /// The same extent as rule `number` of the grammar.
    fn number(&mut self) {
        let digits = |b: u8| b.is_ascii_digit() || b == b'_';
        let mut length = self.run(self.at, digits);
        while self.peek(length) == b'.' && self.peek(length + 1).is_ascii_digit() {
            length += 1 + self.run(self.at + length + 1, digits);
        }
        if matches!(self.peek(length), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(length + 1), b'+' | b'-'));
            let exponent = self.run(self.at + length + 1 + sign, |b| b.is_ascii_digit());
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        length += self.run(self.at + length, is_word);
        self.push(TokenKind::Number, length);
    }

    fn string(&mut self) {
        if self.bytes[self.at..].starts_with(b"\"\"\"") {
            return self.triple();
        }
        let mut end = self.at + 1;
        loop {
            match self.bytes.get(end) {
                None | Some(b'\n') => break,
                Some(b'"') => return self.push(TokenKind::Text, end + 1 - self.at),
                Some(b'\\') if self.bytes.get(end + 1).is_some_and(|b| *b != b'\n') => end += 2,
                Some(_) => end += 1,
            }
        }
        if self.bytes.get(end - 1) == Some(&b'\r') && end - 1 > self.at {
            end -= 1;
        }
        let opener = Span::new(self.source, self.at..self.at + 1);
        let message = Diagnostic::error("E0005", opener, "a string is not closed")
            .saying("opened here")
            .also(Span::new(self.source, end..end), "the line ends without a second `\"`")
            .help("a text over several lines is written between `\"\"\"` and `\"\"\"`");
        self.problem(message, TokenKind::Bad, end - self.at);
    }

    fn triple(&mut self) {
        let body = self.at + 3;
        if let Some(length) = self.text.get(body..).and_then(|rest| rest.find("\"\"\"")) {
            return self.push(TokenKind::TripleText, length + 6);
        }
        let end = self.bytes.len();
        let message = Diagnostic::error("E0006", Span::new(self.source, self.at..body), "a text is not closed")
            .saying("opened here")
            .also(Span::new(self.source, end..end), "the file ends without a second `\"\"\"`");
        self.problem(message, TokenKind::Bad, end - self.at);
    }

    fn symbol(&mut self) {
        let two = self.bytes.get(self.at..self.at + 2).unwrap_or(&[]);
        match two {
            b"==" if self.peek(2) == b'=' => return self.foreign("===", "equality is `==`"),
            b"==" | b"!=" | b"<=" | b">=" | b".." => {
                if two == b".." && self.peek(2) == b'.' {
                    return self.foreign("...", "a range is written `low..high`");
                }
                return self.push(TokenKind::Operator, 2);
            }
            b"**" => return self.foreign("**", "a power is written `x ^ 2`"),
            b"&&" => return self.foreign("&&", "write `and`"),
            b"||" => return self.foreign("||", "write `or`"),
            b"//" => return self.foreign("//", "a comment begins with `#`"),
            b"/*" => return self.foreign("/*", "a comment begins with `#` and goes on to the end of its line"),
            b"+=" | b"-=" | b"*=" => {
                let found = String::from_utf8_lossy(two).into_owned();
                return self.foreign(&found, "a name is given its value once, with `=`");
            }
            b":=" => return self.foreign(":=", "a value is given with `=`"),
            b"=>" | b"->" => {
                let found = String::from_utf8_lossy(two).into_owned();
                return self.foreign(&found, "a value is given with `=`");
            }
            b"<>" => return self.foreign("<>", "write `!=`"),
            _ => {}
        }
        match self.peek(0) {
            b'+' | b'-' | b'*' | b'/' | b'^' | b'<' | b'>' => self.push(TokenKind::Operator, 1),
            b'=' => self.push(TokenKind::Equals, 1),
            b'.' if self.peek(1).is_ascii_digit() && !self.follows_value() => {
                let length = 1 + self.run(self.at + 1, is_word);
                let found = &self.text[self.at..self.at + length];
                let message = Diagnostic::error("E0007", Span::new(self.source, self.at..self.at + length), "a number begins with a digit")
                    .help(format!("write `0{found}`"));
                self.problem(message, TokenKind::Bad, length);
            }
            b'.' => self.push(TokenKind::Dot, 1),
            b';' => self.foreign(";", "a line ends at its newline; inside `{ }` also at a `,`"),
            b':' => self.foreign(":", "a value is given with `=`"),
            b'!' => self.foreign("!", "write `not`"),
            b'&' => self.foreign("&", "write `and`"),
            b'|' => self.foreign("|", "write `or`"),
            b'%' => self.foreign("%", "a share is written as a number: `0.2`, not `20%`"),
            b'?' => self.foreign("?", "a choice is written `where(condition, yes, no)`"),
            b'\\' => self.foreign("\\", "a line goes on where an operator ends it or begins the next one"),
            b'\'' => self.foreign("'", "strings are written between `\"` and `\"`"),
            b'`' => self.foreign("`", "strings are written between `\"` and `\"`"),
            _ => self.bad(),
        }
    }

    /// Whether the token before touches this place and could be a value (`a.5`).
    fn follows_value(&self) -> bool {
        self.tokens.last().is_some_and(|t| {
            t.end as usize == self.at && matches!(t.kind, TokenKind::Word | TokenKind::Number | TokenKind::Close | TokenKind::Text)
        })
    }

    /// A sign that other languages have.
    fn foreign(&mut self, found: &str, help: &str) {
        let span = Span::new(self.source, self.at..self.at + found.len());
        let shown = if found == "`" {
            "a backtick is no sign of this language".to_owned()
        } else {
            format!("`{found}` is no sign of this language")
        };
        self.problem(Diagnostic::error("E0013", span, shown).help(help), TokenKind::Bad, found.len());
    }

    /// A character that begins no token; letters of other alphabets are taken together with the word they stand in.
    fn bad(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or("");
        let Some(first) = rest.chars().next() else { return self.at += 1 };
        let is_letter = |c: char| c.is_alphanumeric() || c == '_';
        let length: usize =
            if is_letter(first) { rest.chars().take_while(|c| is_letter(*c)).map(char::len_utf8).sum() } else { first.len_utf8() };
        if first == '\u{feff}' && self.at == 0 {
            return self.at += length;
        }
        let span = Span::new(self.source, self.at..self.at + length);
        let found = &rest[..length];
        let diagnostic = if is_letter(first) {
            Diagnostic::error("E0029", span, format!("`{found}` is no name"))
                .help("a name is made of the letters a to z and A to Z, digits and `_`, and does not begin with a digit")
        } else {
            character(span, first)
        };
        self.problem(diagnostic, TokenKind::Bad, length);
    }

    fn problem(&mut self, diagnostic: Diagnostic, kind: TokenKind, length: usize) {
        // One more than is shown, so that it is known that there are more.
        if self.problems.len() <= MAX_PROBLEMS {
            self.problems.push(Problem { token: self.tokens.len(), diagnostic });
        }
        self.push(kind, length);
    }
}

/// Words for a single character outside strings; look-alikes get a suggestion.
fn character(span: Span, found: char) -> Diagnostic {
    let help = match found {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => Some("strings are written between plain `\"` and `\"`"),
        '\u{2018}' | '\u{2019}' | '\u{b4}' => Some("strings are written between plain `\"` and `\"`"),
        '\u{2212}' | '\u{2013}' | '\u{2014}' | '\u{2010}' | '\u{2011}' => Some("minus is the plain `-`"),
        '\u{d7}' | '\u{b7}' | '\u{22c5}' => Some("a product is written `*`"),
        '\u{f7}' => Some("a quotient is written `/`"),
        '\u{2264}' => Some("write `<=`"),
        '\u{2265}' => Some("write `>=`"),
        '\u{2260}' => Some("write `!=`"),
        '\u{2026}' => Some("a range is written `low..high`"),
        '\u{a0}' | '\u{2009}' | '\u{202f}' | '\u{3000}' | '\u{200b}' | '\u{feff}' => Some("write a plain space"),
        '\u{ff0c}' => Some("write a plain `,`"),
        '\u{ff1d}' => Some("write a plain `=`"),
        _ => None,
    };
    let message = if found.is_control() || found.is_whitespace() || help == Some("write a plain space") {
        format!("the character U+{:04X} cannot stand here", found as u32)
    } else {
        format!("`{found}` cannot stand here")
    };
    let diagnostic = Diagnostic::error("E0013", span, message);
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
