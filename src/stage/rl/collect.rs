//! Playing the episodes of an iteration.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::tasks::say_failures;
use super::super::texts::texts;
use super::super::wanted::batch as unlearned;
use super::batch::batch;
use super::cost::{Cost, by_course, means, parts};
use super::courses::{Course, Drawn, assignments, once_each};
use super::fields::Rl;
use super::foreign::Foreign;
use super::learner::{Learner, set};
use super::update::Learned;
use crate::lang::Diagnostics;
use crate::objective::{Batch, BatchError};
use crate::policy::Decode;
use crate::rollout::{Assignment, Episode, Player, Rollout};
use crate::seed::unit;
use std::collections::{BTreeMap, BTreeSet};

/// What an iteration learns from.
pub(crate) struct Collected {
    pub batch: Batch,
    pub rows: Learned,
    /// All that were played, also those that are not learned from.
    pub episodes: Vec<Episode>,
    pub cost: Cost,
    /// All that were played, as weights that depend on them see them; where there are such.
    pub played: Option<Batch>,
}

impl Rl {
    /// Whether an equation speaks of episodes without chance.
    pub(super) fn plays_greedily(&self) -> bool {
        let equations = self.equations(&mut Diagnostics::default());
        equations.is_some_and(|(objective, advantage)| {
            let mentioned = |needs: &crate::objective::Needs| needs.has("greedy_score");
            mentioned(objective.needs()) || advantage.is_some_and(|advantage| mentioned(advantage.needs()))
        })
    }
}

/// The episodes of an iteration.
struct Played {
    episodes: Vec<Episode>,
    /// One of each group without chance, where an equation speaks of it.
    greedy: Vec<Episode>,
    /// The split of each group.
    course_of: BTreeMap<u64, usize>,
    rounds: usize,
    /// Groups whose episodes do not all have the same score.
    differing: Vec<u64>,
}

/// Plays until enough groups differ, where that is asked for.
fn play(
    stage: &Rl,
    learner: &Learner,
    courses: &[Course],
    weights: &[f64],
    iteration: usize,
    context: &mut dyn Context,
) -> Result<Played, RunError> {
    let threads = context.threads();
    let play = |tasks: &[Drawn], decode: &Decode| -> Result<Vec<Episode>, RunError> {
        let mut episodes = Vec::with_capacity(tasks.len());
        for (number, course) in courses.iter().enumerate() {
            let of_course: Vec<Assignment> =
                tasks.iter().filter(|drawn| drawn.course == number).map(|drawn| drawn.assignment.clone()).collect();
            if !of_course.is_empty() {
                let player = Player::Policy { policy: &learner.policy, decode };
                let (environment, world) = (&course.split.environment, &*course.world);
                let rollout = Rollout { environment, world, player, keep_prompts: false, labels: None, threads };
                episodes.extend(rollout.play_among(context.ranks(), &of_course)?);
            }
        }
        episodes.sort_by_key(|episode| (episode.group, episode.member));
        Ok(episodes)
    };
    let greedily = learner.needs().has("greedy_score").then(|| learner.decode.at(0.0));
    let mut played = Played { episodes: Vec::new(), greedy: Vec::new(), course_of: BTreeMap::new(), rounds: 0, differing: Vec::new() };
    loop {
        let drawn = assignments(stage, courses, weights, [iteration, played.rounds], context.seeds());
        played.episodes.extend(play(&drawn, &learner.decode)?);
        if let Some(decode) = &greedily {
            played.greedy.extend(play(&once_each(&drawn, stage.group_size.0), decode)?);
        }
        played.course_of.extend(drawn.iter().map(|drawn| (drawn.assignment.group, drawn.course)));
        played.rounds += 1;
        played.differing = differing(&played.episodes);
        if played.differing.len() >= stage.groups.0 || played.rounds == stage.rounds() {
            return Ok(played);
        }
    }
}

pub(crate) fn collect(
    stage: &Rl,
    learner: &Learner,
    foreign: &Foreign,
    courses: &[Course],
    iteration: usize,
    context: &mut dyn Context,
) -> Result<Collected, RunError> {
    let greedily = learner.needs().has("greedy_score");
    let weights = learner.weights(stage, iteration)?;
    let Played { mut episodes, greedy, course_of, rounds, differing } = play(stage, learner, courses, &weights, iteration, context)?;
    say_failures(context, &episodes);
    say_failures(context, &greedy);
    let learned_groups: BTreeSet<u64> = match stage.refill {
        Some(_) if !differing.is_empty() => differing.iter().copied().take(stage.groups.0).collect(),
        _ => episodes.iter().rev().take(stage.episodes()).map(|episode| episode.group).collect(),
    };
    let learned = |e: &&Episode| !e.failed() && !e.turns.is_empty() && learned_groups.contains(&e.group);
    let learned: Vec<&Episode> = episodes.iter().filter(learned).collect();
    if learned.is_empty() {
        return Err(RunError::Failed(format!("all {} episodes of iteration {iteration} broke down", episodes.len())));
    }
    let own = learned.iter().map(|episode| episode.turns.len()).sum();
    let taken = foreign.take(stage, learner, &learned, context.seeds().child("iteration", iteration as u64))?;
    let sources = (1..).zip(&taken).flat_map(|(number, episodes)| episodes.iter().map(move |episode| (number, episode)));
    let learned: Vec<(usize, &Episode)> = learned.into_iter().map(|episode| (0, episode)).chain(sources).collect();
    // What comes from elsewhere is of the environment of `on`.
    let penalty = |(source, episode): &(usize, &Episode)| {
        let course = course_of.get(&episode.group).filter(|_| *source == 0).copied().unwrap_or_default();
        courses[course].split.environment.play.invalid_penalty.0
    };
    let penalties: Vec<f64> = learned.iter().map(penalty).collect();
    let (mut batch, rows) = batch(&learned, &penalties)?;
    let questions = learner.questions();
    if !questions.is_empty() {
        batch.set_texts(texts(learned.iter().map(|(_, episode)| *episode)));
        batch.ask(&questions);
    }
    if greedily {
        let scores = greedy_scores(&learned, &greedy);
        batch.set_by_row("greedy_score", &scores).map_err(|error: BatchError| RunError::Failed(error.to_string()))?;
    }
    if learner.needs().has("split") {
        let splits = splits_of(&learned, courses, &course_of);
        batch.set_by_row("split", &splits).map_err(|error: BatchError| RunError::Failed(error.to_string()))?;
    }
    if learner.needs().has("uniform") {
        let mut rng = context.seeds().child("iteration", iteration as u64).child("uniform", 0).rng();
        let drawn = (0..batch.token_count()).map(|_| unit(&mut rng)).collect();
        set(&mut batch, "uniform", drawn)?;
    }
    learner.look(&mut batch, &rows)?;
    let played = learner.mixture.is_some().then(|| as_played(&episodes, courses, &course_of)).transpose()?;
    let cost = Cost {
        rows: rows.len(),
        refilled: stage.refill.map(|_| [rounds, episodes.len(), differing.len()]),
        greedy: greedily.then(|| means(&greedy)),
        courses: by_course(courses, &episodes, &course_of),
        also: taken.iter().map(Vec::len).collect(),
        weights: courses
            .iter()
            .zip(parts(&weights))
            .filter(|_| played.is_some())
            .map(|(course, part)| (course.split.name.clone(), part))
            .collect(),
    };
    for turn in episodes.iter_mut().flat_map(|e| &mut e.turns) {
        turn.prompt = None;
    }
    Ok(Collected { batch, rows: Learned { rows, own }, episodes, cost, played })
}

/// For each row the split of its episode's task; of one from elsewhere the first split that has the task.
fn splits_of(episodes: &[(usize, &Episode)], courses: &[Course], course_of: &BTreeMap<u64, usize>) -> Vec<f64> {
    let of = |(source, episode): &(usize, &Episode)| {
        let own = course_of.get(&episode.group).filter(|_| *source == 0).copied();
        own.or_else(|| courses.iter().position(|course| course.panel.tasks.iter().any(|task| task.id == episode.task.id)))
            .unwrap_or_default()
    };
    episodes.iter().flat_map(|pair| std::iter::repeat_n(of(pair) as f64, pair.1.turns.len())).collect()
}

/// All that was played, for weights that depend on it.
fn as_played(episodes: &[Episode], courses: &[Course], course_of: &BTreeMap<u64, usize>) -> Result<Batch, RunError> {
    let of = |episode: &Episode| course_of.get(&episode.group).copied().unwrap_or_default();
    let sound: Vec<&Episode> = episodes.iter().filter(|episode| !episode.failed() && !episode.turns.is_empty()).collect();
    let penalties: Vec<f64> = sound.iter().map(|episode| courses[of(episode)].split.environment.play.invalid_penalty.0).collect();
    let splits = sound.iter().map(|episode| of(episode) as f64).collect();
    let batch = unlearned(&sound, &penalties).and_then(|batch| batch.with("split", splits));
    batch.map_err(|error| RunError::Failed(error.to_string()))
}

/// The groups whose episodes do not all have the same score, in order.
fn differing(episodes: &[Episode]) -> Vec<u64> {
    let mut scores: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| !episode.failed()) {
        // 0 and -0 are one score.
        scores.entry(episode.group).or_default().insert((episode.score + 0.0).to_bits());
    }
    scores.into_iter().filter(|(_, scores)| scores.len() > 1).map(|(group, _)| group).collect()
}

/// For each row of the episodes, the score of the episode without chance of their group; where that broke down, the group's mean.
fn greedy_scores(episodes: &[(usize, &Episode)], greedy: &[Episode]) -> Vec<f64> {
    let found: BTreeMap<u64, f64> = greedy.iter().filter(|g| !g.failed()).map(|g| (g.group, g.score)).collect();
    let of = |group: u64| {
        found.get(&group).copied().unwrap_or_else(|| {
            let own: Vec<f64> = episodes.iter().filter(|(_, episode)| episode.group == group).map(|(_, episode)| episode.score).collect();
            own.iter().sum::<f64>() / own.len().max(1) as f64
        })
    };
    episodes.iter().flat_map(|(_, episode)| std::iter::repeat_n(of(episode.group), episode.turns.len())).collect()
}
