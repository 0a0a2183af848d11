//! `evaluate`: how often an actor reaches the goal.

use super::context::{Context, Progress};
use super::contract::{Figure, Output, Stage};
use super::error::RunError;
use super::load::{Held, Load};
use super::outside::Outside;
use super::results::{EXAMPLES, Results, SplitResult};
use super::seat::{Seat, has_system};
use super::tasks::{once_each, open, percent, say_failures};
use crate::kind;
use crate::kind::{Artifact, Count, Identity, Part, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::play::SplitField;
use crate::policy::{ActorInput, Decode, PolicyInput, StageInput};
use crate::rollout::{Episode, Rollout};
use crate::store::{read_json, write_json};
use crate::words;

const STATE: &str = "state.json";

words! {
    /// Which episodes are kept.
    pub(crate) enum Kept {
        /// A few of each split, for the report.
        Examples = "examples",
        /// All.
        All = "all",
    }
}

/// Of a split: they are held at once.
const MOST_EPISODES: usize = 1_000_000;

kind! {
    /// Plays every task of one or more splits and counts successes. Tasks are never drawn with replacement.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, seen = games { split = "seen", count = 50 } }
    /// pipeline a { stages {
    ///   chance = evaluate { actor = random, on = house.seen }
    ///   page   = report { of = [chance] }
    /// } }
    /// ```
    pub(crate) struct Evaluate as "evaluate" with own identity {
        /// The splits.
        on: Vec<SplitField> [required],
        /// The policy that plays.
        policy: Option<ActorInput> [inherit default None],
        /// Who plays, if it is not the pipeline's policy: `expert`, `random`, `endpoint { … }`, or a policy.
        actor: Option<ActorInput> [default None],
        /// How it decodes, if not as the policy says.
        decode: Option<Part<Decode>> [default None],
        /// Episodes on each task.
        repeats: Count<1_000_000> [default Count(1)],
        /// Which episodes are kept in `episodes.jsonl`, in the order of the tasks where it is `all`.
        keep: Kept [added default Kept::Examples],
    }
}

impl Evaluate {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "results", artifact: Artifact::Results }];

    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let mut read = Self::read_fields(component, reader)?;
        match (component.fields.get("policy"), component.fields.get("actor")) {
            (Some(policy), Some(actor)) => {
                reader.report(
                    Diagnostic::error("E0106", actor.name_span, "`evaluate` takes `policy` or `actor`, not both")
                        .also(policy.name_span, "the other"),
                );
                return None;
            }
            (_, Some(_)) => read.policy = None,
            (None, None) if read.policy.is_none() => {
                reader.report(
                    Diagnostic::error("E0105", component.kind_span, "`evaluate` needs the field `policy` or `actor`")
                        .help(format!("it takes {}", <ActorInput as kind::Field>::expects())),
                );
                return None;
            }
            _ => {}
        }
        if let Some(ActorInput::Policy(policy)) = read.player() {
            policy.refuse_without_room(None, reader);
        }
        let system = read.on.iter().any(|split| has_system(&split.environment));
        if read.player().is_some_and(|player| !player.suits(read.decode.as_ref(), system, reader)) {
            return None;
        }
        let choice = read.player().and_then(|player| player.choice(read.decode.as_ref()));
        read.on.iter().for_each(|split| split.environment.refuse_choice(choice, reader));
        let games = read.on.iter().filter_map(|split| split.games.count).map(|count| count.0).max().unwrap_or(0);
        if games.saturating_mul(read.repeats.0) > MOST_EPISODES {
            let place = component.fields.get("repeats").map_or(component.kind_span, |f| f.value.span);
            let message = format!("{games} games × {} are too many episodes", read.repeats.0);
            reader
                .report(Diagnostic::error("E0202", place, message).help(format!("at most {MOST_EPISODES} can be, which are held at once")));
            return None;
        }
        Some(read)
    }

    /// The one that plays.
    pub(crate) fn player(&self) -> Option<&ActorInput> {
        self.actor.as_ref().or(self.policy.as_ref())
    }

    /// The stage that the policy is from.
    fn from(&self) -> Option<&StageInput> {
        match self.player() {
            Some(ActorInput::Policy(PolicyInput::Stage(input))) => Some(input),
            _ => None,
        }
    }
}

/// The results name the splits, and the stage that gave the policy.
impl Identity for Evaluate {
    fn identity(&self) -> serde_json::Value {
        let mut fields = self.fields();
        let splits = self.on.iter().map(|split| split.name.as_str());
        fields.insert("names".into(), splits.chain(self.from().map(|input| input.stage.as_str())).collect());
        fields.into()
    }
}

impl Stage for Evaluate {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        self.player().is_some_and(ActorInput::draws)
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let splits = self.on.iter().map(|s| match s.games.count {
            Some(count) => format!("{}: {} tasks × {}", s.name, count.0, self.repeats.0),
            None => format!("{}: all tasks × {}", s.name, self.repeats.0),
        });
        vec![Figure::new("episodes", splits.collect::<Vec<_>>().join(", "))]
    }

    fn panels(&self) -> Vec<(String, Option<usize>)> {
        self.on.iter().map(|split| (split.name.clone(), split.known_size())).collect()
    }

    fn load(&self) -> Load<'_> {
        let player = self.player().and_then(ActorInput::policy).map(|of| Held { of, optimizer: None });
        let playing =
            self.on.iter().map(|split| split.known_size().unwrap_or(usize::MAX)).max().unwrap_or(0).saturating_mul(self.repeats.0);
        Load { models: player.into_iter().collect(), playing, rows: 0, games: self.on.iter().collect() }
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        let player = |split| Some(self.player().and_then(Outside::actor)?.on(split));
        let expert = self.player().is_some_and(ActorInput::is_expert);
        let games = |split| Some(Outside::games(split)?.asking_the_expert(expert));
        self.on.iter().filter_map(games).chain(self.on.iter().filter_map(player)).collect()
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

fn run(stage: &Evaluate, context: &mut dyn Context) -> Result<(), RunError> {
    let actor = stage.player().ok_or_else(|| RunError::Failed("nobody was named to play".into()))?;
    let seat = Seat::new(context, actor, stage.decode.as_deref())?;
    let from = stage.from().and_then(|input| context.inputs(&input.field).into_iter().next());
    let mut results = Results {
        format: 1,
        actor: actor_name(actor),
        learned_by: from.as_ref().map(|f| f.kind.clone()),
        stage: from.map(|f| f.stage),
        model: match actor {
            ActorInput::Policy(PolicyInput::New(part)) => part.loaded(),
            _ => None,
        },
        splits: Vec::new(),
    };
    if let Some(checkpoint) = context.folder().checkpoint() {
        results = read_json(&checkpoint.file(STATE))?;
    }
    // Kept to the end: the next split may be of the same world, and some take long to set up.
    let mut worlds = Vec::new();
    for (index, split) in stage.on.iter().enumerate().skip(results.splits.len()) {
        let (world, panel) = open(context, split)?;
        worlds.push(world.clone());
        let seed = context.seeds().child("evaluate", index as u64);
        if panel.tasks.len().saturating_mul(stage.repeats.0) > MOST_EPISODES {
            let (games, repeats) = (panel.tasks.len(), stage.repeats.0);
            return Err(RunError::Failed(format!("{games} games × {repeats} are more than {MOST_EPISODES} episodes; lower `repeats`")));
        }
        let assignments = once_each(&panel, stage.repeats.0, seed);
        let threads = context.threads();
        let rollout =
            Rollout { environment: &split.environment, world: &*world, player: seat.player(), keep_prompts: false, labels: None, threads };
        let mut episodes = Vec::new();
        for portion in assignments.chunks(seat.portion()) {
            episodes.extend(rollout.play(portion)?);
            let successes = episodes.iter().filter(|e| e.success).count();
            let notes = vec![("on", split.name.clone()), ("success", percent(successes, episodes.len()))];
            context.progress(Progress { done: episodes.len() as u64, total: assignments.len() as u64, unit: "episodes", notes });
            if context.interrupted() {
                return Err(RunError::Interrupted);
            }
        }
        say_failures(context, &episodes);
        let examples =
            || [true, false].into_iter().flat_map(|success| episodes.iter().filter(move |e| e.success == success).take(EXAMPLES));
        let kept: Vec<&Episode> = match stage.keep {
            Kept::Examples => examples().collect(),
            Kept::All => episodes.iter().collect(),
        };
        for episode in kept {
            context.folder().episode(&serde_json::json!({ "split": split.name, "episode": episode }))?;
        }
        let result = SplitResult::new(&split.name, &panel.hash, &episodes);
        if let Some(cuts) = &result.cut {
            cuts.warn(context);
        }
        results.splits.push(result);
        if index + 1 < stage.on.len() {
            context.folder().save_checkpoint(index as u64 + 1, |folder| Ok(write_json(&folder.join(STATE), &results)?))?;
        }
    }
    seat.say(context);
    context.folder().write_json_output("results", &results)?;
    Ok(())
}

fn actor_name(actor: &ActorInput) -> String {
    match actor {
        ActorInput::Plain(part) => {
            actor.endpoint().map_or_else(|| part.kind.to_string(), |endpoint| format!("{} ({})", endpoint.model, part.kind))
        }
        ActorInput::Policy(_) => "policy".into(),
    }
}
