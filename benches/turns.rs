//! What sharing saves where prompts go on from each other, and what many cores are worth: `cargo bench --bench turns [-- quick] [-- alfworld|smollm2|threads]`.
//!
//! Two shapes: ALFWorld with its full history (96 episodes of up to 50 turns, groups of 8, a decoder of about a million parameters with a critic of
//! its own), and SmolLM2-135M (4 episodes of 16 turns up to 2,048 tokens), there beside PyTorch where Python has it (`PYTHON` names the interpreter).
//! Each way runs in a process of its own, so that its peak of memory is its own.
//!
//! `threads`: the gradients of one minibatch of the first shape by 1, 2, 4, 8 and 16 threads are the same bytes; and of 16 and 64 cores, which share of
//! the time would be work, given how long each lane takes.

#[path = "../src/bin/epo-run/allocator.rs"]
mod allocator;
mod shapes;

use candle_core::{DType, Device};
use epo::model::{
    Compute, Critic, DecoderConfig, Generator, Gradients, Mode, ModelError, Request, Row, ScoreGradients, Tokens, Variant, Weights,
    evaluate, lane_seconds, threads,
};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const THREADS: usize = 2;

/// How turns follow each other.
struct Shape {
    config: DecoderConfig,
    episodes: usize,
    group: usize,
    turns: usize,
    /// Tokens that all prompts begin with, that a group's prompts go on with, of a response, and of what is then observed.
    system: usize,
    first: usize,
    response: usize,
    observation: usize,
    minibatches: usize,
    critic: bool,
}

fn alfworld(quick: bool) -> Shape {
    let config = DecoderConfig {
        layers: 4,
        width: 128,
        heads: 4,
        kv_heads: 4,
        ffn: 384,
        vocab: 1024,
        context: 1200,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    };
    let episodes = if quick { 16 } else { 96 };
    Shape { config, episodes, group: 8, turns: 50, system: 10, first: 50, response: 6, observation: 14, minibatches: 4, critic: true }
}

fn smollm2(quick: bool) -> Shape {
    let (episodes, turns) = (if quick { 1 } else { 4 }, 16);
    let (system, first, response, observation) = (64, 64, 32, 90);
    Shape { config: shapes::smollm2(), episodes, group: 1, turns, system, first, response, observation, minibatches: 1, critic: false }
}

fn shape(name: &str, quick: bool) -> Shape {
    if name == "alfworld" { alfworld(quick) } else { smollm2(quick) }
}

/// Tokens that look random; `what` names the text.
fn text(what: u64, length: usize, vocab: usize) -> Vec<u32> {
    let mixed = |i: u64| (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..length as u64).map(|t| 3 + ((mixed(what * 100_003 + t) >> 20) % (vocab as u64 - 3)) as u32).collect()
}

impl Shape {
    /// The turns of an episode: an easy task takes 26, most take all.
    fn turns_of(&self, episode: usize) -> usize {
        self.turns - if self.critic { (episode * 7) % 25 } else { 0 }
    }

    fn opening(&self, episode: usize) -> Vec<u32> {
        let group = (episode / self.group) as u64;
        [text(1, self.system, self.config.vocab), text(10 + group, self.first, self.config.vocab)].concat()
    }

    fn observed(&self, episode: usize, turn: usize) -> Vec<u32> {
        text(1_000 + (episode * self.turns + turn) as u64, self.observation, self.config.vocab)
    }

    /// Rows as they would have been sampled.
    fn rows(&self, episode: usize) -> Vec<Row> {
        let mut prompt = self.opening(episode);
        (0..self.turns_of(episode))
            .map(|turn| {
                let response = text(900_000 + (episode * self.turns + turn) as u64, self.response, self.config.vocab);
                let row = Row::after([prompt.as_slice(), &response].concat(), prompt.len());
                prompt = [row.ids.as_slice(), &self.observed(episode, turn)].concat();
                row
            })
            .collect()
    }

    /// Plays all episodes, choosing among 20 actions; the rows of each.
    fn play(&self, weights: &Arc<Weights>) -> Vec<Vec<Row>> {
        let each = self.episodes.div_ceil(THREADS);
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..THREADS)
                .map(|lane| {
                    let episodes = lane * each..((lane + 1) * each).min(self.episodes);
                    scope.spawn(move || self.lane(weights, episodes))
                })
                .collect();
            lanes.into_iter().flat_map(|lane| lane.join().expect("a lane")).collect()
        })
    }

    fn lane(&self, weights: &Arc<Weights>, episodes: std::ops::Range<usize>) -> Vec<Vec<Row>> {
        let mut generator = Generator::new(weights.clone(), episodes.len(), self.config.context).expect("a generator");
        let mut prompts: Vec<Vec<u32>> = episodes.clone().map(|episode| self.opening(episode)).collect();
        let mut rows: Vec<Vec<Row>> = vec![Vec::new(); episodes.len()];
        for turn in 0..self.turns {
            let playing: Vec<usize> = (0..episodes.len()).filter(|i| turn < self.turns_of(episodes.start + i)).collect();
            let request = |i: &usize| {
                let options = (0..20).map(|option| text(500 + option / 4 * 1_000 + option, self.response - 1, self.config.vocab)).collect();
                let seed = ((episodes.start + i) * self.turns + turn) as u64;
                Request { prompt: prompts[*i].clone(), mode: Mode::Choose { thought: None, options, temperature: 1.0, end: 1 }, seed }
            };
            let responses = generator.run(playing.iter().map(request).collect::<Vec<_>>()).expect("responses");
            for (i, response) in playing.into_iter().zip(responses) {
                let row = response.row(&prompts[i]);
                prompts[i] = [row.ids.as_slice(), &self.observed(episodes.start + i, turn)].concat();
                rows[i].push(row);
            }
        }
        rows
    }
}

fn slopes(rows: &[Row]) -> ScoreGradients {
    let targets: usize = rows.iter().map(|row| row.targets.len()).sum();
    let each = |phase: f32| (0..targets).map(|i| (i as f32 * phase).sin() / targets as f32).collect();
    ScoreGradients { logp: each(1.3), entropy: each(0.7) }
}

fn gradients(weights: &Weights, rows: &[Row], compute: &Compute) -> Gradients {
    evaluate(weights, rows, 1.0, compute).expect("scores").backward(&slopes(rows)).expect("gradients")
}

fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / f64::from(1u32 << 20)
}

/// From now on [`peak`] is that of what follows.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").ok();
}

/// One way, in this process: times in seconds, memory in GiB.
fn measure(shape: &Shape, share: bool) -> Result<Value, ModelError> {
    let weights = Arc::new(Weights::init(&shape.config, 1, &Device::Cpu, DType::F32)?);
    let compute = Compute { threads: THREADS, share, ..Compute::default() };
    let start = Instant::now();
    let episodes: Vec<Vec<Row>> = match shape.critic {
        true => shape.play(&weights),
        false => (0..shape.episodes).map(|episode| shape.rows(episode)).collect(),
    };
    let rollout = start.elapsed().as_secs_f64();
    let critic = shape.critic.then(|| Critic::from_backbone(&weights)).transpose()?;
    let all: Vec<Row> = episodes.iter().flatten().cloned().collect();
    let start = Instant::now();
    if let Some(critic) = &critic {
        critic.values(&all, &compute)?;
    }
    let values = start.elapsed().as_secs_f64();
    let before = peak();
    forget_peak();
    let start = Instant::now();
    for minibatch in episodes.chunks(shape.episodes.div_ceil(shape.minibatches)) {
        let rows: Vec<Row> = minibatch.iter().flatten().cloned().collect();
        gradients(&weights, &rows, &compute);
        if let Some(critic) = &critic {
            critic.evaluate(&rows, &compute)?.backward(&slopes(&rows).logp)?;
        }
    }
    let update = start.elapsed().as_secs_f64();
    let tokens = Tokens::of(&all);
    Ok(json!({ "rollout": rollout, "values": values, "update": update, "peak": peak().max(before), "peak_update": peak(),
        "rows": all.len(), "tokens": tokens.all, "distinct": tokens.distinct }))
}

fn apart(name: &str, quick: bool, share: bool) -> Option<Value> {
    let mut arguments = vec!["one".to_string(), name.to_string(), if share { "share" } else { "single" }.to_string()];
    arguments.extend(quick.then(|| "quick".to_string()));
    let output = Command::new(std::env::current_exe().ok()?).args(arguments).output().ok()?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).ok()
}

/// The largest difference of a parameter's gradients, as a part of the largest of them; the first turns of two episodes.
fn difference(shape: &Shape) -> Result<f64, ModelError> {
    let weights = Weights::init(&shape.config, 1, &Device::Cpu, DType::F32)?;
    let rows: Vec<Row> = (0..shape.episodes.min(2)).flat_map(|episode| shape.rows(episode).into_iter().take(12)).collect();
    let [with, without] = [true, false].map(|share| gradients(&weights, &rows, &Compute { threads: THREADS, share, ..Compute::default() }));
    let mut worst = 0f64;
    for (name, with) in with.tensors() {
        let without = &without.tensors()[name];
        let most = |t: candle_core::Tensor| -> Result<f64, ModelError> { Ok(f64::from(t.abs()?.max_all()?.to_scalar::<f32>()?)) };
        worst = worst.max(most((with - without)?)? / most(without.clone())?);
    }
    Ok(worst)
}

fn main() -> Result<(), ModelError> {
    allocator::configure();
    threads::configure();
    let arguments: Vec<String> = std::env::args().collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let quick = has("quick");
    let names = ["alfworld", "smollm2", "threads"];
    if has("one") {
        let shape = shape(if has(names[0]) { names[0] } else { names[1] }, quick);
        println!("{}", measure(&shape, has("share"))?);
        return Ok(());
    }
    let asked = |name: &str| has(name) || !names.iter().any(|other| has(other));
    if asked("threads") {
        many_threads(&alfworld(quick))?;
    }
    for name in names.into_iter().take(2).filter(|name| asked(name)) {
        let shape = shape(name, quick);
        let [Some(with), Some(without)] = [true, false].map(|share| apart(name, quick, share)) else { continue };
        let number = |found: &Value, what: &str| found[what].as_f64().unwrap_or(f64::NAN);
        println!(
            "{name}: {} parameters, {} episodes, {} rows of {} tokens, {} of them distinct (1 in {:.1}); {THREADS} threads",
            shape.config.parameters(),
            shape.episodes,
            with["rows"],
            with["tokens"],
            with["distinct"],
            number(&with, "tokens") / number(&with, "distinct")
        );
        let iteration = |found: &Value| ["rollout", "values", "update"].iter().map(|part| number(found, part)).sum::<f64>();
        let line = |what: &str, with: f64, without: f64, unit: &str| {
            println!("{name}: {what}: {with:.2} {unit} with sharing, {without:.2} without: {:.2} x", without / with);
        };
        line("update", number(&with, "update"), number(&without, "update"), "s");
        if shape.critic {
            line("values of the critic", number(&with, "values"), number(&without, "values"), "s");
            println!("{name}: rollout: {:.2} s, {:.2} s", number(&with, "rollout"), number(&without, "rollout"));
            line("whole iteration", iteration(&with), iteration(&without), "s");
        }
        line("peak memory", number(&with, "peak"), number(&without, "peak"), "GiB");
        line("peak memory of the update", number(&with, "peak_update"), number(&without, "peak_update"), "GiB");
        println!("{name}: gradients differ by {:.1e} of the largest", difference(&shape)?);
        if let Some(peer) = (!shape.critic).then(|| peer(&shape)).flatten() {
            let seconds = number(&peer, "seconds");
            println!("{name}: PyTorch {} on the same rows: {seconds:.2} s: {:.2} x", peer["torch"], seconds / number(&with, "update"));
        }
    }
    Ok(())
}

/// One minibatch by many threads.
fn many_threads(shape: &Shape) -> Result<(), ModelError> {
    let weights = Weights::init(&shape.config, 1, &Device::Cpu, DType::F32)?;
    let rows: Vec<Row> = (0..shape.episodes.div_ceil(shape.minibatches)).flat_map(|episode| shape.rows(episode)).collect();
    let mut first = None;
    for threads in [1, 2, 4, 8, 16] {
        let start = Instant::now();
        let bytes = bytes(&gradients(&weights, &rows, &Compute { threads, ..Compute::default() }))?;
        let same = *first.get_or_insert_with(|| bytes.clone()) == bytes;
        println!("threads: {threads}: {:.2} s, {}", start.elapsed().as_secs_f64(), if same { "the same bytes" } else { "OTHER BYTES" });
    }
    let lanes = lane_seconds(&weights, &rows, 1.0, &slopes(&rows), &Compute::default())?;
    let whole: f64 = lanes.iter().sum();
    for cores in [16, 64] {
        // A core that is free takes the next lane.
        let mut busy = vec![0.0f64; cores];
        for lane in &lanes {
            if let Some(free) = busy.iter_mut().min_by(|a, b| a.total_cmp(b)) {
                *free += lane;
            }
        }
        let last = busy.iter().copied().fold(0.0, f64::max);
        println!(
            "threads: {} rows in {} lanes, {whole:.2} s in all: {cores} cores would be at work {:.0} % of the time, {:.1} x as fast as one",
            rows.len(),
            lanes.len(),
            100.0 * whole / (last * cores as f64),
            whole / last
        );
    }
    Ok(())
}

fn bytes(gradients: &Gradients) -> Result<Vec<u8>, ModelError> {
    let mut bytes = Vec::new();
    for tensor in gradients.tensors().values() {
        bytes.extend(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().flat_map(f32::to_le_bytes));
    }
    Ok(bytes)
}

/// The same rows in PyTorch.
fn peer(shape: &Shape) -> Option<Value> {
    let rows: Vec<Value> = (0..shape.episodes)
        .flat_map(|episode| shape.rows(episode))
        .map(|row| json!({ "ids": row.ids, "from": row.ids.len() - row.targets.len() }))
        .collect();
    let folder = tempfile::tempdir().ok()?;
    let file = folder.path().join("rows.json");
    std::fs::write(&file, serde_json::to_vec(&rows).ok()?).ok()?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(python).args(["benches/turns_peer.py", &THREADS.to_string()]).arg(&file).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
