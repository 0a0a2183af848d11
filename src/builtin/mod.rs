//! Built-in operators and functions. Each is a variant of [`Builtin`] with one [`Row`]: how it is written, what it takes, what it computes, where its
//! gradient goes, how it is printed, and an example with its value. Whoever has to treat them differently matches on `Operation` without a wildcard,
//! so that the compiler names every place that a new one concerns.

mod binding;
mod elementwise;
mod iterations;
mod math;
mod operators;
mod reductions;
mod row;
mod texts;
mod time;

pub(crate) use binding::Binding;
pub(crate) use math::{AT_LEAST, AT_MOST, Binary, SQRT, Unary};
pub use row::{Accepts, Default, Example, Parameter, Row};
pub(crate) use row::{Elementwise, GradientRule, Latex, Notation, Operation, Reduction, TextFunction, Type};
pub(crate) use texts::TEXTS;

/// Declares [`Builtin`]: each variant with its row. The order is that of the reference page.
macro_rules! builtins {
    ($($variant:ident = $row:path),* $(,)?) => {
        /// An operator or a function that the language has of itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Builtin {
            $(#[doc = concat!("See [`Builtin::row`]; `", stringify!($variant), "`.")] $variant),*
        }

        impl Builtin {
            /// All of them, operators first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// All that is known of it.
            pub fn row(self) -> &'static Row {
                match self { $(Self::$variant => const { &$row }),* }
            }
        }
    };
}

builtins! {
    Or = operators::OR,
    And = operators::AND,
    Not = operators::NOT,
    Equal = operators::EQUAL,
    Differs = operators::DIFFERS,
    Less = operators::LESS,
    AtMost = operators::AT_MOST,
    Greater = operators::GREATER,
    AtLeast = operators::AT_LEAST,
    Add = operators::ADD,
    Sub = operators::SUB,
    Mul = operators::MUL,
    Div = operators::DIV,
    Power = operators::POWER,
    Neg = operators::NEG,
    Exp = elementwise::EXP,
    Log = elementwise::LOG,
    Abs = elementwise::ABS,
    Sqrt = elementwise::SQRT,
    Sign = elementwise::SIGN,
    Floor = elementwise::FLOOR,
    Relu = elementwise::RELU,
    Sigmoid = elementwise::SIGMOID,
    Tanh = elementwise::TANH,
    Cos = elementwise::COS,
    Clip = elementwise::CLIP,
    Where = elementwise::WHERE,
    Only = elementwise::ONLY,
    Binomial = elementwise::BINOMIAL,
    Stop = elementwise::STOP,
    Mean = reductions::MEAN,
    Sum = reductions::SUM,
    Std = reductions::STD,
    Count = reductions::COUNT,
    Initial = reductions::INITIAL,
    Final = reductions::FINAL,
    Min = reductions::MIN,
    Max = reductions::MAX,
    Whiten = reductions::WHITEN,
    Top = reductions::TOP,
    Quantile = reductions::QUANTILE,
    Rank = reductions::RANK,
    TopShare = reductions::TOP_SHARE,
    Gae = time::GAE,
    Discount = time::DISCOUNT,
    SoFar = time::SO_FAR,
    OnLast = time::ON_LAST,
    Next = time::NEXT,
    Previous = time::PREVIOUS,
    History = iterations::HISTORY,
    Collected = iterations::COLLECTED,
    Carry = iterations::CARRY,
    Contains = texts::CONTAINS,
    Equals = texts::EQUALS,
    Matches = texts::MATCHES,
    Occurrences = texts::OCCURRENCES,
    MatchCount = texts::MATCH_COUNT,
    WordCount = texts::WORD_COUNT,
    CharacterCount = texts::CHARACTER_COUNT,
    Repeats = texts::REPEATS,
    RepeatedSentences = texts::REPEATED_SENTENCES,
}

impl Builtin {
    /// As messages and digests call it: `exp`, `+`; the sign in front is `neg`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its parameters, in order.
    pub fn params(self) -> &'static [Parameter] {
        self.row().params
    }

    /// Whether it is written as an operator, not as a call.
    pub(crate) fn is_operator(self) -> bool {
        !matches!(self.row().notation, Notation::Call)
    }

    /// How tightly its text holds together.
    pub(crate) fn binding(self) -> Binding {
        match self.row().notation {
            Notation::Call => Binding::Call,
            Notation::Prefix { binding, .. } | Notation::Infix(binding) => binding,
        }
    }

    /// What can be called by this name.
    pub fn called(name: &str) -> Option<Self> {
        Self::functions().find(|builtin| builtin.name() == name)
    }

    /// The operator between two operands with this sign.
    pub(crate) fn infix(sign: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|builtin| matches!(builtin.row().notation, Notation::Infix(_)) && builtin.name() == sign)
    }

    /// The operator in front of an operand with this sign.
    pub(crate) fn prefix(sign: &str) -> Option<Self> {
        let has = |notation: Notation| matches!(notation, Notation::Prefix { sign: own, .. } if own.trim_end() == sign);
        Self::ALL.iter().copied().find(|builtin| has(builtin.row().notation))
    }

    /// What is called by name.
    pub fn functions() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|builtin| !builtin.is_operator())
    }

    /// Its value on numbers, where it has one without a batch; conditions are 0 and 1. `None` too if the count is wrong.
    pub(crate) fn of_numbers(self, x: &[f64]) -> Option<f64> {
        match &self.row().operation {
            Operation::Elementwise(how) | Operation::Extremum { of_two: how, .. } => how.of_numbers(x),
            Operation::Reduce(_) | Operation::Whiten | Operation::Top | Operation::Quantile | Operation::Rank => None,
            Operation::Gae | Operation::Discount | Operation::SoFar | Operation::OnLast | Operation::Neighbour { .. } => None,
            Operation::TopShare | Operation::History | Operation::Collected | Operation::Carry | Operation::OfText(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_consistent() {
        let mut names = BTreeSet::new();
        for builtin in Builtin::ALL {
            let row = builtin.row();
            assert!(names.insert(row.name), "`{}` stands twice", row.name);
            assert_eq!(row.params.len(), row.types.len(), "`{}`", row.name);
            for (param, kind) in row.params.iter().zip(row.types) {
                assert_eq!(matches!(param.accepts, Accepts::Key(_) | Accepts::Keys(_)), *kind == Type::Key, "`{}`", row.name);
                assert_eq!(matches!(param.accepts, Accepts::Text), *kind == Type::Text, "`{}`", row.name);
            }
            assert!(!row.doc.is_empty() && !row.equation.is_empty() && !row.example.text.is_empty(), "`{}`", row.name);
            let found = match row.notation {
                Notation::Call => Builtin::called(row.name),
                Notation::Prefix { sign, .. } => Builtin::prefix(sign.trim_end()),
                Notation::Infix(_) => Builtin::infix(row.name),
            };
            assert_eq!(found, Some(*builtin), "`{}`", row.name);
        }
    }

    /// The text of an example has the sign or the name that it is an example of.
    #[test]
    fn examples_show_what_they_are_of() {
        for builtin in Builtin::ALL {
            let row = builtin.row();
            let wanted = match row.notation {
                Notation::Call => format!("{}(", row.name),
                Notation::Prefix { sign, .. } => sign.to_string(),
                Notation::Infix(_) => format!(" {} ", row.name),
            };
            assert!(row.example.text.contains(&wanted), "`{}`: {}", row.name, row.example.text);
        }
    }

    #[test]
    fn elementwise_operations_take_as_many_numbers_as_they_have_parameters() {
        for builtin in Builtin::ALL {
            let Operation::Elementwise(how) = &builtin.row().operation else { continue };
            let numbers = vec![1.0; builtin.params().len()];
            assert!(how.of_numbers(&numbers).is_some() || matches!(how, Elementwise::Only), "`{}`", builtin.name());
            assert_eq!(how.of_numbers(&[]), None, "`{}`", builtin.name());
        }
    }
}
