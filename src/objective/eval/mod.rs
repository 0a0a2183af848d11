//! Evaluation of a program on a batch.

mod blame;
mod ops;
mod reduce;
mod time;
mod value;

use super::batch::Batch;
use super::error::ObjectiveError;
use super::history::{Entry, History};
use super::layout::Map;
use super::levels::Level;
use super::program::{Node, NodeId, Op, Program};
use super::quantities::QuantityInfo;
use crate::builtin::{AT_LEAST, AT_MOST, Builtin, Elementwise};
use candle_core::{Tensor, Var};
use std::collections::BTreeMap;
use std::sync::Arc;
pub(super) use value::{Data, Presence, Value, together};

/// Whose values the learned quantities have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Those of the policy under training.
    Learning,
    /// Those of collection time: `logp` is `old_logp`.
    Past,
    /// As given under their own names, where an equation cannot tell collection time from learning.
    Collected,
}

impl Moment {
    /// Under which names a quantity is looked for, in order.
    fn names(self, quantity: &'static str) -> &'static [&'static str] {
        match (self, quantity) {
            (Self::Past, "logp") => &["old_logp", "logp"],
            (Self::Past, "value") => &["old_value", "value"],
            (Self::Collected, "value") => &["value", "old_value"],
            (Self::Collected, "old_value") => &["old_value", "value"],
            _ => &[],
        }
    }
}

pub(super) struct Evaluator<'a> {
    pub program: &'a Program,
    pub batch: &'a Batch,
    /// `None` where nothing of the past can be needed.
    pub history: Option<&'a History>,
    pub moment: Moment,
    /// Learned quantities with respect to which gradients will be asked for.
    pub leaves: BTreeMap<&'static str, Var>,
    /// Nodes that are summands of what is minimised: see [`summands`].
    pub summands: Vec<bool>,
}

/// Values by node, `None` for those not asked for.
pub(super) struct Values(Vec<Option<Value>>);

impl Values {
    pub(super) fn get(&self, id: NodeId) -> Option<&Value> {
        self.0.get(id).and_then(Option::as_ref)
    }
}

/// The nodes whose operands are summands of the equation: one of them that has no value (its past is missing, or `only` left nothing) counts as 0 there and leaves the
/// others alone. Anywhere else what has no value takes the whole expression with it, up to the next reduction or named term.
pub(super) fn summands(program: &Program, minimize: NodeId) -> Vec<bool> {
    let mut found = vec![false; program.nodes.len()];
    let mut pending = vec![minimize];
    while let Some(id) = pending.pop() {
        if std::mem::replace(&mut found[id], true) {
            continue;
        }
        let node = &program.nodes[id];
        match (&node.op, &node.args[..]) {
            (Op::Elementwise(Builtin::Add | Builtin::Sub | Builtin::Neg, _), _) => pending.extend(&node.args),
            (Op::Elementwise(Builtin::Mul, _), [a, b]) => {
                for (this, other) in [(*a, *b), (*b, *a)] {
                    if program.nodes[this].partial && !program.nodes[other].partial {
                        pending.push(this);
                    }
                }
            }
            (Op::Elementwise(Builtin::Div, _), [a, b]) if !program.nodes[*b].partial => pending.push(*a),
            // No operand of anything else is a summand.
            _ => {}
        }
    }
    found
}

impl Evaluator<'_> {
    /// The values of `roots` and of all they need.
    pub(super) fn run(&self, roots: &[NodeId]) -> Result<Values, ObjectiveError> {
        let live = self.program.reachable(roots.iter().copied());
        let mut values = Values(Vec::with_capacity(live.len()));
        for (id, node) in self.program.nodes.iter().enumerate() {
            let value = if live[id] { Some(self.node(id, node, &values)?) } else { None };
            values.0.push(value);
        }
        Ok(values)
    }

    fn node(&self, id: NodeId, node: &Node, values: &Values) -> Result<Value, ObjectiveError> {
        // Nodes stand after their arguments, so none is missing.
        let args: Vec<&Value> = node.args.iter().filter_map(|&arg| values.get(arg)).collect();
        match &node.op {
            Op::Number(x) => Ok(Value::numbers(self.constant(node, vec![*x])?, Level::Batch, None)),
            Op::Bool(x) => Ok(Value { data: Data::Conditions([*x].into()), level: Level::Batch, presence: None }),
            Op::Quantity(info) => self.quantity(node, info),
            Op::Named(_) => arguments(node, &args).map(|[body]| body.clone()),
            Op::Elementwise(builtin, how) => {
                let summand = self.summands.get(id).copied().unwrap_or(false);
                self.elementwise(node, how, &args, summand && matches!(builtin, Builtin::Add | Builtin::Sub))
            }
            Op::Reduce(how) => arguments(node, &args).and_then(|[x]| self.reduce(node, *how, x)),
            Op::Whiten => arguments(node, &args).and_then(|[x]| self.whiten(node, x)),
            Op::Top => arguments(node, &args).and_then(|[x, fraction]| self.top(node, x, fraction)),
            Op::Gae(time) => {
                arguments(node, &args).and_then(|[reward, value, gamma, lambda]| self.gae(node, *time, reward, value, gamma, lambda))
            }
            Op::Discount(time) => arguments(node, &args).and_then(|[reward, gamma]| self.discount(node, *time, reward, gamma)),
            Op::History(row) => self.history(node, *row),
        }
    }

    /// `adds_up`: a summand of the equation that adds, so that an operand without a value counts as 0.
    fn elementwise(&self, node: &Node, how: &'static Elementwise, args: &[&Value], adds_up: bool) -> Result<Value, ObjectiveError> {
        let failed = |source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source };
        let mut args = args.iter().map(|arg| self.broadcast(node, arg, node.level)).collect::<Result<Vec<_>, _>>()?;
        if adds_up && args.iter().any(|arg| arg.presence.is_none()) {
            for arg in &mut args {
                self.zero_where_absent(node, arg)?;
            }
        }
        let mut presence = together(&args);
        let args: Vec<&Value> = args.iter().collect();
        let data = match how {
            Elementwise::Unary(f) => {
                let [x] = arguments(node, &args)?;
                Data::Numbers(ops::map1(f, &self.numbers(node, x)?).map_err(failed)?)
            }
            Elementwise::Binary(f) => {
                let [a, b] = arguments(node, &args)?;
                Data::Numbers(ops::map2(f, &self.numbers(node, a)?, &self.numbers(node, b)?).map_err(failed)?)
            }
            Elementwise::Clip => {
                let [x, low, high] = arguments(node, &args)?;
                let raised = ops::map2(&AT_LEAST, &self.numbers(node, x)?, &self.numbers(node, low)?).map_err(failed)?;
                Data::Numbers(ops::map2(&AT_MOST, &raised, &self.numbers(node, high)?).map_err(failed)?)
            }
            Elementwise::Where => {
                let [condition, a, b] = arguments(node, &args)?;
                let condition = self.conditions(node, condition)?;
                Data::Numbers(ops::select(&condition, &self.numbers(node, a)?, &self.numbers(node, b)?).map_err(failed)?)
            }
            Elementwise::Only => {
                let [x, condition] = arguments(node, &args)?;
                presence = Some(leave_out(presence.as_ref(), &self.conditions(node, condition)?));
                Data::Numbers(self.numbers(node, x)?)
            }
            Elementwise::Stop => {
                let [x] = arguments(node, &args)?;
                Data::Numbers(self.numbers(node, x)?.detach())
            }
            Elementwise::Compare(holds) => {
                let [a, b] = arguments(node, &args)?;
                let (a, b) = (self.host(node, a)?, self.host(node, b)?);
                Data::Conditions(a.iter().zip(&b).map(|(&a, &b)| holds(a, b)).collect())
            }
            Elementwise::Not => {
                let [x] = arguments(node, &args)?;
                Data::Conditions(self.conditions(node, x)?.iter().map(|x| !x).collect())
            }
            Elementwise::And => self.both(node, &args, |a, b| a && b)?,
            Elementwise::Or => self.both(node, &args, |a, b| a || b)?,
        };
        Ok(Value { data, level: node.level, presence })
    }

    fn both(&self, node: &Node, args: &[&Value], holds: fn(bool, bool) -> bool) -> Result<Data, ObjectiveError> {
        let [a, b] = arguments(node, args)?;
        let (a, b) = (self.conditions(node, a)?, self.conditions(node, b)?);
        Ok(Data::Conditions(a.iter().zip(b.iter()).map(|(&a, &b)| holds(a, b)).collect()))
    }

    fn quantity(&self, node: &Node, info: &'static QuantityInfo) -> Result<Value, ObjectiveError> {
        if let (Moment::Learning, Some(leaf)) = (self.moment, self.leaves.get(info.name)) {
            let value = Value::numbers(leaf.as_tensor().clone(), info.level, None);
            return self.check_given(node, &value).map(|()| value);
        }
        let names = std::iter::once(&info.name).filter(|_| self.moment.names(info.name).is_empty());
        let column = names.chain(self.moment.names(info.name)).find_map(|name| self.batch.column(name));
        let missing = || ObjectiveError::Missing { quantity: info.name, place: node.place() };
        let tensor = column.ok_or_else(missing)?;
        let value = Value::numbers(tensor.clone(), info.level, None);
        self.check_given(node, &value).map(|()| value)
    }

    fn history(&self, node: &Node, row: usize) -> Result<Value, ObjectiveError> {
        let no_history = || ObjectiveError::NoHistory { text: node.text.clone(), place: node.place() };
        let expression = self.program.histories.get(row).ok_or_else(no_history)?;
        let history = self.history.ok_or_else(no_history)?;
        let means: Vec<Option<f64>> = if expression.by_turn {
            let turns = self.batch.layout.turn_numbers();
            let turns = turns.ok_or(ObjectiveError::NoKey { level: Level::TurnIndex, place: node.place() })?;
            turns.into_iter().map(|turn| history.mean_of_turn(expression, turn)).collect()
        } else {
            vec![history.mean(expression)]
        };
        let presence = means.iter().any(Option::is_none);
        let presence = presence.then(|| means.iter().map(|m| if m.is_some() { Presence::Here } else { Presence::NoPast }).collect());
        let values = means.into_iter().map(|mean| mean.unwrap_or(0.0)).collect();
        Ok(Value::numbers(self.constant(node, values)?, node.level, presence))
    }

    /// What each `history` of the program has to remember of this batch, under the policy that collected it.
    pub(super) fn remember(&self, live: &[bool]) -> Result<Vec<(String, Entry)>, ObjectiveError> {
        let mut entries = Vec::new();
        for (node, _) in self.program.nodes.iter().zip(live).filter(|(_, live)| **live) {
            let Op::History(row) = node.op else { continue };
            let Some(expression) = self.program.histories.get(row) else { continue };
            if entries.iter().any(|(id, _)| *id == expression.id) {
                continue;
            }
            let values = self.run(&[expression.argument])?;
            let Some(value) = values.get(expression.argument) else { continue };
            let entry = if expression.by_turn {
                Entry::ByTurn(self.means_by_turn(node, value)?)
            } else {
                self.check_finite(&values, expression.argument, &expression.text, expression.place)?;
                Entry::Whole(self.scalar(node, value)?)
            };
            entries.push((expression.id.clone(), entry));
        }
        Ok(entries)
    }

    fn means_by_turn(&self, node: &Node, value: &Value) -> Result<Vec<(u64, f64)>, ObjectiveError> {
        let no_key = ObjectiveError::NoKey { level: Level::TurnIndex, place: node.place() };
        let turns = self.batch.layout.turn_numbers().ok_or(no_key)?;
        let means = match value.level {
            Level::TurnIndex => value.clone(),
            Level::Batch => self.broadcast(node, value, Level::TurnIndex)?,
            _ => self.mean_over(node, value, Level::TurnIndex)?,
        };
        let numbers = self.host(node, &means)?;
        let mut by_turn: Vec<(u64, f64)> = turns
            .into_iter()
            .zip(numbers)
            .enumerate()
            .filter(|(element, _)| means.presence_of(*element) == Presence::Here)
            .map(|(_, pair)| pair)
            .collect();
        by_turn.sort_by_key(|(turn, _)| *turn);
        Ok(by_turn)
    }

    /// One number for a value of any level: itself, or the mean over its elements. `None` if it has none.
    pub(super) fn scalar(&self, node: &Node, value: &Value) -> Result<Option<f64>, ObjectiveError> {
        let whole = self.whole(node, value)?;
        let number = self.host(node, &whole)?.first().copied();
        Ok(number.filter(|_| whole.presence_of(0) == Presence::Here))
    }

    /// As [`Self::scalar`], but still a tensor with a gradient.
    pub(super) fn whole(&self, node: &Node, value: &Value) -> Result<Value, ObjectiveError> {
        if value.level == Level::Batch { Ok(value.clone()) } else { self.mean_over(node, value, Level::Batch) }
    }

    pub(super) fn broadcast(&self, node: &Node, value: &Value, to: Level) -> Result<Value, ObjectiveError> {
        if value.level == to {
            return Ok(value.clone());
        }
        let map = self.map(node, to, value.level)?;
        let data = match &value.data {
            Data::Numbers(tensor) => {
                let failed = |source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source };
                Data::Numbers(tensor.index_select(&map.tensor, 0).map_err(failed)?)
            }
            Data::Conditions(conditions) => Data::Conditions(spread(conditions, map)),
        };
        let presence = value.presence.as_ref().map(|presence| spread(presence, map));
        Ok(Value { data, level: to, presence })
    }

    fn map(&self, node: &Node, from: Level, to: Level) -> Result<&Map, ObjectiveError> {
        let layout = &self.batch.layout;
        layout.get_map(from, to).ok_or_else(|| {
            let unknown = [from, to].into_iter().find(|level| layout.count(*level).is_none()).unwrap_or(to);
            ObjectiveError::NoKey { level: unknown, place: node.place() }
        })
    }

    fn zero_where_absent(&self, node: &Node, value: &mut Value) -> Result<(), ObjectiveError> {
        if let Some(here) = value.here() {
            let failed = |source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source };
            value.data = Data::Numbers(ops::keep(&here, &self.numbers(node, value)?).map_err(failed)?);
            value.presence = None;
        }
        Ok(())
    }

    /// As a tensor; a condition as 0 and 1.
    fn numbers(&self, node: &Node, value: &Value) -> Result<Tensor, ObjectiveError> {
        match &value.data {
            Data::Numbers(tensor) => Ok(tensor.clone()),
            Data::Conditions(c) => self.constant(node, c.iter().map(|&c| f64::from(u8::from(c))).collect()),
        }
    }

    fn conditions(&self, node: &Node, value: &Value) -> Result<Arc<[bool]>, ObjectiveError> {
        match &value.data {
            Data::Conditions(conditions) => Ok(conditions.clone()),
            Data::Numbers(_) => Ok(self.host(node, value)?.iter().map(|&x| x != 0.0).collect()),
        }
    }

    pub(super) fn host(&self, node: &Node, value: &Value) -> Result<Vec<f64>, ObjectiveError> {
        let failed = |source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source };
        self.numbers(node, value)?.to_vec1().map_err(failed)
    }

    fn constant(&self, node: &Node, values: Vec<f64>) -> Result<Tensor, ObjectiveError> {
        ops::constant(values).map_err(|source| ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source })
    }
}

/// As many arguments as an operation has; the check gives every node those.
fn arguments<'v, const N: usize>(node: &Node, args: &[&'v Value]) -> Result<[&'v Value; N], ObjectiveError> {
    <[&Value; N]>::try_from(args).map_err(|_| {
        let source = candle_core::Error::Msg(format!("{} arguments where {N} belong", args.len()));
        ObjectiveError::Tensor { text: node.text.clone(), place: node.place(), source }
    })
}

/// Presence without the elements that are not kept. What already had no past has none in the condition either, and stays so.
fn leave_out(presence: Option<&Arc<[Presence]>>, kept: &[bool]) -> Arc<[Presence]> {
    let before = |element: usize| presence.and_then(|p| p.get(element)).copied().unwrap_or(Presence::Here);
    let after = |(element, &kept): (usize, &bool)| match before(element) {
        Presence::Here if !kept => Presence::Void,
        other => other,
    };
    kept.iter().enumerate().map(after).collect()
}

fn spread<T: Copy>(values: &[T], map: &Map) -> Arc<[T]> {
    map.to.iter().filter_map(|&element| values.get(element as usize).copied()).collect()
}
