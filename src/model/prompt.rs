//! Texts for a model that know which of their parts are data.

use std::ops::Range;

/// What a model is shown. What came out of an environment is data: it never becomes a control token, whatever it reads.
/// The rest was written by the pipeline's author or the model's, and may name control tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    /// Byte ranges in order; none touches the next.
    data: Vec<Range<usize>>,
}

impl Prompt {
    /// Of an author's text.
    pub fn own(text: impl Into<String>) -> Prompt {
        Prompt { text: text.into(), data: Vec::new() }
    }

    /// Of data.
    pub fn data(text: impl Into<String>) -> Prompt {
        let text = text.into();
        let data = Some(0..text.len()).filter(|all| !all.is_empty()).into_iter().collect();
        Prompt { text, data }
    }

    /// Of a text and the byte ranges in it that are data, as [`Prompt::ranges`] gives them; `None` where these do not fit the text.
    pub fn with_ranges(text: String, ranges: impl IntoIterator<Item = Range<usize>>) -> Option<Prompt> {
        let mut prompt = Prompt::default();
        for range in ranges {
            let own = text.get(prompt.text.len()..range.start)?;
            prompt.push_own(own);
            prompt.append(&Prompt::data(text.get(range)?));
        }
        let rest = text.get(prompt.text.len()..)?;
        prompt.push_own(rest);
        Some(prompt)
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where data stands in the text, in bytes.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.data
    }

    /// An author's text behind it.
    pub fn push_own(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Another behind it.
    pub fn append(&mut self, other: &Prompt) {
        let by = self.text.len();
        self.text.push_str(&other.text);
        for range in &other.data {
            let range = range.start + by..range.end + by;
            match self.data.last_mut() {
                // One end and the other beginning could read as a control token together.
                Some(last) if last.end == range.start => last.end = range.end,
                _ => self.data.push(range),
            }
        }
    }

    /// A part of it; bounds inside of a character go to its start.
    pub(crate) fn slice(&self, part: Range<usize>) -> Prompt {
        let [start, end] = [part.start, part.end].map(|at| self.text.floor_char_boundary(at));
        let inside = |at: usize| at.clamp(start, end) - start;
        let data = self.data.iter().map(|range| inside(range.start)..inside(range.end)).filter(|range| !range.is_empty());
        Prompt { text: self.text[start..end].to_string(), data: data.collect() }
    }

    /// Without blanks at its start or its end.
    pub(crate) fn trimmed(&self, start: bool, end: bool) -> Prompt {
        let left = if start { self.text.len() - self.text.trim_start().len() } else { 0 };
        let right = if end { self.text.trim_end().len() } else { self.text.len() };
        self.slice(left..right.max(left))
    }

    /// Whether bytes of it are data.
    pub(crate) fn is_data(&self, part: &Range<usize>) -> bool {
        self.data.iter().any(|range| range.start < part.end && part.start < range.end)
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges, some of which have one")]
mod tests {
    use super::*;

    fn sample() -> Prompt {
        let mut prompt = Prompt::own("see: ");
        prompt.append(&Prompt::data(" ein Krüg"));
        prompt.append(&Prompt::data("lein "));
        prompt.push_own("!");
        prompt
    }

    #[test]
    fn ranges_are_joined_and_come_back() {
        let prompt = sample();
        assert_eq!((prompt.text(), prompt.ranges()), ("see:  ein Krüglein !", &[5..20][..]));
        assert_eq!(Prompt::with_ranges(prompt.text().into(), prompt.ranges().to_vec()), Some(prompt));
        for beyond_twice_or_inside_a_letter in [vec![3..99], vec![4..6, 5..6], vec![6..7]] {
            assert_eq!(Prompt::with_ranges("ein Krüglein".into(), beyond_twice_or_inside_a_letter), None);
        }
    }

    #[test]
    fn a_part_keeps_what_is_data_in_it() {
        let part = sample().slice(3..13);
        assert_eq!((part.text(), part.ranges()), (":  ein Kr", &[2..9][..]));
        let trimmed = sample().slice(5..20).trimmed(true, true);
        assert_eq!((trimmed.text(), trimmed.ranges()), ("ein Krüglein", &[0..13][..]));
        assert!(trimmed.is_data(&(3..4)) && !sample().is_data(&(0..5)));
    }
}
