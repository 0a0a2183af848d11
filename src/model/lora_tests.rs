//! Properties of a model below an adapter.

use super::config::tests::{tiny, variants};
use super::engine::Ask;
use super::optimizer::tests::Trainer;
use super::passes::Composite;
use super::pending::native_answers;
use super::tests::{loss, random_rows, same_gradients, shake, slopes, worst_difference};
use super::weights::layer_name;
use super::*;
use candle_core::{DType, Device, Tensor, Var};

fn lora(targets: &[&str]) -> LoraConfig {
    LoraConfig { rank: 3, alpha: 5.0, targets: targets.iter().map(|t| t.to_string()).collect() }
}

fn everything() -> LoraConfig {
    lora(&TARGETS.map(|(short, _)| short))
}

fn adapted(config: &DecoderConfig, lora: LoraConfig, dtype: DType) -> Weights {
    Weights::init(config, 3, &Device::Cpu, dtype).unwrap().adapted(lora, 4).unwrap()
}

fn values(var: &Var) -> Vec<f64> {
    var.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn count(rows: &[Row]) -> usize {
    rows.iter().map(|r| r.targets.len()).sum()
}

#[test]
fn the_first_policy_is_the_model_below() {
    let base = Weights::init(&tiny(), 3, &Device::Cpu, DType::F32).unwrap();
    let weights = base.adapted(everything(), 4).unwrap();
    let rows = random_rows(&tiny(), 9, 7);
    assert_eq!(score(&weights, &rows, 1.0, &Compute::default()).unwrap(), score(&base, &rows, 1.0, &Compute::default()).unwrap());
    let (a, b): (Vec<_>, Vec<_>) = weights.trained().iter().partition(|(name, _)| name.ends_with("lora_A.weight"));
    assert!(a.iter().all(|(_, a)| values(a).iter().any(|x| *x != 0.0)) && b.iter().all(|(_, b)| values(b).iter().all(|x| *x == 0.0)));
    let again = base.adapted(everything(), 4).unwrap();
    assert_eq!(again.hash().unwrap(), weights.hash().unwrap());
    assert_ne!(base.adapted(everything(), 5).unwrap().hash().unwrap(), weights.hash().unwrap());
}

/// Equation 3 of the paper, with the scaling of its section 4.1: h = W x + (alpha / r) B A x.
#[test]
fn one_layer_follows_the_equation() {
    let config = DecoderConfig { layers: 1, ..tiny() };
    for (short, part) in TARGETS {
        let weights = adapted(&config, lora(&[short]), DType::F64);
        shake(&weights);
        let name = layer_name(0, part);
        let [a, b] = lora::adapter_names(0, part).map(|name| values(&weights.trained()[&name]));
        let (outer, inner) = lora::sizes(&config, part);
        let mut matrix = values(&weights.variables()[&name]);
        for (row, line) in matrix.chunks_exact_mut(inner).enumerate() {
            for (column, w) in line.iter_mut().enumerate() {
                *w += 5.0 / 3.0 * (0..3).map(|r| b[row * 3 + r] * a[r * inner + column]).sum::<f64>();
            }
        }
        let plain = weights.duplicate_base().unwrap();
        plain.variables()[&name].set(&Tensor::from_vec(matrix, (outer, inner), &Device::Cpu).unwrap()).unwrap();
        let rows = random_rows(&config, 5, 2);
        let ask = Ask::policy(1.0);
        let answers = |weights: &Weights| native_answers::<f64>(weights, &rows, ask, &Compute::default()).unwrap();
        for (ours, expected) in answers(&weights).iter().zip(&answers(&plain)) {
            assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{part}");
        }
        let base = answers(&weights.duplicate_base().unwrap());
        assert!(answers(&weights)[0].iter().zip(&base[0]).any(|(a, b)| (a - b).abs() > 1e-3), "{part} has no effect");
    }
}

#[test]
fn gradients_agree_with_finite_differences_and_reach_the_adapter_alone() {
    let untied = DecoderConfig { tied: false, ..tiny() };
    for config in [tiny(), untied, variants().remove(6)] {
        let config = DecoderConfig { context: 40, ..config };
        let weights = adapted(&config, everything(), DType::F64);
        shake(&weights);
        let rows = random_rows(&config, 5, 4);
        let (slopes, compute) = (slopes(count(&rows)), Compute::default());
        let (_, gradients) = accumulate_gradients(&weights, &rows, 0.8, &slopes, &compute).unwrap();
        let names: Vec<&String> = gradients.tensors().keys().collect();
        assert_eq!(names, weights.trained().keys().collect::<Vec<_>>());
        assert!(names.len() == 2 * 7 * config.layers && names.iter().all(|name| name.contains(".lora_")));
        // fails for a parameter without gradient
        let what = Ask::policy(0.8);
        let worst =
            worst_difference(&weights, &gradients, || loss(&native_answers::<f64>(&weights, &rows, what, &compute).unwrap(), &slopes));
        assert!(worst < 1e-6, "{worst} {config:?}");
    }
}

#[test]
fn the_kernels_agree_with_candles_operations() {
    for (config, targets) in [(tiny(), everything()), (variants().remove(6), lora(&["v_proj", "up_proj"]))] {
        let weights = adapted(&config, targets, DType::F64);
        shake(&weights);
        let rows = random_rows(&config, 9, 11);
        let (slopes, compute) = (slopes(count(&rows)), Compute { micro_batch: Some(4), ..Compute::default() });
        let (scores, ours) = accumulate_gradients(&weights, &rows, 0.7, &slopes, &compute).unwrap();
        let reference = Composite::new(&weights, &rows, Ask::policy(0.7), &compute).unwrap();
        let ([logp, ..], theirs) = reference.backward([&slopes.logp, &slopes.entropy, &[], &[], &[]]).unwrap();
        let theirs = theirs.model;
        assert!(scores.logp.iter().zip(&logp).all(|(a, b)| (a - b).abs() < 1e-5));
        assert_eq!(ours.tensors().len(), theirs.tensors().len());
        same_gradients(&ours, &theirs);
        let by_layer = Compute { checkpointing: true, ..compute };
        let layered = Composite::new(&weights, &rows, Ask::policy(0.7), &by_layer).unwrap();
        same_gradients(&ours, &layered.backward([&slopes.logp, &slopes.entropy, &[], &[], &[]]).unwrap().1.model);
    }
}

/// The sampler's log-probabilities and the trainer's, before and after updates; the reference stays where it was.
#[test]
fn rollouts_see_what_is_trained() {
    let weights = std::sync::Arc::new(adapted(&tiny(), everything(), DType::F32));
    shake(&weights);
    let reference = weights.duplicate().unwrap();
    let rows = random_rows(&tiny(), 6, 5);
    let compute = Compute::default();
    let start = score(&reference, &rows, 1.0, &compute).unwrap();
    let mut trainer = Trainer::new(0.01, &weights);
    let frozen = weights.duplicate_base().unwrap().hash().unwrap();
    for _ in 0..3 {
        let requests = (0..4).map(|seed| {
            let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: 12, stop: vec![] };
            Request { prompt: vec![3, 1, 4, 1, 5], mode, seed }
        });
        for response in Generator::new(weights.clone(), 4, 32).unwrap().run(requests).unwrap() {
            let again = score(&weights, &[response.row(&[3, 1, 4, 1, 5])], 1.0, &compute).unwrap();
            let gap = again.logp.iter().zip(&response.logp).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(gap < 1e-4, "{gap}");
        }
        let (_, gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes(count(&rows)), &compute).unwrap();
        trainer.step(&weights, &gradients);
    }
    assert_eq!(score(&reference, &rows, 1.0, &compute).unwrap(), start);
    assert_ne!(score(&weights, &rows, 1.0, &compute).unwrap(), start);
    assert_eq!(weights.duplicate_base().unwrap().hash().unwrap(), frozen);
    let merged = weights.merged().unwrap();
    assert!(merged.adapter().is_none());
    assert_eq!(score(&merged, &rows, 1.0, &compute).unwrap(), score(&weights, &rows, 1.0, &compute).unwrap());
    let critic = Critic::from_backbone(&weights).unwrap();
    assert_eq!(
        values(&critic.weights().variables()[&layer_name(0, "mlp.up_proj")]),
        values(&merged.variables()[&layer_name(0, "mlp.up_proj")])
    );
}

/// Frozen matrices exist once, whoever uses them, and neither gradient nor optimiser has anything of their size.
#[test]
fn what_is_frozen_costs_nothing_more() {
    let weights = adapted(&tiny(), lora(&["q_proj", "v_proj"]), DType::F32);
    let reference = weights.duplicate().unwrap();
    let theirs = reference.packed::<f32>(false, 1).unwrap();
    let first = weights.packed::<f32>(true, 2).unwrap();
    let rows = random_rows(&tiny(), 6, 5);
    let (_, gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes(count(&rows)), &Compute::default()).unwrap();
    Trainer::new(0.01, &weights).step(&weights, &gradients);
    let second = weights.packed::<f32>(false, 1).unwrap();
    assert!(second.has_backward());
    for packed in [&first, &second] {
        assert!(std::sync::Arc::ptr_eq(&packed.embedding, &theirs.embedding));
        for (mine, theirs) in packed.layers.iter().zip(&theirs.layers) {
            assert!(mine.down.shares(&theirs.down) && mine.gate_up.shares(&theirs.gate_up) && mine.output.shares(&theirs.output));
            assert!(!mine.query.shares(&theirs.query) && !mine.key_value.shares(&theirs.key_value));
        }
    }
    let trained: usize = weights.trained().values().map(|v| v.elem_count()).sum();
    assert_eq!(trained, 2 * 3 * (24 + 24 + 24 + 12));
    assert_eq!(gradients.tensors().values().map(|t| t.elem_count()).sum::<usize>(), trained);
    let sums = native::gradients::Sums::<f32>::zeros(&weights, false);
    assert_eq!(sums.scalars(), trained);
    let dir = tempfile::tempdir().unwrap();
    Trainer::new(0.01, &weights).state.save(&dir.path().join("moments")).unwrap();
    assert!(std::fs::metadata(dir.path().join("moments")).unwrap().len() < 2 * 4 * trained as u64 + 8192);
}

#[test]
fn a_saved_adapter_comes_back() {
    let weights = adapted(&tiny(), everything(), DType::F32);
    shake(&weights);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("adapter.safetensors");
    weights.save_trained(&path).unwrap();
    let again = weights.duplicate_base().unwrap().with_saved_adapter(everything(), &path).unwrap();
    assert_eq!(again.hash().unwrap(), weights.hash().unwrap());
    let other = adapted(&tiny(), everything(), DType::F32);
    other.restore_trained(&path).unwrap();
    assert_eq!(values(&other.trained()[1]), values(&weights.trained()[1]));
    let wrong = weights.duplicate_base().unwrap().with_saved_adapter(lora(&["q_proj"]), &path).unwrap_err().to_string();
    assert!(wrong.contains("which this model does not have"), "{wrong}");
}

#[test]
fn impossible_adapters_are_refused() {
    let base = Weights::init(&tiny(), 3, &Device::Cpu, DType::F32).unwrap();
    let message = |lora: LoraConfig| base.adapted(lora, 0).unwrap_err().to_string();
    assert!(message(LoraConfig { rank: 0, ..everything() }).contains("`rank` is 0"));
    assert!(message(LoraConfig { alpha: f64::NAN, ..everything() }).contains("`alpha` is NaN"));
    assert!(message(lora(&[])).contains("no targets"));
    assert!(message(lora(&["embed"])).contains("`embed` is no matrix"));
    assert!(base.adapted(everything(), 0).unwrap().adapted(everything(), 0).unwrap_err().to_string().contains("already"));
}
