//! Speed at the shape of SmolLM2-135M, beside PyTorch where Python has it: `cargo bench --bench pretrained [-- quick]`.
//!
//! Times are given on the clock and as seconds of all cores together divided by the threads: what idle cores would need. `PYTHON` names the interpreter.

#[path = "../src/bin/epo-run/allocator.rs"]
mod allocator;
mod shapes;

use candle_core::{DType, Device};
use epo::model::{
    AdamW, Compute, Generator, Mode, ModelError, OptimizerState, Request, Row, Sampling, ScoreGradients, Weights, evaluate, threads,
};
use shapes::ids;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const ADAMW: AdamW = AdamW { lr: 1e-6, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };

const THREADS: usize = 2;
const ROWS: usize = 8;
const PROMPT: usize = 128;
/// Tokens sampled behind each prompt.
const SAMPLED: usize = 64;

/// Seconds of all cores that this process has used.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) * 1024.0
}

#[derive(Clone, Copy)]
struct Time {
    wall: f64,
    cpu: f64,
}

fn best(times: usize, mut work: impl FnMut()) -> Time {
    let mut best = Time { wall: f64::INFINITY, cpu: f64::INFINITY };
    for _ in 0..times {
        let (start, used) = (Instant::now(), cpu());
        work();
        best.wall = best.wall.min(start.elapsed().as_secs_f64());
        best.cpu = best.cpu.min((cpu() - used) / THREADS as f64);
    }
    best
}

/// Prompts in all slots of generators that share the threads, and this many tokens behind each; the first comes with the prompt.
fn generate(weights: &Arc<Weights>, (rows, prompt): (usize, usize), max_tokens: usize) {
    let generators = rows.min(THREADS);
    std::thread::scope(|scope| {
        for first in 0..generators {
            scope.spawn(move || {
                let (slots, threads) = (rows / generators, THREADS / generators);
                let mut generator = Generator::new(weights.clone(), slots, 2 * prompt).expect("a generator").on(threads);
                let mode = Mode::Sample { sampling: Sampling::default(), max_tokens, stop: vec![] };
                let request = |row| Request { prompt: ids(100 + first * slots + row, prompt), mode: mode.clone(), seed: row as u64 };
                generator.run((0..slots).map(request)).expect("responses");
            });
        }
    });
}

fn main() -> Result<(), ModelError> {
    allocator::configure();
    threads::configure();
    let times = if std::env::args().any(|a| a == "quick") { 2 } else { 5 };
    let weights = Arc::new(Weights::init(&shapes::smollm2(), 1, &Device::Cpu, DType::F32)?);
    let compute = Compute { threads: THREADS, ..Compute::default() };

    generate(&weights, (1, 512), 1);
    let prefill = best(times, || generate(&weights, (1, 512), 1));
    let prefill_rows = best(times, || generate(&weights, (ROWS, PROMPT), 1));
    let all = best(times, || generate(&weights, (ROWS, PROMPT), SAMPLED));
    let decode = Time { wall: all.wall - prefill_rows.wall, cpu: all.cpu - prefill_rows.cpu };
    let inference = peak();

    let rows: Vec<Row> = (0..4).map(|i| Row::after(ids(10 + i, 256), 1)).collect();
    let targets: usize = rows.iter().map(|r| r.targets.len()).sum();
    let slopes = ScoreGradients { logp: vec![-1.0 / targets as f32; targets], entropy: vec![] };
    let mut state = OptimizerState::new("adamw", |_| AdamW::KEEPS, &weights)?;
    let mut step = || {
        let evaluation = evaluate(&weights, &rows, 1.0, &compute).expect("scores");
        let mut gradients = evaluation.backward(&slopes).expect("gradients");
        gradients.clip(1.0).expect("a norm");
        let number = state.steps() + 1;
        state.step(&weights, &gradients, &|parameter| ADAMW.update(number, parameter)).expect("a step");
    };
    step();
    let train = best(times, &mut step);
    let peer = peer(times);
    println!("SmolLM2-135M, f32, {THREADS} threads; PyTorch: {}", peer.as_ref().map_or("not there".into(), |p| p["torch"].to_string()));
    show("prefill of one prompt of 512", prefill, 512.0, "tokens/s", peer.as_ref().map(|p| &p["prefill"]));
    let (prompts, sampled) = ((ROWS * PROMPT) as f64, (ROWS * (SAMPLED - 1)) as f64);
    show("prefill of 8 prompts of 128", prefill_rows, prompts, "tokens/s", peer.as_ref().map(|p| &p["prefill_rows"]));
    show("decode of 8 rows", decode, sampled, "tokens/s", peer.as_ref().map(|p| &p["decode"]));
    show("training step of 4 x 256", train, 1.0, "steps/s", peer.as_ref().map(|p| &p["train"]));
    let gib = |bytes: f64| bytes / f64::from(1u32 << 30);
    let theirs =
        |name: &str| peer.as_ref().and_then(|p| p[name].as_f64()).map_or(String::new(), |b| format!("; PyTorch {:.2} GiB", gib(b)));
    println!("peak memory, inference: {:.2} GiB{}", gib(inference), theirs("peak_inference"));
    println!("peak memory, training: {:.2} GiB{}", gib(peak()), theirs("peak"));
    Ok(())
}

fn show(what: &str, time: Time, amount: f64, unit: &str, peer: Option<&serde_json::Value>) {
    let mut line = format!("{what}: {:.3} s on the clock, {:.3} s of cores, {:.2} {unit}", time.wall, time.cpu, amount / time.wall);
    if let Some((wall, cpu)) = peer.and_then(|p| Some((p["wall"].as_f64()?, p["cpu"].as_f64()?))) {
        line += &format!(
            "; PyTorch {wall:.3} s, {cpu:.3} s of cores; speed {:.2} x on the clock, {:.2} x by cores",
            wall / time.wall,
            cpu / time.cpu
        );
    }
    println!("{line}");
}

fn peer(times: usize) -> Option<serde_json::Value> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python).args(["benches/peer.py", &THREADS.to_string(), &times.to_string()]).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
