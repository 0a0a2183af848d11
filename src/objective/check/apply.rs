//! The rules of one call: types of arguments, level of the result.

use super::super::FULL;
use super::super::context::Place;
use super::super::levels::Level;
use super::super::program::{HistoryExpr, Kind, NodeId, Op, Time};
use super::super::schedule::{over_the_run, short};
use super::{Checker, SHORT};
use crate::builtin::{Builtin, Default, Elementwise, Operation, Reduction, Row, Type};
use crate::lang::Span;
use crate::lang::print::shortened;
use crate::lang::term::{Argument, Term, TermKind};
use std::sync::Arc;

/// Arguments by position, with defaults filled in.
struct Call<'t> {
    term: &'t Term,
    builtin: Builtin,
    row: &'static Row,
    nodes: Vec<Option<NodeId>>,
    keys: Vec<Option<(Level, Span)>>,
}

impl Call<'_> {
    fn node(&self, position: usize) -> Option<NodeId> {
        self.nodes.get(position).copied().flatten()
    }

    fn key(&self, name: &str) -> Option<(Level, Span)> {
        let position = self.row.params.iter().position(|p| p.name == name)?;
        self.keys.get(position).copied().flatten()
    }
}

impl Checker<'_> {
    pub(super) fn apply(&mut self, term: &Arc<Term>, builtin: Builtin, args: &[Argument]) -> Option<NodeId> {
        let call = self.arguments(term, builtin, args)?;
        self.types(&call)?;
        match &call.row.operation {
            Operation::Elementwise(how) => self.elementwise(&call, how),
            Operation::Extremum { of_two, .. } if call.node(1).is_some() => self.extremum_of_two(&call, of_two),
            Operation::Extremum { of_one: how, .. } | Operation::Reduce(how) => self.reduction(&call, *how),
            Operation::Whiten => self.whiten(&call),
            Operation::Top => self.top(&call),
            Operation::Gae => self.along_time(&call, 2, Op::Gae),
            Operation::Discount => self.along_time(&call, 1, Op::Discount),
            Operation::OnLast => self.on_last(&call),
            Operation::History => self.history(&call),
        }
    }

    /// `None` if an argument had a mistake of its own.
    fn arguments<'t>(&mut self, term: &'t Arc<Term>, builtin: Builtin, args: &[Argument]) -> Option<Call<'t>> {
        let mut call = Call { term, builtin, row: builtin.row(), nodes: vec![], keys: vec![] };
        let mut sound = true;
        for (i, param) in call.row.params.iter().enumerate() {
            let (mut node, mut key) = (None, None);
            match args.get(i).unwrap_or(&Argument::Absent) {
                Argument::Term(arg) => {
                    node = self.checked(arg);
                    sound &= node.is_some();
                }
                Argument::Key(word, span) => key = Level::from_key(word).map(|level| (level, *span)),
                Argument::Absent => match param.default {
                    Default::Number(value) => {
                        let default = Term::number(value, term.span);
                        node = self.node(&default);
                    }
                    Default::Key(word) => key = Level::from_key(word).map(|level| (level, term.span)),
                    Default::Required => {
                        self.report("E0304", term, format!("`{}` lacks its `{}`", builtin.name(), param.name), |d| d);
                        sound = false;
                    }
                    Default::Absent => {}
                },
            }
            call.nodes.push(node);
            call.keys.push(key);
        }
        sound.then_some(call)
    }

    fn types(&mut self, call: &Call) -> Option<()> {
        let mut sound = true;
        let mut first_either = None;
        for (i, &wanted) in call.row.types.iter().enumerate() {
            let Some(id) = call.node(i) else { continue };
            let kind = self.program.nodes[id].kind;
            let wanted = match (wanted, first_either) {
                // The first that is not both decides for the rest.
                (Type::Either, None) => {
                    first_either = Some(kind).filter(|kind| *kind != Kind::Flag);
                    continue;
                }
                (Type::Either, Some(Kind::Condition)) => Type::Condition,
                (Type::Either, Some(_)) => Type::Number,
                (wanted, _) => wanted,
            };
            let (found, needed, help) = match (wanted, kind) {
                (Type::Number, Kind::Condition) => ("a condition", "a number", "`where(condition, 1, 0)` makes a number of a condition"),
                (Type::Condition, Kind::Number) => ("a number", "a condition", "compare it with something: `x > 0`"),
                _ => continue,
            };
            sound = false;
            let node = &self.program.nodes[id];
            let message = format!("`{}` is {found}, but `{}` needs {needed}", node.text, call.row.name);
            let (place, inner, whole) = (node.place(), node.span, call.term.place());
            let mut diagnostic = super::placed(crate::lang::Diagnostic::error("E0304", place, message), place, inner);
            if whole != place {
                diagnostic = diagnostic.also(whole, "needed here");
            }
            self.diagnostics.push(diagnostic.help(help));
        }
        sound.then_some(())
    }

    fn elementwise(&mut self, call: &Call, how: &'static Elementwise) -> Option<NodeId> {
        let mut args: Vec<NodeId> = call.nodes.iter().flatten().copied().collect();
        if matches!(call.builtin, Builtin::Add | Builtin::Sub) {
            args = self.with_noise_in_place(call.term, args)?;
        }
        let level = args.iter().fold(Level::Batch, |level, &arg| level.meet(self.program.nodes[arg].level));
        let kind = if call.row.result == Type::Condition { Kind::Condition } else { Kind::Number };
        self.push(call.term, Op::Elementwise(call.builtin, how), args, level, kind, call.row.gradient)
    }

    fn extremum_of_two(&mut self, call: &Call, how: &'static Elementwise) -> Option<NodeId> {
        if let Some((_, span)) = call.key("by") {
            let name = call.row.name;
            self.report("E0313", call.term, format!("`{name}` of two values compares them element by element, so it takes no `by`"), |d| {
                d.also(span, "").help(format!("reduce the result: `{name}({name}(x, y), by = …)`"))
            });
            return None;
        }
        self.elementwise(call, how)
    }

    fn reduction(&mut self, call: &Call, how: Reduction) -> Option<NodeId> {
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        let to = call.key("by").map_or(Level::Batch, |(level, _)| level);
        if level.meet(to) == to {
            let (name, text) = (call.row.name, self.program.nodes[argument].text.clone());
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
        self.push(call.term, Op::Reduce(how), vec![argument], to, Kind::Number, call.row.gradient)
    }

    fn whiten(&mut self, call: &Call) -> Option<NodeId> {
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

    fn top(&mut self, call: &Call) -> Option<NodeId> {
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
        let (name, text) = (call.row.name, self.program.nodes[argument].text.clone());
        let (span, words) = self.about(argument);
        let message = format!("`{name}` compares values with each other, but `{text}` is {words}");
        self.report("E0303", call.term, message, |d| d.also(span, words));
        None
    }

    /// `streams`: how many of the first arguments have a value for each step; the rest are rates.
    fn along_time(&mut self, call: &Call, streams: usize, op: fn(Time) -> Op) -> Option<NodeId> {
        let time = Time { by: call.key("by")?.0, per: call.key("per")?.0 };
        let mut sound = true;
        for (i, param) in call.row.params.iter().enumerate() {
            let Some(id) = call.node(i) else { continue };
            if i >= streams {
                sound &= self.one_number(call, param.name, id).is_some();
                sound &= self.constant_within(call, param.name, id, |x| (0.0..=1.0).contains(&x), "from 0 to 1").is_some();
            } else if self.program.nodes[id].level.meet(time.per) != time.per {
                return self.too_fine(call, param.name, id, time.per);
            }
        }
        if !sound {
            return None;
        }
        self.no_repeated_value_in_a_reward(call.term, call.row.name, call.node(0)?, time)?;
        self.warn_of_repeated_reward(call.term, call.row.name, call.node(0)?, time);
        let args = call.nodes.iter().flatten().copied().collect();
        self.push(call.term, op(time), args, time.per, Kind::Number, call.row.gradient)
    }

    fn on_last(&mut self, call: &Call) -> Option<NodeId> {
        let time = Time { by: call.key("by")?.0, per: call.key("per")?.0 };
        let argument = call.node(0)?;
        let level = self.program.nodes[argument].level;
        if level.meet(time.per) == level && level != Level::Batch {
            let (text, (span, words)) = (self.program.nodes[argument].text.clone(), self.about(argument));
            let message = format!("`on_last` has nothing to place: `{text}` has {words} already");
            self.report("E0303", call.term, message, |d| {
                d.also(span, words).help("it takes a value of a turn or an episode, such as `outcome` or `score`")
            });
            return None;
        }
        self.push(call.term, Op::OnLast(time), vec![argument], time.per, Kind::Number, call.row.gradient)
    }

    fn history(&mut self, call: &Call) -> Option<NodeId> {
        let argument = call.node(0)?;
        let by_turn = call.key("by").is_some();
        if self.scope.place == Place::Schedule {
            self.report("E0305", call.term, "`history` is not known here: a schedule is evaluated without a batch", |d| {
                d.help("a schedule may mention `iteration`, `iterations` and `progress`")
            });
            return None;
        }
        if self.program.nodes[argument].past {
            let below = self.program.reachable([argument]);
            let histories = self.program.nodes.iter().zip(below).filter(|(node, below)| *below && matches!(node.op, Op::History(_)));
            let inner = histories.map(|(node, _)| node.place()).find(|inner| *inner != call.term.place());
            let message = "`history` may not look back on another `history`";
            match inner {
                Some(inner) => self
                    .diagnostics
                    .push(crate::lang::Diagnostic::error("E0307", inner, message).also(call.term.place(), "inside this one")),
                None => self.report("E0307", call.term, message, |d| d),
            }
            return None;
        }
        let level = self.program.nodes[argument].level;
        if !by_turn && level != Level::Batch {
            let (text, (span, words)) = (self.program.nodes[argument].text.clone(), self.about(argument));
            self.report("E0311", call.term, format!("`history` keeps one number an iteration, but `{text}` has {words}"), |d| {
                d.also(span, words).help(format!("reduce it: `history(mean({text}))`; or keep one for each turn number: `by = turn_index`"))
            });
            return None;
        }
        let window = match call.node(1) {
            None => None,
            Some(id) => {
                let Some(constant) = self.program.nodes[id].constant else {
                    let text = self.program.nodes[id].text.clone();
                    self.report("E0308", call.term, format!("`window` must be a number that is known before the run, not `{text}`"), |d| d);
                    return None;
                };
                self.constant_within(call, "window", id, |n| n >= 1.0 && n.fract() == 0.0, "a whole number of 1 or more")?;
                Some(constant as usize)
            }
        };
        let first = call.node(3);
        if let Some(first) = first {
            self.one_number(call, "first", first)?;
        }
        let node = &self.program.nodes[argument];
        // Two equations of a stage each remember their own.
        let place = if self.scope.place == Place::Advantage { "advantage" } else { "loss" };
        let by = if by_turn { "-by-turn" } else { "" };
        let id = format!("{place}-{}{by}", &node.digest.to_hex()[..16]);
        let text = match &call.term.kind {
            TermKind::Apply { args, .. } => args.first().and_then(|arg| match arg {
                Argument::Term(term) => Some(shortened(term, FULL)),
                Argument::Key(..) | Argument::Absent => None,
            }),
            _ => None,
        };
        let text = text.unwrap_or_else(|| node.text.clone());
        let expression = HistoryExpr { id, argument, window, by_turn, text, place: call.term.place() };
        self.program.histories.push(expression);
        let row = self.program.histories.len() - 1;
        let level = if by_turn { Level::TurnIndex } else { Level::Batch };
        self.push(call.term, Op::History(row), first.into_iter().collect(), level, Kind::Number, call.row.gradient)
    }

    fn one_number(&mut self, call: &Call, param: &str, id: NodeId) -> Option<()> {
        if self.program.nodes[id].level == Level::Batch {
            return Some(());
        }
        self.too_fine(call, param, id, Level::Batch);
        None
    }

    fn too_fine(&mut self, call: &Call, param: &str, id: NodeId, wanted: Level) -> Option<NodeId> {
        let (span, words) = self.about(id);
        let text = self.program.nodes[id].text.clone();
        let by = if wanted == Level::Batch { String::new() } else { format!(", by = {wanted}") };
        let message = format!("`{param}` of `{}` takes {}, but `{text}` has {words}", call.row.name, wanted.words());
        self.report("E0311", call.term, message, |d| {
            d.also(span, words).help(format!("reduce it: `mean({text}{by})` or `sum({text}{by})`"))
        });
        None
    }

    fn constant_within(&mut self, call: &Call, param: &str, id: NodeId, fits: fn(f64) -> bool, range: &str) -> Option<()> {
        let (value, when) = match self.program.nodes[id].constant {
            Some(value) => (value, String::new()),
            // What changes over the run must fit all along; what the batch decides is looked at when it is there.
            None => {
                let run = over_the_run(&self.program, id, self.scope.iterations).unwrap_or_default();
                let Some((progress, value)) = run.into_iter().find(|(_, value)| !fits(*value)) else { return Some(()) };
                (value, format!(" as it is at {:.0} % of the run", 100.0 * progress))
            }
        };
        if fits(value) {
            return Some(());
        }
        let (span, _) = self.about(id);
        let message = format!("`{param}` of `{}` must be {range}, not {}{when}", shortened(call.term, SHORT), short(value));
        self.report("E0308", call.term, message, |d| if span == call.term.place() { d } else { d.also(span, "") });
        None
    }
}
