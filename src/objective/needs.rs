//! What must be computed for an equation: no more than it mentions.

use super::check::flow::{Flow, Reach};
use super::levels::Level;
use super::program::{Into, NodeId, Op, Program};
use super::text::TextQuestion;
use std::collections::BTreeSet;

/// What speaks of the teacher.
pub(crate) const TEACHER: [&str; 3] = ["teacher_logp", "kl_to_teacher", "kl_from_teacher"];

/// The quantities that an equation reads, and what it asks of the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Every quantity that is read, by name, including what histories average.
    pub quantities: BTreeSet<&'static str>,
    /// What is asked of the texts of the turns.
    pub texts: BTreeSet<TextQuestion>,
    /// Of which the gradient is needed.
    pub gradient: Reach,
    /// What minibatches must not split.
    pub whole: Whole,
    /// Whether something that is carried on depends on the log-probabilities of the updated policy.
    pub updated: bool,
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
        ["ref_logp", "kl_to_reference", "kl_from_reference"].iter().any(|q| self.has(q))
    }

    /// A teacher must be there.
    pub fn teacher(&self) -> bool {
        TEACHER.iter().any(|q| self.has(q))
    }

    /// What two expressions need together, the loss and its advantage.
    pub fn with(&self, other: &Needs) -> Needs {
        Needs {
            quantities: self.quantities.union(&other.quantities).copied().collect(),
            texts: self.texts.union(&other.texts).cloned().collect(),
            gradient: self.gradient,
            whole: self.whole.max(other.whole),
            updated: self.updated || other.updated,
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
    let ever = program.reachable_into(Into::Everything, roots.iter().copied());
    for (node, _) in program.nodes.iter().zip(&ever).filter(|(_, ever)| **ever) {
        if let Op::Carry(row) = node.op
            && let Some(carry) = program.carries.get(row)
        {
            needs.updated |= mentions(program, carry.next, "logp");
        }
    }
    for (id, node) in program.nodes.iter().enumerate() {
        if let (Op::Quantity(info), true) = (&node.op, ever[id] && !is_carried(&node.op)) {
            needs.quantities.insert(info.name);
        }
        if let (Op::OfText(question), true) = (&node.op, ever[id]) {
            needs.texts.insert(TextQuestion::clone(question));
        }
        if live[id] {
            needs.whole = needs.whole.max(whole(&node.op, node.level));
        }
    }
    for &root in roots {
        needs.gradient = needs.gradient.with(flow.reach[root]);
    }
    needs
}

/// The number that an iteration is handed, which no batch has.
pub(super) fn is_carried(op: &Op) -> bool {
    matches!(op, Op::Quantity(info) if info.name == "carried")
}

fn mentions(program: &Program, root: NodeId, quantity: &str) -> bool {
    let below = program.reachable([root]);
    program.nodes.iter().zip(below).any(|(node, below)| below && matches!(node.op, Op::Quantity(info) if info.name == quantity))
}

fn whole(op: &Op, level: Level) -> Whole {
    match op {
        Op::Reduce(_) | Op::Noise | Op::Quantile => together(level),
        Op::Rank(by) => together(*by),
        Op::Gae(time) | Op::Discount(time) | Op::SoFar(time) | Op::OnLast(time) | Op::Neighbour { time, .. }
            if time.by == Level::Episode =>
        {
            Whole::Episodes
        }
        Op::Gae(_) | Op::Discount(_) | Op::SoFar(_) | Op::OnLast(_) | Op::Neighbour { .. } | Op::Whiten | Op::Top => Whole::Rows,
        Op::History(_) | Op::Collected(_) | Op::Carry(_) => Whole::Rows,
        // Of its texts, what is said was found on the whole batch.
        Op::OfText(_) => Whole::Rows,
        Op::Number(_) | Op::Bool(_) | Op::Quantity(_) | Op::Named(_) | Op::Elementwise(..) => Whole::Rows,
    }
}

/// What has to be there for a statistic of all that belongs to each element of a level.
fn together(level: Level) -> Whole {
    match level {
        Level::Episode => Whole::Episodes,
        Level::Anchor | Level::Group => Whole::Groups,
        Level::Joint(joint) if joint.with_what_follows().has_episode() => Whole::Episodes,
        Level::Joint(joint) if joint.with_what_follows().has_group() => Whole::Groups,
        // What is taken over a turn number, a task or the batch is taken over what is there.
        Level::Token | Level::Turn | Level::TurnIndex | Level::Task | Level::Joint(_) | Level::Batch => Whole::Rows,
    }
}
