//! What is said of a built-in.

use super::binding::Binding;
use super::math::{AT_LEAST, AT_MOST, Binary, Unary};

/// All that is known of a [`super::Builtin`].
#[derive(Debug)]
pub struct Row {
    /// As messages and digests call it.
    pub name: &'static str,
    pub(crate) notation: Notation,
    /// In order.
    pub params: &'static [Parameter],
    /// Of each parameter; a key is [`Type::Key`].
    pub(crate) types: &'static [Type],
    pub(crate) result: Type,
    pub(crate) operation: Operation,
    pub(crate) gradient: GradientRule,
    pub(crate) latex: Latex,
    /// The meaning as an equation.
    pub equation: &'static str,
    /// One sentence for the reference page.
    pub doc: &'static str,
    /// Checked by a test.
    pub example: Example,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `name(…)`
    Call,
    /// In front of its operand; `sign` ends with a space where there has to be one.
    Prefix { sign: &'static str, binding: Binding },
    /// Between its operands, by its name.
    Infix(Binding),
}

/// A parameter as a caller sees it.
#[derive(Debug)]
pub struct Parameter {
    /// For `name = value`.
    pub name: &'static str,
    /// What may be given.
    pub accepts: Accepts,
    /// What it stands for when it is left out.
    pub default: Default,
}

/// What may be given to a parameter.
#[derive(Debug)]
pub enum Accepts {
    /// Any term.
    Term,
    /// One of these words.
    Key(&'static [&'static str]),
    /// One of these words, or several of them: `[group, turn_index]`.
    Keys(&'static [&'static str]),
    /// A string.
    Text,
}

/// What a parameter that is left out stands for.
#[derive(Debug)]
pub enum Default {
    /// It may not be left out.
    Required,
    /// This number.
    Number(f64),
    /// This word.
    Key(&'static str),
    /// Something of its own.
    Absent,
}

/// The type of a parameter or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Number,
    /// `true` or `false`.
    Condition,
    /// Either, but the same for all parameters of this type.
    Either,
    Key,
    Text,
}

/// What is computed, and with it the level of the result.
#[derive(Debug)]
pub(crate) enum Operation {
    /// Each element by itself, at the coarsest level at which all arguments can be had: coarser ones are broadcast.
    Elementwise(Elementwise),
    /// Elementwise of two arguments, a reduction of one.
    Extremum { of_two: Elementwise, of_one: Reduction },
    /// To the level of `by`, without it to one value for the batch.
    Reduce(Reduction),
    /// At the level of `per`, without it that of its first argument; the values of the whole batch are looked at together.
    Whiten,
    /// At the level of its first argument; the values of the whole batch are looked at together.
    Top,
    /// To the level of `by`, without it to one value for the batch.
    Quantile,
    /// At the level at which its argument and `by` meet: each element among those of its `by`.
    Rank,
    /// A quantity of tokens: so many of the largest probabilities.
    TopShare,
    /// At the level of `per`, along time.
    Gae,
    /// At the level of `per`, along time.
    Discount,
    /// At the level of `per`, along time.
    SoFar,
    /// At the level of `per`: a coarser value once, on the last step of what it belongs to.
    OnLast,
    /// At the level of its argument, tokens or turns: the element after it in time, or the one before.
    Neighbour { after: bool },
    /// One value for each … of `by`, else one for the batch.
    History,
    /// At the level of its argument: the value that it had on the whole collected batch.
    Collected,
    /// One number, which an iteration hands on to the next.
    Carry,
    /// One value for each turn.
    OfText(TextFunction),
}

/// What is asked of a text of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TextFunction {
    Contains,
    Equals,
    Matches,
    Occurrences,
    MatchCount,
    WordCount,
    CharacterCount,
    Repeats,
    RepeatedSentences,
}

/// What is computed of each element.
#[derive(Debug)]
pub(crate) enum Elementwise {
    Unary(Unary),
    Binary(Binary),
    Compare(fn(f64, f64) -> bool),
    Not,
    And,
    Or,
    /// Of a value, a lower and an upper bound.
    Clip,
    /// Of a condition, and the values for true and for false.
    Where,
    /// Of a value, and where it is kept.
    Only,
    /// The value without its gradient.
    Stop,
}

impl Elementwise {
    /// Its value on numbers, conditions as 0 and 1. `None` if the count is wrong, or there may be no value.
    pub(crate) fn of_numbers(&self, x: &[f64]) -> Option<f64> {
        let truth = |b: bool| f64::from(u8::from(b));
        let value = match (self, x) {
            (Self::Unary(f), [x]) => (f.value)(*x),
            (Self::Binary(f), [a, b]) => (f.value)(*a, *b),
            (Self::Compare(holds), [a, b]) => truth(holds(*a, *b)),
            (Self::Not, [x]) => truth(*x == 0.0),
            (Self::And, [a, b]) => truth(*a != 0.0 && *b != 0.0),
            (Self::Or, [a, b]) => truth(*a != 0.0 || *b != 0.0),
            (Self::Clip, [x, low, high]) => (AT_MOST.value)((AT_LEAST.value)(*x, *low), *high),
            (Self::Where, [condition, a, b]) => *if *condition == 0.0 { b } else { a },
            (Self::Stop, [x]) => *x,
            (
                Self::Unary(_)
                | Self::Binary(_)
                | Self::Compare(_)
                | Self::Not
                | Self::And
                | Self::Or
                | Self::Clip
                | Self::Where
                | Self::Only
                | Self::Stop,
                _,
            ) => return None,
        };
        Some(value)
    }
}

/// Many elements to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Mean,
    Sum,
    Std,
    Count,
    Min,
    Max,
    Initial,
    Final,
}

/// Which arguments hand the gradient of the result on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientRule {
    All,
    None,
    /// Those at these positions.
    Only(&'static [usize]),
}

impl GradientRule {
    /// Whether the argument at a position gets a gradient.
    pub(crate) fn passes(self, argument: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(positions) => positions.contains(&argument),
        }
    }
}

/// How it looks in mathematical notation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Latex {
    /// `\operatorname{name}(…)`, its key as an index.
    Call,
    /// The sign in front.
    Prefix(&'static str),
    /// The sign between, with brackets as in the text.
    Infix(&'static str),
    /// The exponent raised.
    Power,
    /// One line for each case.
    Cases,
    /// A pattern: `#1` is the first operand, `#1*` the same as a factor, `#_` the key as an index. With another number of operands it is a call.
    Pattern(&'static str),
}

/// A line that checks in a loss, and what it comes to on the batch of the reference page.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Of a loss, an advantage or a schedule.
    pub text: &'static str,
    /// To six digits.
    pub value: f64,
}

/// `text` is `value`.
pub(super) const fn example(text: &'static str, value: f64) -> Example {
    Example { text, value }
}

/// A parameter that takes any term.
pub(super) const fn term(name: &'static str) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Required }
}

/// A term that is a number when left out.
pub(super) const fn number(name: &'static str, default: f64) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Number(default) }
}

/// A term that may be left out.
pub(super) const fn optional(name: &'static str) -> Parameter {
    Parameter { name, accepts: Accepts::Term, default: Default::Absent }
}

/// One of some words.
pub(super) const fn key(name: &'static str, words: &'static [&'static str], default: Default) -> Parameter {
    Parameter { name, accepts: Accepts::Key(words), default }
}

/// One of some words, or several of them.
pub(super) const fn keys(name: &'static str, words: &'static [&'static str]) -> Parameter {
    Parameter { name, accepts: Accepts::Keys(words), default: Default::Absent }
}
