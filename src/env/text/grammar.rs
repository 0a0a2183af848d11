//! Reads a grammar: its actions and rules. What the rules mean is worked out when they are linked to a world.

use super::{TextError, place};
use indexmap::IndexMap;
use serde_json::Value;

/// Official grammars have some 40.
const MAX_RULES: usize = 2000;

/// One alternative of a rule, still as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Alternative {
    pub condition: String,
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ActionText {
    pub template: String,
    pub feedback: String,
    pub place: (u32, u32),
}

/// A grammar as written: shared by all games with the same text.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    /// By name in lower case.
    pub(crate) actions: IndexMap<String, ActionText>,
    pub(crate) rules: IndexMap<String, Vec<Alternative>>,
    /// Where each rule is named: the byte.
    named_at: IndexMap<String, usize>,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Grammar {
    /// # Errors
    /// Says where the text does not have the form of a grammar.
    pub(crate) fn parse(text: &str) -> Result<Grammar, TextError> {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut grammar = Grammar { lines, ..Grammar::default() };
        let mut reader = Reader { text, at: 0 };
        while let Some((word, at)) = reader.word_or_end()? {
            match word {
                "grammar" => {
                    reader.expect("::")?;
                    let (block, start) = reader.block()?;
                    reader.expect(";")?;
                    grammar.rules(text, block, start)?;
                }
                "action" => grammar.action(&mut reader, at)?,
                _ => return Err(reader.error(at, format!("expected `grammar` or `action`, found `{word}`"))),
            }
        }
        Ok(grammar)
    }

    /// Where a rule is named.
    pub(crate) fn place(&self, rule: &str) -> Option<(u32, u32)> {
        let at = *self.named_at.get(rule)?;
        let line = self.lines.partition_point(|&start| start <= at).max(1);
        Some((line as u32, (at - self.lines.get(line - 1)?) as u32 + 1))
    }

    fn action(&mut self, reader: &mut Reader, at: usize) -> Result<(), TextError> {
        let name = match reader.word_or_end()? {
            Some((name, _)) => name.to_ascii_lowercase(),
            None => return Err(reader.error(at, "expected the name of an action")),
        };
        let mut action = ActionText { place: place(reader.text, at), ..ActionText::default() };
        reader.expect("{")?;
        while !reader.found("}") {
            let Some((key, key_at)) = reader.word_or_end()? else {
                return Err(reader.error(at, format!("the action `{name}` is never closed")));
            };
            reader.expect("::")?;
            match key {
                "template" => action.template = reader.string()?.to_string(),
                "feedback" => action.feedback = reader.string()?.to_string(),
                "grammar" => {
                    let (block, start) = reader.block()?;
                    self.rules(reader.text, block, start)?;
                }
                "pddl" => {
                    reader.block()?;
                }
                _ => return Err(reader.error(key_at, format!("expected `template`, `feedback` or `grammar`, found `{key}`"))),
            }
            reader.expect(";")?;
        }
        self.actions.insert(name, action);
        Ok(())
    }

    /// Adds the rules of a block of JSON; a rule of the same name is replaced. Lines that begin with `#` are comments.
    fn rules(&mut self, text: &str, block: &str, start: usize) -> Result<(), TextError> {
        let lines = block.split('\n').map(|line| if line.trim_start().starts_with('#') { "" } else { line });
        let json = lines.collect::<Vec<_>>().join("\n");
        let (line, _) = place(text, start);
        let value: Value = serde_json::from_str(&json).map_err(|e| {
            let shown = e.to_string();
            let message = shown.split(" at line ").next().unwrap_or("").to_string();
            TextError {
                place: Some((line + (e.line() as u32).saturating_sub(1), e.column() as u32)),
                message: format!("not readable as JSON: {message}"),
            }
        })?;
        let wrong = |what: &str| TextError { place: Some((line, 1)), message: what.to_string() };
        let Value::Object(rules) = value else { return Err(wrong("a block of rules is a JSON object")) };
        // The rules come in the order of the text, so each is looked for after the one before.
        let mut at = 0;
        for (name, alternatives) in rules {
            at += block.get(at..).and_then(|rest| rest.find(&format!("\"{name}\""))).unwrap_or(0);
            let wrong = |what: &str| TextError { place: Some(place(text, start + at)), message: format!("the rule `{name}` {what}") };
            let Value::Array(list) = alternatives else { return Err(wrong("is not a list of alternatives")) };
            let mut read = Vec::new();
            for alternative in &list {
                let text = alternative.get("rhs").and_then(Value::as_str).ok_or_else(|| wrong("has an alternative without `rhs`"))?;
                let condition = match alternative.get("condition") {
                    None | Some(Value::Null) => "",
                    Some(Value::String(condition)) => condition,
                    Some(_) => return Err(wrong("has a condition that is no text")),
                };
                read.push(Alternative { condition: condition.to_string(), text: text.to_string() });
            }
            self.named_at.insert(name.clone(), start + at);
            self.rules.insert(name.clone(), read);
            if self.rules.len() > MAX_RULES {
                return Err(wrong(&format!("is one too many: a grammar has at most {MAX_RULES} rules")));
            }
        }
        Ok(())
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, at: usize, message: impl Into<String>) -> TextError {
        TextError { place: Some(place(self.text, at)), message: message.into() }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Skips white space and `#` comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn found(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), TextError> {
        match self.found(token) {
            true => Ok(()),
            false => Err(self.error(self.at, format!("expected `{token}`"))),
        }
    }

    /// A name, or `None` at the end of the text.
    fn word_or_end(&mut self) -> Result<Option<(&'a str, usize)>, TextError> {
        self.skip();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        let length = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '-'))).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.error(self.at, "expected a word"));
        }
        let at = self.at;
        self.at += length;
        Ok(Some((&rest[..length], at)))
    }

    fn string(&mut self) -> Result<&'a str, TextError> {
        self.between("\"").map(|(text, _)| text)
    }

    fn block(&mut self) -> Result<(&'a str, usize), TextError> {
        self.between("\"\"\"")
    }

    fn between(&mut self, quote: &str) -> Result<(&'a str, usize), TextError> {
        self.expect(quote)?;
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(quote).ok_or_else(|| self.error(start - quote.len(), format!("this `{quote}` is never closed")))?;
        self.at = start + length + quote.len();
        Ok((&rest[..length], start))
    }
}
