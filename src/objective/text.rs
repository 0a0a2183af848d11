//! What an equation asks of the texts of a turn, and the answers.

use super::layout::Rows;
use crate::builtin::{TEXTS, TextFunction};
use crate::lang::print::quoted;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Characters of a pattern, and parts that it has with its repetitions written out, so that none takes the memory. Counted before a run; compiled is a
/// pattern only where it is used, and then such a one is smaller than `COMPILED` bytes.
const PATTERN: usize = 10_000;
const PARTS: usize = 20_000;
const COMPILED: usize = 16 << 20;
const NESTED: u32 = 100;

/// One call of a function of a text, such as `contains(response, "please")`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextQuestion {
    function: TextFunction,
    /// `contains`
    name: &'static str,
    /// A word of [`TEXTS`].
    text: &'static str,
    /// The part, the whole or the pattern.
    string: Option<Arc<str>>,
}

/// What is wrong with a pattern, and at which byte of it, if it is one place.
#[derive(Debug)]
pub(super) struct BadPattern {
    pub message: String,
    pub at: Option<usize>,
}

impl TextQuestion {
    /// `None` if there is no such text.
    pub(super) fn new(function: TextFunction, name: &'static str, text: &str, string: Option<&Arc<str>>) -> Option<Self> {
        let text = TEXTS.iter().find(|known| **known == text)?;
        Some(Self { function, name, text, string: string.cloned() })
    }

    /// Which text of a turn it is about.
    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    /// Whether each answer is 0 or 1.
    pub(super) fn is_flag(&self) -> bool {
        use TextFunction::{CharacterCount, Contains, Equals, MatchCount, Matches, Occurrences, RepeatedSentences, Repeats, WordCount};
        match self.function {
            Contains | Equals | Matches | Repeats => true,
            Occurrences | MatchCount | WordCount | CharacterCount | RepeatedSentences => false,
        }
    }

    /// What is wrong with its pattern, if it has one.
    pub(super) fn mistake(&self) -> Option<BadPattern> {
        match self.function {
            TextFunction::Matches | TextFunction::MatchCount => bad_pattern(self.string()),
            TextFunction::Contains | TextFunction::Occurrences if self.string().is_empty() => {
                Some(BadPattern { message: "the empty text is a part of every text".into(), at: None })
            }
            _ => None,
        }
    }

    fn string(&self) -> &str {
        self.string.as_deref().unwrap_or_default()
    }

    /// The compiled pattern.
    fn pattern(&self) -> Option<Regex> {
        RegexBuilder::new(self.string()).size_limit(COMPILED).nest_limit(NESTED).build().ok()
    }

    /// One number for each row, flags as 0 and 1; `None` if the rows do not have this text, or do not say which episode they belong to where that
    /// matters. The rows are those of the whole batch.
    pub(super) fn answers(&self, rows: &Rows, texts: &Texts) -> Option<Vec<f64>> {
        let of = texts.of(self.text)?;
        if of.len() != rows.lengths.len() {
            return None;
        }
        let each = |answer: &dyn Fn(&str) -> f64| Some(of.iter().map(|text| answer(text)).collect());
        let flag = |holds: bool| f64::from(u8::from(holds));
        let string = self.string();
        match self.function {
            TextFunction::Contains => each(&|text| flag(text.contains(string))),
            TextFunction::Equals => each(&|text| flag(text == string)),
            TextFunction::Matches => {
                let pattern = self.pattern()?;
                each(&|text| flag(pattern.is_match(text)))
            }
            TextFunction::Occurrences => each(&|text| text.matches(string).count() as f64),
            TextFunction::MatchCount => {
                let pattern = self.pattern()?;
                each(&|text| pattern.find_iter(text).count() as f64)
            }
            TextFunction::WordCount => each(&|text| text.split_whitespace().count() as f64),
            TextFunction::CharacterCount => each(&|text| text.chars().count() as f64),
            TextFunction::RepeatedSentences => each(&|text| repeated_sentences(text) as f64),
            TextFunction::Repeats => repeats(of, rows),
        }
    }
}

/// What is wrong with a pattern, if something is.
fn bad_pattern(pattern: &str) -> Option<BadPattern> {
    let whole = |message: String| Some(BadPattern { message, at: None });
    if pattern.chars().count() > PATTERN {
        return whole(format!("a pattern has at most {PATTERN} characters"));
    }
    match regex_syntax::ParserBuilder::new().nest_limit(NESTED).build().parse(pattern) {
        Ok(read) if parts(&read) > PARTS => {
            whole(format!("this pattern is too large: with its repetitions it has more than {PARTS} parts"))
        }
        Ok(_) => None,
        Err(error) => {
            let (message, at) = match &error {
                regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span().start.offset)),
                regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span().start.offset)),
                other => (other.to_string().lines().last().unwrap_or_default().to_string(), None),
            };
            Some(BadPattern { message: format!("this is no regular expression: {message}"), at })
        }
    }
}

/// Letters and ranges of letters, with repetitions written out. Nested no deeper than a pattern may be.
fn parts(pattern: &Hir) -> usize {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(letters) => letters.0.len(),
        HirKind::Class(Class::Unicode(class)) => class.ranges().len().max(1),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len().max(1),
        HirKind::Repetition(repeated) => {
            let times = repeated.max.unwrap_or(repeated.min).max(1) as usize;
            parts(&repeated.sub).saturating_mul(times).saturating_add(1)
        }
        HirKind::Capture(group) => parts(&group.sub).saturating_add(1),
        HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().map(parts).fold(0, usize::saturating_add),
    }
}

/// As it is written.
impl fmt::Display for TextQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}", self.name, self.text)?;
        match &self.string {
            Some(string) => write!(f, ", {})", quoted(string)),
            None => f.write_str(")"),
        }
    }
}

/// The texts of a batch's turns, one for each row; of each kind all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// What the player wrote; the action, where that is all of it.
    pub response: Option<Vec<String>>,
    /// What the environment was told.
    pub action: Option<Vec<String>>,
    /// What the environment had said before.
    pub observation: Option<Vec<String>>,
}

impl Texts {
    fn of(&self, text: &str) -> Option<&[String]> {
        match text {
            "response" => self.response.as_deref(),
            "action" => self.action.as_deref(),
            "observation" => self.observation.as_deref(),
            _ => None,
        }
    }
}

/// Of each row, whether an earlier turn of its episode has the same text; turns are in the order of their numbers, without these of their rows.
fn repeats(of: &[String], rows: &Rows) -> Option<Vec<f64>> {
    let episodes = rows.episode.as_ref()?;
    let mut order: Vec<usize> = (0..of.len()).collect();
    if let Some(turns) = &rows.turn_index {
        order.sort_by_key(|&row| turns[row]);
    }
    let mut seen: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    let mut found = vec![0.0; of.len()];
    for row in order {
        found[row] = f64::from(u8::from(!seen.entry(episodes[row]).or_default().insert(&of[row])));
    }
    Some(found)
}

fn repeated_sentences(text: &str) -> usize {
    let mut seen = BTreeSet::new();
    sentences(text).filter(|sentence| !seen.insert(*sentence)).count()
}

/// What stands up to a newline, or to `.`, `!` or `?` before a space or the end.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let pieces = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut signs = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, sign)) = signs.next() {
            let closes = matches!(sign, '.' | '!' | '?') && signs.peek().is_none_or(|(_, next)| next.is_whitespace());
            if sign == '\n' || closes {
                end = at + sign.len_utf8();
                break;
            }
        }
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece.trim())
    });
    pieces.filter(|piece| piece.chars().any(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(function: TextFunction, string: &str) -> TextQuestion {
        TextQuestion::new(function, "f", "response", Some(&Arc::from(string))).unwrap()
    }

    fn answers(question: &TextQuestion, texts: &[&str]) -> Vec<f64> {
        let response = Some(texts.iter().map(ToString::to_string).collect());
        let rows = Rows { lengths: vec![0; texts.len()], episode: Some(vec![0; texts.len()]), ..Rows::default() };
        question.answers(&rows, &Texts { response, ..Texts::default() }).unwrap()
    }

    #[test]
    fn what_is_counted() {
        let texts = ["aaa b", "", "Aa\u{e4} \n c  d"];
        let of = |function, string| answers(&asked(function, string), &texts);
        assert_eq!(of(TextFunction::Occurrences, "aa"), [1.0, 0.0, 0.0]);
        assert_eq!(of(TextFunction::MatchCount, "(?i)a"), [3.0, 0.0, 2.0]);
        assert_eq!(of(TextFunction::Matches, r"^\w+ \w$"), [1.0, 0.0, 0.0]);
        assert_eq!(of(TextFunction::Equals, ""), [0.0, 1.0, 0.0]);
        assert_eq!(of(TextFunction::WordCount, ""), [2.0, 0.0, 3.0]);
        assert_eq!(of(TextFunction::CharacterCount, ""), [5.0, 0.0, 10.0]);
    }

    #[test]
    fn sentences_that_are_said_again() {
        let of = |text: &str| answers(&asked(TextFunction::RepeatedSentences, ""), &[text])[0];
        assert_eq!(of("I go. I go. I go!"), 1.0);
        assert_eq!(of("I go.\nI go.\n I go."), 2.0);
        assert_eq!(of("1.5 is 1.5. So 1.5 is 1.5."), 0.0);
        assert_eq!(of("... ... ..."), 0.0);
        assert_eq!(sentences("Is it? No! 3.1 of v1.2\n\n- x").collect::<Vec<_>>(), ["Is it?", "No!", "3.1 of v1.2", "- x"]);
    }

    /// Turns in any order of rows; each episode has its own past.
    #[test]
    fn what_was_there_before() {
        let response = Some(["look", "go", "look", "look", "go"].map(String::from).to_vec());
        let (episode, turn_index) = (Some(vec![0, 0, 1, 0, 1]), Some(vec![2, 1, 0, 0, 1]));
        let rows = Rows { lengths: vec![0; 5], episode, turn_index, ..Rows::default() };
        let found = asked(TextFunction::Repeats, "").answers(&rows, &Texts { response, ..Texts::default() });
        assert_eq!(found, Some(vec![1.0, 0.0, 0.0, 0.0, 0.0]));
    }

    #[test]
    fn patterns_that_are_none_or_too_large() {
        let said = |pattern: &str| asked(TextFunction::Matches, pattern).mistake().map(|bad| (bad.message, bad.at));
        assert_eq!(said("(?s)^<think>.*</think>$"), None);
        assert_eq!(said("a(b"), Some(("this is no regular expression: unclosed group".into(), Some(1))));
        assert_eq!(said(r"\p{Nothing}").unwrap().1, Some(0));
        let large = said("((a{1,500}){1,500}){1,500}").unwrap();
        assert!(large.0.starts_with("this pattern is too large"), "{large:?}");
        assert!(said("a{30000}").is_some() && said(r"\w{100}").is_some());
        // What is not too large can be compiled.
        for large in
            ["(){4000000000}", r"\w{20}", r"[\p{L}--\p{Lu}]{10}", "(?i)(straße|ſ|K){500}", "(a|[^a]){300}", "[\u{800}-\u{10ffff}]{200}"]
        {
            assert!(said(large).is_none() && asked(TextFunction::Matches, large).pattern().is_some(), "{large}");
        }
        assert!(said(&"a".repeat(PATTERN + 1)).unwrap().0.contains("10000 characters"));
        assert!(said(&"(".repeat(5000)).is_some());
        let deep = format!("{}a{}", "(".repeat(200), ")".repeat(200));
        assert!(said(&deep).is_some());
    }
}
