use super::*;
use crate::model::config::tests::tiny;
use crate::model::tests::{random_rows, shake};
use crate::model::{Compute, ScoreGradients, accumulate_gradients};
use candle_core::Device;

/// AdamW at work, with the usual numbers; vectors do not decay.
pub(crate) struct Trainer {
    pub adamw: AdamW,
    pub state: OptimizerState,
}

impl Trainer {
    pub(crate) fn new(lr: f64, weights: &Weights) -> Trainer {
        let adamw = AdamW { lr, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };
        Trainer { adamw, state: OptimizerState::new("adamw", |_| AdamW::KEEPS, weights).unwrap() }
    }

    pub(crate) fn step(&mut self, weights: &Weights, gradients: &Gradients) {
        let (number, adamw) = (self.state.steps() + 1, self.adamw);
        let update = |parameter: &Parameter<'_>| {
            let decay = if parameter.role == Role::Vector { 0.0 } else { adamw.weight_decay };
            AdamW { weight_decay: decay, ..adamw }.update(number, parameter)
        };
        self.state.step(weights, gradients, &update).unwrap();
    }
}

pub(crate) fn fixture() -> (Weights, Gradients) {
    let weights = Weights::init(&tiny(), 3, &Device::Cpu, DType::F64).unwrap();
    shake(&weights);
    let rows = random_rows(&tiny(), 5, 4);
    let count = rows.iter().map(|r| r.targets.len()).sum();
    let slopes = ScoreGradients { logp: vec![-1.0; count], entropy: vec![] };
    let (_, gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes, &Compute::default()).unwrap();
    (weights, gradients)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn steps_follow_the_published_algorithm() {
    let (weights, gradients) = fixture();
    let before: Vec<Vec<f64>> = weights.variables().values().map(|v| values(v)).collect();
    let mut trainer = Trainer::new(0.01, &weights);
    trainer.adamw.weight_decay = 0.1;
    for _ in 0..3 {
        trainer.step(&weights, &gradients);
    }
    for ((name, var), before) in weights.variables().iter().zip(before) {
        let gradient = values(&gradients.tensors()[name]);
        for ((theta, g), found) in before.into_iter().zip(gradient).zip(values(var)) {
            let (mut theta, mut m, mut v) = (theta, 0.0, 0.0);
            for t in 1..=3 {
                m = 0.9 * m + 0.1 * g;
                v = 0.999 * v + 0.001 * g * g;
                let (mh, vh) = (m / (1.0 - 0.9f64.powi(t)), v / (1.0 - 0.999f64.powi(t)));
                let decay = if var.rank() >= 2 { 0.1 * theta } else { 0.0 };
                theta -= 0.01 * (mh / (vh.sqrt() + 1e-8) + decay);
            }
            assert!((theta - found).abs() < 1e-12, "{name}: {theta} {found}");
        }
    }
}

#[test]
fn a_saved_state_continues_to_the_same_bytes() {
    let (weights, gradients) = fixture();
    let dir = tempfile::tempdir().unwrap();
    let [state, parameters] = ["state", "weights"].map(|name| dir.path().join(name));
    let mut trainer = Trainer::new(0.01, &weights);
    trainer.step(&weights, &gradients);
    trainer.state.save(&state).unwrap();
    weights.save(&parameters).unwrap();
    trainer.adamw.lr = 0.02;
    trainer.step(&weights, &gradients);

    let again = Weights::load(&parameters, &tiny(), &Device::Cpu).unwrap();
    let mut resumed = Trainer::new(0.02, &again);
    resumed.state.restore(&state).unwrap();
    assert_eq!(resumed.state.steps(), 1);
    resumed.step(&again, &gradients);
    assert_eq!(weights.hash().unwrap(), again.hash().unwrap());
    let message = resumed.state.restore(&parameters).unwrap_err().to_string();
    assert!(message.contains("which this model does not have"), "{message}");
}

#[test]
fn the_state_of_another_optimizer_is_refused_by_name() {
    let (weights, gradients) = fixture();
    let dir = tempfile::tempdir().unwrap();
    let [adamw, plain, empty] = ["adamw", "plain", "empty"].map(|name| dir.path().join(name));
    Trainer::new(0.01, &weights).state.save(&adamw).unwrap();
    let mut none = OptimizerState::new("plain", |_| &[], &weights).unwrap();
    none.step(&weights, &gradients, &|_| Ok(())).unwrap();
    none.save(&plain).unwrap();

    let mut trainer = Trainer::new(0.01, &weights);
    let message = trainer.state.restore(&plain).unwrap_err().to_string();
    assert_eq!(message, format!("{}: is the state of the optimizer `plain`, and this is `adamw`", plain.display()));
    let message = none.restore(&adamw).unwrap_err().to_string();
    assert_eq!(message, format!("{}: is the state of the optimizer `adamw`, and this is `plain`", adamw.display()));
    let mut again = OptimizerState::new("plain", |_| &[], &weights).unwrap();
    again.restore(&plain).unwrap();
    assert_eq!((none.steps(), again.steps()), (1, 1));
    std::fs::write(&empty, "").unwrap();
    let message = again.restore(&empty).unwrap_err().to_string();
    assert!(message.contains("not a whole safetensors file"), "{message}");
}

#[test]
fn what_is_not_kept_cannot_be_asked_for() {
    let (weights, gradients) = fixture();
    let mut state = OptimizerState::new("plain", |_| &["mean"], &weights).unwrap();
    let message = state.step(&weights, &gradients, &|parameter| parameter.kept("square").map(drop)).unwrap_err().to_string();
    assert_eq!(message, "the optimiser keeps no `square` of this parameter");
}

/// The last of a model's roles are those of a model whose head is not its embedding, and of a critic.
#[test]
fn every_parameter_has_its_role() {
    let config = crate::model::DecoderConfig { tied: false, ..tiny() };
    let weights = Weights::init(&config, 1, &Device::Cpu, DType::F32).unwrap();
    let critic = crate::model::Critic::from_backbone(&weights).unwrap();
    let role = |weights: &Weights, name: &str| Role::of(name, &weights.variables()[name]);
    assert_eq!(role(&weights, "model.embed_tokens.weight"), Role::Embedding);
    assert_eq!(role(&weights, "model.layers.1.mlp.down_proj.weight"), Role::Matrix);
    assert_eq!(role(&weights, "model.layers.1.input_layernorm.weight"), Role::Vector);
    assert_eq!(role(&weights, "lm_head.weight"), Role::Head);
    assert_eq!(role(critic.weights(), "value_head.weight"), Role::Head);
    assert_eq!(role(critic.weights(), "value_head.bias"), Role::Vector);
}

#[test]
fn short_parameters_keep_what_is_too_small_for_them() {
    let (weights, gradients) = fixture();
    let short = Weights::init(&tiny(), 3, &Device::Cpu, DType::BF16).unwrap();
    for (name, var) in short.variables() {
        var.set(&weights.variables()[name].as_detached_tensor().to_dtype(DType::BF16).unwrap()).unwrap();
    }
    let before: Vec<Vec<f64>> = short.variables().values().map(|v| values(&v.to_dtype(DType::F64).unwrap())).collect();
    let halves = gradients.tensors().iter().map(|(name, g)| (name.clone(), g.to_dtype(DType::BF16).unwrap())).collect();
    let halves = Gradients::new(halves);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("optimizer");
    let mut trainer = Trainer::new(1e-4, &short);
    for _ in 0..20 {
        // By way of its file, which has the long parameters too.
        trainer.step(&short, &halves);
        trainer.state.save(&file).unwrap();
        trainer = Trainer::new(1e-4, &short);
        trainer.state.restore(&file).unwrap();
    }
    let mut moved = 0;
    for ((name, var), before) in short.variables().iter().zip(before) {
        let now = values(&var.to_dtype(DType::F64).unwrap());
        let gradient = values(&gradients.tensors()[name]);
        for ((now, before), g) in now.iter().zip(before).zip(gradient).filter(|(_, g)| g.abs() > 1e-3) {
            // 20 steps of 1e-4 against the gradient's sign, to a half's precision; one such step alone is lost on a number of size 1.
            let expected = before * (1.0 - 20.0 * 1e-6) - 20.0 * 1e-4 * g.signum();
            assert!((now - expected).abs() < 5e-3 * expected.abs() + 1e-5, "{name}: {before} {now} {expected}");
            moved += usize::from(*now != before && before.abs() > 0.5);
        }
    }
    assert!(moved > 0);
}
