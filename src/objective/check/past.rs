//! Calls that speak of other batches: of earlier iterations, of the whole collected batch, of what is handed on.

use super::super::FULL;
use super::super::context::Place;
use super::super::levels::Level;
use super::super::needs::is_carried;
use super::super::program::{CarryExpr, CollectedExpr, HistoryExpr, Into, Kind, NodeId, Op};
use super::apply::Call;
use super::{Checker, placed};
use crate::lang::Diagnostic;
use crate::lang::print::shortened;
use crate::lang::term::{Argument, Term, TermKind};

impl Checker<'_> {
    pub(super) fn history(&mut self, call: &Call) -> Option<NodeId> {
        let argument = call.node(0)?;
        let by = call.key("by").map(|(level, _)| level);
        self.not_in_a_schedule(call)?;
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
        if let (Some((level, span)), Some(None)) = (call.key("by"), by.map(Level::lasting)) {
            let message = format!("`history` cannot tell what belongs together in different iterations by `{level}`");
            self.report("E0311", call.term, message, |d| {
                d.also(span, "").help("what is the same in every iteration is `turn_index`, `task` and `anchor`, the state within its task")
            });
            return None;
        }
        let quantile = self.number_before_the_run(call, "quantile", 6)?;
        if let Some(id) = call.node(6) {
            self.constant_within(call, "quantile", id, |q| (0.0..=1.0).contains(&q), "within [0, 1]")?;
            if by.is_some() || call.node(4).is_some() || call.node(5).is_some() {
                let message = "with `quantile` all earlier values count alike: there is no `by`, `decay` or `prior`";
                self.report("E0304", call.term, message, |d| d.help("`window = n` looks at the last n iterations alone"));
                return None;
            }
            if !Level::Episode.within(level) {
                return self.too_fine(call, "x", argument, Level::Episode);
            }
        }
        if by.is_none() && quantile.is_none() && level != Level::Batch {
            let (text, (span, words)) = (self.program.nodes[argument].text(), self.about(argument));
            self.report("E0311", call.term, format!("`history` keeps one number an iteration, but `{text}` has {words}"), |d| {
                d.also(span, words).help(format!("reduce it: `history(mean({text}))`; or keep one for each turn number: `by = turn_index`"))
            });
            return None;
        }
        let window = self.number_before_the_run(call, "window", 1)?;
        if let Some(id) = call.node(1) {
            self.constant_within(call, "window", id, |n| n >= 1.0 && n.fract() == 0.0, "a whole number of 1 or more")?;
        }
        let (to, first) = (by.unwrap_or(Level::Batch), call.node(3));
        if let Some(first) = first
            && self.program.nodes[first].level.meet(to) != to
        {
            return self.too_fine(call, "first", first, to);
        }
        let decay = self.number_before_the_run(call, "decay", 4)?;
        if let Some(id) = call.node(4) {
            self.constant_within(call, "decay", id, |d| d > 0.0 && d <= 1.0, "above 0 and not above 1")?;
        }
        let prior = self.number_before_the_run(call, "prior", 5)?;
        if let Some(id) = call.node(5) {
            self.constant_within(call, "prior", id, |n| n >= 0.0, "0 or more")?;
            if first.is_none() {
                self.report("E0304", call.term, "`prior` says how much `first` counts, and there is no `first`", |d| {
                    d.help("write what it is without a past: `first = 0.5`")
                });
                return None;
            }
        }
        let node = &self.program.nodes[argument];
        let own = match by {
            None if quantile.is_some() => "-values".into(),
            None => String::new(),
            Some(Level::TurnIndex) => "-by-turn".into(),
            Some(level) => format!("-by-{level}"),
        };
        let id = format!("{}-{}{own}", self.whose(), &node.digest.to_hex()[..16]);
        let text = first_argument(call.term).unwrap_or_else(|| node.text());
        let window = window.map(|window| window as usize);
        let (prior, place) = (prior.unwrap_or(0.0), call.term.place());
        let expression = HistoryExpr { id, argument, window, by, decay, quantile, prior, text, place };
        self.program.histories.push(expression);
        let row = self.program.histories.len() - 1;
        self.push(call.term, Op::History(row), first.into_iter().collect(), to, Kind::Number, call.row.gradient)
    }

    pub(super) fn collected(&mut self, call: &Call) -> Option<NodeId> {
        self.not_in_a_schedule(call)?;
        let argument = call.node(0)?;
        let node = &self.program.nodes[argument];
        // An advantage is evaluated on the whole batch anyway, and what is one already stays it.
        if self.scope.place == Place::Advantage || matches!(node.op, Op::Collected(_)) {
            return Some(argument);
        }
        let (level, kind) = (node.level, node.kind);
        if level.meet(Level::Turn) == Level::Token && level != Level::Token {
            return self.too_fine(call, "x", argument, Level::Batch);
        }
        let id = node.digest.to_hex()[..16].to_owned();
        self.program.collected.push(CollectedExpr { id, argument });
        let row = self.program.collected.len() - 1;
        self.push(call.term, Op::Collected(row), vec![], level, kind, call.row.gradient)
    }

    pub(super) fn carry(&mut self, call: &Call) -> Option<NodeId> {
        self.not_in_a_schedule(call)?;
        let next = call.node(1)?;
        self.one_number(call, "next", next)?;
        let start = self.number_before_the_run(call, "start", 0)??;
        let low = self.number_before_the_run(call, "low", 2)?;
        let high = self.number_before_the_run(call, "high", 3)?;
        let outside = |low: Option<f64>, x: f64, high: Option<f64>| low.is_some_and(|low| x < low) || high.is_some_and(|high| x > high);
        if outside(low, start, high) || low.is_some_and(|low| high.is_some_and(|high| low > high)) {
            let message = "`start` of `carry` must lie between `low` and `high`";
            self.report("E0308", call.term, message, |d| d);
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.program.nodes[next].digest.as_bytes());
        for number in [Some(start), low, high] {
            hasher.update(&number.map_or(u64::MAX, f64::to_bits).to_le_bytes());
        }
        let id = format!("{}-{}", self.whose(), &hasher.finalize().to_hex()[..16]);
        let (text, place) = (shortened(call.term, FULL), call.term.place());
        self.program.carries.push(CarryExpr { id, start, next, low, high, text, place });
        let row = self.program.carries.len() - 1;
        self.push(call.term, Op::Carry(row), vec![], Level::Batch, Kind::Number, call.row.gradient)
    }

    /// Reports `carried` where no `carry` gives it a value. Returns whether there is none.
    pub(in super::super) fn nothing_carried_outside(&mut self, roots: &[NodeId]) -> bool {
        let histories = |nodes: &[bool]| -> Vec<NodeId> {
            let live = self.program.nodes.iter().zip(nodes).filter(|(_, live)| **live);
            let row = |op: &Op| if let Op::History(row) = op { self.program.histories.get(*row).map(|e| e.argument) } else { None };
            live.filter_map(|(node, _)| row(&node.op)).collect()
        };
        let live = self.program.reachable_into(Into::Collected, roots.iter().copied());
        let remembered = histories(&live);
        let live = self.program.reachable_into(Into::Collected, roots.iter().copied().chain(remembered));
        let found = self.program.nodes.iter().zip(live).find(|(node, live)| *live && is_carried(&node.op)).map(|(node, _)| node);
        let Some(node) = found else { return true };
        let message = "`carried` is not known here: it is the present number of a `carry`, in its `next`";
        let diagnostic = placed(Diagnostic::error("E0305", node.place(), message), node.place(), node.span());
        self.diagnostics.push(diagnostic.help("for example `carry(0.1, next = carried * 1.01, high = 1)`"));
        false
    }

    pub(super) fn not_in_a_schedule(&mut self, call: &Call) -> Option<()> {
        if self.scope.place != Place::Schedule {
            return Some(());
        }
        let message = format!("`{}` is not known here: a schedule is evaluated without a batch", call.row.name);
        self.report("E0305", call.term, message, |d| d.help("a schedule may mention `iteration`, `iterations` and `progress`"));
        None
    }

    /// Two equations of a stage each remember their own.
    fn whose(&self) -> &'static str {
        match self.scope.place {
            Place::Advantage => "advantage",
            Place::Weight => "weights",
            Place::Loss | Place::Schedule | Place::Condition | Place::Reward => "loss",
        }
    }

    /// The number that is given to a parameter, if one is; `None` after a mistake.
    #[expect(clippy::option_option, reason = "a mistake is not the same as a number that was left out")]
    fn number_before_the_run(&mut self, call: &Call, param: &str, position: usize) -> Option<Option<f64>> {
        let Some(id) = call.node(position) else { return Some(None) };
        if let Some(constant) = self.program.nodes[id].constant {
            return Some(Some(constant));
        }
        let text = self.program.nodes[id].text();
        self.report("E0308", call.term, format!("`{param}` must be a number that is known before the run, not `{text}`"), |d| d);
        None
    }
}

/// What is averaged, in full.
fn first_argument(term: &Term) -> Option<String> {
    let TermKind::Apply { args, .. } = &term.kind else { return None };
    match args.first()? {
        Argument::Term(term) => Some(shortened(term, FULL)),
        Argument::Key(..) | Argument::Text(..) | Argument::Absent => None,
    }
}
