//! Where gradients go, and what reaches no parameter.

use super::super::program::{NodeId, Op, Program};
use super::super::quantities::quantities;
use super::placed;
use crate::builtin::{Builtin, Reduction};
use crate::lang::{Diagnostic, Diagnostics, Span};

/// Through which quantities a node's gradient reaches a model: one bit for each that is learned, in the order of `learned`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach(u128);

/// The quantities that carry a gradient.
fn learned() -> impl Iterator<Item = &'static str> {
    quantities().filter(|info| info.gradient).map(|info| info.name)
}

impl Reach {
    /// Whether it reaches a parameter at all.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Whether it reaches the policy.
    pub fn policy(self) -> bool {
        self.through().any(|quantity| quantity != "value")
    }

    /// Whether it reaches the critic.
    pub fn critic(self) -> bool {
        self.goes_through("value")
    }

    /// Whether it goes through a quantity, by its name.
    pub fn goes_through(self, quantity: &str) -> bool {
        self.with(Reach::of_quantity(quantity)) == self && Reach::of_quantity(quantity).any()
    }

    /// What it goes through.
    pub(in super::super) fn through(self) -> impl Iterator<Item = &'static str> {
        learned().enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }

    /// `policy, through logp and entropy`: the models whose parameters a gradient gets to, and what it goes through.
    pub fn words(self) -> String {
        let policy: Vec<&str> = self.through().filter(|quantity| *quantity != "value").collect();
        match (policy.is_empty(), self.critic()) {
            (true, false) => "nothing".into(),
            (true, true) => "critic, through value".into(),
            (false, false) => format!("policy, through {}", policy.join(" and ")),
            (false, true) => format!("policy, through {}; critic, through value", policy.join(" and ")),
        }
    }

    pub(in super::super) fn with(self, other: Reach) -> Reach {
        Reach(self.0 | other.0)
    }

    fn of_quantity(name: &str) -> Reach {
        learned().position(|own| own == name).map_or_else(Reach::default, |bit| Reach(1 << bit))
    }
}

/// For each node: what its gradient reaches, and which learned quantities its value depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    pub reach: Vec<Reach>,
    pub depends: Vec<Reach>,
}

pub(crate) fn flow(program: &Program) -> Flow {
    let mut flow = Flow::default();
    for node in &program.nodes {
        let (mut reach, mut depends) = (Reach::default(), Reach::default());
        if let Op::Quantity(info) = node.op
            && info.gradient
        {
            reach = Reach::of_quantity(info.name);
            depends = reach;
        }
        for (i, &arg) in node.args.iter().enumerate() {
            depends = depends.with(flow.depends[arg]);
            if node.gradient.passes(i) {
                reach = reach.with(flow.reach[arg]);
            }
        }
        flow.reach.push(reach);
        flow.depends.push(depends);
    }
    flow
}

/// The node below `from` at which a gradient path ends: what it computes depends on a learned quantity, its result does not hand the gradient on.
fn cut(program: &Program, flow: &Flow, from: NodeId) -> Option<NodeId> {
    let below = program.reachable([from]);
    (0..program.nodes.len())
        .find(|&id| below[id] && !flow.reach[id].any() && program.nodes[id].args.iter().any(|&arg| flow.reach[arg].any()))
}

/// A node of the sum that is minimised.
#[derive(Clone, Copy)]
struct Summand {
    id: NodeId,
    /// Whether it stands within a named term or a reduction, where constants are common and harmless (`exp(k) - k - 1`).
    inner: bool,
}

/// Warns of each summand of `minimize` without gradient, reports it as an error if that is all of them. `definition` tells where a named term was
/// defined. Returns whether there is any gradient.
pub(crate) fn check_flow(
    program: &Program,
    flow: &Flow,
    minimize: NodeId,
    definition: impl Fn(&str) -> Option<Span>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let ends = |diagnostic: Diagnostic, id: NodeId| match cut(program, flow, id) {
        Some(cut) => {
            let node = &program.nodes[cut];
            let diagnostic = diagnostic.also(node.place(), "the gradient ends here");
            if node.place() == node.span() { diagnostic } else { diagnostic.also(node.span(), "inside this function") }
        }
        None => diagnostic,
    };
    if !flow.reach[minimize].any() {
        let node = &program.nodes[minimize];
        let message = "`minimize` reaches no parameter of a model: no update would change anything";
        let diagnostic = placed(Diagnostic::error("E0310", node.place(), message), node.place(), node.span());
        diagnostics.push(ends(diagnostic, minimize).help("gradients start at `logp`, `entropy` and `value`"));
        return false;
    }
    let mut pending = vec![Summand { id: minimize, inner: false }];
    let mut seen = vec![false; program.nodes.len()];
    while let Some(Summand { id, inner }) = pending.pop() {
        if std::mem::replace(&mut seen[id], true) {
            continue;
        }
        let node = &program.nodes[id];
        if flow.reach[id].any() {
            let reaching = |arg: &&NodeId| flow.reach[**arg].any();
            match node.op {
                Op::Elementwise(Builtin::Add | Builtin::Sub | Builtin::Neg, _) => {
                    pending.extend(node.args.iter().rev().map(|&id| Summand { id, inner }));
                }
                // A factor may well be constant; both changing is no sum any more.
                Op::Elementwise(builtin @ (Builtin::Mul | Builtin::Div), _) => {
                    let mut factors = node.args.iter().filter(reaching);
                    if let (Some(&id), None) = (factors.next(), factors.next())
                        && (builtin == Builtin::Mul || Some(&id) == node.args.first())
                    {
                        pending.push(Summand { id, inner });
                    }
                }
                Op::Named(_) | Op::Reduce(Reduction::Mean | Reduction::Sum) => {
                    pending.extend(node.args.iter().map(|&id| Summand { id, inner: true }));
                }
                // Anything else is one summand.
                _ => {}
            }
            continue;
        }
        let learned = flow.depends[id].any();
        let deliberate = matches!(node.op, Op::Elementwise(Builtin::Stop, _) | Op::Number(_)) || node.constant.is_some();
        if let Some((term, name)) = named_factor(program, flow, id) {
            let place = definition(name).unwrap_or(program.nodes[term].place());
            let message = format!("`{name}` reaches no parameter of a model: it changes the logged value and nothing else");
            diagnostics.push(ends(Diagnostic::warning("W0301", place, message), term).help(advice(learned)));
        } else if !deliberate && (learned || !inner) {
            let message = format!("`{}` reaches no parameter of a model: it changes the logged value and nothing else", node.text());
            let diagnostic = placed(Diagnostic::warning("W0301", node.place(), message), node.place(), node.span());
            diagnostics.push(ends(diagnostic, id).help(advice(learned)));
        }
    }
    true
}

fn advice(learned: bool) -> &'static str {
    if learned {
        "a difference or a hinge such as `relu(x - bound)` has a gradient where a comparison has none"
    } else {
        "leave it out of `minimize`, or write it with `logp`, `entropy` or `value`"
    }
}

/// The named term to blame for a summand without gradient: the summand itself, or the factor that was meant to be learned from.
fn named_factor<'a>(program: &'a Program, flow: &Flow, id: NodeId) -> Option<(NodeId, &'a str)> {
    let mut pending = vec![id];
    while let Some(at) = pending.pop() {
        let node = &program.nodes[at];
        match &node.op {
            Op::Named(name) if at == id || flow.depends[at].any() => return Some((at, name)),
            Op::Elementwise(Builtin::Mul | Builtin::Div | Builtin::Neg, _) => pending.extend(node.args.iter().rev()),
            _ => {}
        }
    }
    None
}
