//! Calls of functions along time.

use super::super::levels::Level;
use super::super::program::{Kind, NodeId, Op, Time};
use super::Checker;
use super::apply::Call;

impl Checker<'_> {
    /// `streams`: how many of the first arguments are added up over the steps; the rest are rates.
    pub(super) fn along_time(&mut self, call: &Call, streams: usize, op: fn(Time) -> Op) -> Option<NodeId> {
        let time = Time { by: call.key("by")?.0, per: call.key("per")?.0 };
        let mut sound = true;
        for (i, param) in call.row.params.iter().enumerate() {
            let Some(id) = call.node(i) else { continue };
            if self.program.nodes[id].level.meet(time.per) != time.per {
                return self.too_fine(call, param.name, id, time.per);
            }
            if i >= streams {
                sound &= self.constant_within(call, param.name, id, |x| (0.0..=1.0).contains(&x), "from 0 to 1").is_some();
            }
        }
        if !sound {
            return None;
        }
        self.no_repeated_value_in_a_reward(call.term, call.row.name, call.node(0)?, time)?;
        self.warn_of_repeated_reward(call.term, call.row.name, call.node(0)?, time);
        self.push(call.term, op(time), call.given(), time.per, Kind::Number, call.row.gradient)
    }

    pub(super) fn on_last(&mut self, call: &Call) -> Option<NodeId> {
        let time = Time { by: call.key("by")?.0, per: call.key("per")?.0 };
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        if level.meet(time.per) == level && level != Level::Batch {
            let (text, (span, words)) = (self.program.nodes[argument].text(), self.about(argument));
            let message = format!("`on_last` has nothing to place: `{text}` has {words} already");
            self.report("E0303", call.term, message, |d| {
                d.also(span, words).help("it takes a value of a turn or an episode, such as `outcome` or `score`")
            });
            return None;
        }
        self.push(call.term, Op::OnLast(time), vec![argument], time.per, Kind::Number, call.row.gradient)
    }

    /// `after`: the step that follows; else the one before.
    pub(super) fn neighbour(&mut self, call: &Call, after: bool) -> Option<NodeId> {
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        let (name, text) = (call.row.name, self.program.nodes[argument].text());
        if Level::Episode.within(level) {
            let (span, words) = self.about(argument);
            let message = format!("`{name}` has nothing to go on to: `{text}` is {words}, the same all through an episode");
            self.report("E0303", call.term, message, |d| d.also(span, words));
            return None;
        }
        let per = level.meet(Level::Turn);
        let by = match call.key("by") {
            Some((by, span)) if by == per => {
                let message = format!("`{name}` with `by = turn` stays within a turn, of which `{text}` has one value");
                self.report("E0303", call.term, message, |d| d.also(span, "").help("`by = episode` goes on to the next turn"));
                return None;
            }
            Some((by, _)) => by,
            None if per == Level::Token => Level::Turn,
            None => Level::Episode,
        };
        let beyond = call.node(1)?;
        if self.program.nodes[beyond].level.meet(per) != per {
            return self.too_fine(call, call.row.params[1].name, beyond, per);
        }
        let time = Time { by, per };
        self.push(call.term, Op::Neighbour { time, after }, vec![argument, beyond], per, Kind::Number, call.row.gradient)
    }
}
