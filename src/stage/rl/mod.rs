//! `rl`: collect, then update, again and again.

mod batch;
mod check;
mod checkpoint;
mod collapse;
mod collect;
mod corridor;
mod cost;
mod courses;
mod diagnosis;
mod evaluated;
mod fields;
mod figures;
mod foreign;
mod learner;
mod metrics;
mod rewards;
mod selection;
mod sources;
#[cfg(test)]
mod testing;
mod train;
mod until;
mod update;

pub(crate) use fields::Rl;
pub(crate) use sources::Source;

use self::train::train;
use self::until::{STATE, Until};
use super::context::Context;
use super::contract::{Figure, Output, Stage};
use super::error::RunError;
use super::length::{Length, best_of, depends_on_length};
use super::load::{Held, Load};
use super::minibatch::Keep;
use super::outside::Outside;
use crate::kind::Artifact;
use crate::lang::Span;
use crate::store::read_metrics;
use std::path::Path;
use std::sync::Arc;

const BEST: Output = Output { name: "best", artifact: Artifact::Policy };
const CRITIC: Output = Output { name: "critic", artifact: Artifact::Critic };

impl Rl {
    pub(crate) const OUTPUTS: &[Output] = &[
        Output { name: "policy", artifact: Artifact::Policy },
        Output { name: "metrics", artifact: Artifact::Metrics },
        Output { name: "episodes", artifact: Artifact::Episodes },
        BEST,
        CRITIC,
        STATE,
    ];
}

impl Stage for Rl {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        let left_out = |output: &Output| match *output {
            BEST => self.select_on.is_none(),
            CRITIC => !self.trains_critic(),
            STATE => true,
            _ => false,
        };
        Self::OUTPUTS.iter().copied().filter(|output| !left_out(output)).collect()
    }

    fn draws(&self) -> bool {
        true
    }

    fn equation(&self) -> Option<Vec<(String, String)>> {
        Some(self.loss.lines())
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let (groups, size, iterations) = (self.groups.0, self.group_size.0, self.iterations.0);
        let turns = self.splits().map(|split| split.environment.play.max_turns.0).max().unwrap_or_default();
        let own = self.episodes() * turns;
        let also: usize = self.also.iter().map(|source| source.draw().most).sum();
        let most = own + also * turns;
        let mut figures = vec![
            Figure::new("episodes per iteration", format!("{} = {groups} tasks × {size}", self.episodes())),
            Figure::new("rows per iteration", format!("at most {most} = {} episodes × {} turns", self.episodes() + also, turns)),
        ];
        match self.minibatch {
            Some(rows) => figures.push(Figure::new(
                "updates per iteration",
                format!("rows / {} rounded up × {} epochs, at most {}", rows.0, self.epochs.0, most.div_ceil(rows.0) * self.epochs.0),
            )),
            None => figures
                .push(Figure::new("updates per iteration", format!("{} (all rows at once × {} epochs)", self.epochs.0, self.epochs.0))),
        }
        if self.keep != Keep::Rows {
            figures.push(Figure::new("kept together in a minibatch", self.keep.word()));
        }
        if let Some(refill) = self.refill {
            let most = self.episodes() * self.rounds();
            figures.push(Figure::new("refill", format!("at most {} rounds more, {most} episodes in an iteration", refill.0)));
        }
        for named in self.rewards.iter().flat_map(|rewards| &rewards.0) {
            figures.push(Figure::new("reward", format!("{} = {}", named.name, named.reward.text())));
        }
        if let Some(shaping) = &self.shaping {
            figures.push(Figure::new("added to the reward of a turn", shaping.text()));
        }
        for (number, source) in (1..).zip(&self.also) {
            figures.push(Figure::new(
                "episodes from elsewhere",
                format!("at most {} of `{}` (source {number})", source.draw().most, source.kind),
            ));
        }
        if self.plays_greedily() {
            figures.push(Figure::new("greedy episodes", format!("one more for each task, {groups} in a round")));
        }
        figures.push(Figure::new("iterations", format!("{iterations}, {} episodes in all", iterations * self.episodes())));
        if let Some(split) = &self.select_on {
            let count = iterations.div_ceil(self.evaluate_every.0);
            figures.push(Figure::new(
                "evaluations",
                format!("{count} on {}, one every {} iterations and the last", split.name, self.evaluate_every.0),
            ));
        }
        figures.push(Figure::new("checkpoints", format!("one every {} iterations, the last 3 kept", self.checkpoint_every.0)));
        figures
    }

    fn compares(&self) -> Vec<(&'static str, Span)> {
        let given = [("reference", &self.reference), ("teacher", &self.teacher)];
        given.into_iter().filter_map(|(field, policy)| Some((field, policy.as_ref()?.span()))).collect()
    }

    fn length(&self) -> Option<Length> {
        Some(Length { field: "iterations", count: self.iterations.0 as u64 })
    }

    fn continues(&self, shorter: &Path, checkpoint: u64) -> Result<Vec<&'static str>, String> {
        depends_on_length(&[
            ("loss", &self.loss),
            ("advantage", &self.advantage),
            ("optimizer", &self.optimizer),
            ("critic", &self.critic),
            ("temperature", &self.temperature),
            ("weights", &self.weights),
            ("rewards", &self.rewards),
            ("shaping", &self.shaping),
        ])?;
        let Some(split) = &self.select_on else { return Ok(Vec::new()) };
        let records = read_metrics(shorter).map_err(|error| error.to_string())?;
        match best_of(&records, &split.name) {
            Some(done) if done > checkpoint => {
                Err(format!("its `best` is of iteration {done}, after its last checkpoint, and a longer run may not evaluate there"))
            }
            Some(_) => Ok(vec![BEST.name]),
            None => Ok(Vec::new()),
        }
    }

    fn load(&self) -> Load<'_> {
        let plain = |of| Held { of, optimizer: None };
        let mut models = vec![Held { of: &self.policy, optimizer: Some(&self.optimizer) }];
        if let Some(critic) = self.critic.as_ref().filter(|critic| critic.is_apart()) {
            models.push(Held { of: critic.backbone().unwrap_or(&self.policy), optimizer: critic.optimizer().or(Some(&self.optimizer)) });
        }
        models.extend(self.reference.iter().chain(&self.teacher).map(plain));
        let turns = self.splits().map(|split| split.environment.play.max_turns.0).max().unwrap_or_default();
        let rows = self.minibatch.map_or(self.episodes().saturating_mul(turns), |rows| rows.0);
        Load { models, playing: self.episodes(), rows, games: self.splits().collect() }
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        let splits = || self.splits().chain(&self.select_on);
        let player = splits().filter_map(|split| Some(Outside::policy(&self.policy)?.on(split)));
        let backbone = self.critic.as_ref().and_then(|critic| critic.backbone());
        let others = self.reference.iter().chain(&self.teacher).chain(backbone).filter_map(Outside::policy);
        splits().filter_map(Outside::games).chain(player).chain(others).collect()
    }

    fn until(&self, steps: u64) -> Result<Arc<dyn Stage>, String> {
        Ok(Arc::new(Until::new(self, steps)?))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        train(self, self.iterations.0, context)
    }
}
