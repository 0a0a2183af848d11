//! How objects are called in texts.

use std::borrow::Cow;

/// What texts say for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `desk 1`.
    pub name: String,
    /// `a` or `an`.
    pub indefinite: Cow<'static, str>,
    /// `the`.
    pub definite: Cow<'static, str>,
}

/// Gives names to all objects of a game at once, since a number may depend on what else there is.
pub trait Naming {
    /// `ids` are those of the objects that occur in the first state, in order; one name each, in the same order.
    fn names(&self, ids: &[&str]) -> Vec<Name>;
}

/// The id with blanks for underscores: `desk_1` is "desk 1", with the article "a" or "an" by its first letter.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainNames;

impl Naming for PlainNames {
    fn names(&self, ids: &[&str]) -> Vec<Name> {
        ids.iter().map(|id| Name::plain(id)).collect()
    }
}

impl Name {
    /// As [`PlainNames`] does.
    pub fn plain(id: &str) -> Name {
        let vowel = id.starts_with(['a', 'e', 'i', 'o', 'u']);
        Name { name: id.replace('_', " "), indefinite: if vowel { "an" } else { "a" }.into(), definite: "the".into() }
    }
}
