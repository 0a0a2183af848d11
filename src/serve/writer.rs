//! A response's text as its tokens come: whole letters only, and nothing that may yet turn out to be the beginning of a text that ends it.

use crate::model::{ModelError, Tokenizer};
use std::sync::Arc;

/// What stands for bytes that are no letter, or not yet.
const NO_LETTER: char = '\u{FFFD}';

pub(super) struct Writer {
    tokenizer: Arc<Tokenizer>,
    stop: Vec<String>,
    tokens: Vec<u32>,
    /// Tokens from here on are decoded anew: what a token reads may depend on those before it.
    from: usize,
    /// Tokens up to here are in `text`.
    read: usize,
    /// All letters that are whole.
    text: String,
    /// Of those behind them.
    open: String,
    /// Bytes of `text` that were given.
    given: usize,
    /// Characters of `text`.
    letters: usize,
    /// Characters of all but the last token.
    offset: usize,
}

impl Writer {
    /// Empty texts end nothing.
    pub(super) fn new(tokenizer: Arc<Tokenizer>, stop: &[String]) -> Writer {
        let stop = stop.iter().filter(|text| !text.is_empty()).cloned().collect();
        Writer {
            tokenizer,
            stop,
            tokens: Vec::new(),
            from: 0,
            read: 0,
            text: String::new(),
            open: String::new(),
            given: 0,
            letters: 0,
            offset: 0,
        }
    }

    /// Adds a token; true where the text that ends the response is complete.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(super) fn push(&mut self, token: u32) -> Result<bool, ModelError> {
        self.offset = self.letters + self.open.chars().count();
        self.tokens.push(token);
        let known = self.tokenizer.decode(&self.tokens[self.from..self.read])?;
        let now = self.tokenizer.decode(&self.tokens[self.from..])?;
        self.open = now.get(now.floor_char_boundary(known.len())..).unwrap_or_default().to_string();
        if let Some(at) = self.ended() {
            self.text.push_str(&self.open);
            self.text.truncate(at);
            self.open.clear();
            return Ok(true);
        }
        if !self.open.ends_with(NO_LETTER) {
            self.letters += self.open.chars().count();
            self.text.push_str(&std::mem::take(&mut self.open));
            (self.from, self.read) = (self.read, self.tokens.len());
        }
        Ok(false)
    }

    /// Where the first of the texts that end the response begins.
    fn ended(&self) -> Option<usize> {
        let longest = self.stop.iter().map(String::len).max()?;
        let from = self.text.floor_char_boundary(self.text.len().saturating_sub(longest));
        let end = [&self.text[from..], &self.open].concat();
        self.stop.iter().filter_map(|stop| end.find(stop.as_str())).min().map(|at| from + at)
    }

    /// What is new and will stay.
    pub(super) fn ready(&mut self) -> String {
        let rest = &self.text[self.given..];
        let held = self.stop.iter().map(|stop| beginning(rest, stop)).max().unwrap_or(0);
        let ready = rest[..rest.len() - held].to_string();
        self.given += ready.len();
        ready
    }

    /// What is new, of a response that is at its end.
    pub(super) fn rest(&mut self) -> String {
        self.text.push_str(&std::mem::take(&mut self.open));
        let rest = self.text.get(self.given..).unwrap_or_default().to_string();
        self.given = self.text.len();
        rest
    }

    /// Characters of the response before its last token.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }
}

/// Bytes at the end of `text` with which `stop` may begin.
fn beginning(text: &str, stop: &str) -> usize {
    let cuts = stop.char_indices().map(|(at, _)| at).skip(1);
    cuts.filter(|at| text.ends_with(&stop[..*at])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Until;

    fn tokenizer() -> Arc<Tokenizer> {
        let texts = (0..200).map(|i| format!("take mug {i} from drawer {}\nlook", i % 7));
        Arc::new(Tokenizer::train(texts, 290, &[]).unwrap())
    }

    /// What is given token by token, and how many tokens it takes.
    fn written(tokenizer: &Arc<Tokenizer>, tokens: &[u32], stop: &[String]) -> (Vec<String>, usize) {
        let mut writer = Writer::new(tokenizer.clone(), stop);
        let (mut pieces, mut count) = (Vec::new(), 0);
        for token in tokens {
            count += 1;
            let ended = writer.push(*token).unwrap();
            pieces.push(if ended { writer.rest() } else { writer.ready() });
            if ended {
                return (pieces, count);
            }
        }
        pieces.push(writer.rest());
        (pieces, count)
    }

    #[test]
    fn pieces_are_the_text_and_letters_are_whole() {
        let tokenizer = tokenizer();
        let mut ids = tokenizer.encode("Ü mug 🙂 漢字 look").unwrap();
        ids.extend([tokenizer.end(), 200, 201, 66, 130]);
        let (pieces, count) = written(&tokenizer, &ids, &[]);
        assert_eq!((pieces.concat(), count), (tokenizer.decode(&ids).unwrap(), ids.len()));
        assert!(pieces.iter().any(|piece| piece.contains('🙂')) && pieces.concat().contains("漢字"));
        assert!(pieces[..12].iter().all(|piece| !piece.contains(NO_LETTER)), "{pieces:?}");
    }

    #[test]
    fn it_ends_where_the_generator_would_and_gives_nothing_too_early() {
        let tokenizer = tokenizer();
        // Any tokens, so that letters are cut in two, too.
        let ids: Vec<u32> = (0..400u32).map(|i| 2 + (i * i * 7 + i * 13) % (tokenizer.vocab() as u32 - 2)).collect();
        let whole = tokenizer.decode(&ids).unwrap();
        let letters: Vec<char> = whole.chars().collect();
        let mut found = 0;
        for at in (0..letters.len() - 4).step_by(5) {
            let stop: Vec<String> = vec![letters[at..at + 3].iter().collect(), "never".into()];
            let until = Until::new(tokenizer.clone(), &stop).unwrap();
            let (pieces, count) = written(&tokenizer, &ids, &stop);
            let text = until.text(&ids[..count]).unwrap();
            assert_eq!(pieces.concat(), text);
            let decoded = |count: usize| tokenizer.decode(&ids[..count]).unwrap();
            assert!(decoded(count).contains(&stop[0]) && !decoded(count - 1).contains(&stop[0]), "{stop:?}");
            found += 1;
        }
        assert!(found > 50, "{found}");
    }

    #[test]
    fn what_may_begin_an_end_is_held_back() {
        assert_eq!(beginning("look\n", "\n\n>"), 1);
        assert_eq!(beginning("look\n\n", "\n\n>"), 2);
        assert_eq!(beginning("look ü", "üb"), 2);
        assert_eq!(beginning("look", "\n"), 0);
    }
}
