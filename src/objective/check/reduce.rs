//! Calls of functions of many elements at once.

use super::super::levels::Level;
use super::super::program::{Kind, NodeId, Op, SHORT};
use super::Checker;
use super::apply::Call;
use crate::builtin::Reduction;
use crate::lang::print::shortened;

impl Checker<'_> {
    pub(super) fn reduction(&mut self, call: &Call, how: Reduction) -> Option<NodeId> {
        let (argument, to) = self.reduced(call, how)?;
        self.push(call.term, Op::Reduce(how), vec![argument], to, Kind::Number, call.row.gradient)
    }

    /// What is reduced, and to which level.
    fn reduced(&mut self, call: &Call, how: Reduction) -> Option<(NodeId, Level)> {
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        let to = call.key("by").map_or(Level::Batch, |(level, _)| level);
        if level.meet(to) == to {
            let (name, text) = (call.row.name, self.program.nodes[argument].text());
            let (span, words) = self.about(argument);
            let message = match call.key("by") {
                Some(_) => format!("`{name}` with `by = {to}` reduces nothing: `{text}` has {words} already"),
                None => format!("`{name}` reduces nothing: `{text}` is {words} already"),
            };
            self.report("E0303", call.term, message, |d| {
                d.also(span, words).help(match level {
                    Level::Batch => format!("leave `{name}` out"),
                    _ => format!("leave `by` out, or name a level coarser than `{level}`"),
                })
            });
            return None;
        }
        self.no_repeated_value_in_a_statistic(call.term, call.row.name, how, argument, to)?;
        if to == Level::Group && how != Reduction::Count && self.scope.group_size == Some(1) {
            let message = format!("every group is one episode, so there is nothing that `{}` could compare", shortened(call.term, SHORT));
            self.warn("W0303", call.term, message, "give the stage a `group_size` of 2 or more");
        }
        Some((argument, to))
    }

    pub(super) fn quantile(&mut self, call: &Call) -> Option<NodeId> {
        // A value that repeats is one of those in order, as for the smallest and the largest.
        let (argument, to) = self.reduced(call, Reduction::Min)?;
        let which = call.node(1)?;
        self.one_number(call, "q", which)?;
        self.constant_within(call, "q", which, |q| (0.0..=1.0).contains(&q), "from 0 to 1")?;
        self.push(call.term, Op::Quantile, vec![argument, which], to, Kind::Number, call.row.gradient)
    }

    pub(super) fn rank(&mut self, call: &Call) -> Option<NodeId> {
        let argument = call.node(0)?;
        let by = call.key("by").map_or(Level::Batch, |(level, _)| level);
        let level = self.program.nodes[argument].level.meet(by);
        if level == by {
            return self.nothing_to_compare(call, argument);
        }
        if let Some(of) = call.node(2)
            && self.program.nodes[of].level.meet(level) != level
        {
            return self.too_fine(call, "of", of, level);
        }
        self.push(call.term, Op::Rank(by), call.given(), level, Kind::Number, call.row.gradient)
    }

    pub(super) fn whiten(&mut self, call: &Call) -> Option<NodeId> {
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        if level == Level::Batch && call.key("per").is_none() {
            return self.nothing_to_compare(call, argument);
        }
        let per = call.key("per").map_or(level, |(level, _)| level);
        if level.meet(per) != per {
            return self.too_fine(call, "x", argument, per);
        }
        self.push(call.term, Op::Whiten, vec![argument], per, Kind::Number, call.row.gradient)
    }

    pub(super) fn top(&mut self, call: &Call) -> Option<NodeId> {
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        if level == Level::Batch {
            return self.nothing_to_compare(call, argument);
        }
        let fraction = call.node(1)?;
        self.one_number(call, "fraction", fraction)?;
        self.constant_within(call, "fraction", fraction, |f| f > 0.0 && f <= 1.0, "above 0 and not above 1")?;
        self.push(call.term, Op::Top, vec![argument, fraction], level, Kind::Flag, call.row.gradient)
    }

    fn nothing_to_compare(&mut self, call: &Call, argument: NodeId) -> Option<NodeId> {
        let (name, text) = (call.row.name, self.program.nodes[argument].text());
        let (span, words) = self.about(argument);
        let message = format!("`{name}` compares values with each other, but `{text}` is {words}");
        self.report("E0303", call.term, message, |d| d.also(span, words));
        None
    }
}
