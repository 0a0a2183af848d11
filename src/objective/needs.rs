//! What must be computed for an equation: no more than it mentions.

use super::check::flow::{Flow, Reach};
use super::levels::Level;
use super::program::{NodeId, Op, Program, Reduction};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Every quantity that is read, by name, including what histories average.
    pub quantities: BTreeSet<&'static str>,
    /// Of which the gradient is needed.
    pub gradient: Reach,
    pub whole: Whole,
    /// Whether the equation is a sum of means and sums over tokens of something that each token has by itself, so that the gradient of a token does
    /// not depend on what the policy under training says about others. Then micro-batches can be learned from one after the other, each with the
    /// equation evaluated on the whole minibatch in which the learned quantities of the other rows have the values of collection time.
    pub separable: bool,
}

impl Needs {
    pub fn has(&self, quantity: &str) -> bool {
        self.quantities.contains(quantity)
    }

    /// A critic must be there: for the loss, the advantage or the targets.
    pub fn critic(&self) -> bool {
        ["value", "old_value", "returns"].iter().any(|q| self.has(q))
    }

    pub fn reference(&self) -> bool {
        self.has("ref_logp")
    }

    /// What two expressions need together, the loss and its advantage. `separable` stays what the loss says.
    pub fn with(&self, other: &Needs) -> Needs {
        Needs {
            quantities: self.quantities.union(&other.quantities).copied().collect(),
            gradient: self.gradient,
            whole: self.whole.max(other.whole),
            separable: self.separable,
        }
    }
}

/// What may not be torn apart when the collected batch is split into minibatches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whole {
    #[default]
    Rows,
    Episodes,
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
    needs.separable = separable(program, flow, roots);
    needs
}

fn whole(op: &Op, level: Level) -> Whole {
    match (op, level) {
        (Op::Reduce(_), Level::Episode) => Whole::Episodes,
        (Op::Reduce(_), Level::Anchor | Level::Group) => Whole::Groups,
        (Op::Gae(time) | Op::Discount(time), _) if time.by == Level::Episode => Whole::Episodes,
        _ => Whole::Rows,
    }
}

/// How a node depends on what is learned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Not at all.
    Fixed,
    /// Each token's value on that token alone.
    Own,
    /// A linear combination of values of the kind `Own`.
    Linear,
    Other,
}

fn separable(program: &Program, flow: &Flow, roots: &[NodeId]) -> bool {
    let mut shapes: Vec<Shape> = Vec::with_capacity(program.nodes.len());
    for (id, node) in program.nodes.iter().enumerate() {
        let args: Vec<Shape> = node.args.iter().map(|&arg| shapes[arg]).collect();
        let shape = if !flow.depends[id].any() {
            Shape::Fixed
        } else {
            match (&node.op, &args[..]) {
                (Op::Quantity(_), _) => Shape::Own,
                (Op::Named(_), [body]) => *body,
                (Op::Reduce(Reduction::Mean | Reduction::Sum), [Shape::Own | Shape::Linear]) => Shape::Linear,
                (Op::Only, [_, condition]) if *condition != Shape::Fixed => Shape::Other,
                (Op::Reduce(_) | Op::Whiten | Op::Top | Op::Gae(_) | Op::Discount(_), _) => Shape::Other,
                (_, args) if args.iter().all(|shape| matches!(shape, Shape::Fixed | Shape::Own)) => Shape::Own,
                (Op::Binary(f), [_, _]) if matches!(f.name, "+" | "-") => linear(&args),
                (Op::Binary(f), [a, b]) if f.name == "*" && (*a == Shape::Fixed || *b == Shape::Fixed) => linear(&args),
                (Op::Binary(f), [_, Shape::Fixed]) if f.name == "/" => linear(&args),
                (Op::Unary(f), _) if f.name == "neg" => linear(&args),
                _ => Shape::Other,
            }
        };
        shapes.push(shape);
    }
    roots.iter().all(|&root| matches!(shapes[root], Shape::Fixed | Shape::Linear))
}

fn linear(args: &[Shape]) -> Shape {
    if args.contains(&Shape::Other) { Shape::Other } else { Shape::Linear }
}
