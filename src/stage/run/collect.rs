//! Plays and keeps episodes.

use super::shared::{once_each, open, percent, policy, say_failures};
use crate::policy::{Actor, ActorInput, Decode, Policy};
use crate::rollout::{Episode, Player, Plays, play};
use crate::stage::collect::Collect;
use crate::stage::{Context, Progress, RunError};

/// Episodes between two looks at the user's wish to stop. Part of the order in which a policy's episodes share a batch, so it is fixed.
pub(super) const PORTION: usize = 128;

/// A player with what it needs kept alive.
pub(super) enum Seat {
    Plain(Actor),
    Policy(Box<Policy>, Decode),
}

impl Seat {
    pub fn new(context: &mut dyn Context, actor: &ActorInput) -> Result<Self, RunError> {
        Ok(match actor {
            ActorInput::Plain(part) => Self::Plain(part.actor()),
            ActorInput::Policy(given) => {
                let policy = policy(context, given)?;
                let decode = policy.decode.clone();
                Self::Policy(Box::new(policy), decode)
            }
        })
    }

    pub fn player(&self) -> Player<'_> {
        match self {
            Self::Plain(Actor::Expert) => Player::Expert,
            Self::Plain(Actor::Random) => Player::Random,
            Self::Policy(policy, decode) => Player::Policy { policy, decode },
        }
    }
}

pub fn run(stage: &Collect, context: &mut dyn Context) -> Result<(), RunError> {
    let (world, panel) = open(context, &stage.on)?;
    let count = stage.episodes.map_or(panel.tasks.len(), |n| n.0);
    let mut assignments = once_each(&panel, 1, context.seeds().child("collect", 0));
    let tasks = assignments.len();
    assignments = (0..count)
        .map(|i| {
            let mut assignment = assignments[i % tasks].clone();
            assignment.member = (i / tasks) as u64;
            assignment.seed = assignment.world_seed.child("episode", assignment.member);
            assignment
        })
        .collect();
    let seat = Seat::new(context, &stage.actor)?;
    let threads = context.threads();
    let plays = Plays { environment: &stage.on.environment, world: &*world, player: seat.player(), keep_prompts: true, threads };
    let (mut done, mut successes, mut kept, mut turns) = (0, 0, 0, 0);
    for portion in assignments.chunks(PORTION) {
        let episodes = play(&plays, portion)?;
        say_failures(context, &episodes);
        done += episodes.len();
        successes += episodes.iter().filter(|e| e.success).count();
        let wanted = |e: &&Episode| !e.failed() && (e.success || !stage.only_successes);
        for episode in episodes.iter().filter(wanted) {
            kept += 1;
            turns += episode.turns.len();
            context.folder().episode(episode)?;
        }
        let notes = vec![("success", percent(successes, done)), ("kept", kept.to_string()), ("turns", turns.to_string())];
        context.progress(Progress { done: done as u64, total: count as u64, unit: "episodes", notes });
        if context.interrupted() {
            return Err(RunError::Interrupted);
        }
    }
    if kept == 0 {
        let why = if stage.only_successes {
            "none of them reached its goal (`only_successes = false` keeps them all)"
        } else {
            "all of them broke down"
        };
        return Err(RunError::Failed(format!("{done} episodes were played and {why}")));
    }
    let summary = serde_json::json!({ "episodes": done, "successes": successes, "kept": kept, "turns": turns, "panel": panel.hash });
    context.folder().write_json_output("episodes", &summary)?;
    Ok(())
}
