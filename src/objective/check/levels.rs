//! Values that are given to every element of a finer level, where that would add them up.
//!
//! A coarser value repeats on each finer one that it meets. In a product or a comparison that is what is meant. In a sum it makes something with as many
//! copies of the coarser value as there are finer ones; what then adds these up, or weighs them by their number, computes what nobody wrote.

use super::super::context::Place;
use super::super::levels::Level;
use super::super::program::{NodeId, Op, Time};
use super::{Checker, placed};
use crate::builtin::{Builtin, Elementwise, Reduction};
use crate::lang::term::Term;
use crate::lang::{Diagnostic, Span};
use std::borrow::Cow;

/// A sum of a coarser and a finer value.
struct Mix {
    sum: NodeId,
    coarse: NodeId,
    fine: NodeId,
}

impl Checker<'_> {
    /// Refuses a coarser value that `gae` or `discount` would be given on each step.
    pub(super) fn no_repeated_value_in_a_reward(&mut self, term: &Term, name: &str, reward: NodeId, time: Time) -> Option<()> {
        // What has one value for each stretch of time is counted once in it.
        let Some(mix) = self.mix(reward, |_, fine| !time.by.within(fine)) else { return Some(()) };
        let nodes = &self.program.nodes;
        let (coarse, fine) = (&nodes[mix.coarse], nodes[mix.fine].level);
        let outcome = matches!(coarse.op, Op::Quantity(info) if info.name == "outcome") && time.by == Level::Episode;
        let whole = coarse.text();
        let text = if outcome { "score" } else { &whole };
        let message = format!("`{name}` would count `{whole}` once for every {} of its {}", words(fine), words(coarse.level));
        let (by, per) = (key("by", time.by, Level::Turn), key("per", fine, Level::Token));
        let help = format!("`on_last({text}{by}{per})` is that value on the last {}, and 0 on the others", words(fine));
        self.refuse(mix, term, message, help);
        None
    }

    /// Refuses a coarser value that a statistic of an advantage would add up, or weigh by the number of finer ones. In a loss a mean counts every token alike, and
    /// that is what is written there.
    pub(super) fn no_repeated_value_in_a_statistic(
        &mut self,
        term: &Term,
        name: &str,
        how: Reduction,
        argument: NodeId,
        to: Level,
    ) -> Option<()> {
        if self.scope.place != Place::Advantage {
            return Some(());
        }
        let mix = match how {
            Reduction::Sum => self.mix(argument, |_, _| true),
            // Without `by` every token counts alike, as in `whiten`; a value that is the same all over what is averaged stays what it is.
            Reduction::Mean | Reduction::Std if to != Level::Batch => self.mix(argument, |coarse, _| !to.within(coarse)),
            Reduction::Mean | Reduction::Std | Reduction::Count | Reduction::Min | Reduction::Max => None,
            Reduction::Initial | Reduction::Final => None,
        };
        let Some(mix) = mix else { return Some(()) };
        let nodes = &self.program.nodes;
        let (coarse, fine) = (&nodes[mix.coarse], &nodes[mix.fine]);
        let by = if to == Level::Batch { String::new() } else { format!(" by {}", words(to)) };
        let message =
            format!("`{name}`{by} would count `{}` once for every {} of its {}", coarse.text(), words(fine.level), words(coarse.level));
        let help = format!("`sum({}, by = {})` or `mean(…)` makes one value {} of it", fine.text(), coarse.level, each(coarse.level));
        self.refuse(mix, term, message, help);
        None
    }

    /// Warns of a value of the whole episode that is the reward of each of its turns.
    pub(super) fn warn_of_repeated_reward(&mut self, term: &Term, name: &str, reward: NodeId, time: Time) {
        let said = self.bare(reward);
        let node = &self.program.nodes[said];
        let of_the_episode = |level: Level| level != Level::Batch && Level::Episode.within(level);
        let outcome = |op: &Op| matches!(op, Op::Quantity(info) if info.name == "outcome");
        let repeats = match &node.op {
            // Placed, but on every turn.
            Op::OnLast(own) => {
                let x = &self.program.nodes[self.bare(node.args[0])];
                outcome(&x.op) || own.by == Level::Turn && of_the_episode(x.level)
            }
            op => outcome(op) || of_the_episode(node.level),
        };
        if time.by != Level::Episode || !repeats {
            return;
        }
        let (place, text) = (term.place(), node.text());
        let message = format!("with `by = episode`, `{text}` is counted once for every turn of the episode");
        let help =
            format!("`reward` is the reward of each turn; `{name}(on_last(score, by = episode), …)` has the episode's score at its end");
        let diagnostic = placed(Diagnostic::warning("W0302", place, message), place, term.span);
        self.diagnostics.push(diagnostic.help(help));
    }

    /// Without names, signs and factors that are one number.
    fn bare(&self, mut id: NodeId) -> NodeId {
        loop {
            let node = &self.program.nodes[id];
            let number = |id: NodeId| self.program.nodes[id].level == Level::Batch;
            id = match (&node.op, &node.args[..]) {
                (Op::Named(_) | Op::Elementwise(Builtin::Neg, _), [x]) => *x,
                (Op::Elementwise(Builtin::Mul | Builtin::Div, _), [x, c]) if number(*c) && !number(*x) => *x,
                (Op::Elementwise(Builtin::Mul, _), [c, x]) if number(*c) && !number(*x) => *x,
                _ => return id,
            };
        }
    }

    /// A sum, as a part of what `root` adds up, of a value of a turn or an episode and a finer one, of those that `counts`.
    fn mix(&self, root: NodeId, counts: impl Fn(Level, Level) -> bool) -> Option<Mix> {
        let nodes = &self.program.nodes;
        let mut pending = vec![root];
        let mut seen = vec![false; nodes.len()];
        while let Some(id) = pending.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            let node = &nodes[id];
            match (&node.op, &node.args[..]) {
                (Op::Elementwise(Builtin::Add | Builtin::Sub, _), [a, b]) => {
                    for (coarse, fine) in [(*a, *b), (*b, *a)] {
                        let (c, f) = (nodes[coarse].level, nodes[fine].level);
                        let own = matches!(c, Level::Turn | Level::Episode) && !self.is_statistic(coarse);
                        if own && c.meet(f) != c && counts(c, f) {
                            return Some(Mix { sum: id, coarse, fine });
                        }
                    }
                    pending.extend([*b, *a]);
                }
                (Op::Named(_) | Op::Elementwise(Builtin::Neg, _), args) => pending.extend(args),
                (Op::Elementwise(Builtin::Mul | Builtin::Div, _), [a, b]) => pending.extend([*b, *a]),
                // Bounded it is still the sum; a square of it, say, is each element's own error.
                (Op::Elementwise(Builtin::Min | Builtin::Max | Builtin::Relu, _), args) => pending.extend(args.iter().rev()),
                (Op::Elementwise(_, Elementwise::Where | Elementwise::Clip), args) => pending.extend(args.iter().rev()),
                (Op::Elementwise(_, Elementwise::Only | Elementwise::Stop), [x, ..]) => pending.push(*x),
                _ => {}
            }
        }
        None
    }

    /// A mean and the like of something finer, which is taken from each of it on purpose.
    fn is_statistic(&self, id: NodeId) -> bool {
        matches!(
            self.program.nodes[self.bare(id)].op,
            Op::Reduce(Reduction::Mean | Reduction::Std | Reduction::Count | Reduction::Min | Reduction::Max)
        )
    }

    fn refuse(&mut self, mix: Mix, term: &Term, message: String, help: String) {
        let nodes = &self.program.nodes;
        let (sum, coarse, fine) = (&nodes[mix.sum], &nodes[mix.coarse], &nodes[mix.fine]);
        let place = sum.place();
        let mut diagnostic = placed(Diagnostic::error("E0314", place, message), place, sum.span());
        let mut about = |span: Span, words: &str| {
            if span != place && diagnostic.labels.iter().all(|label| label.span != span) {
                diagnostic = diagnostic.clone().also(span, words.to_owned());
            }
        };
        about(coarse.place(), &coarse.level.words());
        about(fine.place(), &fine.level.words());
        about(term.place(), "added up here");
        // One call of a library function may do this in several places of its body.
        let said = |other: &Diagnostic| other.code == "E0314" && other.labels.first().map(|l| l.span) == Some(place);
        if !self.diagnostics.0.iter().any(said) {
            self.diagnostics.push(diagnostic.help(help));
        }
    }
}

fn key(name: &str, level: Level, default: Level) -> String {
    if level == default { String::new() } else { format!(", {name} = {level}") }
}

/// `turn number`
fn words(level: Level) -> Cow<'static, str> {
    match level {
        Level::TurnIndex => "turn number".into(),
        Level::Anchor => "anchor state".into(),
        Level::Joint(joint) => joint.words().into(),
        other => other.name(),
    }
}

fn each(level: Level) -> String {
    let words = words(level);
    format!("{} {words}", if words.starts_with(['a', 'e']) { "an" } else { "a" })
}
