//! What tells of a collapse before success does: where entropy goes, and whether episodes still differ.

use crate::rollout::{Episode, Turn};
use crate::store::MetricRecord;
use std::collections::{BTreeMap, BTreeSet};

/// Iterations over which the entropy's swing is taken.
const WINDOW: usize = 10;

/// Metrics of the episodes of an iteration that did not break down:
///
/// - `entropy/turn/NNN`: mean over the tokens of all turns of that number, from 1;
/// - `groups_alike`: the share of groups of two or more whose episodes all have one score, so that a comparison within them learns nothing;
/// - `turns_alike`: of the turns of such groups that two or more members played (those of one number), the share in which all took one action;
/// - `repeated_actions`: the share of turns with an action that an earlier turn of the episode has;
/// - `distinct_actions`: how many actions there are;
/// - `family/NAME/success`: the share of episodes of a family of tasks that succeed.
pub(super) fn metrics(episodes: &[Episode]) -> BTreeMap<String, f64> {
    let played: Vec<&Episode> = episodes.iter().filter(|episode| !episode.failed()).collect();
    let mut found = entropy_by_turn(&played);
    found.extend(alike(&played));
    let turns: usize = played.iter().map(|episode| episode.turns.len()).sum();
    if turns > 0 {
        let repeated: usize = played.iter().map(|episode| repeated(&episode.turns)).sum();
        let distinct: BTreeSet<&str> = played.iter().flat_map(|episode| &episode.turns).map(|turn| turn.action.as_str()).collect();
        found.insert("repeated_actions".into(), repeated as f64 / turns as f64);
        found.insert("distinct_actions".into(), distinct.len() as f64);
    }
    let mut families: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for episode in &played {
        let (won, all) = families.entry(&episode.task.family).or_default();
        *won += usize::from(episode.success);
        *all += 1;
    }
    found.extend(families.into_iter().map(|(name, (won, all))| (format!("family/{name}/success"), won as f64 / all as f64)));
    found
}

fn entropy_by_turn(played: &[&Episode]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for (number, turn) in played.iter().flat_map(|episode| (1..).zip(&episode.turns)) {
        let Some(sample) = &turn.sample else { continue };
        let (sum, count) = sums.entry(number).or_default();
        *sum += sample.entropy.iter().map(|&e| f64::from(e)).sum::<f64>();
        *count += sample.entropy.len();
    }
    let known = sums.into_iter().filter(|(_, (_, count))| *count > 0);
    known.map(|(number, (sum, count))| (format!("entropy/turn/{number:03}"), sum / count as f64)).collect()
}

/// How the entropies of the tokens of all turns of a number are spread, by that number.
pub(super) fn entropies_by_turn(episodes: &[Episode]) -> BTreeMap<usize, Vec<f32>> {
    let mut found: BTreeMap<usize, Vec<f32>> = BTreeMap::new();
    for (number, turn) in episodes.iter().filter(|episode| !episode.failed()).flat_map(|episode| (1..).zip(&episode.turns)) {
        if let Some(sample) = &turn.sample {
            found.entry(number).or_default().extend(&sample.entropy);
        }
    }
    found
}

fn alike(played: &[&Episode]) -> Vec<(String, f64)> {
    let mut groups: BTreeMap<u64, Vec<&Episode>> = BTreeMap::new();
    for episode in played {
        groups.entry(episode.group).or_default().push(episode);
    }
    let groups: Vec<Vec<&Episode>> = groups.into_values().filter(|group| group.len() > 1).collect();
    if groups.is_empty() {
        return Vec::new();
    }
    // 0 and -0 are one score
    let one_score = |group: &&Vec<&Episode>| group.iter().all(|episode| episode.score + 0.0 == group[0].score + 0.0);
    let (mut same, mut all) = (0, 0);
    for group in &groups {
        let longest = group.iter().map(|episode| episode.turns.len()).max().unwrap_or(0);
        for number in 0..longest {
            let actions: Vec<&str> = group.iter().filter_map(|episode| Some(episode.turns.get(number)?.action.as_str())).collect();
            if actions.len() > 1 {
                all += 1;
                same += usize::from(actions.iter().all(|action| *action == actions[0]));
            }
        }
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let mut found = vec![("groups_alike".to_string(), share(groups.iter().filter(one_score).count(), groups.len()))];
    if all > 0 {
        found.push(("turns_alike".into(), share(same, all)));
    }
    found
}

fn repeated(turns: &[Turn]) -> usize {
    let mut seen = BTreeSet::new();
    turns.iter().filter(|turn| !seen.insert(turn.action.as_str())).count()
}

/// `entropy.swing`: how far the entropy goes from one iteration to the next, |Hₖ − Hₖ₋₁|, as a mean over the last ten steps and as a share of the mean
/// entropy over the same iterations. `None` before there are three.
pub(super) fn swing(entropies: &[f64]) -> Option<f64> {
    let last = entropies.get(entropies.len().saturating_sub(WINDOW + 1)..).unwrap_or_default();
    if last.len() < 3 {
        return None;
    }
    let steps: f64 = last.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / (last.len() - 1) as f64;
    let mean = last.iter().sum::<f64>() / last.len() as f64;
    (mean > 0.0).then(|| steps / mean)
}

/// A metric over the iterations so far.
pub(super) fn series(records: &[MetricRecord], name: &str) -> Vec<f64> {
    records.iter().filter_map(|record| record.values.get(name).copied()).filter(|value| value.is_finite()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::episode;
    use super::*;

    #[test]
    fn by_hand() {
        let mut one = episode("put", 0, &["look", "go", "look"], 1.0);
        one.success = true;
        let all = [one, episode("put", 0, &["look", "take"], 0.0), episode("heat", 1, &["go"], -0.0), episode("heat", 1, &["go"], 0.0)];
        let found = metrics(&all);
        let expected = [
            ("distinct_actions", 3.0),
            ("family/heat/success", 0.0),
            ("family/put/success", 0.5),
            ("groups_alike", 0.5),
            ("repeated_actions", 1.0 / 7.0),
            // look, look; go, take; go, go
            ("turns_alike", 2.0 / 3.0),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_string(), value)).into());
    }

    #[test]
    fn a_swing_is_a_share_of_the_entropy() {
        assert_eq!(swing(&[1.0, 2.0]), None);
        assert_eq!(swing(&[1.0, 1.0, 1.0]), Some(0.0));
        assert!((swing(&[1.0, 3.0, 1.0, 3.0]).expect("a swing") - 1.0).abs() < 1e-12);
        assert_eq!(swing(&[0.0; 5]), None);
    }
}
