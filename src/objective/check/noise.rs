//! Noise in a sum with a coarser value.
//!
//! `uniform` is drawn for each token because something has to be drawn, not because it says anything about that token. Added to a value of a turn or an
//! episode, it is one number for each of those: otherwise `score + uniform` would be a score for each token, and a statistic of it would weigh an episode by
//! its length.

use super::super::context::Place;
use super::super::levels::Level;
use super::super::program::{Kind, NodeId, Op};
use super::Checker;
use crate::builtin::{Elementwise, GradientRule};
use crate::lang::term::{Argument, Term, TermKind};

impl Checker<'_> {
    /// The operands of a sum of an advantage, noise at the level of what it is added to. `None` if that is nested too deeply.
    pub(super) fn with_noise_in_place(&mut self, sum: &Term, mut operands: Vec<NodeId>) -> Option<Vec<NodeId>> {
        let (Place::Advantage, [a, b], TermKind::Apply { args, .. }) = (self.scope.place, &operands[..], &sum.kind) else {
            return Some(operands);
        };
        for (position, noise, other) in [(0, *a, *b), (1, *b, *a)] {
            let level = self.program.nodes[other].level;
            if let (true, Some(Argument::Term(term))) =
                (matches!(level, Level::Turn | Level::Episode) && self.is_noise(noise), args.get(position))
            {
                operands[position] = self.push(term, Op::Noise, vec![noise], level, Kind::Number, GradientRule::None)?;
                break;
            }
        }
        Some(operands)
    }

    /// Whether a value of tokens is made of `uniform` and of numbers for the whole batch, element by element.
    fn is_noise(&self, root: NodeId) -> bool {
        let nodes = &self.program.nodes;
        if nodes[root].level != Level::Token {
            return false;
        }
        let mut pending = vec![root];
        let mut seen = vec![false; root + 1];
        while let Some(id) = pending.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            let node = &nodes[id];
            match node.op {
                _ if node.level == Level::Batch => {}
                Op::Quantity(info) if info.name == "uniform" => {}
                // What leaves tokens out is about tokens.
                Op::Elementwise(_, Elementwise::Only) => return false,
                Op::Named(_) | Op::Elementwise(..) => pending.extend(&node.args),
                _ => return false,
            }
        }
        true
    }
}
