//! `collect`: episodes of an actor, to learn from.

use super::context::{Context, Progress};
use super::contract::{Figure, Output, Stage};
use super::cuts::Cuts;
use super::error::RunError;
use super::outside::Outside;
use super::seat::Seat;
use super::tasks::{PORTION, once_each, open, percent, say_failures};
use crate::kind;
use crate::kind::{Artifact, Count};
use crate::play::SplitField;
use crate::policy::ActorInput;
use crate::rollout::{Episode, Rollout};

kind! {
    /// Plays episodes and keeps them, with everything that was shown and possible: demonstrations for `sft`.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, policy = decoder { tokenizer = words }, epochs = 2 }
    ///     page  = report { of = [warm] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Collect as "collect" {
        /// What is played.
        on: SplitField [required],
        /// Who plays: `expert`, `random`, or a policy.
        actor: ActorInput [required],
        /// How many episodes; more than the split has tasks plays it again. Left out: every task once.
        episodes: Option<Count<1_000_000>> [default None],
        /// Whether only episodes that reach their goal are kept.
        only_successes: bool [default true],
    }
}

impl Collect {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "episodes", artifact: Artifact::Episodes }];
}

impl Stage for Collect {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        self.actor.draws()
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let count = self.episodes.map_or_else(|| "every task once".to_string(), |n| n.0.to_string());
        vec![Figure::new("episodes", count)]
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        [Outside::games(&self.on), Outside::actor(&self.actor).map(|actor| actor.on(&self.on))].into_iter().flatten().collect()
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

fn run(stage: &Collect, context: &mut dyn Context) -> Result<(), RunError> {
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
    let rollout = Rollout { environment: &stage.on.environment, world: &*world, player: seat.player(), keep_prompts: true, threads };
    let (mut done, mut successes, mut kept, mut turns, mut cuts) = (0, 0, 0, 0, None::<Cuts>);
    for portion in assignments.chunks(PORTION) {
        let episodes = rollout.play(portion)?;
        say_failures(context, &episodes);
        done += episodes.len();
        cuts = Cuts::sum(cuts, Cuts::of(&episodes));
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
    let mut summary = serde_json::json!({ "episodes": done, "successes": successes, "kept": kept, "turns": turns, "panel": panel.hash });
    if let Some(cuts) = cuts {
        cuts.warn(context);
        summary["cut"] = serde_json::json!(cuts);
    }
    context.folder().write_json_output("episodes", &summary)?;
    Ok(())
}
