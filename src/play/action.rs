//! From the text of a response to the action that the environment is told.

use crate::kind::{Category, Count, Entry, Identity, Part, Reader};
use crate::lang::value::{Component, Value};
use crate::{kind, words};
use std::fmt;
use std::sync::Arc;

/// How an action is read from a response. Total: every response gives some action.
pub(crate) trait Reading: Identity + fmt::Debug + Send + Sync + 'static {
    fn read<'t>(&self, response: &'t str) -> &'t str;

    /// A response from which the action is read, for showing how to play.
    fn respond(&self, action: &str) -> String {
        action.to_owned()
    }

    /// Whether there is a place in it for what one who shows how to play has in mind.
    fn shows_thoughts(&self) -> bool {
        false
    }

    /// The same with a thought, where there is a place for it.
    fn respond_aloud(&self, _thought: &str, action: &str) -> String {
        self.respond(action)
    }
}

impl Category for dyn Reading {
    const WORDS: &'static str = "a way to read an action, such as `between(\"<action>\", \"</action>\")`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn Reading>] = &[
            Entry { info: &Between::INFO, read: |_, c, r| read(c, r, &Between::INFO, Between::read_fields) },
            Entry { info: &Last::INFO, read: |_, c, r| read(c, r, &Last::INFO, Last::read_fields) },
            Entry { info: &LastLine::INFO, read: |_, c, r| read(c, r, &LastLine::INFO, LastLine::read_fields) },
            Entry { info: &Whole::INFO, read: |_, c, r| read(c, r, &Whole::INFO, Whole::read_fields) },
        ];
        ENTRIES
    }
}

fn read<T: Reading>(
    component: &Component,
    reader: &mut Reader<'_, '_>,
    info: &crate::kind::KindInfo,
    fields: fn(&Component, &mut Reader<'_, '_>) -> Option<T>,
) -> Option<Arc<dyn Reading>> {
    reader.refuse_unknown(component, &[info], |_| false);
    Some(Arc::new(fields(component, reader)?))
}

words! {
    /// The case of letters in an action.
    pub(crate) enum Case {
        /// As written.
        Keep = "keep",
        /// In lower case.
        Lower = "lower",
    }
}

kind! {
    /// The text between two marks, without outer spaces; the last such pair if there are several.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household {
    ///   prompt = windowed { then = p }
    ///   action = between("<action>", "</action>", else = last(30))
    ///   train  = games { split = "train" }
    /// }
    /// ```
    pub(crate) struct Between as "between" {
        /// The mark before the action.
        open: String [required],
        /// The mark after it.
        close: String [required],
        /// What to do with a response that lacks the marks.
        r#else: Part<dyn Reading> [default Part { kind: "whole", value: Arc::new(Whole {}), span: crate::lang::Span::NONE }],
    }
}

kind! {
    /// The last characters of the response, without outer spaces.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, action = last(30), train = games { split = "train" } }
    /// ```
    pub(crate) struct Last as "last" {
        /// How many characters.
        characters: Count [required],
    }
}

kind! {
    /// The last line of the response, without outer spaces. What stands before it is a thought: an expert's, where it has one (`household`, and
    /// `alfworld` with an expert that searches), or a policy's own (`thought` of `choose`).
    ///
    /// ```epo
    /// prompt p = "{task} {observation}\n>"
    /// rooms = alfworld { expert = searching, prompt = windowed { then = p }, action = last_line, train = games { split = "train" } }
    /// ```
    pub(crate) struct LastLine as "last_line" {}
}

kind! {
    /// The whole response, without outer spaces.
    pub(crate) struct Whole as "whole" {}
}

impl Reading for Between {
    fn read<'t>(&self, response: &'t str) -> &'t str {
        let found = response.rfind(&self.open).and_then(|at| {
            let rest = &response[at + self.open.len()..];
            rest.find(&self.close).map(|end| rest[..end].trim())
        });
        found.unwrap_or_else(|| self.r#else.read(response))
    }

    fn respond(&self, action: &str) -> String {
        format!("{}{action}{}", self.open, self.close)
    }
}

impl Reading for Last {
    fn read<'t>(&self, response: &'t str) -> &'t str {
        let skip = response.chars().count().saturating_sub(self.characters.0);
        let start = response.char_indices().nth(skip).map_or(response.len(), |(i, _)| i);
        response[start..].trim()
    }
}

impl Reading for LastLine {
    fn read<'t>(&self, response: &'t str) -> &'t str {
        response.trim().lines().last().unwrap_or("").trim()
    }

    fn shows_thoughts(&self) -> bool {
        true
    }

    fn respond_aloud(&self, thought: &str, action: &str) -> String {
        let thought = thought.lines().collect::<Vec<_>>().join(" ");
        format!("{thought}\n{action}")
    }
}

impl Reading for Whole {
    fn read<'t>(&self, response: &'t str) -> &'t str {
        response.trim()
    }
}

/// What counts as a well-formed response.
pub(crate) trait WellFormed: Identity + fmt::Debug + Send + Sync + 'static {
    fn holds(&self, response: &str) -> bool;
}

impl Category for dyn WellFormed {
    const WORDS: &'static str = "a test of responses, such as `has(\"<think>\", \"</think>\")`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn WellFormed>] = &[Entry { info: &Has::INFO, read: read_has }];
        ENTRIES
    }
}

fn read_has(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WellFormed>> {
    reader.refuse_unknown(component, &[&Has::INFO], |_| false);
    Some(Arc::new(Has::read_fields(component, reader)?))
}

words! {
    /// Letters that a response may not have.
    pub(crate) enum Without {
        /// Any letter will do.
        Nothing = "nothing",
        /// No ideograph of Chinese, Japanese or Korean (U+4E00 to U+9FFF): models that know these languages drift into them.
        Cjk = "cjk",
    }
}

kind! {
    /// The response has these marks, in this order, and none of the letters that it may not have.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household {
    ///   prompt = windowed { then = p }
    ///   valid  = has("<think>", "</think>", without = cjk)
    ///   train  = games { split = "train" }
    /// }
    /// ```
    pub(crate) struct Has as "has" {
        /// The first mark.
        first: String [required],
        /// The second.
        second: Option<String> [default None],
        /// A third.
        third: Option<String> [default None],
        /// A fourth.
        fourth: Option<String> [default None],
        /// Letters that make a response ill-formed.
        without: Without [default Without::Nothing],
    }
}

impl WellFormed for Has {
    fn holds(&self, response: &str) -> bool {
        let mut rest = response;
        for mark in Some(&self.first).into_iter().chain(&self.second).chain(&self.third).chain(&self.fourth) {
            match rest.find(mark) {
                Some(at) => rest = &rest[at + mark.len()..],
                None => return false,
            }
        }
        self.without == Without::Nothing || !response.contains(|letter| matches!(letter, '\u{4E00}'..='\u{9FFF}'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thought_stands_before_the_last_line() {
        for (response, action) in [("look", "look"), ("a\nb\n look ", "look"), ("a\nlook\n", "look"), ("", ""), ("\n", "")] {
            assert_eq!(LastLine {}.read(response), action, "{response:?}");
        }
        let aloud = LastLine {}.respond_aloud("two\nlines", "go north");
        assert_eq!((aloud.as_str(), LastLine {}.read(&aloud)), ("two lines\ngo north", "go north"));
        assert_eq!(Whole {}.respond_aloud("a thought", "go north"), "go north");
    }

    #[test]
    fn tags_in_order_and_no_ideographs() {
        let mark = |text: &str| Some(text.to_owned());
        let has = |without| Has {
            first: "<think>".into(),
            second: mark("</think>"),
            third: mark("<action>"),
            fourth: mark("</action>"),
            without,
        };
        let reply = |thought: &str| format!("<think>{thought}</think><action>go north</action>");
        for (response, of_any, of_no_cjk) in [
            (reply("the door"), true, true),
            (reply("la porte, \u{3bb}\u{430}\u{3042}"), true, true),
            (reply("\u{4E00}"), true, false),
            (reply("the door \u{95E8}."), true, false),
            (reply("\u{9FFF}"), true, false),
            (reply("\u{4DFF}\u{A000}"), true, true),
            ("<action>go north</action><think>the door</think>".into(), false, false),
            ("go north".into(), false, false),
        ] {
            assert_eq!(has(Without::Nothing).holds(&response), of_any, "{response}");
            assert_eq!(has(Without::Cjk).holds(&response), of_no_cjk, "{response}");
        }
    }
}
