//! Names of control tokens that stand in data, hidden while a tokenizer looks for control tokens.

use super::{ModelError, Prompt};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

/// A private area of Unicode that no text of an environment needs; a character of it that occurs all the same stands for nothing.
const AREA: RangeInclusive<char> = '\u{100000}'..='\u{10FFFD}';

/// Single characters that stand for hidden texts.
pub(super) struct Masks {
    free: RangeInclusive<char>,
    /// Characters of the area that are in the text.
    taken: BTreeSet<char>,
    hidden: BTreeMap<char, String>,
}

impl Masks {
    pub(super) fn for_text(text: &str) -> Masks {
        Masks { free: AREA, taken: text.chars().filter(|c| AREA.contains(c)).collect(), hidden: BTreeMap::new() }
    }

    /// The text with each of the places, in order, hidden behind one character of data.
    pub(super) fn hide(&mut self, text: &Prompt, places: &[&Range<usize>]) -> Result<Prompt, ModelError> {
        let (mut masked, mut from) = (Prompt::default(), 0);
        for place in places {
            let Some(mask) = self.free.find(|c| !self.taken.contains(c)) else {
                return Err(ModelError::Tokenizer("a prompt holds too many names of control tokens".into()));
            };
            masked.append(&text.slice(from..place.start));
            masked.append(&Prompt::data(mask));
            self.hidden.insert(mask, text.slice((*place).clone()).text().to_string());
            from = place.end;
        }
        masked.append(&text.slice(from..text.text().len()));
        Ok(masked)
    }

    pub(super) fn hides_in(&self, text: &str) -> bool {
        !self.hidden.is_empty() && text.chars().any(|c| self.hidden.contains_key(&c))
    }

    /// What is hidden may hold what was hidden before.
    pub(super) fn reveal(&self, text: &str) -> String {
        let mut whole = String::with_capacity(text.len());
        for c in text.chars() {
            match self.hidden.get(&c) {
                Some(hidden) => whole.push_str(&self.reveal(hidden)),
                None => whole.push(c),
            }
        }
        whole
    }
}
