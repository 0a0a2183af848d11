//! The update of a model does not depend on how its minibatch is cut or ordered: for every loss of the library, whether or not it is a sum of means.

use super::random::{Random, batch, built_in, losses, schedules};
use super::support::*;
use candle_core::{DType, Device};
use epo::model::{
    Asked, Compute, Critic, DecoderConfig, Figure, Gradients, Other, Row, ScoreGradients, Target, Variant, Weights, evaluate_with_figures,
};
use epo::objective::probe::ProbeBatch;
use epo::objective::{Batch, Objective};

/// A policy, a critic, and the rows that belong to a batch.
struct World {
    policy: Weights,
    reference: Weights,
    critic: Critic,
    rows: Vec<Row>,
    batch: Batch,
    file: ProbeBatch,
}

fn world(seed: u64) -> World {
    let config = DecoderConfig {
        layers: 1,
        width: 16,
        heads: 2,
        kv_heads: 1,
        ffn: 24,
        vocab: 23,
        context: 32,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    };
    let file = ProbeBatch::from_value(&batch(seed)).expect("a batch");
    let mut random = Random::new(seed);
    let row = |&targets: &usize| {
        let prompt = 2 + random.below(6);
        let ids: Vec<u32> = (0..prompt + targets).map(|_| random.below(config.vocab) as u32).collect();
        let targets = (0..targets).map(|i| Target { position: prompt + i - 1, token: ids[prompt + i], allowed: None }).collect();
        Row { ids, targets }
    };
    let rows = file.batch().rows().lengths.iter().map(row).collect();
    let weights = |seed| Weights::init(&config, seed, &Device::Cpu, DType::F64).expect("weights");
    World {
        policy: weights(seed),
        reference: weights(seed + 2),
        critic: Critic::from_backbone(&weights(seed + 1)).expect("a critic"),
        rows,
        batch: file.batch().clone(),
        file,
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn narrow(values: Option<Vec<f64>>) -> Vec<f32> {
    values.unwrap_or_default().into_iter().map(|x| x as f32).collect()
}

/// What else the losses may mention.
const FIGURES: [(&str, Figure); 6] = [
    ("collision", Figure::Collision),
    ("confidence", Figure::Largest),
    ("top_share(2)", Figure::TopShare(2)),
    ("top_share(5)", Figure::TopShare(5)),
    ("kl_to_reference", Figure::To(0)),
    ("kl_from_reference", Figure::From(0)),
];

/// What one step of training computes: the value, and the gradients of the policy's and the critic's parameters.
fn update(world: &World, objective: &Objective, order: &[usize], micro_batch: usize) -> (f64, [Gradients; 2]) {
    let compute = Compute { micro_batch: Some(micro_batch), ..Compute::default() };
    let rows: Vec<Row> = order.iter().map(|&row| world.rows[row].clone()).collect();
    let others = [Other::of(&world.reference, &rows, &compute).expect("states")];
    let figures = FIGURES.map(|(_, figure)| figure);
    let more = Asked { figures: &figures, others: &others };
    let policy = evaluate_with_figures(&world.policy, &rows, 1.0, more, &compute).expect("scores");
    let critic = world.critic.evaluate(&rows, &compute).expect("values");
    let mut batch = world.batch.clone();
    batch.ask(&objective.needs().texts);
    let batch = batch.select(order).expect("a minibatch");
    let columns = [("logp", &policy.scores.logp), ("entropy", &policy.scores.entropy), ("value", &critic.values)];
    let figures = FIGURES.iter().zip(&policy.figures).map(|((name, _), values)| (*name, values));
    let batch = columns.into_iter().chain(figures).fold(batch, |batch, (name, values)| batch.with(name, wide(values)).expect("a column"));
    let history = world.file.history(Some(objective), None).expect("a past for each").expect("a past");
    let found = objective.evaluate(&batch, &history).expect("an evaluation");
    let slopes = ScoreGradients { logp: narrow(found.gradient.logp), entropy: narrow(found.gradient.entropy) };
    let values = narrow(found.gradient.value);
    let figures: Vec<Vec<f32>> = FIGURES.iter().map(|(name, _)| narrow(found.gradient.figures.get(name).cloned())).collect();
    let gradients = [policy.backward_with_figures(&slopes, &figures).expect("gradients"), critic.backward(&values).expect("gradients")];
    (found.minimize, gradients)
}

/// The largest difference of two gradients, relative to the larger one's norm; and that norm.
fn difference(a: &Gradients, b: &Gradients) -> (f64, f64) {
    let norm = a.norm().expect("a norm").max(b.norm().expect("a norm"));
    let mut worst: f64 = 0.0;
    for (name, tensor) in a.tensors() {
        let numbers = |t: &candle_core::Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f64>()).expect("numbers");
        let pairs = numbers(tensor).into_iter().zip(numbers(&b.tensors()[name]));
        worst = pairs.fold(worst, |worst, (a, b)| worst.max((a - b).abs()));
    }
    (worst / norm.max(1e-12), norm)
}

#[test]
fn an_update_is_the_same_however_its_rows_are_cut_and_ordered() {
    let mut texts: Vec<String> = losses().into_iter().chain(schedules()).map(|(_, text)| text).collect();
    texts.extend(built_in());
    // Not linear in their means.
    for text in [
        "mean(collision) * mean(confidence) + mean(logp * confidence ^ 2)",
        "mean(top_share(5) - top_share(2)) * mean(logp * top_share(2) ^ 2)",
        "mean(kl_to_reference ^ 2) + mean(kl_from_reference * logp)",
        "mean(entropy) ^ 2",
        "mean(ratio() * advantage) / (0.1 + std(logp))",
        "log(1 + mean(exp(entropy))) * mean(value)",
        "max(logp)",
    ] {
        texts.push(text.to_owned());
    }
    let world = world(11);
    let n = world.rows.len();
    assert!(n > 5);
    let all: Vec<usize> = (0..n).collect();
    let shuffled = Random::new(3).shuffled(n);
    let mut reached = 0;
    for text in &texts {
        let objective = loss(text);
        let (value, whole) = update(&world, &objective, &all, n);
        for (order, micro_batch) in [(&all, 1), (&all, 3), (&shuffled, n), (&shuffled, 2)] {
            let (other, parts) = update(&world, &objective, order, micro_batch);
            assert!((value - other).abs() <= 1e-9 * (1.0 + value.abs()), "{text}: {value} and {other}");
            for (whole, parts) in whole.iter().zip(&parts) {
                let (worst, norm) = difference(whole, parts);
                assert!(worst < 1e-6, "{text}: gradients differ by {worst} of their norm with {micro_batch} rows at once");
                reached += usize::from(norm > 0.0);
            }
        }
    }
    assert!(reached > 4 * texts.len() / 2, "{reached} gradients");
}
