//! What an equation knows of other batches: earlier iterations, the whole collected batch, the number that is handed on.

use super::super::error::ObjectiveError;
use super::super::history::Entry;
use super::super::kept::Kept;
use super::super::levels::Level;
use super::super::program::{CarryExpr, Node, Op};
use super::{Data, Evaluator, Moment, Presence, Standing, Value};
use std::collections::BTreeMap;

type Outcome<T> = Result<T, ObjectiveError>;

impl Evaluator<'_> {
    pub(super) fn history(&self, node: &Node, row: usize, first: Option<&Value>) -> Outcome<Value> {
        let no_history = || ObjectiveError::NoHistory { text: node.text(), place: node.place() };
        let expression = self.program.histories.get(row).ok_or_else(no_history)?;
        let history = self.history.ok_or_else(no_history)?;
        let first = first.map(|first| self.broadcast(node, first, node.level)).transpose()?;
        let numbers = first.as_ref().map(|first| self.host(node, first)).transpose()?;
        let without_a_past = |element: usize| {
            let number = numbers.as_ref()?.get(element).copied()?;
            (first.as_ref()?.presence_of(element) == Presence::Here).then_some(number)
        };
        let means: Vec<Option<f64>> = match expression.by {
            None => vec![history.mean(expression, without_a_past(0))],
            Some(level) => {
                let ids = self.lasting_ids(node, level)?.into_iter().enumerate();
                ids.map(|(element, id)| history.mean_of(expression, id, without_a_past(element))).collect()
            }
        };
        let presence = means.iter().any(Option::is_none);
        let presence = presence.then(|| means.iter().map(|m| if m.is_some() { Presence::Here } else { Presence::NoPast }).collect());
        let values = means.into_iter().map(|mean| mean.unwrap_or(0.0)).collect();
        Ok(Value::numbers(self.constant(node, values)?, node.level, presence))
    }

    /// What each `history` of the program has to remember of this batch, under the policy that collected it.
    pub(in super::super) fn remember(&self, live: &[bool]) -> Outcome<Vec<(String, Entry)>> {
        let mut entries = Vec::new();
        for (node, _) in self.program.nodes.iter().zip(live).filter(|(_, live)| **live) {
            let Op::History(row) = node.op else { continue };
            let Some(expression) = self.program.histories.get(row) else { continue };
            if entries.iter().any(|(id, _)| *id == expression.id) {
                continue;
            }
            let values = self.run(&[expression.argument])?;
            let Some(value) = values.get(expression.argument) else { continue };
            let entry = if expression.quantile.is_some() {
                self.check_finite(&values, expression.argument, &expression.text, expression.place)?;
                let numbers = self.host(node, value)?.into_iter().enumerate();
                Entry::Values(numbers.filter(|(element, _)| value.presence_of(*element) == Presence::Here).map(|(_, x)| x).collect())
            } else if let Some(level) = expression.by {
                Entry::ByKey(self.means_by(node, value, level)?)
            } else {
                self.check_finite(&values, expression.argument, &expression.text, expression.place)?;
                Entry::Whole(self.scalar(node, value)?)
            };
            entries.push((expression.id.clone(), entry));
        }
        Ok(entries)
    }

    fn means_by(&self, node: &Node, value: &Value, level: Level) -> Outcome<Vec<(u64, f64)>> {
        let ids = self.lasting_ids(node, level)?;
        let means = match value.level.meet(level) == level {
            true => self.broadcast(node, value, level)?,
            false => self.mean_over(node, value, level)?,
        };
        let numbers = self.host(node, &means)?;
        let mut by_key: Vec<(u64, f64)> = ids
            .into_iter()
            .zip(numbers)
            .enumerate()
            .filter(|(element, _)| means.presence_of(*element) == Presence::Here)
            .map(|(_, pair)| pair)
            .collect();
        by_key.sort_by_key(|(id, _)| *id);
        Ok(by_key)
    }

    fn lasting_ids(&self, node: &Node, level: Level) -> Outcome<Vec<u64>> {
        let layout = &self.batch.layout;
        let known = |key: Level| layout.count(key).is_some();
        let lacking = || level.lasting().into_iter().flatten().find(|key| !known(*key)).unwrap_or(level);
        layout.lasting_ids(level).ok_or_else(|| ObjectiveError::NoKey { level: lacking(), place: node.place() })
    }

    /// What was kept of the whole batch; without that, this batch is taken to be the whole.
    pub(super) fn collected(&self, node: &Node, row: usize) -> Outcome<Value> {
        let missing = || ObjectiveError::NoHistory { text: node.text(), place: node.place() };
        let expression = self.program.collected.get(row).ok_or_else(missing)?;
        let made;
        let kept = if let Some(kept) = self.batch.kept(&expression.id) {
            kept
        } else {
            made = self.keep(node, expression.argument)?;
            &made
        };
        let values: Vec<f64> = kept.values.iter().map(|(x, _)| *x).collect();
        let data = match kept.condition {
            true => Data::Conditions(values.iter().map(|x| *x != 0.0).collect()),
            false => Data::Numbers(self.constant(node, values)?),
        };
        let all = kept.values.iter().all(|(_, presence)| *presence == Presence::Here);
        let presence = (!all).then(|| kept.values.iter().map(|(_, presence)| *presence).collect());
        Ok(Value { data, level: kept.level, presence })
    }

    /// The value of a node on this batch as it was collected.
    pub(in super::super) fn keep(&self, node: &Node, argument: usize) -> Outcome<Kept> {
        let (moment, standing) = (Moment::Collected, Standing::Plain);
        let then = Evaluator { leaves: BTreeMap::new(), moment, standing, ..*self };
        let values = then.run(&[argument])?;
        then.check_finite(&values, argument, &node.text(), node.place())?;
        let missing = || ObjectiveError::NoHistory { text: node.text(), place: node.place() };
        let value = values.get(argument).ok_or_else(missing)?;
        let numbers = then.host(node, value)?.into_iter().enumerate();
        let values = numbers.map(|(element, x)| (x, value.presence_of(element))).collect();
        Ok(Kept { level: value.level, condition: matches!(value.data, Data::Conditions(_)), values })
    }

    /// The number that this iteration was handed.
    pub(super) fn carried(&self, node: &Node, row: usize) -> Outcome<Value> {
        let missing = || ObjectiveError::NoHistory { text: node.text(), place: node.place() };
        let expression = self.program.carries.get(row).ok_or_else(missing)?;
        let number = self.history.map_or(expression.start, |history| history.carried(expression));
        Ok(Value::numbers(self.constant(node, vec![number])?, Level::Batch, None))
    }

    /// What a `carry` hands to the next iteration: `next` within its bounds, or the present number where `next` has no value. The batch has `carried`.
    pub(in super::super) fn next_carried(&self, expression: &CarryExpr, present: f64) -> Outcome<f64> {
        let values = self.run(&[expression.next])?;
        self.check_finite(&values, expression.next, &expression.text, expression.place)?;
        let Some(value) = values.get(expression.next) else { return Ok(present) };
        let node = &self.program.nodes[expression.next];
        let next = self.scalar(node, value)?.unwrap_or(present);
        let raised = expression.low.map_or(next, |low| next.max(low));
        Ok(expression.high.map_or(raised, |high| raised.min(high)))
    }
}
