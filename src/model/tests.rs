//! Properties of scoring and its gradient that hold for the whole decoder.

use super::composite;
use super::config::tests::{tiny, variants};
use super::engine::{Answers, Ask, Slopes};
use super::optimizer::tests::Trainer;
use super::passes::Composite;
use super::pending::native_answers;
use super::*;
use candle_core::{DType, Device, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::sync::Arc;

pub(crate) fn random_rows(config: &DecoderConfig, count: usize, seed: u64) -> Vec<Row> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: usize| (rng.next_u32() as usize) % n;
    (0..count)
        .map(|_| {
            let length = 3 + below(config.context - 3);
            let ids: Vec<u32> = (0..length).map(|_| below(config.vocab) as u32).collect();
            let first = below(length);
            let targets = (first..length)
                .step_by(1 + below(4))
                .map(|position| {
                    let token = below(config.vocab) as u32;
                    let allowed = (below(2) == 0).then(|| {
                        let mut all = vec![token, below(config.vocab) as u32, below(config.vocab) as u32];
                        all.sort_unstable();
                        all.dedup();
                        Arc::from(all)
                    });
                    Target { position, token, allowed }
                })
                .collect();
            Row { ids, targets }
        })
        .collect()
}

/// Moves every parameter a little, so that norms are not 1 and no head is 0.
pub(crate) fn shake(weights: &Weights) {
    let adapter = weights.adapter().iter().flat_map(|_| weights.trained().values()).collect::<Vec<_>>();
    for (i, var) in weights.variables().values().chain(adapter).enumerate() {
        let count = var.elem_count();
        let noise: Vec<f64> = (0..count).map(|j| ((i * 7919 + j * 104729) as f64).sin() * 0.2).collect();
        let noise = Tensor::from_vec(noise, var.dims(), &Device::Cpu).unwrap().to_dtype(var.dtype()).unwrap();
        var.set(&(var.as_detached_tensor() + noise).unwrap()).unwrap();
    }
    weights.touch();
}

pub(crate) fn slopes(count: usize) -> ScoreGradients {
    ScoreGradients {
        logp: (0..count).map(|i| (i as f32 * 1.3).sin()).collect(),
        entropy: (0..count).map(|i| (i as f32 * 0.7).cos()).collect(),
    }
}

pub(crate) fn loss(answers: &Answers<f64>, slopes: &ScoreGradients) -> f64 {
    let part = |a: &[f64], s: &[f32]| a.iter().zip(s).map(|(a, s)| a * f64::from(*s)).sum::<f64>();
    // Values are weighed by the slopes of log-probabilities.
    part(&answers.logp, &slopes.logp) + part(&answers.entropy, &slopes.entropy) + part(&answers.value, &slopes.logp)
}

/// The worst difference to central differences, relative to the largest gradient of the same parameter.
pub(crate) fn worst_difference(weights: &Weights, gradients: &Gradients, loss: impl Fn() -> f64) -> f64 {
    let step = 1e-5;
    let mut worst: f64 = 0.0;
    for (name, gradient) in gradients.tensors() {
        let gradient = gradient.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let largest = gradient.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        assert!(largest > 0.0, "`{name}` has no gradient");
        let var = &weights.trained()[name];
        let start = var.as_detached_tensor().copy().unwrap();
        let values = start.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for at in (0..values.len()).step_by(1.max(values.len() / 7)) {
            let mut sides = [0.0; 2];
            for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
                let mut moved = values.clone();
                moved[at] += sign * step;
                var.set(&Tensor::from_vec(moved, start.dims(), &Device::Cpu).unwrap()).unwrap();
                weights.touch();
                *side = loss();
            }
            let numeric = (sides[0] - sides[1]) / (2.0 * step);
            worst = worst.max((numeric - gradient[at]).abs() / largest);
        }
        var.set(&start).unwrap();
        weights.touch();
    }
    worst
}

#[test]
fn gradients_agree_with_finite_differences() {
    let shapes = [true, false].into_iter().map(|tied| DecoderConfig { tied, ..tiny() });
    for config in shapes.chain(variants()) {
        let config = DecoderConfig { context: 40, ..config };
        let weights = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
        shake(&weights);
        let rows = random_rows(&config, 5, 4);
        let count = rows.iter().map(|r| r.targets.len()).sum();
        let (slopes, compute) = (slopes(count), Compute::default());
        let (_, gradients) = accumulate_gradients(&weights, &rows, 0.8, &slopes, &compute).unwrap();
        let what = Ask::policy(0.8);
        let worst =
            worst_difference(&weights, &gradients, || loss(&native_answers::<f64>(&weights, &rows, what, &compute).unwrap(), &slopes));
        assert!(worst < 1e-6, "{worst} {config:?}");
    }
}

#[test]
fn the_critics_gradients_agree_with_finite_differences() {
    let config = DecoderConfig { context: 40, ..tiny() };
    let critic = Critic::from_backbone(&Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap()).unwrap();
    let rows = random_rows(&config, 4, 9);
    assert!(critic.values(&rows, &Compute::default()).unwrap().iter().all(|v| *v == 0.0));
    shake(critic.weights());
    let count = rows.iter().map(|r| r.targets.len()).sum();
    let (slopes, compute) = (slopes(count), Compute::default());
    let (values, gradients) = critic.accumulate_gradients(&rows, &slopes.logp, &compute).unwrap();
    assert_eq!(values, critic.values(&rows, &compute).unwrap());
    let worst = worst_difference(critic.weights(), &gradients, || {
        loss(&native_answers::<f64>(critic.weights(), &rows, Ask::value(critic.weights()), &compute).unwrap(), &slopes)
    });
    assert!(worst < 1e-6, "{worst}");
}

fn flat(gradients: &Gradients) -> Vec<f32> {
    gradients.tensors().values().flat_map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect()
}

#[test]
fn threads_change_no_bit() {
    let config = tiny();
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let rows = random_rows(&config, 23, 5);
    let slopes = slopes(rows.iter().map(|r| r.targets.len()).sum());
    let run = |threads| {
        let compute = Compute { threads, ..Compute::default() };
        let (scores, gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes, &compute).unwrap();
        (scores, flat(&gradients))
    };
    let one = run(1);
    for threads in [2, 3, 8] {
        assert!(run(threads) == one);
    }
}

#[test]
fn micro_batches_and_kept_activations_do_not_change_the_gradient() {
    let config = tiny();
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let rows = random_rows(&config, 13, 6);
    let slopes = slopes(rows.iter().map(|r| r.targets.len()).sum());
    let run = |micro_batch, keep| {
        let compute = Compute { micro_batch, keep, threads: 2, ..Compute::default() };
        let evaluation = evaluate(&weights, &rows, 1.0, &compute).unwrap();
        (evaluation.scores.clone(), flat(&evaluation.backward(&slopes).unwrap()))
    };
    let (scores, gradient) = run(None, 1 << 30);
    assert_eq!(scores, score(&weights, &rows, 1.0, &Compute::default()).unwrap());
    assert!(run(None, 0) == (scores.clone(), gradient.clone()));
    let largest = gradient.iter().fold(0f32, |a, b| a.max(b.abs()));
    for micro_batch in [Some(1), Some(3), Some(100)] {
        let (other, parts) = run(micro_batch, 1 << 30);
        assert_eq!(other, scores);
        let worst = parts.iter().zip(&gradient).fold(0f32, |w, (a, b)| w.max((a - b).abs()));
        assert!(worst <= 1e-5 * largest, "{worst} of {largest}");
    }
}

#[test]
fn checkpointing_changes_no_bit() {
    for config in [tiny(), variants().remove(6)] {
        let whole = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
        let targets = vec!["v_proj".to_string(), "up_proj".to_string()];
        let adapted = whole.adapted(LoraConfig { rank: 2, alpha: 2.0, targets }, 1).unwrap();
        shake(&adapted);
        for weights in [&whole, &adapted] {
            let rows = random_rows(&config, 13, 6);
            let slopes = slopes(rows.iter().map(|r| r.targets.len()).sum());
            let run = |checkpointing, keep| {
                let compute = Compute { threads: 2, checkpointing, keep, ..Compute::default() };
                let evaluation = evaluate(weights, &rows, 1.0, &compute).unwrap();
                (evaluation.scores.clone(), flat(&evaluation.backward(&slopes).unwrap()))
            };
            let expected = run(false, 1 << 30);
            assert!(run(true, 1 << 30) == expected && run(true, 0) == expected);
        }
    }
}

#[test]
fn a_row_scores_the_same_alone_and_in_company() {
    let config = tiny();
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let rows = random_rows(&config, 9, 7);
    let together = score(&weights, &rows, 1.0, &Compute::default()).unwrap();
    let mut alone = Vec::new();
    for row in &rows {
        alone.extend(score(&weights, std::slice::from_ref(row), 1.0, &Compute::default()).unwrap().logp);
    }
    assert_eq!(together.logp, alone);
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let config = tiny();
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let message = |row: Row| score(&weights, &[row], 1.0, &Compute::default()).unwrap_err().to_string();
    let target = |position, token| Target { position, token, allowed: None };
    assert_eq!(message(Row { ids: vec![1, 37], targets: vec![] }), "row 0: token 37 is outside the vocabulary of 37");
    assert!(message(Row { ids: vec![1], targets: vec![target(1, 0)] }).contains("lies outside its 1 tokens"));
    assert!(message(Row { ids: vec![1; 65], targets: vec![target(64, 0)] }).contains("`context` of 64"));
    assert!(message(Row { ids: vec![1, 2], targets: vec![target(1, 0), target(0, 0)] }).contains("not in order"));
    let outside = Target { position: 0, token: 3, allowed: Some(Arc::from([1, 2])) };
    assert!(message(Row { ids: vec![1], targets: vec![outside] }).contains("not among the allowed"));
    assert!(score(&weights, &[], 0.0, &Compute::default()).unwrap_err().to_string().contains("`temperature` is 0"));
}

#[test]
fn the_kernels_agree_with_candles_operations() {
    let shapes = [(true, 2), (false, 4), (true, 1)].into_iter().map(|(tied, kv_heads)| DecoderConfig { kv_heads, tied, ..tiny() });
    for config in shapes.chain(variants()) {
        let weights = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
        shake(&weights);
        let rows = random_rows(&config, 9, 11);
        let slopes = slopes(rows.iter().map(|r| r.targets.len()).sum());
        let compute = Compute { micro_batch: Some(4), ..Compute::default() };
        let what = Ask::policy(0.7);
        let padded = composite::Padded::new(&weights, &forest::arrange(&rows, false)).unwrap();
        let states = padded.states(composite::Graph::Free).unwrap();
        let targets = 0..states.dim(0).unwrap();
        let found = padded.answers(&states, targets, what, composite::Graph::Free).unwrap();
        let ours = native_answers::<f64>(&weights, &rows, what, &compute).unwrap();
        for (theirs, ours) in found.iter().flatten().zip(ours.columns()) {
            let worst = theirs.to_vec1::<f64>().unwrap().iter().zip(ours).fold(0f64, |w, (a, b)| w.max((a - b).abs()));
            assert!(worst < 1e-10, "{worst}");
        }
        let (_, gradients) = accumulate_gradients(&weights, &rows, 0.7, &slopes, &compute).unwrap();
        let reference = Composite::new(&weights, &rows, what, &compute).unwrap();
        same_gradients(&gradients, &reference.backward(slopes.slopes(&[])).unwrap().1.model);
        let by_layer = Compute { checkpointing: true, ..compute.clone() };
        let layered = Composite::new(&weights, &rows, what, &by_layer).unwrap();
        same_gradients(&gradients, &layered.backward(slopes.slopes(&[])).unwrap().1.model);
        let mut in_parts = Composite::new(&weights, &rows, what, &compute).unwrap();
        in_parts.targets = 3;
        let expected = score(&weights, &rows, 0.7, &compute).unwrap();
        let found = in_parts.answers().unwrap();
        assert_eq!((found.entropy.len(), found.value.len(), found.figures.len()), (expected.logp.len(), 0, 0));
        assert!(found.logp.iter().zip(&expected.logp).all(|(a, b)| (a - b).abs() < 1e-5));
        same_gradients(&gradients, &in_parts.backward(slopes.slopes(&[])).unwrap().1.model);

        let critic = Critic::from_backbone(&weights).unwrap();
        shake(critic.weights());
        let (values, gradients) = critic.accumulate_gradients(&rows, &slopes.logp, &compute).unwrap();
        let reference = Composite::new(critic.weights(), &rows, Ask::value(critic.weights()), &compute).unwrap();
        let (theirs, others) = reference.backward(Slopes { value: &slopes.logp, ..Slopes::default() }).unwrap();
        assert!(values.iter().zip(&theirs.value).all(|(a, b)| (a - b).abs() < 1e-5));
        same_gradients(&gradients, &others.model);
    }
}

/// As on a GPU, where a model computes in short numbers; the CPU has no products of `bf16`.
#[test]
fn short_numbers_are_close_and_their_sums_are_long() {
    let weights = Weights::init(&tiny(), 3, &Device::Cpu, DType::F32).unwrap();
    shake(&weights);
    let short = weights.cast(DType::F16).unwrap();
    let rows = random_rows(&tiny(), 9, 11);
    let compute = Compute { micro_batch: Some(2), ..Compute::default() };
    let (expected, found) = (score(&weights, &rows, 0.7, &compute).unwrap(), score(&short, &rows, 0.7, &compute).unwrap());
    let apart = expected.logp.iter().zip(&found.logp).fold(0f32, |w, (a, b)| w.max((a - b).abs()));
    assert!(apart > 0.0 && apart < 0.02, "{apart}");
    let slopes = slopes(expected.logp.len());
    let gradients = |weights: &Weights| accumulate_gradients(weights, &rows, 0.7, &slopes, &compute).unwrap().1;
    let (long, of_short) = (gradients(&weights), gradients(&short));
    assert!(of_short.tensors().values().all(|tensor| tensor.dtype() == DType::F32));
    assert!((long.norm().unwrap() / of_short.norm().unwrap() - 1.0).abs() < 0.02);
    Trainer::new(1e-2, &short).step(&short, &of_short);
    // A file holds 32 bits of each, which come back as what they were.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    short.save(&path).unwrap();
    let back = Weights::load(&path, &tiny(), &Device::Cpu).unwrap();
    assert_eq!((back.dtype(), back.cast(DType::F16).unwrap().hash().unwrap()), (DType::F32, short.hash().unwrap()));
    let critic = Critic::from_backbone(&short).unwrap();
    shake(critic.weights());
    critic.weights().save(&path).unwrap();
    let before = critic.values(&rows, &compute).unwrap();
    shake(critic.weights());
    assert_ne!(critic.values(&rows, &compute).unwrap(), before);
    critic.weights().restore_trained(&path).unwrap();
    assert_eq!(critic.values(&rows, &compute).unwrap(), before);
}

pub(crate) fn same_gradients(ours: &Gradients, theirs: &Gradients) {
    for (name, ours) in ours.tensors() {
        let worst = (ours - &theirs.tensors()[name]).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        let size = ours.abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(size > 0.0 && worst <= 1e-9 * size, "{name}: {worst} of {size}");
    }
}

/// The third of three tokens is asked for: attention has to find it.
#[test]
fn the_loss_falls() {
    let config = DecoderConfig { width: 32, ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let mut trainer = Trainer::new(0.005, &weights);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut losses = Vec::new();
    for _ in 0..150 {
        let rows: Vec<Row> = (0..32)
            .map(|_| {
                let mut ids: Vec<u32> = (0..6).map(|_| rng.next_u32() % 10 + 5).collect();
                ids.push(ids[2]);
                Row::after(ids, 6)
            })
            .collect();
        let slopes = ScoreGradients { logp: vec![-1.0 / 32.0; 32], entropy: vec![] };
        let (scores, mut gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes, &Compute::default()).unwrap();
        gradients.clip(1.0).unwrap();
        trainer.step(&weights, &gradients);
        losses.push(-scores.logp.iter().sum::<f32>() / 32.0);
    }
    let (first, last) = (losses[0], losses[losses.len() - 10..].iter().sum::<f32>() / 10.0);
    assert!(first > 3.0 && last < 0.3, "{first} {last}");
}
