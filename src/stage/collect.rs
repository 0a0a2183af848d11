//! `collect`: episodes of an actor, to learn from.

use super::context::{Context, Progress};
use super::contract::{Figure, Output, Stage};
use super::cuts::Cuts;
use super::error::RunError;
use super::load::{Held, Load};
use super::outside::Outside;
use super::seat::{Seat, has_system};
use super::tasks::{once_each, open, percent, say_failures};
use super::wanted::Wanted;
use crate::equation::ConditionField;
use crate::kind::{Artifact, Count, Fraction, Identity, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Diagnostics};
use crate::objective::Condition;
use crate::play::{SplitField, WorldKind};
use crate::policy::ActorInput;
use crate::rollout::{Labels, Rollout};
use crate::store::{read_json, write_json};
use crate::{kind, words};
use serde::{Deserialize, Serialize};

const STATE: &str = "state.json";

words! {
    /// Who says of every turn what he would have done.
    pub(crate) enum Labeller {
        /// The environment's own expert.
        Expert = "expert",
    }
}

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
    ///
    /// With a `label`, the expert says in every turn what he would have done, and `sft` learns that instead of what was played: imitation in the states
    /// that the policy itself comes to (DAgger, arXiv:1011.0686).
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   policy = decoder { tokenizer = words }
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20, where = turns < 30 }
    ///     first = sft { episodes = shown }
    ///     own   = collect { on = house.train, actor = first, label = expert, episodes = 20 }
    ///     then  = sft { episodes = [shown, own], weights = [1, 2], policy = first }
    ///     page  = report { of = [first, then] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Collect as "collect" with own identity {
        /// What is played.
        on: SplitField [required],
        /// Who plays: `expert`, `random`, `endpoint { … }`, or a policy.
        actor: ActorInput [required],
        /// How many episodes; more than the split has tasks plays it again. Left out: every task once.
        episodes: Option<Count<1_000_000>> [default None],
        /// Whether only episodes that reach their goal are kept. Left out: yes, but for a stage that has a `label` or a `where`, which keeps failures too.
        only_successes: Option<bool> [default None],
        /// Which episodes are kept: a condition on one episode, of `score`, `success`, `turns`, and of its turns `reward`, `turn_index`, `valid`,
        /// `prompt_cut`, `response_cut` and their texts, as in `count(contains(action, "take"), by = episode) > 1`.
        r#where: Option<ConditionField> [added default None],
        /// Who says of every turn what he would have done: `expert`. Turns in which he is at a loss have no label.
        label: Option<Labeller> [added default None],
        /// With a `label`: the chance that in a turn the expert's action is played instead of the actor's.
        mix: Fraction [added default Fraction(0.0)],
    }
}

impl Collect {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "episodes", artifact: Artifact::Episodes }];

    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if read.mix.0 > 0.0 && read.label.is_none() {
            let place = component.fields.get("mix").map_or(component.kind_span, |field| field.name_span);
            let diagnostic = Diagnostic::error("E0105", place, "`mix` needs `label`");
            reader.report(diagnostic.help("name the expert whose actions are mixed in: `label = expert`"));
            return None;
        }
        if let (Some(label), Some(message)) = (component.fields.get("label"), no_labels(&*read.on.environment.world)) {
            reader.report(Diagnostic::error("E0202", label.value.span, message));
            return None;
        }
        if !read.actor.suits(None, has_system(&read.on.environment), reader) {
            return None;
        }
        read.on.environment.refuse_choice(read.actor.choice(None), reader);
        let mut diagnostics = Diagnostics::default();
        let condition = read.r#where.as_ref().map(|field| Condition::check(&field.0, "where", &mut diagnostics));
        diagnostics.0.into_iter().for_each(|diagnostic| reader.report(diagnostic));
        (!matches!(condition, Some(None))).then_some(read)
    }

    /// A label is of use in failures above all, and a condition says itself what it wants.
    fn only_successes(&self) -> bool {
        self.only_successes.unwrap_or(self.label.is_none() && self.r#where.is_none())
    }

    /// The checked condition.
    fn condition(&self) -> Option<Condition> {
        self.r#where.as_ref().and_then(|field| Condition::check(&field.0, "where", &mut Diagnostics::default()))
    }

    fn labels(&self) -> Option<Labels> {
        self.label.map(|_| Labels { mix: self.mix.0 })
    }
}

/// Why nobody can label turns here.
fn no_labels(world: &dyn WorldKind) -> Option<&'static str> {
    (!world.has_expert()).then_some("this environment has no expert who could label turns")
}

/// Whether only successes are kept counts, not whether that was written.
impl Identity for Collect {
    fn identity(&self) -> serde_json::Value {
        let mut fields = self.fields();
        fields.insert("only_successes".into(), self.only_successes().into());
        fields.into()
    }
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
        let label = self.label.map(|label| Figure::new("turns are labelled by", label.word()));
        let mix = (self.mix.0 > 0.0).then(|| Figure::new("share of turns that the expert plays", self.mix.0.to_string()));
        let condition = self.condition().map(|condition| Figure::new("kept where", condition.text()));
        [Some(Figure::new("episodes", count)), label, mix, condition].into_iter().flatten().collect()
    }

    fn load(&self) -> Load<'_> {
        let player = Some(&self.actor).and_then(ActorInput::policy).map(|of| Held { of, optimizer: None });
        let playing = self.episodes.map(|count| count.0).or(self.on.known_size()).unwrap_or(usize::MAX);
        Load { models: player.into_iter().collect(), playing, rows: 0, games: vec![&self.on] }
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        let expert = self.label.is_some() || self.actor.is_expert();
        let games = Outside::games(&self.on).map(|games| games.asking_the_expert(expert));
        [games, Outside::actor(&self.actor).map(|actor| actor.on(&self.on))].into_iter().flatten().collect()
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

/// What was played so far; part of a checkpoint.
#[derive(Default, Serialize, Deserialize)]
struct Tally {
    successes: usize,
    kept: usize,
    turns: usize,
    labels: usize,
    cuts: Option<Cuts>,
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
    let seat = Seat::new(context, &stage.actor, None)?;
    let threads = context.threads();
    let environment = &stage.on.environment;
    let rollout = Rollout { environment, world: &*world, player: seat.player(), keep_prompts: true, labels: stage.labels(), threads };
    let wanted = Wanted { only_successes: stage.only_successes(), condition: stage.condition() };
    let (mut tally, mut done) = (Tally::default(), 0);
    if let Some(checkpoint) = context.folder().checkpoint() {
        tally = read_json(&checkpoint.file(STATE))?;
        done = checkpoint.iteration as usize;
    }
    for portion in assignments[done.min(count)..].chunks(seat.portion()) {
        let episodes = rollout.play(portion)?;
        say_failures(context, &episodes);
        done += episodes.len();
        tally.cuts = Cuts::sum(tally.cuts, Cuts::of(&episodes));
        tally.successes += episodes.iter().filter(|e| e.success).count();
        for episode in wanted.among(&episodes, environment.play.invalid_penalty.0)? {
            tally.kept += 1;
            tally.turns += episode.turns.len();
            tally.labels += episode.turns.iter().filter(|turn| turn.label.is_some()).count();
            context.folder().episode(episode)?;
        }
        let mut notes =
            vec![("success", percent(tally.successes, done)), ("kept", tally.kept.to_string()), ("turns", tally.turns.to_string())];
        if stage.label.is_some() {
            notes.push(("labels", tally.labels.to_string()));
        }
        context.progress(Progress { done: done as u64, total: count as u64, unit: "episodes", notes });
        if done < count {
            context.folder().save_checkpoint(done as u64, |folder| Ok(write_json(&folder.join(STATE), &tally)?))?;
        }
        if context.interrupted() {
            return Err(RunError::Interrupted);
        }
    }
    let Tally { successes, kept, turns, labels, cuts } = tally;
    seat.say(context);
    if kept == 0 {
        return Err(RunError::Failed(format!("{done} episodes were played and {}", wanted.why_none())));
    }
    let mut summary = serde_json::json!({ "episodes": done, "successes": successes, "kept": kept, "turns": turns, "panel": panel.hash });
    if stage.label.is_some() {
        summary["labels"] = labels.into();
    }
    if let Some(cuts) = cuts {
        cuts.warn(context);
        summary["cut"] = serde_json::json!(cuts);
    }
    context.folder().write_json_output("episodes", &summary)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Machine;
    use crate::env::{EnvError, World};
    use std::sync::Arc;

    #[derive(Debug)]
    struct Silent;

    impl Identity for Silent {
        fn identity(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
    }

    impl WorldKind for Silent {
        fn open(&self, _: &Machine) -> Result<Arc<dyn World>, EnvError> {
            Err(EnvError::Task("there is nothing to play".into()))
        }

        fn splits(&self) -> Option<Vec<&str>> {
            None
        }

        fn has_expert(&self) -> bool {
            false
        }
    }

    #[test]
    fn nobody_labels_where_there_is_no_expert() {
        assert_eq!(no_labels(&Silent), Some("this environment has no expert who could label turns"));
    }
}
