//! Along time: discounted sums and generalised advantage estimation.

use super::super::error::ObjectiveError;
use super::super::layout::Chain;
use super::super::levels::Level;
use super::super::program::{Node, Time};
use super::ops::{self, Factor};
use super::{Data, Evaluator, Presence, Value};
use candle_core::{DType, Device, Result, Tensor};
use std::sync::Arc;

type Outcome<T> = std::result::Result<T, ObjectiveError>;

/// `x` of the element that follows, 0 at the end.
fn following(chain: &Chain, x: &Tensor) -> Result<Tensor> {
    if chain.next.is_empty() {
        return Ok(x.clone());
    }
    let at: Vec<u32> = chain.next.iter().map(|&next| if next == Chain::END { 0 } else { next }).collect();
    let next = x.index_select(&Tensor::from_slice(&at, at.len(), &Device::Cpu)?, 0)?;
    ops::keep(&chain.next.iter().map(|&next| next != Chain::END).collect(), &next)
}

/// The same steps from the last to the first.
fn backwards(chain: &Chain) -> Chain {
    let mut before = vec![Chain::END; chain.next.len()];
    for (step, &next) in (0u32..).zip(chain.next.iter()) {
        if let Some(before) = before.get_mut(next as usize) {
            *before = step;
        }
    }
    Chain { next: before.into(), order: chain.order.iter().rev().copied().collect(), credit: chain.credit.clone() }
}

/// One reward a row, put on the row's last token (or on the last before it, if the row has none).
fn credited(chain: &Chain, rewards: &Tensor) -> Result<Tensor> {
    let rows: Vec<u32> = (0u32..).zip(chain.credit.iter()).filter(|(_, to)| **to != Chain::END).map(|(row, _)| row).collect();
    let to: Vec<u32> = chain.credit.iter().copied().filter(|to| *to != Chain::END).collect();
    let tokens = Tensor::zeros(chain.next.len(), DType::F64, &Device::Cpu)?;
    if rows.is_empty() {
        return Ok(tokens);
    }
    let rewards = rewards.index_select(&Tensor::from_slice(&rows, rows.len(), &Device::Cpu)?, 0)?;
    tokens.index_add(&Tensor::from_slice(&to, to.len(), &Device::Cpu)?, &rewards, 0)
}

impl Evaluator<'_> {
    /// `Aₜ = δₜ + γλ Aₜ₊₁` with `δₜ = rₜ + γ Vₜ₊₁ − Vₜ` (arXiv:1506.02438, eq. 11 to 16); nothing follows the last step.
    pub(super) fn gae(&self, node: &Node, time: Time, reward: &Value, value: &Value, gamma: &Value, lambda: &Value) -> Outcome<Value> {
        let (gamma, lambda) = (self.rate(node, time, gamma)?, self.rate(node, time, lambda)?);
        let chain = self.chain(node, time)?;
        let left_out = self.left_out(node, time, reward)?;
        let reward = self.rewards(node, time, &chain, reward)?;
        let value = self.steps(node, time, value)?;
        let scan = || {
            let delta = ((reward + gamma.of(&following(&chain, &value)?)?)? - &value)?;
            ops::scan(&chain, gamma.times(&lambda), &delta)
        };
        along(node, time, left_out, scan)
    }

    /// `Gₜ = rₜ + γ Gₜ₊₁`.
    pub(super) fn discount(&self, node: &Node, time: Time, reward: &Value, gamma: &Value) -> Outcome<Value> {
        let gamma = self.rate(node, time, gamma)?;
        let chain = self.chain(node, time)?;
        let left_out = self.left_out(node, time, reward)?;
        let reward = self.rewards(node, time, &chain, reward)?;
        along(node, time, left_out, || ops::scan(&chain, gamma, &reward))
    }

    /// `Sₜ = xₜ + γₜ₋₁ Sₜ₋₁`.
    pub(super) fn so_far(&self, node: &Node, time: Time, x: &Value, gamma: &Value) -> Outcome<Value> {
        let chain = self.chain(node, time)?;
        let back = backwards(&chain);
        let gamma = match self.rate(node, time, gamma)? {
            Factor::Each(rates) => {
                let before = back.next.iter().map(|&before| rates.get(before as usize).copied().unwrap_or(0.0));
                Factor::Each(before.collect())
            }
            same @ Factor::Same(_) => same,
        };
        let left_out = self.left_out(node, time, x)?;
        let x = self.rewards(node, time, &chain, x)?;
        along(node, time, left_out, || ops::scan(&back, gamma, &x))
    }

    /// `x` on the last step of what it belongs to, 0 elsewhere.
    pub(super) fn on_last(&self, node: &Node, time: Time, x: &Value) -> Outcome<Value> {
        let chain = self.chain(node, time)?;
        let left_out = self.left_out(node, time, x)?;
        let once = time.by == Level::Episode && Level::Episode.within(x.level);
        let mut by_row = self.steps(node, Time { per: Level::Turn, ..time }, x)?;
        let failed = |source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source };
        if once {
            by_row = ops::keep(&self.last_rows(node)?, &by_row).map_err(failed)?;
        }
        let placed = || if time.per == Level::Token { credited(&chain, &by_row) } else { Ok(by_row.clone()) };
        along(node, time, left_out, placed)
    }

    /// Whether each row is the last of its episode.
    fn last_rows(&self, node: &Node) -> Outcome<Arc<[bool]>> {
        let rows = self.chain(node, Time { by: Level::Episode, per: Level::Turn })?;
        Ok(rows.next.iter().map(|&next| next == Chain::END).collect())
    }

    /// Which steps have a reward that is left out: neither has what is computed of it, though it adds nothing to the others.
    fn left_out(&self, node: &Node, time: Time, reward: &Value) -> Outcome<Option<Arc<[Presence]>>> {
        let void = |p: &Presence| if *p == Presence::Void { Presence::Void } else { Presence::Here };
        let presence = self.broadcast(node, reward, time.per)?.presence;
        Ok(presence.filter(|all| all.contains(&Presence::Void)).map(|all| all.iter().map(void).collect()))
    }

    /// One rate for all steps, or one for each; a step without one has 0.
    fn rate(&self, node: &Node, time: Time, rate: &Value) -> Outcome<Factor> {
        let within = |value: f64| match (0.0..=1.0).contains(&value) {
            true => Ok(value),
            false => {
                let text = format!("a rate of {}", node.text());
                Err(ObjectiveError::OutOfRange { text, range: "from 0 to 1", value, place: node.place() })
            }
        };
        if rate.level == Level::Batch {
            return within(self.one(node, rate)?).map(Factor::Same);
        }
        let rates = self.steps(node, time, rate)?.to_vec1();
        let rates: Vec<f64> = rates.map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })?;
        rates.into_iter().map(within).collect::<Outcome<Arc<[f64]>>>().map(Factor::Each)
    }

    /// The step after each, or the one before; `beyond` where there is none.
    pub(super) fn neighbour(&self, node: &Node, time: Time, after: bool, x: &Value, beyond: &Value) -> Outcome<Value> {
        let chain = self.chain(node, time)?;
        let [x, beyond] = [self.broadcast(node, x, time.per)?, self.broadcast(node, beyond, time.per)?];
        let at = if after { chain.next } else { backwards(&chain).next };
        let inner: Arc<[bool]> = at.iter().map(|&at| at != Chain::END).collect();
        let numbers = [self.numbers(node, &x)?, self.numbers(node, &beyond)?];
        let moved = || {
            if at.is_empty() {
                return Ok(numbers[0].clone());
            }
            let places: Vec<u32> = at.iter().map(|&at| if at == Chain::END { 0 } else { at }).collect();
            let others = numbers[0].index_select(&Tensor::from_slice(&places, places.len(), &Device::Cpu)?, 0)?;
            ops::select(&inner, &others, &numbers[1])
        };
        let there = |(step, &at): (usize, &u32)| if at == Chain::END { beyond.presence_of(step) } else { x.presence_of(at as usize) };
        let presence: Arc<[Presence]> = at.iter().enumerate().map(there).collect();
        let left_out = (!presence.iter().all(|p| *p == Presence::Here)).then_some(presence);
        along(node, time, left_out, moved)
    }

    pub(super) fn chain(&self, node: &Node, time: Time) -> Outcome<Chain> {
        let level = if self.batch.layout.count(Level::Episode).is_none() { Level::Episode } else { Level::TurnIndex };
        self.batch.layout.chain(time).ok_or(ObjectiveError::NoKey { level, place: node.place() })
    }

    /// One value a step; what has no value (a mean over a row without tokens) is 0.
    fn steps(&self, node: &Node, time: Time, value: &Value) -> Outcome<Tensor> {
        let mut value = self.broadcast(node, value, time.per)?;
        self.zero_where(node, &mut value, |presence| presence != Presence::Here)?;
        match value.data {
            Data::Numbers(tensor) => Ok(tensor),
            Data::Conditions(_) => self.numbers(node, &value),
        }
    }

    fn rewards(&self, node: &Node, time: Time, chain: &Chain, reward: &Value) -> Outcome<Tensor> {
        if reward.level == time.per || time.per == Level::Turn {
            return self.steps(node, time, reward);
        }
        let by_row = self.steps(node, Time { per: Level::Turn, ..time }, reward)?;
        credited(chain, &by_row).map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })
    }
}

fn along(node: &Node, time: Time, left_out: Option<Arc<[Presence]>>, scan: impl FnOnce() -> Result<Tensor>) -> Outcome<Value> {
    let tensor = scan().map_err(|source| ObjectiveError::Tensor { text: node.text(), place: node.place(), source })?;
    Ok(Value::numbers(tensor, time.per, left_out))
}
