//! How an operand without a value counts where it stands.

use super::super::program::{Node, Op};
use crate::builtin::{Builtin, Elementwise, Reduction};

/// Where a node stands in its equation, names put in. What a node computes of operands without a value depends on it, so one that is mentioned in two
/// places may have two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Within a function: what lacks an operand has no value.
    Plain,
    /// In a sum that is the equation multiplied out, below a mean or along time: an operand without a past counts as 0.
    Summand,
    /// The same in the outermost sum of one number: an operand without any value counts as 0.
    Outermost,
}

impl Standing {
    pub(super) const ALL: [Self; 3] = [Self::Plain, Self::Summand, Self::Outermost];

    pub(super) fn below_a_mean(self) -> Self {
        if self == Self::Plain { self } else { Self::Summand }
    }

    /// Of an argument of a node that stands here. Sums are multiplied out through what is linear: factors, divisors, branches, means and sums, functions along
    /// time.
    pub(super) fn of_argument(self, node: &Node, position: usize) -> Self {
        if self == Self::Plain {
            return self;
        }
        match &node.op {
            Op::Named(_) => self,
            Op::Elementwise(Builtin::Add | Builtin::Sub | Builtin::Neg | Builtin::Mul, _) => self,
            Op::Elementwise(Builtin::Div, _) if position == 0 => self,
            Op::Elementwise(_, Elementwise::Where) if position > 0 => self,
            Op::Elementwise(_, Elementwise::Only | Elementwise::Stop) if position == 0 => self,
            Op::Reduce(Reduction::Mean | Reduction::Sum) | Op::OnLast(_) | Op::Noise => self.below_a_mean(),
            Op::Gae(_) if position < 2 => self.below_a_mean(),
            Op::Discount(_) | Op::SoFar(_) if position < 1 => self.below_a_mean(),
            Op::Neighbour { .. } => self.below_a_mean(),
            Op::Number(_) | Op::Bool(_) | Op::Quantity(_) | Op::History(_) | Op::Collected(_) | Op::Carry(_) | Op::OfText(_) => Self::Plain,
            Op::Elementwise(..) | Op::Reduce(_) | Op::Whiten | Op::Top | Op::Quantile | Op::Rank(_) => Self::Plain,
            Op::Gae(_) | Op::Discount(_) | Op::SoFar(_) => Self::Plain,
        }
    }
}
