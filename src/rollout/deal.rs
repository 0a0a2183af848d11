//! Deals episodes to lanes and lanes to threads.

use super::dialogue::talk;
use super::episode::Episode;
use super::lane::Lane;
use crate::env::{EnvError, Task, World};
use crate::model::{Generator, ModelError, Prompt};
use crate::play::{Cut, EnvironmentSpec, Form};
use crate::policy::{Decode, Policy};
use crate::remote::{Asker, Stopped};
use crate::seed::Seed;

/// Lanes of a batch of episodes: on a GPU always so many, since a row's bits depend there on its company; else the least.
const LANES: usize = 4;

/// The most: each has memory of its own for what its slots have read.
const MOST_LANES: usize = 64;

/// Slots of a lane, at most.
const SLOTS: usize = 16;

/// One episode to be played.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub task: Task,
    pub group: u64,
    pub member: u64,
    /// Of the game; the same for all members of a group.
    pub world_seed: Seed,
    /// Of the actor's choices.
    pub seed: Seed,
}

/// Who plays.
#[derive(Clone, Copy)]
pub(crate) enum Player<'a> {
    Expert,
    Random,
    Policy {
        policy: &'a Policy,
        decode: &'a Decode,
    },
    /// With its own system message.
    Endpoint {
        asker: &'a Asker,
        system: Option<&'a str>,
    },
}

/// An expert beside the player: in every turn it says what it would do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels {
    /// With what chance that is what is done, instead of what the player would do.
    pub mix: f64,
}

/// What the episodes of a batch have in common.
pub(crate) struct Rollout<'a> {
    pub environment: &'a EnvironmentSpec,
    pub world: &'a dyn World,
    pub player: Player<'a>,
    /// Whether prompts and admissible actions are kept.
    pub keep_prompts: bool,
    /// Whether an expert labels the turns.
    pub labels: Option<Labels>,
    pub threads: usize,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RolloutError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Env(#[from] EnvError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Ranks(#[from] crate::ranks::RanksError),
    #[error("{0}")]
    Unplayable(String),
}

impl Rollout<'_> {
    /// A lane for each thread: who shares a lane with whom changes nothing that an episode is made of.
    fn lanes(&self) -> usize {
        match self.player {
            Player::Policy { policy, .. } if !policy.weights.device().is_cpu() => LANES,
            Player::Endpoint { asker, .. } => asker.at_once().min(self.world.at_once()).max(1),
            _ => self.threads.clamp(LANES, MOST_LANES.min(self.world.at_once().max(LANES))),
        }
    }

    /// Plays all assignments; the episodes come in their order. An environment that breaks down ends its episode, not the batch.
    ///
    /// # Errors
    /// If the model or the setting up of an environment fails.
    pub(crate) fn play(&self, assignments: &[Assignment]) -> Result<Vec<Episode>, RolloutError> {
        let count = self.lanes();
        let lanes: Vec<Vec<usize>> = (0..count).map(|lane| (lane..assignments.len()).step_by(count).collect()).collect();
        // A lane that waits for a server needs a thread, and hardly a core.
        let (slots, threads) = match self.player {
            Player::Endpoint { .. } => (1, count),
            _ => ((self.world.at_once() / count).clamp(1, SLOTS), self.threads),
        };
        let playing = assignments.len().clamp(1, count);
        if let Player::Policy { policy, .. } = &self.player {
            let slots = running(slots, count, assignments.len(), self.threads);
            Generator::fits(&policy.weights, slots, policy.weights.config().context)?;
        }
        let listener = match (&self.player, self.environment.play.prompt.form()) {
            (Player::Policy { policy, .. }, Form::Conversation(limits)) => Some(policy.listener(talk(&limits))?),
            _ => None,
        };
        // Where there are more threads than lanes with something to play, a lane has several.
        let own = self.threads / playing;
        let results = crate::model::threads::parallel(count, threads, |lane| {
            let mine: Vec<(usize, &Assignment)> = lanes[lane].iter().map(|&i| (i, &assignments[i])).collect();
            Lane::new(self, slots.min(mine.len()), own, listener.as_ref())?.run(&mine)
        });
        let mut episodes: Vec<(usize, Episode)> = Vec::with_capacity(assignments.len());
        for result in results {
            episodes.extend(result?);
        }
        episodes.sort_by_key(|(index, _)| *index);
        Ok(episodes.into_iter().map(|(_, episode)| episode).collect())
    }
}

/// Slots of the lanes that are played at a time.
fn running(slots: usize, lanes: usize, episodes: usize, threads: usize) -> usize {
    slots.min(episodes.div_ceil(lanes)) * episodes.clamp(1, lanes).min(threads.max(1))
}

/// The most slots that a policy has at a time for so many episodes on the CPU.
pub(crate) fn slots_at_once(episodes: usize, threads: usize) -> usize {
    running(SLOTS, threads.clamp(LANES, MOST_LANES), episodes, threads)
}

/// A prompt as a policy is shown it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub ids: Vec<u32>,
    /// Whether it was longer.
    pub cut: bool,
}

/// Shared by rollouts and by learning from demonstrations: the tokens of a prompt with room for a response of `room` tokens. It is cut to what may
/// be shown: the environment's limit, and what the context leaves beside the response.
///
/// # Errors
/// If the context leaves no room for any prompt.
pub(crate) fn prompt_ids(policy: &Policy, limit: (usize, Cut), prompt: &Prompt, room: usize) -> Result<Shown, RolloutError> {
    let (most, side) = limit;
    let (ids, cut) = policy.prompt_ids(prompt, most_tokens(policy, most, room)?, side == Cut::Left)?;
    Ok(Shown { ids, cut })
}

/// The most tokens that a prompt may have, which is to have at most `most`, beside a response of `room`.
///
/// # Errors
/// If the context leaves no room for any prompt.
pub(super) fn most_tokens(policy: &Policy, most: usize, room: usize) -> Result<usize, RolloutError> {
    let context = policy.weights.config().context;
    if room >= context {
        let own = policy.published.as_ref().is_some_and(|published| published.context <= context);
        let (whose, advice) = match own {
            true => ("the model's own context", "lower `max_tokens` of `sample`"),
            false => ("a context", "raise `context`"),
        };
        let message = format!("a response of {room} tokens leaves no room for a prompt in {whose} of {context} tokens; {advice}");
        return Err(RolloutError::Unplayable(message));
    }
    Ok(most.min(context - room))
}

/// The most tokens that a response may have.
///
/// # Errors
/// If a text cannot be encoded.
pub(crate) fn response_room(policy: &Policy, decode: &Decode, responses: &[String]) -> Result<usize, ModelError> {
    match decode {
        Decode::Sample { max_tokens, .. } => Ok(*max_tokens),
        Decode::Choose { thought, .. } => {
            let mut longest = 0;
            for response in responses {
                longest = longest.max(policy.tokenizer.encode(response)?.len());
            }
            // Behind both there is one more.
            Ok(longest + 1 + thought.map_or(0, |most| most + 1))
        }
    }
}
