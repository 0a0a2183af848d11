//! Follows brackets and lines through the tokens of a text.

use super::super::diagnostic::Diagnostic;
use super::super::lexer::{Problem, Token, TokenKind};
use super::super::source::{SourceId, Span};
use super::{Layout, MAX_DEPTH, MAX_PROBLEMS, NONE, Segment, closer_of};

/// For every index: the first token at or after it that is neither a comment nor a newline.
fn following(tokens: &[Token]) -> Vec<u32> {
    let mut next = tokens.len() as u32;
    let mut all = vec![next; tokens.len() + 1];
    for (i, token) in tokens.iter().enumerate().rev() {
        if !matches!(token.kind, TokenKind::Newline | TokenKind::Comment) {
            next = i as u32;
        }
        all[i] = next;
    }
    all
}

struct Open {
    token: u32,
    byte: u8,
    /// Indentation of the line it stands on.
    indent: usize,
    /// That line's first byte, to tell whether a closer stands on the same one.
    line: usize,
}

/// A brace closed at another indentation than it was opened.
struct Suspect {
    opener: u32,
    closer: u32,
    closer_is_deeper: bool,
}

/// The pass over the tokens.
pub(super) struct Scan<'a> {
    source: SourceId,
    text: &'a str,
    layout: Layout,
    following: Vec<u32>,
    open: Vec<Open>,
    /// The line under construction for each open brace, and for the file.
    current: Vec<u32>,
    line_indent: usize,
    line_begins: bool,
    suspects: Vec<Suspect>,
    /// The line about whose brackets something was said last.
    reported: u32,
}

impl<'a> Scan<'a> {
    pub(super) fn new(source: SourceId, text: &'a str, layout: Layout) -> Self {
        let following = following(&layout.tokens);
        let (open, current, suspects) = (Vec::new(), vec![NONE], Vec::new());
        Self { source, text, layout, following, open, current, line_indent: 0, line_begins: true, suspects, reported: NONE }
    }

    pub(super) fn run(mut self, synchronise: bool) -> Result<Layout, Diagnostic> {
        let mut line = 0;
        for index in 0..self.layout.tokens.len() {
            let token = self.layout.tokens[index];
            if self.line_begins && !matches!(token.kind, TokenKind::Newline | TokenKind::Comment) {
                self.line_indent = token.start as usize - line;
            }
            match token.kind {
                TokenKind::Comment => {
                    self.layout.inside[index] = self.open.last().map_or(NONE, |o| o.token);
                    continue;
                }
                TokenKind::Newline => {
                    self.close_after_open_string(index, line);
                    line = token.end as usize;
                    self.newline(index, synchronise);
                    self.line_begins = true;
                    continue;
                }
                TokenKind::Comma if self.in_lines() => self.comma(index),
                TokenKind::Open => self.opening(index, line)?,
                TokenKind::Close => self.closing(index, line),
                _ => self.ordinary(index),
            }
            self.line_begins = false;
        }
        self.end_of_file();
        Ok(self.layout)
    }

    fn in_lines(&self) -> bool {
        self.open.last().is_none_or(|o| o.byte == b'{')
    }

    fn span(&self, token: u32) -> Span {
        self.layout.tokens[token as usize].span(self.source)
    }

    fn word(&self, token: usize) -> &str {
        self.layout.tokens.get(token).map_or("", |t| t.text(self.text))
    }

    /// The next token at or after `index` that is neither a comment nor a newline.
    fn next(&self, index: usize) -> usize {
        self.following.get(index).map_or(self.layout.tokens.len(), |i| *i as usize)
    }

    fn kind(&self, index: usize) -> Option<TokenKind> {
        self.layout.tokens.get(index).map(|t| t.kind)
    }

    /// Puts a token into the line under construction.
    fn ordinary(&mut self, index: usize) {
        let depth = self.current.len() - 1;
        if self.current[depth] == NONE {
            let id = self.layout.segments.len() as u32;
            let outer = if depth == 0 { id } else { self.current[depth - 1] };
            self.layout.segments.push(Segment { first: index as u32, last: index as u32, comma: NONE, outer });
            if depth == 0 {
                self.layout.items.push(id);
            }
            self.current[depth] = id;
        }
        let id = self.current[depth];
        self.layout.segments[id as usize].last = index as u32;
        self.layout.segment_of[index] = id;
        self.layout.inside[index] = self.open.last().map_or(NONE, |o| o.token);
    }

    fn end_line(&mut self) {
        if let Some(last) = self.current.last_mut() {
            *last = NONE;
        }
    }

    fn comma(&mut self, index: usize) {
        let id = *self.current.last().unwrap_or(&NONE);
        // At top level a comma ends nothing; it is left in its line for the grammar to refuse.
        if self.open.is_empty() || id == NONE {
            return self.ordinary(index);
        }
        self.layout.segments[id as usize].comma = index as u32;
        self.layout.segment_of[index] = id;
        self.layout.inside[index] = self.open.last().map_or(NONE, |o| o.token);
        self.end_line();
    }

    /// A string that is not closed swallowed the brackets behind it: those opened on its line end with the line.
    fn close_after_open_string(&mut self, newline: usize, line: usize) {
        let Some(string) = newline.checked_sub(1).filter(|i| self.kind(*i) == Some(TokenKind::Bad) && self.word(*i).starts_with('"'))
        else {
            return;
        };
        let mut outermost = None;
        while self.open.last().is_some_and(|o| o.line == line) {
            outermost = self.pop().map(|o| o.token);
        }
        if let Some(segment) = self.current.last().and_then(|id| self.layout.segments.get_mut(*id as usize)) {
            segment.last = segment.last.max(string as u32);
        }
        if let Some(opener) = outermost
            && let Some(problem) = self.layout.problems.iter_mut().rev().find(|p| p.token == string)
        {
            problem.token = opener as usize;
        }
    }

    fn newline(&mut self, index: usize, synchronise: bool) {
        let next = self.next(index);
        let forced = synchronise && self.synchronise(next);
        self.layout.inside[index] = self.open.last().map_or(NONE, |o| o.token);
        if !self.in_lines() {
            return;
        }
        let continues = self.ends_with_operator(index) || self.kind(next) == Some(TokenKind::Operator) && self.word(next) != "not";
        if !continues || forced {
            self.layout.ends_line[index] = true;
            self.end_line();
        }
    }

    fn ends_with_operator(&self, newline: usize) -> bool {
        let id = *self.current.last().unwrap_or(&NONE);
        // Tokens are added in order, so the last one of the line is the one before this newline.
        match self.layout.segments.get(id as usize) {
            Some(segment) if (segment.last as usize) < newline => self.kind(segment.last as usize) == Some(TokenKind::Operator),
            _ => false,
        }
    }

    /// Lines that can only stand outside of the brackets that are open here show that one of these was not closed.
    fn synchronise(&mut self, next: usize) -> bool {
        if self.open.is_empty() || self.kind(next) != Some(TokenKind::Word) {
            return false;
        }
        let (second, third) = (self.next(next + 1), self.next(self.next(next + 1) + 1));
        let (second_kind, second_is_word) = (self.kind(second), self.kind(second) == Some(TokenKind::Word));
        let keep = match self.word(next) {
            "pipeline" if second_is_word && matches!(self.word(third), "{" | "from") => 0,
            "import" if second_kind == Some(TokenKind::Text) => 0,
            "fn" if second_is_word && self.word(third) == "(" && !self.in_lines() => self.innermost_brace(),
            "prompt" if second_is_word && self.word(third) == "=" && !self.in_lines() => self.innermost_brace(),
            _ => return false,
        };
        let at = self.layout.tokens[next].span(self.source);
        self.unclosed(keep, at, "it should be closed before this line".to_owned());
        while self.open.len() > keep {
            self.pop();
        }
        true
    }

    /// How many brackets remain open when everything inside the innermost open brace is closed.
    fn innermost_brace(&self) -> usize {
        self.open.iter().rposition(|o| o.byte == b'{').map_or(0, |i| i + 1)
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        if open.byte == b'{' {
            self.current.pop();
        }
        Some(open)
    }

    fn opening(&mut self, index: usize, line: usize) -> Result<(), Diagnostic> {
        self.ordinary(index);
        let byte = self.word(index).bytes().next().unwrap_or(b'(');
        if self.open.len() >= MAX_DEPTH {
            return Err(Diagnostic::error("E0024", self.span(index as u32), format!("brackets are nested more than {MAX_DEPTH} deep"))
                .help("give the inner part a name on a line of its own"));
        }
        self.open.push(Open { token: index as u32, byte, indent: self.line_indent, line });
        if byte == b'{' {
            self.current.push(NONE);
        }
        Ok(())
    }

    fn closing(&mut self, index: usize, line: usize) {
        let closer = self.word(index).bytes().next().unwrap_or(b')');
        let wanted = match closer {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let Some(depth) = self.open.iter().rposition(|o| o.byte == wanted) else {
            self.ordinary(index);
            return self.stray(index);
        };
        if depth + 1 < self.open.len() {
            let culprit = self.open.last().map_or(0, |o| o.token);
            let found = self.word(index).to_owned();
            let expected = closer_of(self.word(culprit as usize));
            self.unclosed(
                depth + 1,
                self.span(index as u32),
                format!("`{found}` closes what was opened before it; expected `{expected}` first"),
            );
        }
        while self.open.len() > depth + 1 {
            self.pop();
        }
        if let Some(open) = self.pop() {
            self.layout.partner[index] = open.token;
            self.layout.partner[open.token as usize] = index as u32;
            if closer == b'}' && self.line_begins && open.line != line && open.indent != self.line_indent {
                let closer_is_deeper = self.line_indent > open.indent;
                self.suspects.push(Suspect { opener: open.token, closer: index as u32, closer_is_deeper });
            }
        }
        self.ordinary(index);
    }

    /// Reports the first problem of a line.
    fn breaks(&mut self, token: u32, whole_item: bool, diagnostic: Diagnostic) {
        let item = self.current.first().copied().unwrap_or(NONE);
        let line = if whole_item { item } else { self.layout.segment_of.get(token as usize).copied().unwrap_or(NONE) };
        if item == NONE || self.layout.broken.last() == Some(&item) || self.reported == line {
            return;
        }
        self.reported = line;
        self.layout.mismatched = true;
        if whole_item {
            self.layout.broken.push(item);
        }
        if self.layout.problems.len() <= MAX_PROBLEMS {
            self.layout.problems.push(Problem { token: token as usize, diagnostic });
        }
    }

    /// `keep`: how many of the open brackets are not to blame.
    fn unclosed(&mut self, keep: usize, at: Span, why: String) {
        let Some(opener) = self.open.last().map(|o| o.token) else { return };
        let whole_item = self.open.iter().skip(keep).any(|o| o.byte == b'{');
        let shown = self.word(opener as usize).to_owned();
        let mut diagnostic =
            Diagnostic::error("E0003", self.span(opener), format!("`{shown}` is not closed")).saying("opened here").also(at, why);
        let item = self.current.first().copied().unwrap_or(NONE);
        let first = self.layout.segments.get(item as usize).map_or(0, |s| s.first);
        if shown == "{"
            && self.layout.problems.len() < MAX_PROBLEMS
            && let Some(suspect) = self.suspects.iter().find(|s| s.opener >= first && !s.closer_is_deeper)
        {
            diagnostic = diagnostic
                .also(self.span(suspect.opener), "or is it this one that lacks its `}`?")
                .also(self.span(suspect.closer), "it is closed here, at another indentation");
            self.suspects.clear();
        }
        self.breaks(opener, whole_item, diagnostic);
    }

    fn stray(&mut self, index: usize) {
        let line = self.layout.segment_of.get(index).copied().unwrap_or(NONE);
        if self.reported == line || self.layout.problems.len() > MAX_PROBLEMS {
            return;
        }
        let found = self.word(index).to_owned();
        let mut diagnostic = Diagnostic::error("E0004", self.span(index as u32), format!("`{found}` closes nothing"));
        if found == "}"
            && self.layout.problems.len() < MAX_PROBLEMS
            && let Some(suspect) = self.suspects.iter().rev().find(|s| s.closer_is_deeper)
        {
            diagnostic = diagnostic
                .also(self.span(suspect.opener), "this one was closed")
                .also(self.span(suspect.closer), "by this one, at another indentation");
            self.suspects.clear();
        }
        self.breaks(index as u32, false, diagnostic);
    }

    fn end_of_file(&mut self) {
        let end = self.text.trim_end().len();
        self.unclosed(0, Span::new(self.source, end..end), "the file ends here".to_owned());
    }
}
