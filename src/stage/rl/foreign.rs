//! The episodes that the sources of a stage hold.

use super::super::context::Context;
use super::super::demonstrated::Demonstrated;
use super::super::error::RunError;
use super::fields::Rl;
use super::learner::Learner;
use super::sources::{Candidate, Replay, Source};
use crate::model::{Row, Target, score};
use crate::rollout::{Episode, Sample};
use crate::seed::Seed;
use crate::store::{Failure, read_json, read_lines, write_json};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

const REPLAY: &str = "replay.json";

/// What each source has, in the order of the field.
pub(crate) struct Foreign {
    pools: Vec<Pool>,
}

enum Pool {
    /// Of each iteration that is remembered, the earliest first.
    Replay(Vec<Vec<Episode>>),
    /// As the policy would have played them; what it thinks of them is asked when they are taken.
    Demonstrations(Vec<Episode>),
}

impl Foreign {
    pub(crate) fn new(stage: &Rl, learner: &Learner, context: &dyn Context) -> Result<Self, RunError> {
        let pool = |source: &Source| match source {
            Source::Replay(_) => Ok(Pool::Replay(Vec::new())),
            Source::Demonstrations(shown) => {
                let folders = shown.of.iter().flat_map(|input| context.inputs(&input.0.field));
                let mut pool = Vec::new();
                for input in folders {
                    for episode in read_lines::<Episode>(&input.folder.join("episodes.jsonl"))? {
                        let Some(episode) = as_played(learner, episode)? else {
                            let message =
                                format!("the episodes of `{}` have no prompts to learn from; use a `collect` stage", input.task_name());
                            return Err(RunError::Failed(message));
                        };
                        pool.push(episode);
                    }
                }
                let penalty = stage.on.environment.play.invalid_penalty.0;
                let wanted = source.wanted().among(&pool, penalty)?.into_iter().cloned().collect();
                Ok(Pool::Demonstrations(wanted))
            }
        };
        Ok(Self { pools: stage.also.iter().map(|part| pool(part)).collect::<Result<_, RunError>>()? })
    }

    /// What an iteration takes of each source.
    pub(crate) fn take(&self, stage: &Rl, learner: &Learner, own: &[&Episode], seed: Seed) -> Result<Vec<Vec<Episode>>, RunError> {
        let played: BTreeSet<&str> = own.iter().map(|episode| episode.task.id.as_str()).collect();
        let mut taken = Vec::with_capacity(self.pools.len());
        for (number, (source, pool)) in stage.also.iter().zip(&self.pools).enumerate() {
            let there: Vec<&Episode> = match pool {
                Pool::Replay(iterations) => iterations.iter().flatten().collect(),
                Pool::Demonstrations(shown) => shown.iter().collect(),
            };
            let candidates: Vec<Candidate> =
                there.iter().map(|episode| Candidate { task: &episode.task.id, score: episode.score }).collect();
            let drawn = source.draw().of(&candidates, &played, seed.child("also", number as u64));
            let mut episodes: Vec<Episode> = drawn.into_iter().map(|i| there[i].clone()).collect();
            if let Pool::Demonstrations(_) = pool {
                ask(learner, &mut episodes)?;
            }
            taken.push(episodes);
        }
        give_groups(own, &mut taken);
        Ok(taken)
    }

    /// Remembers what an iteration played itself, where something replays it.
    pub(crate) fn remember(&mut self, stage: &Rl, episodes: &[Episode]) -> Result<(), RunError> {
        let penalty = stage.on.environment.play.invalid_penalty.0;
        for (source, pool) in stage.also.iter().zip(&mut self.pools) {
            if let (Source::Replay(Replay { last, .. }), Pool::Replay(iterations)) = (&**source, pool) {
                iterations.push(source.wanted().among(episodes, penalty)?.into_iter().cloned().collect());
                iterations.drain(..iterations.len().saturating_sub(last.0));
            }
        }
        Ok(())
    }

    pub(crate) fn save(&self, folder: &Path) -> Result<(), Failure> {
        let stored = |iteration: &Vec<Episode>| iteration.iter().map(Stored::of).collect();
        let replays: Vec<Vec<Vec<Stored>>> = self.replays().map(|iterations| iterations.iter().map(stored).collect()).collect();
        match replays.is_empty() {
            true => Ok(()),
            false => Ok(write_json(&folder.join(REPLAY), &replays)?),
        }
    }

    pub(crate) fn restore(&mut self, folder: &Path) -> Result<(), RunError> {
        if self.replays().next().is_none() {
            return Ok(());
        }
        let replays: Vec<Vec<Vec<Stored>>> = read_json(&folder.join(REPLAY))?;
        let pools = self.pools.iter_mut().filter(|pool| matches!(pool, Pool::Replay(_)));
        for (pool, stored) in pools.zip(replays) {
            *pool = Pool::Replay(stored.into_iter().map(|iteration| iteration.into_iter().map(Stored::episode).collect()).collect());
        }
        Ok(())
    }

    fn replays(&self) -> impl Iterator<Item = &Vec<Vec<Episode>>> {
        self.pools.iter().filter_map(|pool| if let Pool::Replay(iterations) = pool { Some(iterations) } else { None })
    }
}

/// An episode of a task that the iteration plays joins the group of that task; the others form groups by their tasks.
fn give_groups(own: &[&Episode], taken: &mut [Vec<Episode>]) {
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    for episode in own {
        groups.entry(episode.task.id.clone()).or_insert(episode.group);
    }
    let mut next = own.iter().map(|episode| episode.group + 1).max().unwrap_or(0);
    for episode in taken.iter_mut().flatten() {
        episode.group = *groups.entry(episode.task.id.clone()).or_insert_with(|| {
            next += 1;
            next - 1
        });
    }
}

/// The turns of an episode as rows of the policy, those without one left out; `None` if its prompts were not kept.
fn as_played(learner: &Learner, mut episode: Episode) -> Result<Option<Episode>, RunError> {
    let mut found = Demonstrated::default();
    if !found.add(&learner.policy, &episode)? {
        return Ok(None);
    }
    let rows: BTreeMap<usize, Row> = found.turns.into_iter().zip(found.rows).collect();
    let mut number = 0;
    episode.turns.retain_mut(|turn| {
        turn.sample = rows.get(&number).map(|row| Sample { row: row.clone(), logp: Vec::new(), entropy: Vec::new() });
        (turn.prompt, turn.admissible) = (None, None);
        number += 1;
        turn.sample.is_some()
    });
    Ok(Some(episode))
}

/// What the policy gives the tokens of these episodes.
fn ask(learner: &Learner, episodes: &mut [Episode]) -> Result<(), RunError> {
    let mut samples: Vec<&mut Sample> =
        episodes.iter_mut().flat_map(|episode| &mut episode.turns).filter_map(|turn| turn.sample.as_mut()).collect();
    let rows: Vec<Row> = samples.iter().map(|sample| sample.row.clone()).collect();
    let scores = score(&learner.policy.weights, &rows, learner.temperature, &learner.compute)?;
    let mut first = 0;
    for sample in &mut samples {
        let part = first..first + sample.row.targets.len();
        (sample.logp, sample.entropy) = (scores.logp[part.clone()].to_vec(), scores.entropy[part.clone()].to_vec());
        first = part.end;
    }
    Ok(())
}

/// An episode with what the policy did in it, for a file.
#[derive(Serialize, Deserialize)]
struct Stored {
    episode: Episode,
    samples: Vec<StoredSample>,
}

#[derive(Serialize, Deserialize)]
struct StoredSample {
    ids: Vec<u32>,
    /// Position, token, and the tokens that were allowed.
    targets: Vec<(usize, u32, Option<Vec<u32>>)>,
    logp: Vec<f32>,
    entropy: Vec<f32>,
}

impl Stored {
    fn of(episode: &Episode) -> Stored {
        let sample = |sample: &Sample| StoredSample {
            ids: sample.row.ids.clone(),
            targets: sample.row.targets.iter().map(|t| (t.position, t.token, t.allowed.as_ref().map(|ids| ids.to_vec()))).collect(),
            logp: sample.logp.clone(),
            entropy: sample.entropy.clone(),
        };
        Stored { episode: episode.clone(), samples: episode.turns.iter().filter_map(|turn| turn.sample.as_ref()).map(sample).collect() }
    }

    fn episode(self) -> Episode {
        let Stored { mut episode, samples } = self;
        for (turn, StoredSample { ids, targets, logp, entropy }) in episode.turns.iter_mut().zip(samples) {
            let target =
                |(position, token, allowed): (usize, u32, Option<Vec<u32>>)| Target { position, token, allowed: allowed.map(Arc::from) };
            turn.sample = Some(Sample { row: Row { ids, targets: targets.into_iter().map(target).collect() }, logp, entropy });
        }
        episode
    }
}
