//! A whole iteration of GRPO at the shape of SmolLM2-135M, beside TRL where Python has it: `cargo bench --bench iteration [-- quick]`.
//!
//! Both sample the same number of responses of the same length to the same prompts and make one update with all of them: no reference model, the
//! gradient clipped, AdamW. `PYTHON` names an interpreter with torch, transformers, trl and datasets.

mod shapes;

use candle_core::{DType, Device};
use epo::model::{
    AdamW, Compute, Generator, Mode, ModelError, OptimizerState, Request, Row, Sampling, ScoreGradients, Weights, evaluate, threads,
};
use shapes::ids;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const ADAMW: AdamW = AdamW { lr: 1e-6, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 };
const THREADS: usize = 2;

/// Groups, responses to each, tokens of a prompt and of a response.
struct Work {
    groups: usize,
    size: usize,
    prompt: usize,
    response: usize,
}

/// All responses, each with what it was drawn with.
fn collect(weights: &Arc<Weights>, work: &Work) -> Vec<Row> {
    let rows = work.groups * work.size;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..THREADS)
            .map(|lane| {
                scope.spawn(move || {
                    let mine: Vec<usize> = (0..rows).skip(lane * rows / THREADS).take(rows / THREADS).collect();
                    let mut generator = Generator::new(weights.clone(), mine.len(), work.prompt + work.response).expect("a generator");
                    let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: work.response, stop: vec![] };
                    let request =
                        |row: &usize| Request { prompt: ids(row / work.size, work.prompt), mode: mode.clone(), seed: *row as u64 };
                    let requests: Vec<Request> = mine.iter().map(request).collect();
                    let responses = generator.run(requests.clone()).expect("responses");
                    requests.iter().zip(responses).map(|(request, response)| response.row(&request.prompt)).collect::<Vec<Row>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().expect("a lane")).collect()
    })
}

fn main() -> Result<(), ModelError> {
    threads::configure();
    let quick = std::env::args().any(|argument| argument == "quick");
    let work = match quick {
        true => Work { groups: 2, size: 2, prompt: 64, response: 16 },
        false => Work { groups: 4, size: 4, prompt: 128, response: 64 },
    };
    let iterations = if quick { 2 } else { 3 };
    let weights = Arc::new(Weights::init(&shapes::smollm2(), 1, &Device::Cpu, DType::F32)?);
    let compute = Compute { threads: THREADS, ..Compute::default() };
    let mut state = OptimizerState::new("adamw", |_| AdamW::KEEPS, &weights)?;
    let mut best = f64::INFINITY;
    // The first one maps memory that the others find.
    for _ in 0..=iterations {
        let start = Instant::now();
        let rows = collect(&weights, &work);
        let evaluation = evaluate(&weights, &rows, 1.0, &compute)?;
        // Advantages of either sign, as a group has them.
        let targets: usize = rows.iter().map(|row| row.targets.len()).sum();
        let slope = |(number, row): (usize, &Row)| {
            let advantage = if number % 2 == 0 { 1.0 } else { -1.0 };
            vec![-advantage / targets as f32; row.targets.len()]
        };
        let slopes = ScoreGradients { logp: rows.iter().enumerate().flat_map(slope).collect(), entropy: vec![] };
        let mut gradients = evaluation.backward(&slopes)?;
        gradients.clip(1.0)?;
        let number = state.steps() + 1;
        state.step(&weights, &gradients, &|parameter| ADAMW.update(number, parameter))?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let tokens = work.groups * work.size * work.response;
    println!(
        "SmolLM2-135M, f32, {THREADS} threads: {} prompts of {} tokens, {} responses of {} tokens each, one update: {best:.2} s, {:.1} sampled tokens/s",
        work.groups,
        work.prompt,
        work.size,
        work.response,
        tokens as f64 / best
    );
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let numbers = [THREADS, work.groups, work.size, work.prompt, work.response, iterations].map(|number| number.to_string());
    let output = Command::new(python).arg("benches/iteration.py").args(numbers).output().ok();
    match output.as_ref().and_then(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).ok()) {
        Some(peer) => {
            let seconds = peer["seconds"].as_f64().unwrap_or(f64::NAN);
            println!("TRL {}, torch {}: {seconds:.2} s: {:.2} x", peer["trl"], peer["torch"], seconds / best);
        }
        None => {
            let said = output.map_or(String::new(), |output| format!("\n{}", String::from_utf8_lossy(&output.stderr)));
            println!("TRL: not there{said}");
        }
    }
    Ok(())
}
