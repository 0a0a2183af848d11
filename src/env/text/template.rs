//! The pieces of a text with holes: `#rule#`, `{value | query}`, `[{value | query}]` and what stands between.

/// What a hole holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Rule(String),
    Value(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Rule(String),
    Each { item: Item, query: Option<String>, list: bool },
}

/// The pieces, and the place of a character that fits nowhere: the text ends there.
pub(crate) fn pieces(text: &str) -> (Vec<Piece>, Option<usize>) {
    let mut reader = Reader { text, at: 0 };
    let mut pieces = Vec::new();
    loop {
        reader.skip();
        let start = reader.at;
        match reader.piece() {
            Some(piece) => pieces.push(piece),
            None => {
                reader.at = start;
                break;
            }
        }
    }
    (pieces, (reader.at < text.len()).then_some(reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Skips tabs, and at the start of a line comments (`//`) and white space.
    fn skip(&mut self) {
        loop {
            let before = self.at;
            if self.at == 0 || self.text.as_bytes().get(self.at - 1) == Some(&b'\n') {
                let rest = self.rest();
                if rest.starts_with("//") {
                    self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
                } else {
                    self.at += rest.len() - rest.trim_start().len();
                }
            }
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches('\t').len();
            if self.at == before {
                return;
            }
        }
    }

    fn token(&mut self, token: char) -> Option<()> {
        self.skip();
        if !self.rest().starts_with(token) {
            return None;
        }
        self.at += token.len_utf8();
        Some(())
    }

    /// The longest run of characters that are allowed; may be empty.
    fn run(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn piece(&mut self) -> Option<Piece> {
        match self.rest().chars().next()? {
            '[' => {
                self.at += 1;
                let (item, query) = self.each()?;
                self.token(']')?;
                Some(Piece::Each { item, query, list: true })
            }
            '{' => self.each().map(|(item, query)| Piece::Each { item, query, list: false }),
            '#' => self.rule().map(Piece::Rule),
            '"' => {
                self.at += 1;
                let text = self.run(literal);
                self.token('"')?;
                Some(Piece::Text(text.to_string()))
            }
            _ => Some(self.run(literal)).filter(|run| !run.is_empty()).map(|run| Piece::Text(run.to_string())),
        }
    }

    fn rule(&mut self) -> Option<String> {
        self.token('#')?;
        self.skip();
        let name = self.run(|c| c.is_alphanumeric() || c.is_whitespace() || "_()/!<>-,.".contains(c));
        self.token('#')?;
        Some(name.to_string()).filter(|name| !name.is_empty())
    }

    fn each(&mut self) -> Option<(Item, Option<String>)> {
        self.token('{')?;
        self.skip();
        let start = self.at;
        let item = match self.rule() {
            Some(name) => Item::Rule(name),
            None => {
                self.at = start;
                let value = self.run(|c| !"|[]{}\n<>".contains(c));
                if value.is_empty() {
                    return None;
                }
                Item::Value(value.to_string())
            }
        };
        let rest = self.rest().trim_start();
        let mut query = None;
        if let Some(rest) = rest.strip_prefix('|') {
            self.at = self.text.len() - rest.trim_start().len();
            self.skip();
            query = Some(self.run(|c| !";|{}\n[]#".contains(c)).to_string());
        }
        self.token('}')?;
        Some((item, query))
    }
}

fn literal(c: char) -> bool {
    !";|\"<>[]#{}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    #[test]
    fn all_kinds_of_pieces() {
        let (found, end) = pieces("a #b.c# {o.name}, [{o.id | p(o:object) & q(o:object)}] {#over(o)# | p(o:t)}.");
        let each = |item: Item, query: Option<&str>, list| Piece::Each { item, query: query.map(str::to_string), list };
        let wanted = [
            text("a "),
            Piece::Rule("b.c".into()),
            text(" "),
            each(Item::Value("o.name".into()), None, false),
            text(", "),
            each(Item::Value("o.id ".into()), Some("p(o:object) & q(o:object)"), true),
            text(" "),
            each(Item::Rule("over(o)".into()), Some("p(o:t)"), false),
            text("."),
        ];
        assert_eq!(found, wanted);
        assert_eq!(end, None);
    }

    #[test]
    fn what_the_dialect_drops() {
        assert_eq!(pieces("\n  Commands:\n  look\n"), (vec![text("Commands:\n  look\n")], None));
        assert_eq!(pieces("{a}\t{b}").0.len(), 2);
        assert_eq!(pieces("a \"b\" c").0, vec![text("a "), text("b"), text(" c")]);
        assert_eq!(pieces(""), (vec![], None));
        assert_eq!(pieces(" "), (vec![], None));
        assert_eq!(pieces("in (on) } more"), (vec![text("in (on) ")], Some(8)));
        assert_eq!(pieces("a; b"), (vec![text("a")], Some(1)));
        assert_eq!(pieces("[{a | b"), (vec![], Some(0)));
        assert_eq!(pieces("// note\ntext"), (vec![text("text")], None));
    }
}
