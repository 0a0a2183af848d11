//! What an iteration took, as its metrics say it.

use super::courses::Course;
use crate::rollout::Episode;
use std::collections::BTreeMap;

/// What an iteration took beyond the episodes that it learns from.
pub(crate) struct Cost {
    pub(super) rows: usize,
    /// Where groups are refilled: rounds, episodes, and how many groups differed.
    pub(super) refilled: Option<[usize; 3]>,
    /// Mean score and success of the episodes without chance.
    pub(super) greedy: Option<[f64; 2]>,
    /// Of each other source, how many episodes it gave.
    pub(super) also: Vec<usize>,
    /// Of each split, where there are several: its name, how many episodes, and the share that succeeded.
    pub(super) courses: Vec<(String, usize, f64)>,
    /// Of each split, where they depend on what was played: its name, and its part of all weights.
    pub(super) weights: Vec<(String, f64)>,
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

/// Numbers as parts of their sum.
pub(super) fn parts(weights: &[f64]) -> impl Iterator<Item = f64> {
    let whole: f64 = weights.iter().sum();
    weights.iter().map(move |weight| weight / whole)
}

/// What came of each split, where there are several.
pub(super) fn by_course(courses: &[Course], episodes: &[Episode], course_of: &BTreeMap<u64, usize>) -> Vec<(String, usize, f64)> {
    let of = |(number, course): (usize, &Course)| {
        let played: Vec<&Episode> = episodes.iter().filter(|e| !e.failed() && course_of.get(&e.group) == Some(&number)).collect();
        let won = played.iter().filter(|episode| episode.success).count();
        (course.split.name.clone(), played.len(), won as f64 / played.len().max(1) as f64)
    };
    courses.iter().enumerate().filter(|_| courses.len() > 1).map(of).collect()
}

/// Mean score and success of episodes.
pub(super) fn means(episodes: &[Episode]) -> [f64; 2] {
    let played: Vec<&Episode> = episodes.iter().filter(|episode| !episode.failed()).collect();
    let n = played.len().max(1) as f64;
    [played.iter().map(|e| e.score).sum::<f64>() / n, played.iter().filter(|e| e.success).count() as f64 / n]
}
