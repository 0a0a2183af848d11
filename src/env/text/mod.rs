//! Texts of a game, made from a grammar: command templates of actions, what they answer, and named rules with alternatives.
//!
//! The dialect is the one in which TextWorld's PDDL games are written (TWL2):
//!
//! ```text
//! grammar :: """ { "intro": [ { "rhs": "#look.feedback#\n\nYour task is to: …" } ], … } """;
//! action Take {
//!     template :: "take {o} from {r}";
//!     feedback :: "#take.feedback#";
//!     grammar  :: """ { "take.feedback": [ { "condition": "sharp(o:object)", "rhs": "Careful!" }, { "rhs": "You take the {o.name}." } ] } """;
//! }
//! ```
//!
//! - A rule has alternatives; the first whose `condition` holds is taken. The last one must have no condition.
//! - `#rule#` is replaced by a rule's text. `{o.name}` is a value: `name`, `id`, `type`, `definite`, `indefinite` of an object,
//!   `'text'`, `+`, `or`. `{value | query}` is repeated for every answer of the query, `{#rule# | query}` too.
//!   `[…]` around such a thing makes a list: the rules `list_empty`, `list_separator`, `list_last_separator` say how it looks.
//! - A query or condition is `predicate(o:object, r:receptacle) & …`. A variable is known by name *and* type; the parameters of
//!   the action are bound. Different variables are never the same object. `not_p(…)` asks for facts that an action has *made*
//!   false, not for all that are. Answers come in the order of the objects' ids, predicate by predicate from the left.
//! - White space at the very start of a text is dropped, tabs are dropped after `}`, `]` and `#`, and a text ends at the first
//!   character that fits nowhere (such as `;`): the last is a warning, see [`Script::warnings`].
//!
//! The text of an action's `feedback`, and the rule `intro` for the opening, are made over the state *after* the action.

mod expression;
mod grammar;
mod link;
mod query;
mod render;
mod template;

pub(crate) use grammar::Grammar;
pub(crate) use link::{Script, Signature, Vocabulary};
pub(crate) use render::{Attribute, Scene};

/// No object.
pub(crate) const NOBODY: u16 = u16::MAX;

/// Something wrong with a grammar: where (line and column from 1, as far as known) and what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TextError {
    pub place: Option<(u32, u32)>,
    pub message: String,
}

impl TextError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        TextError { place: None, message: message.into() }
    }
}

/// Line and column (in characters), both from 1, of a byte offset.
pub(crate) fn place(text: &str, at: usize) -> (u32, u32) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line as u32, column as u32)
}
