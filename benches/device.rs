//! A CUDA device against the CPU, and its speed beside PyTorch's: `cargo bench --features cuda --bench device [-- NAME…]`, see `scripts/gpu-check.sh`.
//!
//! Names choose among the shapes. Weights are random: a shape and a type, not a model. `PYTHON` names the interpreter with torch and transformers.

mod shapes;

use candle_core::{DType, Device};
use epo::model::{
    AdamW, Compute, DecoderConfig, Generator, Mode, ModelError, OptimizerState, Request, Row, Sampling, ScoreGradients, Variant, Weights,
    accumulate_gradients,
};
use shapes::ids;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

const ADAMW: AdamW = AdamW { lr: 1e-6, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };

const ROWS: usize = 16;
const PROMPT: usize = 128;
const SAMPLED: usize = 64;
/// A training step has so many rows of so many tokens.
const BATCH: (usize, usize) = (4, 256);
const TIMES: usize = 3;

struct Shape {
    name: &'static str,
    dtype: DType,
    config: DecoderConfig,
}

fn qwen2(layers: usize, width: usize, heads: usize, ffn: usize) -> DecoderConfig {
    DecoderConfig {
        layers,
        width,
        heads,
        kv_heads: 2,
        ffn,
        vocab: 151_936,
        context: 32_768,
        rope_theta: 1e6,
        norm_eps: 1e-6,
        tied: true,
        variant: Variant { qkv_bias: true, ..Variant::default() },
    }
}

fn shapes() -> Vec<Shape> {
    vec![
        Shape { name: "smollm2-135m", dtype: DType::F32, config: shapes::smollm2() },
        Shape { name: "qwen2-0.5b", dtype: DType::BF16, config: qwen2(24, 896, 14, 4864) },
        Shape { name: "qwen2-1.5b", dtype: DType::BF16, config: qwen2(28, 1536, 12, 8960) },
    ]
}

fn requests(temperature: f64, max_tokens: usize) -> impl Iterator<Item = Request> {
    let sampling = Sampling { temperature, ..Sampling::default() };
    let mode = Mode::Sample { sampling, max_tokens, stop: vec![] };
    (0..ROWS).map(move |row| Request { prompt: ids(row, PROMPT), mode: mode.clone(), seed: row as u64 })
}

fn rows(count: usize, length: usize) -> Vec<Row> {
    (0..count).map(|i| Row::after(ids(100 + i, length), 1)).collect()
}

/// −1/n for each of n targets: the gradient of the mean log-likelihood.
fn slopes(rows: &[Row]) -> ScoreGradients {
    let count: usize = rows.iter().map(|r| r.targets.len()).sum();
    ScoreGradients { logp: vec![-1.0 / count as f32; count], entropy: vec![] }
}

/// Two layers of the shape of SmolLM2 on both: log-probabilities, entropies, norms of gradients, greedy tokens.
fn parity(device: &Device) -> Result<bool, ModelError> {
    let config = DecoderConfig { layers: 2, ..shapes::smollm2() };
    let here = Arc::new(Weights::init(&config, 1, &Device::Cpu, DType::F32)?);
    let there = Arc::new(Weights::init(&config, 1, device, DType::F32)?);
    let (rows, compute) = (rows(4, 64), Compute::default());
    let found = [&here, &there].map(|w| accumulate_gradients(w, &rows, 1.0, &slopes(&rows), &compute));
    let [(a, da), (b, db)] = {
        let [a, b] = found;
        [a?, b?]
    };
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    let (logp, entropy) = (apart(&a.logp, &b.logp), apart(&a.entropy, &b.entropy));
    let (na, nb) = (da.norms()?, db.norms()?);
    let norms = na.iter().map(|(name, norm)| ((norm - nb[name]) / norm.max(1e-9)).abs()).fold(0.0, f64::max);
    let greedy = |w: &Arc<Weights>| Generator::new(w.clone(), ROWS, 256)?.run(requests(0.0, 16));
    let (mine, theirs) = (greedy(&here)?, greedy(&there)?);
    let same = mine.iter().zip(&theirs).filter(|(a, b)| a.tokens == b.tokens).count();
    println!(
        "against the CPU: log-probabilities {logp:.1e} apart, entropies {entropy:.1e}, norms of gradients {norms:.1e}, greedy texts {same} of {ROWS} equal"
    );
    Ok(logp < 1e-4 && entropy < 1e-4 && norms < 1e-3 && same == ROWS)
}

fn best(mut work: impl FnMut() -> Result<(), ModelError>) -> Result<f64, ModelError> {
    work()?;
    let mut best = f64::INFINITY;
    for _ in 0..TIMES {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// MiB in use on the device, by everyone.
fn used() -> Option<f64> {
    let output = Command::new("nvidia-smi").args(["--query-gpu=memory.used", "--format=csv,noheader,nounits"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.lines().next()?.trim().parse().ok()
}

fn speed(shape: &Shape, device: &Device) -> Result<(), ModelError> {
    let weights = Arc::new(Weights::init(&shape.config, 1, device, shape.dtype)?);
    let mut generator = Generator::new(weights.clone(), ROWS, PROMPT + SAMPLED)?;
    let prompts = best(|| generator.run(requests(1.0, 1)).map(drop))?;
    let all = best(|| generator.run(requests(1.0, SAMPLED)).map(drop))?;
    drop(generator);
    let (rows, compute) = (rows(BATCH.0, BATCH.1), Compute::default());
    let mut state = OptimizerState::new("adamw", |_| AdamW::KEEPS, &weights)?;
    let mut most: f64 = 0.0;
    let train = best(|| {
        let (_, mut gradients) = accumulate_gradients(&weights, &rows, 1.0, &slopes(&rows), &compute)?;
        gradients.clip(1.0)?;
        let number = state.steps() + 1;
        state.step(&weights, &gradients, &|parameter| ADAMW.update(number, parameter))?;
        device.synchronize()?;
        most = most.max(used().unwrap_or(f64::NAN));
        Ok(())
    })?;
    let decode = (ROWS * (SAMPLED - 1)) as f64 / (all - prompts);
    // The memory is free again for the other one.
    drop((state, weights));
    let peer = peer(shape);
    let beside = |name: &str| peer.as_ref().and_then(|p| p[name].as_f64()).map_or(String::new(), |x| format!(" (PyTorch {x:.3})"));
    println!(
        "{} {:?}: decode of {ROWS} rows {decode:.1} tokens/s{}, training step of {} x {} {train:.3} s{}, memory in use {most:.0} MiB{}",
        shape.name,
        shape.dtype,
        beside("decode"),
        BATCH.0,
        BATCH.1,
        beside("train"),
        beside("memory")
    );
    Ok(())
}

fn peer(shape: &Shape) -> Option<serde_json::Value> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python).args(["benches/peer_device.py", shape.name, &TIMES.to_string()]).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

fn run() -> Result<bool, ModelError> {
    let device = match Device::new_cuda(0) {
        Ok(device) => device,
        Err(error) => {
            println!("no CUDA device answers, nothing was run: {error}");
            return Ok(false);
        }
    };
    let ok = parity(&device)?;
    let names: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    for shape in shapes().iter().filter(|s| names.is_empty() || names.iter().any(|n| n == s.name)) {
        speed(shape, &device)?;
    }
    Ok(ok)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
