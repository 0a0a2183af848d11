//! Statistics by several keys, values in order, neighbours in time, and rates of their own for each step: against loops over the rows.

use super::differences::check;
use super::random::{batch, reordered};
use super::support::*;
use epo::objective::History;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn evaluate(text: &str, file: &Value) -> ProbeAnswer {
    let batch = ProbeBatch::from_value(file).expect("a batch");
    probe(Some(&loss(text)), None, &batch).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn value(text: &str, file: &Value) -> f64 {
    evaluate(&format!("{text} + 0 * mean(logp)"), file).minimize.expect("a value")
}

fn of_advantage(text: &str, file: &Value) -> Vec<Vec<f64>> {
    let batch = ProbeBatch::from_value(file).expect("a batch");
    all_there(probe(None, Some(&advantage(text)), &batch).unwrap_or_else(|e| panic!("{text}: {e}")).advantage)
}

/// One whole number for each row.
fn ids(file: &Value, name: &str) -> Vec<u64> {
    file[name].as_array().expect(name).iter().map(|id| id.as_u64().expect("an id")).collect()
}

/// The tokens of each row.
fn tokens(file: &Value, name: &str) -> Vec<Vec<f64>> {
    let row = |(row, mask): (&Value, &Value)| {
        let cells = row.as_array().expect("a row").iter().zip(mask.as_array().expect("a mask"));
        cells.filter(|(_, mask)| mask.as_u64() == Some(1)).map(|(x, _)| x.as_f64().expect("a number")).collect()
    };
    file[name].as_array().expect(name).iter().zip(file["mask"].as_array().expect("a mask")).map(row).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The states of the episode up to each row, the present one last, `most` at most.
fn last_states(file: &Value, most: usize) -> Vec<Vec<u64>> {
    let (episode, turn, anchor) = (ids(file, "episode"), ids(file, "turn"), ids(file, "anchor"));
    let of = |row: usize| {
        let mut before: Vec<(u64, u64)> =
            (0..episode.len()).filter(|&r| episode[r] == episode[row] && turn[r] <= turn[row]).map(|r| (turn[r], anchor[r])).collect();
        before.sort_unstable();
        before.iter().skip(before.len().saturating_sub(most)).map(|(_, state)| *state).collect()
    };
    (0..episode.len()).map(of).collect()
}

#[test]
fn a_mean_by_several_keys_is_that_of_the_rows_that_agree_in_all_of_them() {
    for seed in 1..12 {
        let file = batch(seed);
        let [group, turn, anchor, episode, task] = ["group", "turn", "anchor", "episode", "task"].map(|name| ids(&file, name));
        let states = |most: usize| -> Vec<Vec<u64>> {
            last_states(&file, most).into_iter().zip(&group).map(|(s, g)| [vec![*g], s].concat()).collect()
        };
        let all = |keys: &[&Vec<u64>]| -> Vec<Vec<u64>> { (0..group.len()).map(|row| keys.iter().map(|key| key[row]).collect()).collect() };
        let with = |mut keys: Vec<Vec<u64>>, more: &[u64]| {
            keys.iter_mut().zip(more).for_each(|(key, id)| key.push(*id));
            keys
        };
        for (key, of_row) in [
            ("[group, turn_index]", all(&[&group, &turn])),
            ("[turn_index, group]", all(&[&group, &turn])),
            ("[task, turn_index]", all(&[&task, &turn])),
            ("task", all(&[&task])),
            ("[episode, anchor]", all(&[&episode, &anchor])),
            ("[anchor, turn_index]", all(&[&group, &anchor, &turn])),
            ("anchors(1)", states(1)),
            ("anchors(2)", states(2)),
            ("anchors(3)", states(3)),
            ("[anchors(2), turn_index]", with(states(2), &turn)),
        ] {
            let logp = tokens(&file, "logp");
            let mut groups: BTreeMap<&Vec<u64>, Vec<f64>> = BTreeMap::new();
            logp.iter().zip(&of_row).for_each(|(row, key)| groups.entry(key).or_default().extend(row));
            let weighed = tokens(&file, "old_logp")
                .iter()
                .zip(&of_row)
                .flat_map(|(row, key)| row.iter().map(|x| x * mean(&groups[key])))
                .collect::<Vec<f64>>();
            let found = value(&format!("mean(mean(logp, by = {key}) * old_logp)"), &file);
            assert!((found - mean(&weighed)).abs() < 1e-12, "seed {seed}, {key}: {found}, {}", mean(&weighed));
            let alike = value(&format!("mean(mean(logp, by = {key}))"), &file);
            let wanted = mean(&groups.values().map(|tokens| mean(tokens)).collect::<Vec<f64>>());
            assert!((alike - wanted).abs() < 1e-12, "seed {seed}, {key}: every combination counts alike");
        }
    }
}

#[test]
fn keys_go_through_functions() {
    let file = batch(4);
    let text = "fn centred(x, key) = x - mean(x, by = key)
        pipeline p { loss { minimize = mean(centred(logp, [group, turn_index]) * entropy) + mean(centred(logp, anchors(2)) * entropy) } }";
    let mut compiled = compile_file(text);
    let objective = compiled.check_loss().unwrap_or_else(|| panic!("{}", compiled.messages()));
    let found = probe(Some(&objective), None, &ProbeBatch::from_value(&file).expect("a batch")).expect("a value").minimize;
    let wanted = value(
        "mean((logp - mean(logp, by = [group, turn_index])) * entropy) + mean((logp - mean(logp, by = anchors(2))) * entropy)",
        &file,
    );
    assert!((found.expect("a value") - wanted).abs() < 1e-12);
}

#[test]
fn quantiles_and_ranks_of_a_few_values() {
    let file = json!({
        "mask": [[1, 1, 0], [1, 1, 1], [1, 0, 0]], "turn": [1, 0, 0], "episode": [0, 0, 1], "group": [0, 0, 0],
        "logp": [[-1, -2, 9], [-3, -4, -5], [-6, 9, 9]], "entropy": [[1, 2, 9], [3, 4, 2], [2, 9, 9]], "valid": [1, 0, 1], "reward": [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
    });
    for (q, wanted) in [("0", 1.0), ("0.5", 2.0), ("1", 4.0), ("0.7", 2.5), ("0.9", 3.5)] {
        assert!((value(&format!("quantile(entropy, {q})"), &file) - wanted).abs() < 1e-12, "{q}");
    }
    assert_eq!(value("mean(quantile(entropy, 0.5, by = turn))", &file), (1.5 + 3.0 + 2.0) / 3.0);
    assert_eq!(value("quantile(only(entropy, not valid), 0.5)", &file), 3.0);
    assert_eq!(value("mean(quantile(only(entropy, valid), 1, by = turn))", &file), 2.0, "a turn of which nothing is left has none");
    // Places 0; 2 (three twos); 4; 5; the twos of row 0, 1 and 2.
    assert_eq!(value("sum(rank(entropy) * logp)", &file), 2.0 * -2.0 + 4.0 * -3.0 + 5.0 * -4.0 + 2.0 * -5.0 + 2.0 * -6.0);
    assert_eq!(value("sum(rank(entropy, by = turn) * logp)", &file), -2.0 - 3.0 - 2.0 * 4.0);
    assert_eq!(value("sum(rank(only(entropy, valid)) * logp)", &file), 1.5 * -2.0 + 1.5 * -6.0);
    // Half of the gradient goes to each of the two in the middle.
    let gradient = evaluate("quantile(logp, 0.5)", &file).gradient.logp;
    assert_eq!(gradient, [[0.0; 3], [0.5, 0.5, 0.0], [0.0; 3]]);
}

#[test]
fn the_next_and_the_one_before() {
    // Turns 1, 0, 2 of one episode, the last without a token; and one of a single turn.
    let file = json!({
        "mask": [[1, 1, 0], [1, 1, 1], [0, 0, 0], [1, 0, 0]], "turn": [1, 0, 2, 0], "episode": [0, 0, 0, 1], "group": [0, 0, 0, 0],
        "logp": [[1, 2, 9], [3, 4, 5], [9, 9, 9], [6, 9, 9]], "step_reward": [10, 20, 30, 40], "outcome": [0, 0, 0, 0],
    });
    let rows = |text: &str| {
        of_advantage(
            text,
            &file
                .as_object()
                .map(|o| {
                    let mut o = o.clone();
                    o.insert("old_logp".into(), o["logp"].clone());
                    Value::Object(o)
                })
                .expect("an object"),
        )
    };
    assert_eq!(rows("next(old_logp)"), [[2.0, 0.0, 0.0], [4.0, 5.0, 0.0], [0.0; 3], [0.0; 3]]);
    assert_eq!(rows("next(old_logp, last = -1, by = episode)"), [[2.0, -1.0, 0.0], [4.0, 5.0, 1.0], [0.0; 3], [-1.0, 0.0, 0.0]]);
    assert_eq!(
        rows("previous(old_logp, first = token_index + 7, by = episode)"),
        [[5.0, 1.0, 0.0], [7.0, 3.0, 4.0], [0.0; 3], [7.0, 0.0, 0.0]]
    );
    assert_eq!(rows("next(reward)"), [[30.0, 30.0, 0.0], [10.0; 3], [0.0; 3], [0.0; 3]]);
    assert_eq!(rows("previous(reward, first = outcome - 1)"), [[20.0, 20.0, 0.0], [-1.0; 3], [0.0; 3], [-1.0, 0.0, 0.0]]);
    assert_eq!(rows("token_index"), [[0.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0; 3], [0.0; 3]]);
    // A difference along time, with what a state is worth taken from all that saw it.
    assert_eq!(rows("previous(next(old_logp))")[1], [0.0, 4.0, 5.0]);
    assert_eq!(value("sum(next(only(logp, logp > 4)))", &file), 5.0, "what is left out is left out for the one before it too");
}

#[test]
fn a_rate_for_each_step() {
    for seed in 1..8 {
        let file = batch(seed);
        let (episode, turn) = (ids(&file, "episode"), ids(&file, "turn"));
        let (reward, values) = (tokens(&file, "old_logp"), tokens(&file, "old_value"));
        let lambda = |row: usize| 1.0 / (1.0 + reward[row].len() as f64);
        let gamma = |row: usize, token: usize| if token + 1 == reward[row].len() { 0.8 } else { 1.0 };
        let mut wanted: Vec<Vec<f64>> = reward.iter().map(|row| vec![0.0; row.len()]).collect();
        let mut rows: Vec<usize> = (0..episode.len()).collect();
        rows.sort_by_key(|&row| (episode[row], turn[row]));
        let mut after: Option<(u64, f64, f64)> = None;
        for &row in rows.iter().rev() {
            for token in (0..reward[row].len()).rev() {
                let (next_value, next) = after.filter(|(own, ..)| *own == episode[row]).map_or((0.0, 0.0), |(_, v, a)| (v, a));
                let delta = reward[row][token] + gamma(row, token) * next_value - values[row][token];
                wanted[row][token] = delta + gamma(row, token) * lambda(row) * next;
                after = Some((episode[row], values[row][token], wanted[row][token]));
            }
        }
        let text = "gae(old_logp, old_value, gamma = where(token_index == length - 1, 0.8, 1), lambda = 1 / (1 + length), by = episode)";
        let found = of_advantage(text, &file);
        for (row, wanted) in wanted.iter().enumerate() {
            let worst = wanted.iter().zip(&found[row]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-12, "seed {seed}, row {row}");
        }
        let same = |a: &str, b: &str| assert_eq!(of_advantage(a, &file), of_advantage(b, &file), "{a}");
        same("gae(old_logp, old_value, 0.9, 0.8 + 0 * length)", "gae(old_logp, old_value, 0.9, 0.8)");
        same("discount(reward, 0.9 + 0 * length, by = episode, per = turn)", "discount(reward, 0.9, by = episode, per = turn)");
    }
    let batch = ProbeBatch::from_value(&batch(3)).expect("a batch");
    let error =
        advantage("gae(outcome, old_value, lambda = length)").evaluate(batch.batch(), &History::default()).expect_err("out of range");
    assert!(error.to_string().starts_with("`a rate of gae("), "{error}");
}

#[test]
fn gradients() {
    for text in [
        "mean(quantile(logp * entropy, 0.3, by = [group, turn_index]) * old_value) ",
        "quantile(logp, 0.75) * quantile(entropy, 0.2)",
        "mean(mean(logp * entropy, by = anchors(2)) ^ 2)",
        "mean(std(value, by = [task, turn_index]) * old_logp)",
        "mean(next(logp, last = entropy) * previous(entropy, first = value, by = episode))",
        "mean(next(mean(entropy, by = turn)) * logp)",
        "mean(gae(logp, value, 0.9, lambda = 1 / (1 + length), by = episode) * old_logp)",
        "mean(discount(entropy, gamma = sigmoid(old_value)) * old_logp)",
        "mean(rank(old_logp, by = episode) * logp)",
        "collected(mean(old_entropy)) * mean(logp)",
    ] {
        assert!(check(text, &loss(text), 6) > 10, "{text}");
    }
}

#[test]
fn the_order_of_rows_does_not_matter() {
    for text in [
        "mean(mean(logp, by = [group, turn_index]) * entropy)",
        "mean(mean(logp, by = anchors(2)) * entropy)",
        "mean(quantile(logp, 0.4, by = task) * entropy) + mean(rank(entropy, by = group) * logp)",
        "mean(next(logp, by = episode) * entropy) + mean(previous(valid) * logp)",
    ] {
        let file = batch(9);
        let order = super::random::Random::new(2).shuffled(ids(&file, "turn").len());
        assert!((value(text, &file) - value(text, &reordered(&file, &order))).abs() < 1e-12, "{text}");
    }
}

#[test]
fn what_cannot_be_asked() {
    for (line, said) in [
        ("mean(logp, by = [group, turn])", "error[E0117]: `by` cannot be `[group, turn]`"),
        ("mean(logp, by = [group, colour])", "error[E0117]: `by` takes one of `turn`"),
        ("mean(logp, by = anchors(0))", "error[E0117]: `anchors` takes a whole number from 1 to 100"),
        ("mean(logp, by = anchors(length))", "error[E0117]: `anchors` takes a whole number from 1 to 100"),
        ("mean(score, by = [group, turn_index])", ""),
        (
            "mean(mean(logp, by = [group, turn_index]), by = [turn_index, group])",
            "error[E0303]: `mean` with `by = [group, turn_index]` reduces nothing",
        ),
        ("quantile(logp, 1.5)", "error[E0308]: `q` of `quantile(logp, 1.5)` must be from 0 to 1, not 1.5"),
        (
            "quantile(logp, entropy)",
            "error[E0311]: `q` of `quantile` takes one value for the whole batch, but `entropy` has one value a token",
        ),
        ("rank(score, by = episode)", "error[E0303]: `rank` compares values with each other, but `score` is one value an episode"),
        ("next(score)", "error[E0303]: `next` has nothing to go on to: `score` is one value an episode"),
        ("next(reward, by = turn)", "error[E0303]: `next` with `by = turn` stays within a turn"),
        ("previous(reward, first = logp)", "error[E0311]: `first` of `previous` takes one value a turn, but `logp` has one value a token"),
        ("gae(logp, value, lambda = logp, per = turn)", "error[E0311]: `reward` of `gae` takes one value a turn"),
        ("gae(reward, old_value, lambda = 1.5)", "error[E0308]: `lambda` of"),
    ] {
        let found = messages(&format!("loss {{ minimize = mean(logp * {line}) }}"));
        assert!(found.starts_with(said) && (!said.is_empty() || !found.contains("error")), "{line}: {found}");
    }
}
