//! What is minimised as a sum of parts with factors: parts that cancel, factors that are always 0.

use super::super::program::{NodeId, Op, Program};
use super::super::schedule::over_the_run;
use super::placed;
use crate::builtin::Builtin;
use crate::lang::{Diagnostic, Diagnostics};
use std::collections::BTreeMap;

/// How a node enters the sum.
#[derive(Clone, Copy, Default)]
struct Weight {
    net: f64,
    /// Of the absolute values: above 0 for whatever is part of the sum.
    gross: f64,
}

impl Weight {
    fn add(&mut self, other: Weight, factor: f64) {
        self.net += other.net * factor;
        self.gross += other.gross * factor.abs();
    }

    fn cancels(self) -> bool {
        self.gross > 0.0 && self.net.abs() <= 1e-12 * self.gross
    }
}

/// Warns of parts of the sum `root` that are always 0: by a coefficient (`W0305`), or because they cancel (`W0304`).
pub(crate) fn check_sum(program: &Program, root: NodeId, iterations: Option<usize>, diagnostics: &mut Diagnostics) {
    let mut weights = vec![Weight::default(); program.nodes.len()];
    weights[root] = Weight { net: 1.0, gross: 1.0 };
    // Every node stands after those it uses, so its weight is complete when it is met, however often it is shared.
    for id in (0..=root).rev() {
        let (node, weight) = (&program.nodes[id], weights[id]);
        if weight.gross == 0.0 {
            continue;
        }
        let mut give = |to: NodeId, factor: f64| weights[to].add(weight, factor);
        match (&node.op, &node.args[..]) {
            (Op::Named(_), [body]) => give(*body, 1.0),
            (Op::Elementwise(Builtin::Neg, _), [x]) => give(*x, -1.0),
            (Op::Elementwise(builtin @ (Builtin::Add | Builtin::Sub), _), [a, b]) => {
                give(*a, 1.0);
                give(*b, if *builtin == Builtin::Sub { -1.0 } else { 1.0 });
            }
            (Op::Elementwise(builtin @ (Builtin::Mul | Builtin::Div), _), [a, b]) => {
                let zero = |arg: NodeId| always_zero(program, arg, iterations);
                if node.constant.is_none() && (zero(*a) || *builtin == Builtin::Mul && zero(*b)) {
                    let message = format!("`{}` is always 0: its coefficient is", node.text());
                    let diagnostic = placed(Diagnostic::warning("W0305", node.place(), message), node.place(), node.span());
                    diagnostics.push(diagnostic.help("leave it out, or give it another coefficient"));
                } else if let (Some(c), Builtin::Mul) = (program.nodes[*a].constant, builtin) {
                    give(*b, c);
                } else if let Some(c) = program.nodes[*b].constant {
                    give(*a, if *builtin == Builtin::Div { 1.0 / c } else { c });
                }
            }
            _ => {}
        }
    }
    check_cancelling(program, root, &weights, diagnostics);
}

fn always_zero(program: &Program, id: NodeId, iterations: Option<usize>) -> bool {
    match program.nodes[id].constant {
        Some(c) => c == 0.0,
        None => over_the_run(program, id, iterations).is_some_and(|values| values.iter().all(|(_, x)| *x == 0.0)),
    }
}

/// The outermost parts that cancel: the same thing with weights that add up to 0, or a difference of equals anywhere.
fn check_cancelling(program: &Program, root: NodeId, weights: &[Weight], diagnostics: &mut Diagnostics) {
    let mut alike: BTreeMap<[u8; 32], (Weight, Vec<NodeId>)> = BTreeMap::new();
    for (id, weight) in weights.iter().enumerate().filter(|(id, w)| w.gross > 0.0 && program.nodes[*id].constant.is_none()) {
        let (sum, ids) = alike.entry(*program.nodes[id].digest.as_bytes()).or_default();
        sum.add(*weight, 1.0);
        ids.push(id);
    }
    let mut found: Vec<Vec<NodeId>> = alike.into_values().filter(|(sum, _)| sum.cancels()).map(|(_, ids)| ids).collect();
    let live = program.reachable([root]);
    for (id, node) in program.nodes.iter().enumerate() {
        let difference = matches!(node.op, Op::Elementwise(Builtin::Sub, _)) && live[id] && node.constant.is_none();
        if let (true, [a, b]) = (difference, &node.args[..])
            && program.nodes[*a].digest == program.nodes[*b].digest
        {
            found.push(if a == b { vec![id] } else { vec![*a, *b] });
        }
    }
    found.sort_by_key(|ids| std::cmp::Reverse(ids.last().copied()));
    let mut said = vec![false; program.nodes.len()];
    for ids in found {
        if ids.iter().any(|&id| said[id]) {
            continue;
        }
        let mut pending = ids.clone();
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut said[id], true) {
                pending.extend(&program.nodes[id].args);
            }
        }
        // Mentions of a named term come after what it stands for, and are what the user wrote in the sum.
        let mut places: Vec<_> = ids.iter().map(|&id| &program.nodes[id]).collect();
        if places.iter().filter(|node| matches!(node.op, Op::Named(_))).count() > 1 {
            places.retain(|node| matches!(node.op, Op::Named(_)));
        }
        places.sort_by_key(|node| node.place().start);
        let Some(first) = places.first() else { continue };
        let message = match &first.op {
            Op::Elementwise(Builtin::Sub, _) if places.len() == 1 => format!("`{}` is always 0: both sides are the same", first.text()),
            _ => format!("`{}` cancels: all its mentions together have the coefficient 0", first.text()),
        };
        let mut diagnostic = placed(Diagnostic::warning("W0304", first.place(), message), first.place(), first.span());
        for other in places.iter().skip(1).filter(|other| other.place() != first.place()) {
            diagnostic = diagnostic.also(other.place(), "and here");
        }
        diagnostics.push(diagnostic.help("check the signs, or leave it out"));
    }
}
