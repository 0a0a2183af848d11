//! Playing the episodes of an iteration.

use super::super::context::Context;
use super::super::error::RunError;
use super::super::tasks::say_failures;
use super::super::texts::texts;
use super::super::wanted::batch as unlearned;
use super::batch::batch;
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

/// What an iteration took beyond the episodes that it learns from.
pub(crate) struct Cost {
    rows: usize,
    /// Where groups are refilled: rounds, episodes, and how many groups differed.
    refilled: Option<[usize; 3]>,
    /// Mean score and success of the episodes without chance.
    greedy: Option<[f64; 2]>,
    /// Of each other source, how many episodes it gave.
    also: Vec<usize>,
    /// Of each split, where there are several: its name, how many episodes, and the share that succeeded.
    courses: Vec<(String, usize, f64)>,
    /// Of each split, where they depend on what was played: its name, and its part of all weights.
    weights: Vec<(String, f64)>,
}

impl Cost {
    /// `rows` that are learned from; `rounds`, `collected` (episodes) and `differing` (groups); `greedy_score`, `greedy_success` (means); `source/1`, …
    /// (episodes); `success/SPLIT`, `episodes/SPLIT` where there are several; `weight/SPLIT` where they depend on what was played.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = (String, f64)> {
        let courses = self
            .courses
            .iter()
            .flat_map(|(name, count, success)| [(format!("success/{name}"), *success), (format!("episodes/{name}"), *count as f64)]);
        let also = self.also.iter().enumerate().map(|(number, count)| (format!("source/{}", number + 1), *count as f64));
        let refilled = self.refilled.map(|counts| ["rounds", "collected", "differing"].into_iter().zip(counts.map(|count| count as f64)));
        let greedy = self.greedy.map(|means| ["greedy_score", "greedy_success"].into_iter().zip(means));
        let rows = std::iter::once(("rows", self.rows as f64));
        rows.chain(refilled.into_iter().flatten())
            .chain(greedy.into_iter().flatten())
            .map(|(name, value)| (name.to_string(), value))
            .chain(also)
            .chain(courses)
            .chain(self.weights.iter().map(|(name, weight)| (format!("weight/{name}"), *weight)))
    }
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

pub(crate) fn collect(
    stage: &Rl,
    learner: &Learner,
    foreign: &Foreign,
    courses: &[Course],
    iteration: usize,
    context: &mut dyn Context,
) -> Result<Collected, RunError> {
    let decode = learner.decode.at(0.0);
    let greedily = learner.needs().has("greedy_score");
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
                episodes.extend(rollout.play(&of_course)?);
            }
        }
        episodes.sort_by_key(|episode| (episode.group, episode.member));
        Ok(episodes)
    };
    let weights = learner.weights(stage, iteration)?;
    let mut course_of = BTreeMap::new();
    let (mut episodes, mut greedy, mut rounds) = (Vec::new(), Vec::new(), 0);
    let differing = loop {
        let drawn = assignments(stage, courses, &weights, [iteration, rounds], context.seeds());
        episodes.extend(play(&drawn, &learner.decode)?);
        if greedily {
            greedy.extend(play(&once_each(&drawn, stage.group_size.0), &decode)?);
        }
        course_of.extend(drawn.iter().map(|drawn| (drawn.assignment.group, drawn.course)));
        rounds += 1;
        let differing = differing(&episodes);
        if differing.len() >= stage.groups.0 || rounds == stage.rounds() {
            break differing;
        }
    };
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

/// Numbers as parts of their sum.
fn parts(weights: &[f64]) -> impl Iterator<Item = f64> {
    let whole: f64 = weights.iter().sum();
    weights.iter().map(move |weight| weight / whole)
}

/// What came of each split, where there are several.
fn by_course(courses: &[Course], episodes: &[Episode], course_of: &BTreeMap<u64, usize>) -> Vec<(String, usize, f64)> {
    let of = |(number, course): (usize, &Course)| {
        let played: Vec<&Episode> = episodes.iter().filter(|e| !e.failed() && course_of.get(&e.group) == Some(&number)).collect();
        let won = played.iter().filter(|episode| episode.success).count();
        (course.split.name.clone(), played.len(), won as f64 / played.len().max(1) as f64)
    };
    courses.iter().enumerate().filter(|_| courses.len() > 1).map(of).collect()
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

fn means(episodes: &[Episode]) -> [f64; 2] {
    let played: Vec<&Episode> = episodes.iter().filter(|episode| !episode.failed()).collect();
    let n = played.len().max(1) as f64;
    [played.iter().map(|e| e.score).sum::<f64>() / n, played.iter().filter(|e| e.success).count() as f64 / n]
}
