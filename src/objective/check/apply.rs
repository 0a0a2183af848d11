//! The rules of one call: types of arguments, level of the result.

use super::super::levels::Level;
use super::super::program::{Kind, NodeId, Op, SHORT};
use super::super::quantities::TOP_SHARES;
use super::super::schedule::{over_the_run, short};
use super::Checker;
use crate::builtin::{Builtin, Default, Elementwise, Operation, Row, Type};
use crate::lang::Span;
use crate::lang::print::shortened;
use crate::lang::term::{Argument, Term};
use std::sync::Arc;

/// Arguments by position, with defaults filled in.
pub(super) struct Call<'t> {
    pub term: &'t Arc<Term>,
    builtin: Builtin,
    pub row: &'static Row,
    nodes: Vec<Option<NodeId>>,
    keys: Vec<Option<(Level, Span)>>,
    /// Words and strings that are no level.
    words: Vec<Option<(&'t Arc<str>, Span)>>,
}

impl Call<'_> {
    pub(super) fn node(&self, position: usize) -> Option<NodeId> {
        self.nodes.get(position).copied().flatten()
    }

    /// Those that were given or have a default, in order.
    pub(super) fn given(&self) -> Vec<NodeId> {
        self.nodes.iter().flatten().copied().collect()
    }

    /// The string, or the name of a text, at a position.
    pub(super) fn word(&self, position: usize) -> Option<(&Arc<str>, Span)> {
        self.words.get(position).copied().flatten()
    }

    pub(super) fn key(&self, name: &str) -> Option<(Level, Span)> {
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
            Operation::Quantile => self.quantile(&call),
            Operation::Rank => self.rank(&call),
            Operation::TopShare => self.top_share(&call),
            Operation::Gae => self.along_time(&call, 2, Op::Gae),
            Operation::Discount => self.along_time(&call, 1, Op::Discount),
            Operation::SoFar => self.along_time(&call, 1, Op::SoFar),
            Operation::OnLast => self.on_last(&call),
            Operation::Neighbour { after } => self.neighbour(&call, *after),
            Operation::History => self.history(&call),
            Operation::Collected => self.collected(&call),
            Operation::Carry => self.carry(&call),
            Operation::OfText(function) => self.of_text(&call, *function),
        }
    }

    /// `None` if an argument had a mistake of its own.
    fn arguments<'t>(&mut self, term: &'t Arc<Term>, builtin: Builtin, args: &'t [Argument]) -> Option<Call<'t>> {
        let mut call = Call { term, builtin, row: builtin.row(), nodes: vec![], keys: vec![], words: vec![] };
        let mut sound = true;
        for (i, param) in call.row.params.iter().enumerate() {
            let (mut node, mut key, mut said) = (None, None, None);
            match args.get(i).unwrap_or(&Argument::Absent) {
                Argument::Term(arg) => {
                    node = self.checked(arg);
                    sound &= node.is_some();
                }
                Argument::Text(text, span) => said = Some((text, *span)),
                Argument::Key(word, span) if matches!(call.row.operation, Operation::OfText(_)) => said = Some((word, *span)),
                Argument::Key(word, span) => {
                    key = Level::from_key(word).map(|level| (level, *span));
                    if key.is_none() {
                        let message = format!("`{}` cannot be `{word}`: each token and each turn is told apart already", param.name);
                        self.report("E0117", term, message, |d| d.also(*span, ""));
                        sound = false;
                    }
                }
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
            call.words.push(said);
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
            let message = format!("`{}` is {found}, but `{}` needs {needed}", node.text(), call.row.name);
            let (place, inner, whole) = (node.place(), node.span(), call.term.place());
            let mut diagnostic = super::placed(crate::lang::Diagnostic::error("E0304", place, message), place, inner);
            if whole != place {
                diagnostic = diagnostic.also(whole, "needed here");
            }
            self.diagnostics.push(diagnostic.help(help));
        }
        sound.then_some(())
    }

    fn elementwise(&mut self, call: &Call, how: &'static Elementwise) -> Option<NodeId> {
        let mut args = call.given();
        if matches!(call.builtin, Builtin::Add | Builtin::Sub) {
            args = self.with_noise_in_place(call.term, args)?;
        }
        let level = args.iter().fold(Level::Batch, |level, &arg| level.meet(self.program.nodes[arg].level));
        let kind = if call.row.result == Type::Condition { Kind::Condition } else { Kind::Number };
        self.push(call.term, Op::Elementwise(call.builtin, how), args, level, kind, call.row.gradient)
    }

    fn top_share(&mut self, call: &Call) -> Option<NodeId> {
        let count = call.node(0)?;
        let most = TOP_SHARES.len();
        let Some(number) = self.program.nodes[count].constant else {
            let text = self.program.nodes[count].text();
            self.report("E0308", call.term, format!("`count` must be a number that is known before the run, not `{text}`"), |d| d);
            return None;
        };
        let place = (number.fract() == 0.0 && number >= 1.0).then_some(number as usize);
        let Some(info) = place.and_then(|place| TOP_SHARES.get(place - 1)) else {
            let message =
                format!("`count` of `{}` must be a whole number of 1 to {most}, not {}", shortened(call.term, SHORT), short(number));
            self.report("E0308", call.term, message, |d| d);
            return None;
        };
        self.quantity(call.term, info)
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

    pub(super) fn one_number(&mut self, call: &Call, param: &str, id: NodeId) -> Option<()> {
        if self.program.nodes[id].level == Level::Batch {
            return Some(());
        }
        self.too_fine(call, param, id, Level::Batch);
        None
    }

    pub(super) fn too_fine(&mut self, call: &Call, param: &str, id: NodeId, wanted: Level) -> Option<NodeId> {
        let (span, words) = self.about(id);
        let text = self.program.nodes[id].text();
        let by = if wanted == Level::Batch { String::new() } else { format!(", by = {wanted}") };
        let message = format!("`{param}` of `{}` takes {}, but `{text}` has {words}", call.row.name, wanted.words());
        self.report("E0311", call.term, message, |d| {
            d.also(span, words).help(format!("reduce it: `mean({text}{by})` or `sum({text}{by})`"))
        });
        None
    }

    pub(super) fn constant_within(&mut self, call: &Call, param: &str, id: NodeId, fits: fn(f64) -> bool, range: &str) -> Option<()> {
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
