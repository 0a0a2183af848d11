//! What must be computed for an equation: no more than it mentions.

use super::check::flow::{Flow, Reach};
use super::levels::Level;
use super::program::{NodeId, Op, Program};
use std::collections::BTreeSet;

/// The quantities that an equation reads, and what it asks of the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Every quantity that is read, by name, including what histories average.
    pub quantities: BTreeSet<&'static str>,
    /// Of which the gradient is needed.
    pub gradient: Reach,
    /// What minibatches must not split.
    pub whole: Whole,
}

impl Needs {
    /// Whether a quantity is read, by its name.
    pub fn has(&self, quantity: &str) -> bool {
        self.quantities.contains(quantity)
    }

    /// A critic must be there: for the loss, the advantage or the targets.
    pub fn critic(&self) -> bool {
        ["value", "old_value", "returns"].iter().any(|q| self.has(q))
    }

    /// A reference policy must be there.
    pub fn reference(&self) -> bool {
        self.has("ref_logp")
    }

    /// A teacher must be there.
    pub fn teacher(&self) -> bool {
        self.has("teacher_logp")
    }

    /// What two expressions need together, the loss and its advantage.
    pub fn with(&self, other: &Needs) -> Needs {
        Needs {
            quantities: self.quantities.union(&other.quantities).copied().collect(),
            gradient: self.gradient,
            whole: self.whole.max(other.whole),
        }
    }
}

/// What may not be torn apart when the collected batch is split into minibatches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whole {
    /// Rows may go to any minibatch.
    #[default]
    Rows,
    /// An episode's rows stay together.
    Episodes,
    /// A group's rows stay together.
    Groups,
}

pub(super) fn needs(program: &Program, flow: &Flow, roots: &[NodeId]) -> Needs {
    let mut needs = Needs::default();
    let live = program.reachable(roots.iter().copied());
    let remembered = program.nodes.iter().zip(&live).filter(|(_, live)| **live).filter_map(|(node, _)| match node.op {
        Op::History(row) => program.histories.get(row).map(|history| history.argument),
        _ => None,
    });
    let ever = program.reachable(roots.iter().copied().chain(remembered));
    for (id, node) in program.nodes.iter().enumerate() {
        if let (Op::Quantity(info), true) = (&node.op, ever[id]) {
            needs.quantities.insert(info.name);
        }
        if live[id] {
            needs.whole = needs.whole.max(whole(&node.op, node.level));
        }
    }
    for &root in roots {
        let reach = flow.reach[root];
        needs.gradient.logp |= reach.logp;
        needs.gradient.entropy |= reach.entropy;
        needs.gradient.value |= reach.value;
    }
    needs
}

fn whole(op: &Op, level: Level) -> Whole {
    match op {
        Op::Reduce(_) | Op::Noise => match level {
            Level::Episode => Whole::Episodes,
            Level::Anchor | Level::Group => Whole::Groups,
            // What is taken over a turn number or over the batch is taken over what is there.
            Level::Token | Level::Turn | Level::TurnIndex | Level::Batch => Whole::Rows,
        },
        Op::Gae(time) | Op::Discount(time) | Op::OnLast(time) if time.by == Level::Episode => Whole::Episodes,
        Op::Gae(_) | Op::Discount(_) | Op::OnLast(_) | Op::Whiten | Op::Top | Op::History(_) => Whole::Rows,
        Op::Number(_) | Op::Bool(_) | Op::Quantity(_) | Op::Named(_) | Op::Elementwise(..) => Whole::Rows,
    }
}
