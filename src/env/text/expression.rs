//! Values in a text: `o.name`, `'a' + ' ' + o.name`, `r.name or r.id`.

use super::TextError;
use super::render::Attribute;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Attribute(String, Attribute),
    Text(String),
    Join(Vec<Expression>),
    /// The first that is not empty, else the last.
    Or(Vec<Expression>),
}

pub(crate) fn parse(text: &str) -> Result<Expression, TextError> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, text, depth: 0 };
    let value = reader.or()?;
    match reader.tokens.first() {
        None => Ok(value),
        Some(token) => Err(reader.error(format!("unexpected `{}`", token.show()))),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Sign(char),
}

impl Token {
    fn show(&self) -> String {
        match self {
            Token::Name(name) => name.clone(),
            Token::Text(text) => format!("'{text}'"),
            Token::Sign(c) => c.to_string(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, TextError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '.' | '+' | '(' | ')' => {
                tokens.push(Token::Sign(first));
                1
            }
            '\'' | '"' => {
                let Some(end) = rest[1..].find(first) else {
                    return Err(TextError::new(format!("in the value `{text}`: a quote is never closed")));
                };
                tokens.push(Token::Text(rest[1..=end].to_string()));
                end + 2
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..end].to_string()));
                end
            }
            c => return Err(TextError::new(format!("in the value `{text}`: `{c}` is not supported"))),
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: &'a [Token],
    text: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, message: impl std::fmt::Display) -> TextError {
        TextError::new(format!("in the value `{}`: {message}", self.text.trim()))
    }

    fn next(&mut self) -> Option<&Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn or(&mut self) -> Result<Expression, TextError> {
        let mut parts = vec![self.sum()?];
        while self.tokens.first() == Some(&Token::Name("or".into())) {
            self.next();
            parts.push(self.sum()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn sum(&mut self) -> Result<Expression, TextError> {
        let mut parts = vec![self.single()?];
        while self.tokens.first() == Some(&Token::Sign('+')) {
            self.next();
            parts.push(self.single()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Join(parts) })
    }

    fn single(&mut self) -> Result<Expression, TextError> {
        match self.next().cloned() {
            Some(Token::Text(text)) => Ok(Expression::Text(text)),
            Some(Token::Sign('(')) => {
                self.depth += 1;
                if self.depth > 20 {
                    return Err(self.error("parentheses are nested too deeply"));
                }
                let value = self.or()?;
                match self.next() {
                    Some(Token::Sign(')')) => Ok(value),
                    _ => Err(self.error("expected `)`")),
                }
            }
            Some(Token::Name(name)) => {
                if self.tokens.first() != Some(&Token::Sign('.')) {
                    return Ok(Expression::Attribute(name, Attribute::Name));
                }
                self.next();
                let attribute = match self.next() {
                    Some(Token::Name(attribute)) => Attribute::parse(attribute),
                    _ => None,
                };
                let attribute =
                    attribute.ok_or_else(|| self.error("expected `name`, `id`, `type`, `definite` or `indefinite` after `.`"))?;
                Ok(Expression::Attribute(name, attribute))
            }
            Some(token) => Err(self.error(format!("unexpected `{}`", token.show()))),
            None => Err(self.error("expected a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let name = |n: &str| Expression::Attribute(n.into(), Attribute::Name);
        assert_eq!(parse(" o ").unwrap(), name("o"));
        let joined =
            Expression::Join(vec![Expression::Attribute("o".into(), Attribute::Indefinite), Expression::Text(" ".into()), name("o")]);
        assert_eq!(parse("o.indefinite + ' ' + o.name").unwrap(), joined);
        assert_eq!(parse("r.name or r.id").unwrap(), Expression::Or(vec![name("r"), Expression::Attribute("r".into(), Attribute::Id)]));
    }

    #[test]
    fn mistakes() {
        let message = |text: &str| parse(text).unwrap_err().message;
        assert_eq!(message("o.weight"), "in the value `o.weight`: expected `name`, `id`, `type`, `definite` or `indefinite` after `.`");
        assert_eq!(message("o.name * 2"), "in the value `o.name * 2`: `*` is not supported");
        assert_eq!(message("o +"), "in the value `o +`: expected a value");
        assert_eq!(message("'a"), "in the value `'a`: a quote is never closed");
    }
}
