//! Where a place of a text is, by its tokens alone: also in a line that cannot be read yet.

use super::lexer::{Token, TokenKind, lex};
use super::source::SourceId;
use std::ops::Range;

/// A bracket around a place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bracket<'t> {
    /// `(`, `[` or `{`
    pub sign: &'t str,
    /// The path right before it: `rl`, `mean`, `std.ratio`.
    pub head: &'t str,
    /// What stands before the `=` of the line that it was opened in: `train`; empty where there is no `=`.
    pub line: &'t str,
    /// The first word of that line, where it is not given a value: `pipeline`, `loss`.
    pub keyword: &'t str,
    /// Commas between it and the place.
    pub commas: usize,
    /// Names that are given before the place inside of it: the fields of a component, the arguments of a call.
    pub given: Vec<&'t str>,
}

/// What may come at a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spot<'t> {
    /// A name, at the beginning of a line.
    Name,
    /// A value, behind `name =`.
    Value(&'t str),
    /// A value inside of `( )` or `[ ]`; behind `name =`, for that argument.
    Argument(&'t str),
    /// The text of an import.
    Import,
    /// A pipeline, behind `from`.
    From,
    /// A line, behind `without`.
    Without,
    /// Inside of a text, which begins there.
    Text(usize),
    /// Nothing of the language: in a comment, in a number, where a name is invented.
    Nothing,
}

/// A place of a text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'t> {
    /// Outermost first.
    pub around: Vec<Bracket<'t>>,
    /// The path in front of the word: `house` of `house.tr`.
    pub path: &'t str,
    /// The word that is being written, in bytes.
    pub word: Range<usize>,
    pub spot: Spot<'t>,
}

struct Frame<'t> {
    bracket: Bracket<'t>,
    /// Of the line, or the argument, that the place is in.
    line: Vec<Token>,
}

impl<'t> Cursor<'t> {
    /// `offset` in bytes.
    pub(crate) fn at(text: &'t str, offset: usize) -> Self {
        let (tokens, _) = lex(SourceId(0), text);
        let mut frames = vec![Frame { bracket: Bracket::default(), line: Vec::new() }];
        let mut ended = false;
        let mut inside = None;
        for token in tokens {
            // what ends there is still being written, but for a text that is closed
            let grows = matches!(token.kind, TokenKind::Word | TokenKind::Number | TokenKind::Comment | TokenKind::Bad);
            if token.end as usize > offset || (token.end as usize == offset && grows) {
                inside = ((token.start as usize) < offset).then_some(token);
                break;
            }
            step(text, &mut frames, token, &mut ended);
        }
        Self::finish(text, offset, frames, ended, inside)
    }

    fn finish(text: &'t str, offset: usize, mut frames: Vec<Frame<'t>>, ended: bool, inside: Option<Token>) -> Self {
        if ended
            && starts_a_line(frames.last())
            && let Some(frame) = frames.last_mut()
        {
            end_line(text, frame);
        }
        let mut line = frames.last().map(|frame| frame.line.clone()).unwrap_or_default();
        let word = match inside.filter(|token| token.kind == TokenKind::Word) {
            Some(token) => token.start as usize..token.end as usize,
            None => offset..offset,
        };
        let path = take_path(text, &mut line);
        let bracket = frames.last().map_or("", |frame| frame.bracket.sign);
        let spot = match inside.map(|token| token.kind) {
            Some(TokenKind::Text | TokenKind::TripleText) if !is_import(text, &line) => {
                Spot::Text(inside.map_or(offset, |t| t.start as usize))
            }
            Some(TokenKind::Number | TokenKind::Comment | TokenKind::Bad) => Spot::Nothing,
            _ => spot(text, &line, bracket),
        };
        let around = frames.into_iter().skip(1).map(|frame| frame.bracket).collect();
        Self { around, path, word, spot }
    }

    /// The name of the field or line whose value is being written.
    pub(crate) fn line(&self) -> &'t str {
        match self.spot {
            Spot::Value(line) => line,
            Spot::Argument(_) if self.around.last().is_some_and(|bracket| bracket.sign == "[") => {
                self.around.iter().rev().find(|bracket| bracket.sign != "[" || !bracket.line.is_empty()).map_or("", |bracket| bracket.line)
            }
            _ => "",
        }
    }

    /// The innermost component or block around.
    pub(crate) fn braces(&self) -> Option<&Bracket<'t>> {
        self.around.iter().rev().find(|bracket| bracket.sign == "{")
    }

    /// The call whose arguments are being written.
    pub(crate) fn call(&self) -> Option<&Bracket<'t>> {
        self.around.iter().rev().take_while(|bracket| bracket.sign != "{").find(|bracket| bracket.sign == "(" && !bracket.head.is_empty())
    }

    /// Whether the place is in the block of this name of a pipeline, or in a component of it.
    pub(crate) fn is_in(&self, block: &str) -> bool {
        self.around.iter().any(|bracket| bracket.sign == "{" && bracket.keyword == block)
    }
}

fn starts_a_line(frame: Option<&Frame<'_>>) -> bool {
    frame.is_none_or(|frame| matches!(frame.bracket.sign, "" | "{"))
}

/// Takes a token that ends before the place.
fn step<'t>(text: &'t str, frames: &mut Vec<Frame<'t>>, token: Token, ended: &mut bool) {
    let word = token.text(text);
    let first_of_a_row = token.start == 0 || text.as_bytes().get(token.start as usize - 1) == Some(&b'\n');
    if token.kind == TokenKind::Word && first_of_a_row && matches!(word, "pipeline" | "import" | "prompt" | "fn") {
        // brackets that were not closed end here
        frames.truncate(1);
        frames.iter_mut().for_each(|frame| frame.line.clear());
    }
    let Some(frame) = frames.last_mut() else { return };
    let lines = matches!(frame.bracket.sign, "" | "{");
    let goes_on = frame.line.last().is_some_and(|last| last.kind == TokenKind::Operator);
    if *ended && lines && !matches!(token.kind, TokenKind::Newline | TokenKind::Comment) {
        if token.kind != TokenKind::Operator || word == "not" {
            end_line(text, frame);
        }
        *ended = false;
    }
    match token.kind {
        TokenKind::Comment => {}
        TokenKind::Newline => *ended = lines && !goes_on && !frame.line.is_empty(),
        TokenKind::Comma => {
            frame.bracket.commas += 1;
            end_line(text, frame);
        }
        TokenKind::Open => {
            let name = before_equals(text, &frame.line);
            let keyword = frame.line.first().filter(|_| lines && name.is_empty()).map_or("", |first| first.text(text));
            let (head, _) = last_path(text, &frame.line);
            let bracket = Bracket { sign: word, head, line: name, keyword, ..Bracket::default() };
            frame.line.push(token);
            frames.push(Frame { bracket, line: Vec::new() });
        }
        TokenKind::Close => {
            if frames.len() > 1 {
                frames.pop();
            }
            if let Some(frame) = frames.last_mut() {
                frame.line.push(token);
            }
        }
        _ => frame.line.push(token),
    }
}

fn end_line<'t>(text: &'t str, frame: &mut Frame<'t>) {
    let name = before_equals(text, &frame.line);
    if !name.is_empty() {
        frame.bracket.given.push(name);
    }
    frame.line.clear();
}

/// Tokens in front of an `=` that are looked at.
const LONGEST_NAME: usize = 64;

/// `train.groups` of `train.groups = …`.
fn before_equals<'t>(text: &'t str, line: &[Token]) -> &'t str {
    let equals = line.iter().take(LONGEST_NAME).position(|token| token.kind == TokenKind::Equals);
    match (line.first(), equals.and_then(|at| line.get(at.checked_sub(1)?))) {
        (Some(first), Some(last)) => text.get(first.start as usize..last.end as usize).unwrap_or(""),
        _ => "",
    }
}

/// The words and dots at the end of a line, and how many tokens stand before them.
fn last_path<'t>(text: &'t str, line: &[Token]) -> (&'t str, usize) {
    let end = line.last().map_or(0, |last| last.end as usize);
    let (mut start, mut rest) = (end, line.len());
    for token in line.iter().rev() {
        if !matches!(token.kind, TokenKind::Word | TokenKind::Dot) || token.end as usize != start {
            break;
        }
        (start, rest) = (token.start as usize, rest - 1);
    }
    (text.get(start..end).unwrap_or(""), rest)
}

/// The path in front of the word that is being written.
fn take_path<'t>(text: &'t str, line: &mut Vec<Token>) -> &'t str {
    if line.last().is_none_or(|last| last.kind != TokenKind::Dot) {
        return "";
    }
    let (path, rest) = last_path(text, line);
    line.truncate(rest);
    path.trim_end_matches('.')
}

fn is_import(text: &str, line: &[Token]) -> bool {
    line.first().is_some_and(|first| first.text(text) == "import") && line.len() == 1
}

fn spot<'t>(text: &'t str, line: &[Token], bracket: &str) -> Spot<'t> {
    let name = before_equals(text, line);
    if matches!(bracket, "(" | "[") {
        return Spot::Argument(name);
    }
    if !name.is_empty() {
        return Spot::Value(name);
    }
    let words: Vec<&str> = line.iter().map(|token| token.text(text)).collect();
    match words.as_slice() {
        [] => Spot::Name,
        ["import"] => Spot::Import,
        ["without"] => Spot::Without,
        ["pipeline", _, "from"] => Spot::From,
        _ => Spot::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cursor at `|`.
    fn at(text: &str) -> (String, Spot<'static>, Vec<String>, String) {
        let offset = text.find('|').expect("a mark");
        let text: &'static str = Box::leak(text.replacen('|', "", 1).into_boxed_str());
        let cursor = Cursor::at(text, offset);
        let around = cursor.around.iter().map(|b| format!("{}{}={}{}{}", b.keyword, b.line, b.head, b.sign, b.commas)).collect();
        (text[cursor.word.clone()].to_owned(), cursor.spot.clone(), around, cursor.path.to_owned())
    }

    #[test]
    fn places_are_told_apart() {
        let of = |text: &str| at(text).1;
        assert_eq!(of("|"), Spot::Name);
        assert_eq!(of("pi|"), Spot::Name);
        assert_eq!(of("import \"std/|\""), Spot::Import);
        assert_eq!(of("pipeline a from b|"), Spot::From);
        assert_eq!(of("pipeline a|"), Spot::Nothing);
        assert_eq!(of("pipeline a from b {\n  without lo|"), Spot::Without);
        assert_eq!(of("x = |"), Spot::Value("x"));
        assert_eq!(of("x = 1 +\n |"), Spot::Value("x"));
        assert_eq!(of("x = 1\n |"), Spot::Name);
        assert_eq!(of("x = 1\n - y|"), Spot::Value("x"));
        assert_eq!(of("a = household { pr|"), Spot::Name);
        assert_eq!(of("a = household { prompt = |"), Spot::Value("prompt"));
        assert_eq!(of("a = household { max_turns = 3, |"), Spot::Name);
        assert_eq!(of("x = mean(lo|"), Spot::Argument(""));
        assert_eq!(of("x = mean(logp, by = |"), Spot::Argument("by"));
        assert_eq!(of("x = \"a|b\""), Spot::Text(4));
        assert_eq!(of("x = 1 # a|"), Spot::Nothing);
        assert_eq!(of("x = (1\npipeline a {\n  |"), Spot::Name);
    }

    #[test]
    fn brackets_around_are_known() {
        let (word, _, around, path) = at("pipeline a {\n  stages {\n    train = rl { on = [house.tr|]");
        assert_eq!((word.as_str(), path.as_str()), ("tr", "house"));
        assert_eq!(around, ["pipeline=a{0", "stages=stages{0", "train=rl{0", "on=[0"]);
        let (_, _, around, _) = at("pipeline a { loss { minimize = mean(clip(x, 1, |");
        assert_eq!(around, ["pipeline=a{0", "loss=loss{0", "minimize=mean(0", "=clip(2"]);
        let text = "pipeline a { stages { train = rl { groups = 1, epochs = 2\n keep = rows\n |";
        let cursor = Cursor::at(text.trim_end_matches('|'), text.len() - 1);
        assert_eq!(cursor.braces().map(|b| b.given.clone()), Some(vec!["groups", "epochs", "keep"]));
    }
}
