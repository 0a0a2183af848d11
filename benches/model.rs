//! Speed of the model at the size of the quick start: `cargo bench --bench model [-- quick]`.

use candle_core::{DType, Device};
use epo::model::{
    AdamW, Compute, DecoderConfig, Generator, Mode, ModelError, OptimizerState, Request, Row, Sampling, ScoreGradients, Variant, Weights,
    evaluate, score,
};
use std::sync::Arc;
use std::time::Instant;

const ADAMW: AdamW = AdamW { lr: 1e-6, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };

const PROMPT: usize = 100;
const SLOTS: usize = 32;

fn config() -> DecoderConfig {
    DecoderConfig {
        layers: 2,
        width: 64,
        heads: 4,
        kv_heads: 4,
        ffn: 192,
        vocab: 512,
        context: 256,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    }
}

/// A number in `0..below` that looks random.
fn mixed(i: usize, below: usize) -> usize {
    let x = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (x ^ (x >> 29)) as usize % below
}

/// Prompts that share nothing, unless `shared` first tokens are the same.
fn request(i: usize, shared: usize) -> Request {
    let token = |t: usize| (2 + if t < shared { t } else { mixed(i * 1000 + t, 500) }) as u32;
    let option = |o: usize| (0..5).map(|t| (2 + mixed(i * 77 + if t == 0 { o / 4 } else { o * 31 + t }, 500)) as u32).collect();
    let mode = Mode::Choose { thought: None, options: (0..12).map(option).collect(), temperature: 1.0, end: 1 };
    Request { prompt: (0..PROMPT).map(token).collect(), mode, seed: i as u64 }
}

fn rollout(weights: &Arc<Weights>, threads: usize, turns: usize, shared: usize) -> f64 {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let weights = weights.clone();
            scope.spawn(move || {
                let mut generator = Generator::new(weights, SLOTS / threads, 256).expect("a generator");
                let requests = (0..turns / threads).map(|i| request(thread * 1_000_000 + i, shared));
                generator.run(requests).expect("responses")
            });
        }
    });
    turns as f64 / start.elapsed().as_secs_f64()
}

fn best(times: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..times).map(|_| run()).fold(0.0, f64::max)
}

fn main() -> Result<(), ModelError> {
    let times = if std::env::args().any(|a| a == "quick") { 2 } else { 7 };
    let config = config();
    let weights = Arc::new(Weights::init(&config, 1, &Device::Cpu, DType::F32)?);
    println!("{} parameters, {} layers, width {}, vocabulary {}", config.parameters(), config.layers, config.width, config.vocab);

    for (shared, words) in [(0, "nothing shared"), (40, "40 tokens shared")] {
        for threads in [1, 2] {
            let turns = best(times, || rollout(&weights, threads, 512, shared));
            println!("choose, prompt {PROMPT}, 12 options of 5 tokens, {words}, {SLOTS} slots, {threads} threads: {turns:.0} turns/s");
        }
    }
    let sample = |threads: usize| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let weights = weights.clone();
                scope.spawn(move || {
                    let mut generator = Generator::new(weights, SLOTS / threads, 256).expect("a generator");
                    let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: 64, stop: vec![] };
                    let requests = (0..128 / threads).map(|i| Request { mode: mode.clone(), ..request(thread * 1000 + i, 0) });
                    generator.run(requests).expect("responses")
                });
            }
        });
        128.0 * 64.0 / start.elapsed().as_secs_f64()
    };
    for threads in [1, 2] {
        println!("sample, prompt {PROMPT}, 64 tokens, {threads} threads: {:.0} tokens/s", best(times, || sample(threads)));
    }

    // Supervised: a response of 6 tokens over the whole vocabulary behind the prompt; every token of the rows is counted.
    let ids = |i: usize, length: usize| (0..length).map(|t| (2 + mixed(i * 1000 + t, 500)) as u32).collect::<Vec<u32>>();
    let demonstrations: Vec<Row> = (0..64).map(|i| Row::after(ids(i, PROMPT + 6), PROMPT)).collect();
    let texts: Vec<Row> = (0..64).map(|i| Row::after(ids(i, PROMPT + 6), 1)).collect();
    // Reinforcement: what the generator chose.
    let requests: Vec<Request> = (0..64).map(|i| request(i, 0)).collect();
    let responses = Generator::new(weights.clone(), SLOTS, 256)?.run(requests.clone())?;
    let chosen: Vec<Row> = requests.iter().zip(&responses).map(|(q, r)| r.row(&q.prompt)).collect();

    for (rows, words) in [(&demonstrations, "sft, response of 6"), (&texts, "sft, all tokens"), (&chosen, "rl")] {
        let tokens: usize = rows.iter().map(|r| r.ids.len()).sum();
        let targets: usize = rows.iter().map(|r| r.targets.len()).sum();
        let slopes = ScoreGradients { logp: vec![-1.0 / targets as f32; targets], entropy: vec![-0.01 / targets as f32; targets] };
        for threads in [1, 2] {
            let compute = Compute { threads, ..Compute::default() };
            let mut state = OptimizerState::new("adamw", |_| AdamW::KEEPS, &weights)?;
            let forward = best(times, || {
                let start = Instant::now();
                score(&weights, rows, 1.0, &compute).expect("scores");
                rows.len() as f64 / start.elapsed().as_secs_f64()
            });
            let step = best(times, || {
                let start = Instant::now();
                let evaluation = evaluate(&weights, rows, 1.0, &compute).expect("scores");
                let mut gradients = evaluation.backward(&slopes).expect("gradients");
                gradients.clip(1.0).expect("a norm");
                let number = state.steps() + 1;
                state.step(&weights, &gradients, &|parameter| ADAMW.update(number, parameter)).expect("a step");
                rows.len() as f64 / start.elapsed().as_secs_f64()
            });
            let length = tokens as f64 / rows.len() as f64;
            println!(
                "{words}, 64 rows of {length:.0} tokens, {threads} threads: forward {forward:.0} rows/s; \
                 forward, backward, clip and AdamW {step:.0} rows/s, {:.0} tokens/s",
                step * length
            );
        }
    }
    Ok(())
}
