//! The one table of built-in functions: what a caller writes, what it means, which level comes out and where the gradient goes.

mod elementwise;
mod operators;
mod reductions;
mod time;

use crate::lang::term::{Accepts, Default, Parameter, Signature};

/// Words for `by =` and `per =`.
pub const KEYS: &[&str] = &["token", "turn", "episode", "group", "anchor", "turn_index"];

/// A row of [`FUNCTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct Function {
    pub name: &'static str,
    /// Written as an operator (`neg` is the sign in front), not as a call.
    pub operator: bool,
    pub params: &'static [Parameter],
    /// Of each parameter; a key is `Type::Key`.
    pub types: &'static [Type],
    pub result: Type,
    pub level: LevelRule,
    pub gradient: GradientRule,
    /// The meaning as an equation.
    pub equation: &'static str,
    pub doc: &'static str,
    /// One line that checks in a loss.
    pub example: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Number,
    /// `true` or `false`.
    Condition,
    /// Either, but the same for all parameters of this type.
    Either,
    Key,
}

/// Which level the result has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelRule {
    /// The coarsest at which all arguments can be had: coarser ones are broadcast.
    Elementwise,
    /// The level of `by`, without it the batch. `min` and `max` of two arguments are elementwise.
    Reduction,
    /// As its first argument, but the values of the whole batch are looked at together.
    Whole,
    /// The level of `per`.
    AlongTime,
    /// `turn_index` with `by = turn_index`, else the batch.
    Past,
}

/// Which arguments hand the gradient of the result on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradientRule {
    All,
    None,
    /// Those at these positions.
    Only(&'static [usize]),
}

impl GradientRule {
    pub fn passes(self, argument: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(positions) => positions.contains(&argument),
        }
    }
}

const fn term(name: &'static str) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Required }
}

const fn number(name: &'static str, default: f64) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Number(default) }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Absent }
}

const fn key(name: &'static str, words: &'static [&'static str], default: Default) -> Parameter {
    Parameter { name, accepts: Accepts::Key(words), default }
}

const COUNT: usize = operators::TABLE.len() + elementwise::TABLE.len() + reductions::TABLE.len() + time::TABLE.len();
const CALLS: usize = COUNT - operators::TABLE.len();

/// All built-ins: operators first, then what is called by name.
pub static FUNCTIONS: [Function; COUNT] = {
    let mut all = [operators::TABLE[0]; COUNT];
    let tables: [&[Function]; 4] = [operators::TABLE, elementwise::TABLE, reductions::TABLE, time::TABLE];
    let (mut at, mut t) = (0, 0);
    while t < tables.len() {
        let mut i = 0;
        while i < tables[t].len() {
            all[at] = tables[t][i];
            at += 1;
            i += 1;
        }
        t += 1;
    }
    all
};

/// What can be called by name.
pub(super) static SIGNATURES: [Signature; CALLS] = {
    let mut all = [const { Signature { name: "", params: &[] } }; CALLS];
    let mut i = 0;
    while i < CALLS {
        let function = &FUNCTIONS[operators::TABLE.len() + i];
        all[i] = Signature { name: function.name, params: function.params };
        i += 1;
    }
    all
};

pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn table_is_consistent() {
        let mut names = BTreeSet::new();
        for function in &FUNCTIONS {
            assert!(names.insert(function.name), "`{}` stands twice", function.name);
            assert_eq!(function.params.len(), function.types.len(), "`{}`", function.name);
            for (param, kind) in function.params.iter().zip(function.types) {
                assert_eq!(matches!(param.accepts, Accepts::Key(_)), *kind == Type::Key, "`{}`", function.name);
            }
            assert!(!function.doc.is_empty() && !function.equation.is_empty() && !function.example.is_empty());
            assert!(super::super::quantities::quantity_info(function.name).is_none());
        }
        assert!(SIGNATURES.iter().all(|s| !s.name.is_empty()));
        assert!(super::super::VOCABULARY.function("gae").is_some_and(|gae| gae.params.len() == 6));
    }
}
