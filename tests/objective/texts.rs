//! What equations make of the texts of turns: in a run a batch is asked as a whole, and its minibatches have the answers.

use super::support::*;
use epo::objective::{Batch, History, Place, Reward, Rows, Scope, Texts};

/// Two groups of two episodes of two turns, one token each.
fn batch() -> Batch {
    let rows = Rows {
        lengths: vec![1; 8],
        episode: Some(vec![0, 0, 1, 1, 2, 2, 3, 3]),
        group: Some(vec![0, 0, 0, 0, 1, 1, 1, 1]),
        turn_index: Some(vec![0, 1, 0, 1, 0, 1, 0, 1]),
        ..Rows::default()
    };
    let response = ["look", "look", "go, please", "look", "please", "please", "look", "go"].map(String::from).to_vec();
    let mut batch = Batch::new(rows).unwrap().with("old_logp", vec![-1.0; 8]).unwrap().with("logp", vec![-1.0; 8]).unwrap();
    batch.set_texts(Texts { response: Some(response), ..Texts::default() });
    batch.set("score", vec![1.0, 0.0, 0.0, 0.0]).unwrap();
    batch
}

/// Group reward-decoupled normalisation: each reward less its mean, by its deviation, within its group; then the sum, whitened over the episodes.
#[test]
fn each_reward_is_normalised_on_its_own() {
    let text = "whiten(grpo(score) + 0.5 * grpo(sum(contains(response, \"please\"), by = episode)), per = episode)";
    let found = advantage(text).evaluate(&batch(), &History::default()).unwrap();
    let (score, polite) = ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 0.0]);
    let normalised = |x: &[f64; 4]| -> Vec<f64> {
        let of = |group: &[f64]| -> Vec<f64> {
            let mean = f64::midpoint(group[0], group[1]);
            let deviation = ((group[0] - mean).powi(2) + (group[1] - mean).powi(2)).sqrt();
            group.iter().map(|x| (x - mean) / (deviation + 1e-6)).collect()
        };
        [of(&x[..2]), of(&x[2..])].concat()
    };
    let sum: Vec<f64> = normalised(&score).iter().zip(normalised(&polite)).map(|(a, b)| a + 0.5 * b).collect();
    let mean = sum.iter().sum::<f64>() / 4.0;
    let variance = sum.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 3.0;
    for (row, x) in found.advantage.iter().enumerate() {
        let expected = (sum[row / 2] - mean) / variance.sqrt();
        assert!((x.unwrap() - expected).abs() < 1e-5, "row {row}: {x:?}, not {expected}");
    }
}

#[test]
fn a_minibatch_knows_what_the_whole_batch_was_asked() {
    let objective = loss("mean(where(repeats(response), logp, 0))");
    let mut whole = batch();
    let torn = whole.select(&[1, 3]).unwrap();
    let error = objective.evaluate(&torn, &History::default()).unwrap_err();
    assert_eq!(error.to_string(), "the batch has no `response`");
    whole.ask(&objective.needs().texts);
    // Row 1 says what row 0 said, which is not in the minibatch.
    let torn = whole.select(&[3, 1]).unwrap();
    assert_eq!(objective.evaluate(&torn, &History::default()).unwrap().minimize, -0.5);
}

/// Through functions, with names for texts and strings as arguments.
#[test]
fn functions_may_be_given_texts_and_strings() {
    let lines =
        "fn said(what, of = response) = sum(contains(of, what), by = episode)\nadvantage = said(\"please\") - said(\"go\", of = response)";
    let term = compile(lines);
    let mut diagnostics = epo::lang::Diagnostics::default();
    let found = epo::objective::Advantage::check(&term.advantage.clone().unwrap(), &mut diagnostics).unwrap();
    assert_eq!(found.text(), "sum(contains(response, \"please\"), by = episode) - sum(contains(response, \"go\"), by = episode)");
    let values = found.evaluate(&batch(), &History::default()).unwrap().advantage;
    assert_eq!(values.into_iter().flatten().collect::<Vec<_>>(), [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, -1.0, -1.0]);
}

#[test]
fn a_reward_is_a_number_of_a_turn() {
    let check = |text: &str| {
        let term = compile(&format!("schedule = {text}")).schedule.unwrap();
        let mut diagnostics = epo::lang::Diagnostics::default();
        let reward = Reward::check(&term, "polite", &Scope::new(Place::Reward), &mut diagnostics);
        reward.ok_or_else(|| (diagnostics.0[0].code, diagnostics.0[0].message.clone()))
    };
    let values = |text: &str| check(text).unwrap().evaluate(&batch()).unwrap().into_iter().map(Option::unwrap).collect::<Vec<f64>>();
    assert_eq!(values("contains(response, \"please\")"), [0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    assert_eq!(values("where(word_count(response) > 1, 1, 0)"), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(values("0.5 * score - turn_index"), [0.5, -0.5, 0.0, -1.0, 0.0, -1.0, 0.0, -1.0]);
    for (text, code, said) in [
        ("word_count(response) > 1", "E0304", "`polite` must be a number, but this is a condition"),
        ("token_index", "E0305", "`token_index` is not known here: a reward is of what was played"),
        ("old_logp", "E0305", "`old_logp` is not known here: a reward is of what was played"),
        ("history(mean(score))", "E0305", "`history(mean(score))` is not known here: a reward is of the turns as they were played"),
        ("matches(response, \"a(\")", "E0315", "this is no regular expression: unclosed group"),
        ("contains(response, \"\")", "E0315", "the empty text is a part of every text"),
    ] {
        assert_eq!(check(text).unwrap_err(), (code, said.to_string()), "{text}");
    }
}
