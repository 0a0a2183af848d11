//! Over the iterations of a run: history, schedules, what is needed, and what changes a digest.

use super::random::batch;
use super::support::*;
use epo::objective::history::Entry;
use epo::objective::probe::ProbeBatch;
use epo::objective::{Batch, Detail, History, Needs, Now, Rows, Schedule, Whole};

/// Rows of one episode each, the given turn numbers, one token each with the given entropy.
fn rows(turns: &[u64], entropy: &[f64]) -> Batch {
    let episode = (0..turns.len() as u64).collect();
    let rows = Rows { lengths: vec![1; turns.len()], episode: Some(episode), turn_index: Some(turns.to_vec()), ..Rows::default() };
    let n = turns.len();
    Batch::new(rows)
        .and_then(|batch| batch.with("entropy", entropy.to_vec())?.with("old_logp", vec![-1.0; n])?.with("logp", vec![-1.0; n]))
        .expect("a batch")
}

#[test]
fn history_is_the_mean_over_earlier_iterations() {
    let objective = loss_block(
        "all = history(mean(entropy))\nlast = history(mean(entropy), window = 2)\nturn = mean(history(entropy, by = turn_index))\nminimize = mean(entropy) * (1 + all + last + turn)",
    );
    let mut history = History::default();
    let mut seen = vec![];
    for (turns, entropy) in
        [([0, 0, 1], [1.0, 2.0, 6.0]), ([0, 1, 1], [3.0, 4.0, 8.0]), ([0, 2, 2], [5.0, 5.0, 5.0]), ([0, 1, 3], [0.0, 0.0, 0.0])]
    {
        let batch = rows(&turns, &entropy);
        let evaluation = objective.evaluate(&batch, &history).expect("an evaluation");
        seen.push([evaluation.terms["all"], evaluation.terms["last"], evaluation.terms["turn"]]);
        objective.record(&batch, &mut history).expect("recorded");
        // What is remembered survives a checkpoint.
        let text = serde_json::to_string(&history).expect("JSON");
        assert_eq!(serde_json::from_str::<History>(&text).expect("a history"), history);
    }
    // By turn: 0 → 1.5, 3, 5; 1 → 6, 6. A turn number without a past counts as 0: rows 1 and 2 of the third batch, row 2 of the last.
    let third = f64::midpoint(2.25, 0.0);
    let last = ((1.5 + 3.0 + 5.0) / 3.0 + 6.0 + 0.0) / 3.0;
    assert_eq!(seen, [[0.0, 0.0, 0.0], [3.0, 3.0, f64::midpoint(1.5, 6.0)], [4.0, 4.0, third], [13.0 / 3.0, 5.0, last]]);
    let ids: Vec<&str> = objective.histories().iter().map(|h| h.id.as_str()).collect();
    assert_eq!(ids.len(), 2, "the window is no part of what is remembered: {ids:?}");
    assert_eq!(history.entries(ids[0]).len(), 4);
    assert_eq!(history.entries(ids[1])[1], Entry::ByKey(vec![(0, 3.0), (1, 6.0)]));
}

#[test]
fn history_is_of_the_collecting_policy() {
    let objective = loss("mean(logp) * history(mean(logp * entropy))");
    let batch = rows(&[0, 1], &[1.0, 3.0]).with("logp", vec![-100.0, -100.0]).unwrap();
    let mut history = History::default();
    objective.record(&batch, &mut history).unwrap();
    assert_eq!(history.entries(&objective.histories()[0].id), [Entry::Whole(Some(-2.0))], "`old_logp` stands for `logp`");
    assert_eq!(objective.evaluate(&batch, &history).unwrap().minimize, 200.0);
    let needs = objective.needs();
    assert!(needs.has("entropy") && needs.gradient.goes_through("logp") && !needs.gradient.goes_through("entropy"));
    assert!(messages("advantage = history(mean(logp))").contains("E0305"));
}

#[test]
fn loss_and_advantage_remember_apart() {
    let objective = loss("mean(logp) * history(mean(entropy))");
    let line = advantage("entropy - history(mean(entropy))");
    let batch = rows(&[0, 1], &[1.0, 3.0]);
    let mut history = History::default();
    for _ in 0..3 {
        objective.record(&batch, &mut history).unwrap();
        line.record(&batch, &mut history).unwrap();
    }
    for id in [&objective.histories()[0].id, &line.histories()[0].id] {
        assert_eq!(history.entries(id).len(), 3, "{id}");
    }
    assert_eq!(line.evaluate(&batch, &history).unwrap().advantage, [-1.0, 1.0].map(Some));
    assert_eq!(line.evaluate(&batch, &History::default()).unwrap().advantage, [1.0, 3.0].map(Some), "a summand without a past is left out");
    let product = advantage("entropy * history(mean(entropy))");
    assert_eq!(product.evaluate(&batch, &History::default()).unwrap().advantage, [0.0, 0.0].map(Some));
}

fn needs(text: &str) -> Needs {
    loss(text).needs().clone()
}

#[test]
fn the_engine_computes_what_is_mentioned_and_no_more() {
    let ppo = needs("mean(ppo_clip(0.2))");
    assert!(
        !ppo.critic()
            && !ppo.reference()
            && ppo.gradient.goes_through("logp")
            && !ppo.gradient.goes_through("entropy")
            && !ppo.has("entropy")
    );
    assert!(needs("mean(ppo_clip(0.2)) + 0.01 * mean(kl_k3())").reference());
    assert!(needs("mean(value_clip())").critic() && needs("mean(logp * returns)").critic());
    let masked = needs("mean(where(entropy > 1, logp, 0))");
    assert!(masked.has("entropy") && !masked.gradient.goes_through("entropy"));
    let unreached = loss_block("fit = mean(value_clip())\nminimize = mean(logp)");
    assert!(!unreached.needs().critic(), "a term that is not reached needs nothing");
    assert!(advantage("whiten(gae(outcome, value))").needs().critic() && !advantage("grpo()").needs().critic());
    assert!(ppo.with(advantage("gae(outcome, value)").needs()).critic());
}

#[test]
fn episodes_and_groups_are_kept_whole_where_the_loss_needs_them() {
    assert_eq!(needs("mean(mean(logp, by = turn))").whole, Whole::Rows);
    assert_eq!(needs("mean(logp * turns)").whole, Whole::Rows);
    assert_eq!(needs("trajectory_mean(entropy)").whole, Whole::Episodes);
    assert_eq!(needs("mean(logp * stop(discount(reward, by = episode)))").whole, Whole::Episodes);
    assert_eq!(needs("mean(logp * mean(reward, by = anchor))").whole, Whole::Groups);
    assert_eq!(needs("mean(logp) * history(trajectory_mean(entropy))").whole, Whole::Rows, "a history is of the whole collected batch");
}

#[test]
fn digests_change_with_the_equation_and_only_with_it() {
    let digest = |lines: &str| loss_block(lines).digest().to_owned();
    let one = digest("a = mean(kl_k3())\nminimize = a");
    assert_eq!(one, digest("a = mean(kl_k3(ref_logp))\nb = mean(entropy)\nminimize = a"));
    assert_eq!(
        one,
        digest("a = mean(clip(exp(clip(ref_logp - logp, -20, 20)) - clip(ref_logp - logp, -20, 20) - 1, -10, 10))\nminimize = a")
    );
    assert_ne!(one, digest("a = mean(kl_k3())\nminimize = 2 * a"));
    assert_ne!(one, digest("b = mean(kl_k3())\nminimize = b"), "a name is logged");
    assert_ne!(advantage("grpo()").digest(), advantage("grpo(outcome)").digest());
}

#[test]
fn term_gradients_show_dead_terms() {
    let objective =
        loss_block("live = mean(relu(entropy - 1))\ndead = mean(where(entropy > 1, 1, 0))\nminimize = live + dead + 0 * mean(logp)");
    let file = ProbeBatch::from_value(&batch(9)).unwrap();
    let detail = Detail { term_gradients: true, ..Detail::default() };
    let norms =
        objective.evaluate_in(file.batch(), &file.history(Some(&objective), None).unwrap().unwrap(), detail).unwrap().term_gradients;
    assert!(norms["live"].entropy > 0.0 && norms["live"].logp == 0.0 && norms["dead"].entropy == 0.0);
}

fn schedule(text: &str) -> Schedule {
    let mut compiled = compile(&format!("schedule = {text}"));
    let term = compiled.schedule.clone().expect("a term");
    Schedule::check(&term, "lr", &mut compiled.diagnostics).unwrap_or_else(|| panic!("{}", compiled.messages()))
}

fn at(schedule: &Schedule, progress: f64) -> f64 {
    schedule.at(Now { iteration: 100.0 * progress, iterations: 100.0, progress }).expect("a number")
}

#[test]
fn schedules_of_the_prelude() {
    let cosine = schedule("cosine(2, warmup = 0.1, floor = 0.2)");
    for (progress, rate) in [(0.0, 0.0), (0.05, 1.0), (0.1, 2.0), (0.55, 1.2), (1.0, 0.4)] {
        assert!((at(&cosine, progress) - rate).abs() < 1e-12, "{progress}: {}", at(&cosine, progress));
    }
    let linear = schedule("linear(2, warmup = 0.1, floor = 0.2)");
    for (progress, rate) in [(0.05, 1.0), (0.1, 2.0), (0.55, 1.2), (1.0, 0.4)] {
        assert!((at(&linear, progress) - rate).abs() < 1e-12, "{progress}: {}", at(&linear, progress));
    }
    for text in ["cosine(2)", "linear(2)", "constant(2)"] {
        assert_eq!(at(&schedule(text), 0.0), 2.0, "{text} begins at its peak");
    }
    assert_eq!((schedule("constant(2)").constant(), cosine.constant()), (Some(2.0), None));
    assert_eq!(at(&schedule("where(iteration > 40 and not (progress > 0.5), 1, 3)"), 0.45), 1.0);
    let error = schedule("1 / iteration").at(Now { iteration: 0.0, iterations: 1.0, progress: 0.0 }).unwrap_err();
    assert_eq!(error.to_string(), "`1 / iteration` is infinite at iteration 0");
    for (text, message) in [
        ("entropy", "`entropy` is not known here: a schedule is evaluated without a batch"),
        ("history(progress)", "`history` is not known here: a schedule is evaluated without a batch"),
        ("progress > 0.5", "`lr` must be a number, but this is a condition"),
    ] {
        let mut compiled = compile(&format!("schedule = {text}"));
        let term = compiled.schedule.clone().expect("a term");
        assert!(Schedule::check(&term, "lr", &mut compiled.diagnostics).is_none());
        assert_eq!(compiled.diagnostics.0[0].message, message);
    }
}
