//! What every optimiser must hold, and the steps of each against numbers computed by other means: the formulas of its source in plain Python.

use super::*;
use crate::equation::ScheduleField;
use crate::kind::{BelowOne, NonNegative, Part, Positive};
use crate::lang::Span;
use crate::model::{Compute, DecoderConfig, LoraConfig, Row, ScoreGradients, Variant, accumulate_gradients};
use candle_core::{DType, Device, Tensor};
use indexmap::IndexMap;

const NOW: Now = Now { iteration: 0.0, iterations: 1.0, progress: 0.0 };

fn rate(lr: f64) -> ScheduleField {
    ScheduleField::constant(lr)
}

/// One of each, and of each with its options; with rates at which a small model learns.
fn all() -> Vec<(&'static str, Arc<dyn OptimizerKind>)> {
    let momentum = sgd::Sgd { lr: rate(0.1), momentum: BelowOne(0.9), nesterov: true, ..sgd::Sgd::default() };
    let adamw = Adamw { lr: rate(0.005), ..Adamw::default() };
    let with = |kind, others: Arc<dyn OptimizerKind>| {
        let others = Part { kind, value: others, span: Span::NONE };
        muon::Muon { lr: rate(0.02), others, ..muon::Muon::default() }
    };
    let (muon, with_sgd) = (with("adamw", Arc::new(adamw.clone())), with("sgd", Arc::new(momentum.clone())));
    vec![
        ("adamw", Arc::new(adamw)),
        ("sgd", Arc::new(sgd::Sgd { lr: rate(0.5), ..sgd::Sgd::default() })),
        ("sgd with momentum", Arc::new(momentum)),
        ("muon", Arc::new(muon)),
        ("muon with sgd", Arc::new(with_sgd)),
    ]
}

/// One layer; its `gate_proj` is tall (3 × 2), its `down_proj` wide (2 × 3).
fn small(dtype: DType) -> Weights {
    let config = DecoderConfig {
        layers: 1,
        width: 2,
        heads: 1,
        kv_heads: 1,
        ffn: 3,
        vocab: 5,
        context: 16,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    };
    Weights::init(&config, 7, &Device::Cpu, dtype).unwrap()
}

const TALL: &str = "model.layers.0.mlp.gate_proj.weight";
const WIDE: &str = "model.layers.0.mlp.down_proj.weight";
const VECTOR: &str = "model.norm.weight";
const EMBEDDING: &str = "model.embed_tokens.weight";

const MATRIX: [f64; 6] = [1.0, -2.0, 0.5, 0.25, -1.5, 3.0];
const SLOPES: [[f64; 6]; 2] = [[0.5, -1.0, 2.0, 0.75, -0.25, 1.5], [-0.5, 0.125, 1.0, -2.0, 0.375, 0.625]];

/// The value of a parameter after two updates from [`MATRIX`] along [`SLOPES`], cut or repeated to its size.
fn after_two(optimizer: &dyn OptimizerKind, name: &str) -> Vec<f64> {
    let weights = small(DType::F64);
    let var = &weights.trained()[name];
    let shaped = |values: &[f64]| {
        let values: Vec<f64> = values.iter().copied().cycle().take(var.elem_count()).collect();
        Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()
    };
    // the wide matrix is the tall one turned
    let turned = |values: [f64; 6]| if name == WIDE { [0, 2, 4, 1, 3, 5].map(|i| values[i]) } else { values };
    var.set(&shaped(&turned(MATRIX))).unwrap();
    let mut state = optimizer.start(&weights).unwrap();
    for slopes in SLOPES {
        let zeros = weights.trained().iter().map(|(name, var)| (name.clone(), var.zeros_like().unwrap().detach()));
        let mut gradients: IndexMap<String, Tensor> = zeros.collect();
        gradients[name] = shaped(&turned(slopes));
        optimizer.step(&mut state, &weights, &Gradients::new(gradients), NOW).unwrap();
    }
    assert_eq!(state.steps(), 2);
    var.as_detached_tensor().flatten_all().unwrap().to_vec1().unwrap()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}\n{expected:?}");
}

#[test]
fn adamw_steps_are_those_of_its_paper() {
    let adamw = Adamw { lr: rate(0.1), weight_decay: NonNegative(0.1), ..Adamw::default() };
    let expected =
        [0.8863631597694736, -1.8039465442207698, 0.2978320372035104, 0.1921879993420311, -1.3959201847962375, 2.7508202009149696];
    close(&after_two(&adamw, TALL), &expected);
    // a vector does not decay
    close(&after_two(&adamw, VECTOR), &[0.9052631597894736, -1.8427465442307698]);
}

#[test]
fn sgd_steps_are_those_of_torch() {
    let decaying = sgd::Sgd { lr: rate(0.1), momentum: BelowOne(0.9), weight_decay: NonNegative(0.1), ..sgd::Sgd::default() };
    close(&after_two(&decaying, TALL), &[0.9266, -1.7657, 0.00755, 0.301025, -1.4469, 2.5673]);
    let ahead = sgd::Sgd { nesterov: true, ..decaying.clone() };
    close(&after_two(&ahead, TALL), &[0.915566, -1.664882, -0.2476495, 0.41802275, -1.435794, 2.342948]);
    let plain = sgd::Sgd { lr: rate(0.1), ..sgd::Sgd::default() };
    close(&after_two(&plain, TALL), &[1.0, -1.9125, 0.2, 0.375, -1.5125, 2.7875]);
    // a vector does not decay
    close(&after_two(&decaying, VECTOR), &[0.955, -1.8225]);
}

#[test]
fn muon_steps_are_those_of_its_authors() {
    let ahead = muon::Muon { weight_decay: NonNegative(0.1), ..muon::Muon::default() };
    let tall = [0.995950332021109, -1.9718437955003314, 0.45705688960561874, 0.2475453529606998, -1.5044479405565394, 2.948370314379339];
    close(&after_two(&ahead, TALL), &tall);
    let wide = [0.9959601802787302, 0.46457045735727936, -1.502531808762665, -1.9755439959688932, 0.2478124691693738, 2.955644699228519];
    close(&after_two(&ahead, WIDE), &wide);
    let behind = muon::Muon { nesterov: false, ..ahead };
    let tall = [0.9899104690836497, -1.9718010956231047, 0.4525857951148621, 0.24888155136332937, -1.4925292553787706, 2.9513668145091456];
    close(&after_two(&behind, TALL), &tall);
    // everything else is AdamW's, with numbers and a rate of its own, and without decay
    close(&after_two(&behind, VECTOR), &[0.9997157894737411, -1.999526106875363]);
    let adamw = Adamw { lr: rate(3e-4), beta2: BelowOne(0.95), eps: Positive(1e-10), weight_decay: NonNegative(0.0), ..Adamw::default() };
    assert_eq!(after_two(&behind, EMBEDDING), after_two(&adamw, EMBEDDING));
}

fn of_product(a: &Tensor, b: &Tensor) -> Tensor {
    crate::model::product(a, b).unwrap()
}

/// A rotation of four dimensions, of two plane ones.
fn rotation(first: f64, second: f64) -> Tensor {
    let plane = |angle: f64, i: usize, j: usize| {
        let mut values = [[0.0; 4]; 4];
        (0..4).for_each(|k| values[k][k] = 1.0);
        (values[i][i], values[j][j], values[i][j], values[j][i]) = (angle.cos(), angle.cos(), -angle.sin(), angle.sin());
        Tensor::new(&values, &Device::Cpu).unwrap()
    };
    of_product(&of_product(&plane(first, 0, 2), &plane(second, 1, 3)), &plane(first * second, 0, 1))
}

/// Newton–Schulz turns U Σ Vᵀ into U p(Σ) Vᵀ, where p is its polynomial five times over, and p(Σ) is near 1.
#[test]
fn singular_values_come_near_one() {
    let (left, right) = (rotation(0.7, 1.9), rotation(2.3, -0.4));
    let singular = [4.0f64, 1.0, 0.4, 0.1];
    let diagonal = Tensor::new(
        &std::array::from_fn::<_, 4, _>(|i| std::array::from_fn::<_, 4, _>(|j| if i == j { singular[i] } else { 0.0 })),
        &Device::Cpu,
    );
    let matrix = of_product(&of_product(&left, &diagonal.unwrap()), &right.t().unwrap());
    let found = muon::orthogonalised(&matrix).unwrap();
    let within = of_product(&of_product(&left.t().unwrap(), &found), &right).to_vec2::<f64>().unwrap();
    let size = singular.iter().map(|s| s * s).sum::<f64>().sqrt() + 1e-7;
    for (i, row) in within.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            let polynomial = |x: f64, _: u8| 3.4445 * x - 4.7750 * x.powi(3) + 2.0315 * x.powi(5);
            let expected = if i == j { (0..5).fold(singular[i] / size, polynomial) } else { 0.0 };
            assert!((value - expected).abs() < 1e-10, "{i} {j}: {value} {expected}");
            assert!(i != j || (0.65..1.25).contains(value), "{i}: {value}");
        }
    }
    // of a matrix that is zero nothing is made
    let zero = muon::orthogonalised(&matrix.zeros_like().unwrap()).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    assert!(zero.iter().all(|x| *x == 0.0));
}

/// A model of two layers, some rows, and the gradients of their likelihood.
fn learner(dtype: DType) -> Weights {
    let config = DecoderConfig { layers: 2, width: 16, heads: 2, kv_heads: 2, ffn: 24, vocab: 20, ..small(dtype).config().clone() };
    Weights::init(&config, 3, &Device::Cpu, dtype).unwrap()
}

/// The third of three tokens is asked for.
fn lesson(draw: u32) -> Vec<Row> {
    let token = |row: u32, at: u32| (draw.wrapping_mul(2_654_435_761).wrapping_add(row * 97 + at * 31) >> 7) % 10 + 5;
    (0..16)
        .map(|row| (0..4).map(|at| token(row, at)).collect::<Vec<u32>>())
        .map(|mut ids| {
            ids.push(ids[2]);
            Row::after(ids, 4)
        })
        .collect()
}

/// Mean loss before the update, and the gradients.
fn slopes(weights: &Weights, draw: u32, threads: usize) -> (f32, Gradients) {
    let (rows, compute) = (lesson(draw), Compute { threads, ..Compute::default() });
    let slopes = ScoreGradients { logp: vec![-1.0 / 16.0; 16], entropy: vec![] };
    let (scores, gradients) = accumulate_gradients(weights, &rows, 1.0, &slopes, &compute).unwrap();
    (-scores.logp.iter().sum::<f32>() / 16.0, gradients)
}

fn train(optimizer: &dyn OptimizerKind, state: &mut OptimizerState, weights: &Weights, steps: std::ops::Range<u32>, threads: usize) -> f32 {
    let mut loss = 0.0;
    for step in steps {
        let (found, mut gradients) = slopes(weights, step, threads);
        gradients.clip(1.0).unwrap();
        optimizer.step(state, weights, &gradients, NOW).unwrap();
        loss = found;
    }
    loss
}

#[test]
fn the_loss_falls() {
    for (name, optimizer) in all() {
        let weights = learner(DType::F32);
        let mut state = optimizer.start(&weights).unwrap();
        let first = train(&*optimizer, &mut state, &weights, 0..1, 1);
        let last = train(&*optimizer, &mut state, &weights, 1..80, 1);
        assert!(first > 2.9 && last < 0.8 * first, "{name}: {first} {last}");
    }
}

#[test]
fn threads_change_no_bit() {
    for (name, optimizer) in all() {
        let hashes = [1, 2, 5].map(|threads| {
            let weights = learner(DType::F32);
            train(&*optimizer, &mut optimizer.start(&weights).unwrap(), &weights, 0..3, threads);
            weights.hash().unwrap()
        });
        assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{name}: {hashes:?}");
    }
}

/// On the way, state and parameters are saved and read again: in full, in 16 bits with masters, and of an adapter.
#[test]
fn what_was_saved_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [parameters, saved] = ["parameters", "state"].map(|name| folder.path().join(name));
    let lora = || LoraConfig { rank: 2, alpha: 4.0, targets: vec!["q_proj".into(), "up_proj".into()] };
    for (name, optimizer) in all() {
        for way in ["full", "short", "adapter"] {
            let make = || match way {
                "full" => learner(DType::F32),
                "short" => learner(DType::BF16),
                _ => learner(DType::F32).adapted(lora(), 4).unwrap(),
            };
            let (weights, again) = (make(), make());
            let below = weights.variables()[TALL].flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            let mut state = optimizer.start(&weights).unwrap();
            train(&*optimizer, &mut state, &weights, 0..2, 1);
            weights.save_trained(&parameters).unwrap();
            state.save(&saved).unwrap();
            train(&*optimizer, &mut state, &weights, 2..4, 1);

            again.restore_trained(&parameters).unwrap();
            let mut resumed = optimizer.start(&again).unwrap();
            resumed.restore(&saved).unwrap();
            train(&*optimizer, &mut resumed, &again, 2..4, 2);
            assert_eq!(weights.hash().unwrap(), again.hash().unwrap(), "{name}, {way}");
            assert_eq!(resumed.steps(), 4);
            let now = weights.variables()[TALL].flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(now == below, way == "adapter", "{name}, {way}");
        }
    }
}

#[test]
fn the_state_of_another_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let weights = learner(DType::F32);
    for (name, optimizer) in all() {
        let path = folder.path().join(name);
        optimizer.start(&weights).unwrap().save(&path).unwrap();
        for (other_name, other) in all().into_iter().filter(|(_, other)| other.kind() != optimizer.kind()) {
            let message = other.start(&weights).unwrap().restore(&path).unwrap_err().to_string();
            let expected = format!("is the state of the optimizer `{}`, and this is `{}`", optimizer.kind(), other.kind());
            assert!(message.ends_with(&expected), "{name} for {other_name}: {message}");
        }
    }
}

#[test]
fn identities_differ() {
    let identities: Vec<String> = all().iter().map(|(_, optimizer)| optimizer.identity().to_string()).collect();
    for (i, one) in identities.iter().enumerate() {
        assert!(identities[..i].iter().all(|other| other != one), "{one}");
    }
    assert!(identities.iter().all(|identity| identity.contains("\"lr\"")), "{identities:?}");
}
