//! How tightly operators bind: one order for reading and for every way of printing.

/// From loose to tight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binding {
    /// Nothing around it: an argument, a line.
    Open,
    /// `or`
    Or,
    /// `and`
    And,
    /// `not`
    Not,
    /// `==`, `<` and the like.
    Comparison,
    /// `low..high`
    Range,
    /// `+` and `-`
    Sum,
    /// `*` and `/`
    Product,
    /// The sign in front.
    Negation,
    /// `^`
    Power,
    /// Calls, names, numbers, brackets.
    Call,
}

impl Binding {
    /// The next tighter one.
    pub(crate) fn tighter(self) -> Self {
        match self {
            Self::Open => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Comparison,
            Self::Comparison => Self::Range,
            Self::Range => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Negation,
            Self::Negation => Self::Power,
            Self::Power | Self::Call => Self::Call,
        }
    }

    /// Whether `a op b op c` has no meaning.
    pub(crate) fn is_chainless(self) -> bool {
        matches!(self, Self::Comparison | Self::Range)
    }

    /// What the left and the right operand have to bind with to stand without brackets: `^` groups to the right, comparisons and ranges not at all,
    /// the rest to the left.
    pub(crate) fn operands(self) -> (Self, Self) {
        match self {
            Self::Power => (self.tighter(), self),
            _ if self.is_chainless() => (self.tighter(), self.tighter()),
            _ => (self, self.tighter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tighter_follows_the_order() {
        let mut at = Binding::Open;
        let mut steps = 0;
        while at != Binding::Call {
            assert!(at < at.tighter());
            at = at.tighter();
            steps += 1;
        }
        assert_eq!(steps, Binding::Call as usize, "every binding is passed");
    }
}
