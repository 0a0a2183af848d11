//! Evaluation of a program on a batch.

mod blame;
mod context;
mod ops;
mod order;
mod past;
mod reduce;
mod text;
mod time;
mod value;

use super::batch::Batch;
use super::error::ObjectiveError;
use super::history::History;
use super::layout::Map;
use super::levels::Level;
use super::program::{Node, NodeId, Op, Program};
use super::quantities::QuantityInfo;
use crate::builtin::{AT_LEAST, AT_MOST, Builtin, Elementwise};
use candle_core::{Tensor, Var};
pub(super) use context::Standing;
use std::collections::BTreeMap;
use std::sync::Arc;
pub(super) use value::{Data, Presence, Value, together};

/// Whose values the learned quantities have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Those of the policy under training.
    Learning,
    /// Those of collection time, which a batch may have under either name: `logp` is `old_logp`, `value` is `old_value`.
    Collected,
    /// When the updates of an iteration are done: `logp` is the updated policy's, everything else is of collection time.
    Updated,
}

impl Moment {
    /// Under which names a quantity is looked for, in order.
    fn names(self, quantity: &'static str) -> &'static [&'static str] {
        match (self, quantity) {
            (Self::Collected, "logp") => &["old_logp", "logp"],
            (Self::Collected | Self::Updated, "value" | "old_value") => &["old_value", "value"],
            (Self::Collected | Self::Updated, "entropy" | "old_entropy") => &["old_entropy", "entropy"],
            _ => &[],
        }
    }
}

pub(super) struct Evaluator<'a> {
    pub program: &'a Program,
    pub batch: &'a Batch,
    /// `None` where nothing of the past is known.
    pub history: Option<&'a History>,
    pub moment: Moment,
    /// Learned quantities with respect to which gradients will be asked for.
    pub leaves: BTreeMap<&'static str, Var>,
    /// Of the roots that are asked for.
    pub standing: Standing,
}

/// Values by node and standing, `None` for those not asked for.
pub(super) struct Values(Vec<[Option<Value>; 3]>);

impl Values {
    /// Where it stands outermost.
    pub(super) fn get(&self, id: NodeId) -> Option<&Value> {
        self.0.get(id)?.iter().rev().find_map(Option::as_ref)
    }

    fn standing(&self, id: NodeId, standing: Standing) -> Option<&Value> {
        self.0.get(id)?[standing as usize].as_ref()
    }
}

impl Evaluator<'_> {
    /// The values of `roots` and of all they need.
    pub(super) fn run(&self, roots: &[NodeId]) -> Result<Values, ObjectiveError> {
        let nodes = &self.program.nodes;
        let mut needed = vec![[false; 3]; nodes.len()];
        for &root in roots {
            // What has finer values is looked at as their mean.
            let standing = if nodes[root].level == Level::Batch { self.standing } else { self.standing.below_a_mean() };
            needed[root][standing as usize] = true;
        }
        for (id, node) in nodes.iter().enumerate().rev() {
            for standing in Standing::ALL.into_iter().filter(|s| needed[id][*s as usize]).collect::<Vec<_>>() {
                for (position, &arg) in node.args.iter().enumerate() {
                    needed[arg][standing.of_argument(node, position) as usize] = true;
                }
            }
        }
        let mut values = Values(Vec::with_capacity(nodes.len()));
        // Where something below has no value, what a node computes depends on where it stands.
        let mut lacking = vec![false; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            lacking[id] = node.args.iter().any(|&arg| lacking[arg]);
            let mut found: [Option<Value>; 3] = [None, None, None];
            for standing in Standing::ALL.into_iter().filter(|s| needed[id][*s as usize]) {
                let same = if lacking[id] { None } else { found.iter().flatten().next().cloned() };
                found[standing as usize] = Some(match same {
                    Some(value) => value,
                    None => self.node(node, standing, &values)?,
                });
            }
            lacking[id] |= found.iter().flatten().any(|value| value.presence.is_some());
            values.0.push(found);
        }
        Ok(values)
    }

    fn node(&self, node: &Node, standing: Standing, values: &Values) -> Result<Value, ObjectiveError> {
        // Nodes stand after their arguments, so none is missing.
        let arg = |(position, &arg): (usize, &NodeId)| values.standing(arg, standing.of_argument(node, position));
        let args: Vec<&Value> = node.args.iter().enumerate().filter_map(arg).collect();
        match &node.op {
            Op::Number(x) => Ok(Value::numbers(self.constant(node, vec![*x])?, Level::Batch, None)),
            Op::Bool(x) => Ok(Value { data: Data::Conditions([*x].into()), level: Level::Batch, presence: None }),
            Op::Quantity(info) => self.quantity(node, info),
            Op::Named(_) => arguments(node, &args).map(|[body]| body.clone()),
            Op::Elementwise(Builtin::Add | Builtin::Sub, how) if standing != Standing::Plain => self.sum(node, how, standing, &args),
            Op::Elementwise(_, how) => self.elementwise(node, how, &args),
            Op::Reduce(how) => arguments(node, &args).and_then(|[x]| self.reduce(node, *how, x)),
            Op::Noise => arguments(node, &args).and_then(|[x]| self.noise(node, x)),
            Op::Whiten => arguments(node, &args).and_then(|[x]| self.whiten(node, x)),
            Op::Top => arguments(node, &args).and_then(|[x, fraction]| self.top(node, x, fraction)),
            Op::Quantile => arguments(node, &args).and_then(|[x, which]| self.quantile(node, x, which)),
            Op::Rank(by) => match args.as_slice() {
                [x, of] => self.rank(node, *by, x, Some(of)),
                _ => arguments(node, &args).and_then(|[x]| self.rank(node, *by, x, None)),
            },
            Op::Gae(time) => {
                arguments(node, &args).and_then(|[reward, value, gamma, lambda]| self.gae(node, *time, reward, value, gamma, lambda))
            }
            Op::Discount(time) => arguments(node, &args).and_then(|[reward, gamma]| self.discount(node, *time, reward, gamma)),
            Op::SoFar(time) => arguments(node, &args).and_then(|[x, gamma]| self.so_far(node, *time, x, gamma)),
            Op::OnLast(time) => arguments(node, &args).and_then(|[x]| self.on_last(node, *time, x)),
            Op::Neighbour { time, after } => arguments(node, &args).and_then(|[x, beyond]| self.neighbour(node, *time, *after, x, beyond)),
            Op::History(row) => self.history(node, *row, args.first().copied()),
            Op::Collected(row) => self.collected(node, *row),
            Op::Carry(row) => self.carried(node, *row),
            Op::OfText(question) => self.of_text(node, question),
        }
    }

    /// A sum in which an operand without a value counts as 0; where both have none, neither has the sum.
    fn sum(&self, node: &Node, how: &'static Elementwise, standing: Standing, args: &[&Value]) -> Result<Value, ObjectiveError> {
        let lacks = |presence: Presence| match standing {
            Standing::Outermost => presence != Presence::Here,
            Standing::Plain | Standing::Summand => presence == Presence::NoPast,
        };
        let [a, b] = arguments(node, args)?;
        let (mut a, mut b) = (self.broadcast(node, a, node.level)?, self.broadcast(node, b, node.level)?);
        let both = |(a, b): (Presence, Presence)| match (lacks(a), lacks(b)) {
            (true, false) => b,
            (false, true) => a,
            _ => a.max(b),
        };
        let presence = a.presence.as_ref().or(b.presence.as_ref()).map(|some| {
            let all = (0..some.len()).map(|element| both((a.presence_of(element), b.presence_of(element))));
            all.collect::<Arc<[Presence]>>()
        });
        for arg in [&mut a, &mut b] {
            self.zero_where(node, arg, lacks)?;
            arg.presence = None;
        }
        let sum = self.elementwise(node, how, &[&a, &b])?;
        Ok(Value { presence: presence.filter(|p| p.iter().any(|p| *p != Presence::Here)), ..sum })
    }

    fn elementwise(&self, node: &Node, how: &'static Elementwise, args: &[&Value]) -> Result<Value, ObjectiveError> {
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
        let args = args.iter().map(|arg| self.broadcast(node, arg, node.level)).collect::<Result<Vec<_>, _>>()?;
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
                let truths = self.conditions(node, condition)?;
                if presence.is_some() {
                    // The branch that is not taken does not matter.
                    let of = |(element, taken): (usize, &bool)| {
                        condition.presence_of(element).max(if *taken { a } else { b }.presence_of(element))
                    };
                    let all: Arc<[Presence]> = truths.iter().enumerate().map(of).collect();
                    presence = all.iter().any(|p| *p != Presence::Here).then_some(all);
                }
                Data::Numbers(ops::select(&truths, &self.numbers(node, a)?, &self.numbers(node, b)?).map_err(failed)?)
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
        let left_out =
            self.batch.left_out(info.name).map(|out| out.iter().map(|o| if *o { Presence::Void } else { Presence::Here }).collect());
        let value = Value::numbers(tensor.clone(), info.level, left_out);
        self.check_given(node, &value).map(|()| value)
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
                let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
                Data::Numbers(tensor.index_select(&map.tensor, 0).map_err(failed)?)
            }
            Data::Conditions(conditions) => Data::Conditions(spread(conditions, &map)),
        };
        let presence = value.presence.as_ref().map(|presence| spread(presence, &map));
        Ok(Value { data, level: to, presence })
    }

    fn map(&self, node: &Node, from: Level, to: Level) -> Result<Map, ObjectiveError> {
        let layout = &self.batch.layout;
        layout.get_map(from, to).ok_or_else(|| {
            let unknown = [from, to].into_iter().find(|level| layout.count(*level).is_none()).unwrap_or(to);
            ObjectiveError::NoKey { level: unknown, place: node.place() }
        })
    }

    /// 0 in the place of values with such a presence.
    fn zero_where(&self, node: &Node, value: &mut Value, lacks: impl Fn(Presence) -> bool) -> Result<(), ObjectiveError> {
        if let Some(presence) = value.presence.as_ref().filter(|all| all.iter().any(|p| lacks(*p))) {
            let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
            let kept = presence.iter().map(|p| !lacks(*p)).collect();
            value.data = Data::Numbers(ops::keep(&kept, &self.numbers(node, value)?).map_err(failed)?);
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
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
        self.numbers(node, value)?.to_vec1().map_err(failed)
    }

    fn constant(&self, node: &Node, values: Vec<f64>) -> Result<Tensor, ObjectiveError> {
        ops::constant(values).map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })
    }
}

/// As many arguments as an operation has; the check gives every node those.
fn arguments<'v, const N: usize>(node: &Node, args: &[&'v Value]) -> Result<[&'v Value; N], ObjectiveError> {
    <[&Value; N]>::try_from(args).map_err(|_| {
        let source = candle_core::Error::Msg(format!("{} arguments where {N} belong", args.len()));
        ObjectiveError::Tensor { text: node.text(), place: node.place(), source }
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
