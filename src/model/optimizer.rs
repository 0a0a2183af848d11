//! AdamW with its moments in the open, so that a resumed run continues to the same bytes.

use super::memory::fits_training;
use super::native::Real;
use super::native::simd::simd;
use super::threads::parallel;
use super::weights::{bytes, load_parts, save_parts};
use super::{Gradients, ModelError, Weights};
use candle_core::{CpuStorage, DType, InplaceOp2, InplaceOp3, Layout, Tensor, Var};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Loshchilov and Hutter (2019), algorithm 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    /// Applies to parameters of two dimensions and more: matrices and embeddings, not norms and biases.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> AdamWConfig {
        AdamWConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

impl AdamWConfig {
    pub fn validate(&self) -> Result<(), ModelError> {
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(ModelError::Config(format!("`{name}` is {beta}, it has to be at least 0 and below 1")));
            }
        }
        for (name, value) in [("eps", self.eps), ("weight_decay", self.weight_decay)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ModelError::Config(format!("`{name}` is {value}, it has to be 0 or more")));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    steps: u64,
    moments: IndexMap<String, Moments>,
}

/// Running means of the gradient and of its square.
#[derive(Debug)]
struct Moments {
    first: Tensor,
    second: Tensor,
    /// The parameter in 32 bits, where it has fewer: small steps would be lost to rounding.
    master: Option<Tensor>,
}

impl Moments {
    fn zeros(var: &Var) -> Result<Moments, ModelError> {
        let short = matches!(var.dtype(), DType::BF16 | DType::F16);
        let kind = if short { DType::F32 } else { var.dtype() };
        let zeros = || Tensor::zeros(var.shape(), kind, var.device());
        let master = if short { Some(var.as_detached_tensor().to_dtype(kind)?) } else { None };
        Ok(Moments { first: zeros()?, second: zeros()?, master })
    }

    /// With the names that their files have.
    fn parts(&mut self) -> impl Iterator<Item = (&'static str, &mut Tensor)> {
        [(FIRST, &mut self.first), (SECOND, &mut self.second)].into_iter().chain(self.master.as_mut().map(|master| (MASTER, master)))
    }
}

const FIRST: &str = "first";
const SECOND: &str = "second";
const MASTER: &str = "master";
const STEPS: &str = "steps";

impl AdamW {
    pub fn new(config: AdamWConfig, weights: &Weights) -> Result<AdamW, ModelError> {
        config.validate()?;
        fits_training(weights)?;
        let mut moments = IndexMap::new();
        for (name, var) in weights.trained() {
            moments.insert(name.clone(), Moments::zeros(var)?);
        }
        Ok(AdamW { config, steps: 0, moments })
    }

    pub fn config(&self) -> &AdamWConfig {
        &self.config
    }

    /// Updates made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One update, in place, at learning rate `lr`.
    pub fn step(&mut self, weights: &Weights, gradients: &Gradients, lr: f64) -> Result<(), ModelError> {
        self.steps += 1;
        let correction = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        let (correct1, correct2) = (correction(self.config.beta1), correction(self.config.beta2));
        let (mean, square) = (Mean { beta: self.config.beta1 }, MeanSquare { beta: self.config.beta2 });
        let apply = |var: &Var| {
            let decay = if var.rank() >= 2 { self.config.weight_decay } else { 0.0 };
            Apply { keep: 1.0 - lr * decay, rate: lr / correct1, root: correct2.sqrt(), eps: self.config.eps }
        };
        for (name, var) in weights.trained() {
            let (Some(moments), Some(gradient)) = (self.moments.get_mut(name), gradients.tensors().get(name)) else {
                return Err(ModelError::input(format!("`{name}` has no gradient or no moments")));
            };
            if gradient.shape() != var.shape() || moments.first.shape() != var.shape() {
                return Err(ModelError::input(format!("the gradient or moments of `{name}` have another shape than itself")));
            }
            if !in_place(var) {
                let gradient = &gradient.to_dtype(moments.first.dtype())?;
                moments.first = ((&moments.first * mean.beta)? + (gradient * (1.0 - mean.beta))?)?;
                moments.second = ((&moments.second * square.beta)? + (gradient.sqr()? * (1.0 - square.beta))?)?;
                apply(var).composite(var, moments)?;
            }
        }
        let here: Vec<_> = weights.trained().iter().filter(|(_, var)| in_place(var)).collect();
        let update = |i: usize| -> candle_core::Result<()> {
            let (name, var) = here[i];
            let (moments, gradient) = (&self.moments[name], &gradients.tensors()[name]);
            moments.first.inplace_op2(gradient, &mean)?;
            moments.second.inplace_op2(gradient, &square)?;
            var.as_detached_tensor().inplace_op3(&moments.first, &moments.second, &apply(var))
        };
        parallel(here.len(), gradients.threads(), update).into_iter().collect::<candle_core::Result<()>>()?;
        weights.touch();
        Ok(())
    }

    /// Writes moments and step count as safetensors.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut parts = Vec::new();
        let mut kind = DType::F32;
        for (name, moments) in &self.moments {
            kind = moments.first.dtype();
            let all = [(FIRST, Some(&moments.first)), (SECOND, Some(&moments.second)), (MASTER, moments.master.as_ref())];
            for (part, tensor) in all.into_iter().filter_map(|(part, tensor)| Some((part, tensor?))) {
                parts.push((format!("{name}.{part}"), tensor.dims().to_vec(), bytes(tensor)?));
            }
        }
        save_parts(path, kind, &parts, Some((STEPS, self.steps.to_string())))
    }

    /// Reads what [`AdamW::save`] wrote for the same weights.
    pub fn load(path: &Path, config: AdamWConfig, weights: &Weights) -> Result<AdamW, ModelError> {
        let mut optimizer = AdamW::new(config, weights)?;
        let mut wanted = Vec::new();
        for (name, var) in weights.trained() {
            let parts = optimizer.moments[name].parts().map(|(part, _)| (format!("{name}.{part}"), var.dims().to_vec()));
            wanted.extend(parts);
        }
        let (tensors, notes) = load_parts(path, &wanted)?;
        let steps = notes.get(STEPS).and_then(|s| s.parse().ok());
        optimizer.steps = steps.ok_or_else(|| ModelError::file(path, "does not say how many steps were made; not an optimiser's file"))?;
        let mut tensors = tensors.into_iter();
        for (moments, var) in optimizer.moments.values_mut().zip(weights.trained().values()) {
            for (_, moment) in moments.parts() {
                if let Some((_, tensor)) = tensors.next() {
                    *moment = tensor.to_dtype(moment.dtype())?.to_device(var.device())?;
                }
            }
        }
        Ok(optimizer)
    }
}

/// Whether there are operations of our own for this parameter.
fn in_place(var: &Var) -> bool {
    var.device().is_cpu() && matches!(var.dtype(), DType::F32 | DType::F64)
}

/// m ← β m + (1 − β) g
struct Mean {
    beta: f64,
}

/// v ← β v + (1 − β) g²
struct MeanSquare {
    beta: f64,
}

/// θ ← keep θ − rate m / (√v / root + eps)
struct Apply {
    keep: f64,
    rate: f64,
    root: f64,
    eps: f64,
}

impl Apply {
    fn composite(&self, var: &Var, moments: &mut Moments) -> Result<(), ModelError> {
        let below = ((moments.second.sqrt()? / self.root)? + self.eps)?;
        let change = ((&moments.first / below)? * self.rate)?;
        let changed = |theta: &Tensor| (theta * self.keep)? - change;
        match &mut moments.master {
            Some(master) => {
                *master = changed(master)?;
                var.set(&master.to_dtype(var.dtype())?)?;
            }
            None => var.set(&changed(&var.as_detached_tensor())?)?,
        }
        Ok(())
    }
}

simd! {
    fn apply_all<T>(theta: &mut [T], m: &[T], v: &[T], keep: T, rate: T, root: T, eps: T) {
        for ((theta, m), v) in theta.iter_mut().zip(m).zip(v) {
            *theta = *theta * keep - *m * rate / (v.root() * root + eps);
        }
    }
}

simd! {
    fn mean_all<T>(m: &mut [T], g: &[T], keep: T, add: T) {
        for (m, g) in m.iter_mut().zip(g) {
            *m = *m * keep + *g * add;
        }
    }
}

simd! {
    fn mean_square_all<T>(v: &mut [T], g: &[T], keep: T, add: T) {
        for (v, g) in v.iter_mut().zip(g) {
            *v = *v * keep + *g * *g * add;
        }
    }
}

/// The part of a storage that a contiguous layout covers.
pub(super) fn slice<'a, T>(data: &'a [T], layout: &Layout) -> candle_core::Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&data[from..to]),
        None => Err(candle_core::Error::Msg("the optimiser needs contiguous tensors".to_string())),
    }
}

pub(super) fn slice_mut<'a, T>(data: &'a mut [T], layout: &Layout) -> candle_core::Result<&'a mut [T]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&mut data[from..to]),
        None => Err(candle_core::Error::Msg("the optimiser needs contiguous tensors".to_string())),
    }
}

fn unsupported() -> candle_core::Error {
    candle_core::Error::Msg("the optimiser works on f32 and f64 only".to_string())
}

impl InplaceOp2 for Mean {
    fn name(&self) -> &'static str {
        "adamw mean"
    }

    fn cpu_fwd(&self, m: &mut CpuStorage, lm: &Layout, g: &CpuStorage, lg: &Layout) -> candle_core::Result<()> {
        fn run<T: Real>(m: &mut [T], g: &[T], beta: f64) {
            mean_all(m, g, T::of(beta), T::of(1.0 - beta));
        }
        match (m, g) {
            (CpuStorage::F32(m), CpuStorage::F32(g)) => run(slice_mut(m, lm)?, slice(g, lg)?, self.beta),
            (CpuStorage::F64(m), CpuStorage::F64(g)) => run(slice_mut(m, lm)?, slice(g, lg)?, self.beta),
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

impl InplaceOp2 for MeanSquare {
    fn name(&self) -> &'static str {
        "adamw mean square"
    }

    fn cpu_fwd(&self, v: &mut CpuStorage, lv: &Layout, g: &CpuStorage, lg: &Layout) -> candle_core::Result<()> {
        fn run<T: Real>(v: &mut [T], g: &[T], beta: f64) {
            mean_square_all(v, g, T::of(beta), T::of(1.0 - beta));
        }
        match (v, g) {
            (CpuStorage::F32(v), CpuStorage::F32(g)) => run(slice_mut(v, lv)?, slice(g, lg)?, self.beta),
            (CpuStorage::F64(v), CpuStorage::F64(g)) => run(slice_mut(v, lv)?, slice(g, lg)?, self.beta),
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

impl InplaceOp3 for Apply {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        lt: &Layout,
        m: &CpuStorage,
        lm: &Layout,
        v: &CpuStorage,
        lv: &Layout,
    ) -> candle_core::Result<()> {
        fn run<T: Real>(theta: &mut [T], m: &[T], v: &[T], by: [f64; 4]) {
            let [keep, rate, root, eps] = by.map(T::of);
            apply_all(theta, m, v, keep, rate, root, eps);
        }
        let Apply { keep, rate, root, eps } = *self;
        match (theta, m, v) {
            (CpuStorage::F32(theta), CpuStorage::F32(m), CpuStorage::F32(v)) => {
                run(slice_mut(theta, lt)?, slice(m, lm)?, slice(v, lv)?, [keep, rate, 1.0 / root, eps])
            }
            (CpuStorage::F64(theta), CpuStorage::F64(m), CpuStorage::F64(v)) => {
                run(slice_mut(theta, lt)?, slice(m, lm)?, slice(v, lv)?, [keep, rate, 1.0 / root, eps])
            }
            _ => return Err(unsupported()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DecoderConfig;
    use crate::model::config::tests::tiny;
    use crate::model::tests::{random_rows, shake};
    use crate::model::{Compute, ScoreGradients, accumulate_gradients};
    use candle_core::Device;

    fn fixture() -> (Weights, Gradients) {
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
        let config = AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() };
        let mut optimizer = AdamW::new(config, &weights).unwrap();
        for _ in 0..3 {
            optimizer.step(&weights, &gradients, 0.01).unwrap();
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
    fn in_place_and_composite_agree() {
        let (weights, gradients) = fixture();
        let copy = weights.duplicate().unwrap();
        let mut optimizer = AdamW::new(AdamWConfig::default(), &weights).unwrap();
        optimizer.step(&weights, &gradients, 0.01).unwrap();
        let apply = Apply { keep: 1.0 - 0.01 * 0.01, rate: 0.01 / 0.1, root: 0.001f64.sqrt(), eps: 1e-8 };
        for (name, var) in copy.variables().iter().filter(|(_, v)| v.rank() >= 2) {
            let gradient = &gradients.tensors()[name];
            let (first, second) = ((gradient * 0.1).unwrap(), (gradient.sqr().unwrap() * 0.001).unwrap());
            apply.composite(var, &mut Moments { first, second, master: None }).unwrap();
            for (a, b) in values(var).iter().zip(values(&weights.variables()[name])) {
                assert!((a - b).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_saved_optimizer_continues_to_the_same_bytes() {
        let (weights, gradients) = fixture();
        let dir = tempfile::tempdir().unwrap();
        let mut optimizer = AdamW::new(AdamWConfig::default(), &weights).unwrap();
        optimizer.step(&weights, &gradients, 0.01).unwrap();
        optimizer.save(&dir.path().join("optimizer")).unwrap();
        weights.save(&dir.path().join("weights")).unwrap();
        optimizer.step(&weights, &gradients, 0.02).unwrap();

        let again = Weights::load(&dir.path().join("weights"), &tiny(), &Device::Cpu).unwrap();
        let mut resumed = AdamW::load(&dir.path().join("optimizer"), AdamWConfig::default(), &again).unwrap();
        assert_eq!(resumed.steps(), 1);
        resumed.step(&again, &gradients, 0.02).unwrap();
        assert_eq!(weights.hash().unwrap(), again.hash().unwrap());
        let message = AdamW::load(&dir.path().join("weights"), AdamWConfig::default(), &again).unwrap_err().to_string();
        assert!(message.contains("which this model does not have"), "{message}");
    }

    #[test]
    fn short_parameters_keep_what_is_too_small_for_them() {
        let (weights, gradients) = fixture();
        let config = DecoderConfig { ..tiny() };
        let short = Weights::init(&config, 3, &Device::Cpu, DType::BF16).unwrap();
        for (name, var) in short.variables() {
            var.set(&weights.variables()[name].as_detached_tensor().to_dtype(DType::BF16).unwrap()).unwrap();
        }
        let before: Vec<Vec<f64>> = short.variables().values().map(|v| values(&v.to_dtype(DType::F64).unwrap())).collect();
        let halves = gradients.tensors().iter().map(|(name, g)| (name.clone(), g.to_dtype(DType::BF16).unwrap())).collect();
        let halves = Gradients::new(halves);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("optimizer");
        let mut optimizer = AdamW::new(AdamWConfig::default(), &short).unwrap();
        for _ in 0..20 {
            // By way of its file, which has the long parameters too.
            optimizer.step(&short, &halves, 1e-4).unwrap();
            optimizer.save(&file).unwrap();
            optimizer = AdamW::load(&file, AdamWConfig::default(), &short).unwrap();
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
}
