//! A report's data as a run of the quickstart would give it. Every number here is made up, by a seed; they show the page, not a method.

use epo::report::{ByTask, Curve, EpisodeExample, MetricRecord, PipelineInfo, ReportData, ResultRow, TurnExample};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

pub(crate) const ITERATIONS: u64 = 60;
const FAMILIES: [&str; 6] = ["clean and put", "cool and put", "heat and put", "look under a lamp", "put", "put two"];
const METHODS: [(&str, &str, f64); 3] = [("ppo", "PPO", 0.70), ("ppo_epo", "PPO + EPO", 0.87), ("grpo", "GRPO", 0.82)];

pub(crate) fn sample() -> ReportData {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut data = ReportData {
        title: "Quickstart: PPO, PPO + EPO and GRPO in a small house".into(),
        command: "epo-run pipelines/quickstart.epo --set ppo.lambda=0.003".into(),
        machine: [
            ("cpu", "AMD EPYC 7B13, 2 threads"),
            ("device", "cpu"),
            ("features", "avx2, fma"),
            ("threads", "2 (from EPO_THREADS)"),
            ("version", "epo-run 0.1.0"),
        ]
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .into(),
        ..ReportData::default()
    };
    data.curves.push(warm_up(&mut rng));
    for (actor, pipeline, p) in [("expert", "", 1.0), ("random", "", 0.02), ("after warm-up", "", 0.42)] {
        for split in ["house.seen", "house.unseen", "house.train"] {
            data.results.push(result(&mut rng, actor, pipeline, "", split, p));
        }
    }
    for (name, title, level) in METHODS {
        for seed in 0..3 {
            let label = format!("seed={seed}");
            data.pipelines.push(PipelineInfo {
                name: name.into(),
                label: label.clone(),
                title: title.into(),
                equation: equation(name),
                resolved: resolved(name, title, seed),
            });
            data.curves.push(training(&mut rng, name, &label, level));
            for (split, drop) in [("house.seen", 0.0), ("house.unseen", 0.11), ("house.train", -0.06)] {
                data.results.push(result(&mut rng, &format!("after {title}"), name, &label, split, level - drop));
            }
        }
    }
    data.examples = vec![won(), lost()];
    data
}

fn warm_up(rng: &mut ChaCha8Rng) -> Curve {
    let records = (0..200).map(|i| {
        let x = i as f64 / 200.0;
        let values = [
            ("loss/likelihood", 2.1 * (-4.0 * x).exp() + 0.35 + rng.random_range(-0.05..0.05)),
            ("learning_rate", 1e-3 * (x * 10.0).min(1.0) * (1.0 - 0.8 * x)),
            ("gradient_norm", 0.6 + 1.4 * (-3.0 * x).exp() + rng.random_range(-0.1..0.1)),
        ];
        record(i, &values)
    });
    Curve { pipeline: "base".into(), label: String::new(), stage: "warm_up".into(), kind: "sft".into(), records: records.collect() }
}

fn training(rng: &mut ChaCha8Rng, pipeline: &str, label: &str, level: f64) -> Curve {
    let mut past: Vec<f64> = Vec::new();
    let mut success: f64 = 0.42;
    let records = (0..ITERATIONS).map(|k| {
        let x = k as f64 / (ITERATIONS - 1) as f64;
        success += (level + 0.04 - success) * 0.07 + rng.random_range(-0.035..0.035);
        success = success.clamp(0.0, 1.0);
        let swing = if pipeline == "ppo" { 0.22 } else { 0.05 };
        let entropy = 0.62 - 0.25 * x + swing * (9.0 * x + rng.random_range(-0.4..0.4)).sin() + rng.random_range(-0.02..0.02);
        let mut values = vec![
            ("success", success),
            ("return", 10.0 * success - rng.random_range(0.0..0.4)),
            ("turns", 34.0 - 18.0 * success + rng.random_range(-1.0..1.0)),
            ("entropy", entropy),
            ("kl", 0.002 + 0.03 * x + rng.random_range(0.0..0.006)),
            ("clip_fraction", 0.05 + 0.06 * (1.0 - x) + rng.random_range(0.0..0.02)),
            ("loss/surrogate", -0.02 + rng.random_range(-0.01..0.01)),
            ("gradient_norm", 0.9 + rng.random_range(-0.2..0.2)),
            ("learning_rate", 3e-4 * (x * 10.0).min(1.0) * (0.2 + 0.8 * 0.5 * (1.0 + (std::f64::consts::PI * x).cos()))),
        ];
        // One seed loses its gradient for an iteration.
        if pipeline == "grpo" && label == "seed=2" && k == 31 {
            values.push(("gradient_norm", f64::NAN));
        }
        if pipeline != "grpo" {
            values.push(("loss/fit", 0.4 * (-3.0 * x).exp() + rng.random_range(0.0..0.05)));
        }
        if pipeline == "ppo_epo" {
            if !past.is_empty() {
                let reference = past.iter().sum::<f64>() / past.len() as f64;
                values.extend([("entropy.reference", reference), ("entropy.low", 0.5 * reference), ("entropy.high", 1.5 * reference)]);
            }
            values.push(("phase", 1.0 + (-3.0 * k as f64 / (ITERATIONS / 2) as f64).exp()));
            values.push(("loss/smooth", if past.is_empty() { 0.0 } else { 0.01 + rng.random_range(0.0..0.01) }));
        }
        if k % 5 == 4 {
            values.push(("eval/house.seen/success", (success - 0.02 + rng.random_range(-0.05..0.05)).clamp(0.0, 1.0)));
            values.push(("eval/house.unseen/success", (success - 0.12 + rng.random_range(-0.05..0.05)).clamp(0.0, 1.0)));
        }
        past.push(entropy);
        record(k, &values)
    });
    Curve { pipeline: pipeline.into(), label: label.into(), stage: "train".into(), kind: "rl".into(), records: records.collect() }
}

fn record(iteration: u64, values: &[(&str, f64)]) -> MetricRecord {
    MetricRecord { iteration, values: values.iter().map(|(name, value)| (name.to_string(), *value)).collect() }
}

fn result(rng: &mut ChaCha8Rng, actor: &str, pipeline: &str, label: &str, split: &str, p: f64) -> ResultRow {
    let families: BTreeMap<String, (u64, u64)> = FAMILIES
        .iter()
        .map(|family| (family.to_string(), ((0..10).filter(|_| rng.random_bool(p.clamp(0.0, 1.0))).count() as u64, 10)))
        .collect();
    let successes = families.values().map(|f| f.0).sum();
    ResultRow {
        actor: actor.into(),
        pipeline: pipeline.into(),
        label: label.into(),
        stage: split.trim_start_matches("house.").into(),
        split: split.into(),
        successes,
        episodes: 60,
        mean_score: successes as f64 / 60.0,
        mean_turns: 50.0 - 30.0 * p,
        families,
        figures: BTreeMap::new(),
        panel_hash: format!("{:0<16}", format!("9c41{}", split.len())),
        tasks: ByTask::default(),
    }
}

fn equation(name: &str) -> Vec<(String, String)> {
    let shared = [("surrogate", "mean(ppo_clip(0.2, dual = 3))"), ("drift", "mean(kl_k3())")];
    let mut lines: Vec<(&str, &str)> = match name {
        "grpo" => vec![("advantage", "(score - mean(score, by = group)) / (std(score, by = group) + 1e-6)")],
        _ => vec![("advantage", "whiten(gae(outcome, value, gamma = 1, lambda = 1, by = turn))")],
    };
    lines.extend(shared);
    if name != "grpo" {
        lines.push(("fit", "mean(value_clip(0.2))"));
    }
    if name == "ppo_epo" {
        lines.push(("explore", "trajectory_mean(entropy)"));
        lines.push(("smooth", "trajectory_mean(0.1 * corridor(entropy, around = history(mean(entropy)), low = 0.5, high = 1.5))"));
    }
    lines.push((
        "minimize",
        match name {
            "ppo" => "surrogate + 0.01 * drift + fit",
            "ppo_epo" => "surrogate - lambda * (explore - beta(iteration) * smooth) + 0.01 * drift + fit",
            _ => "surrogate + 0.01 * drift",
        },
    ));
    lines.into_iter().map(|(term, text)| (term.to_string(), text.to_string())).collect()
}

fn resolved(name: &str, title: &str, seed: u64) -> String {
    let terms: String = equation(name).iter().skip(1).map(|(term, text)| format!("    {term:<9} = {text}\n")).collect();
    format!(
        "# resolved: no imports, no parents\nlanguage = 1\n\npipeline {name} {{\n  title      = \"{title}\"\n  iterations = {ITERATIONS}                     # K: collect, then update\n  lambda     = 0.001\n  \
         fn beta(k) = 1 + exp(-3 * k / max(1, floor(iterations / 2)))   # eq. 5\n\n  policy = decoder {{ layers = 2, width = 64, heads = 4 }}\n\n  loss {{\n{terms}  }}\n\n  stages {{\n    \
         train = rl {{ on = house.train, groups = 16, group_size = 4, minibatch = 64 }}\n    seen  = evaluate {{ policy = train.best, on = house.seen }}\n  }}\n  seed = {seed}\n}}\n"
    )
}

fn turns(lines: &[(&str, &str, Option<f64>)]) -> Vec<TurnExample> {
    let turn = |(o, a, e): &(&str, &str, Option<f64>)| TurnExample {
        observation: o.to_string(),
        action: a.to_string(),
        reward: Some(0.0),
        entropy: *e,
        ..TurnExample::default()
    };
    lines.iter().map(turn).collect()
}

fn won() -> EpisodeExample {
    let mut episode = EpisodeExample {
        pipeline: "ppo_epo".into(),
        label: "seed=0".into(),
        stage: "seen".into(),
        split: "house.seen".into(),
        task: "house-seen-0017".into(),
        goal: "put a clean mug on the shelf".into(),
        success: true,
        score: 1.0,
        turns: turns(&[
            ("You are in the middle of a kitchen. You see a counter, a sink, a fridge and a shelf.", "go to counter 1", Some(0.84)),
            ("On counter 1 you see an apple 1 and a mug 2.", "take mug 2 from counter 1", Some(0.31)),
            ("You take mug 2 from counter 1.", "go to sink 1", Some(0.12)),
            ("In sink 1 you see a plate 1.", "clean mug 2 with sink 1", Some(0.05)),
            ("You clean mug 2 with sink 1.", "go to shelf 1", Some(0.18)),
            ("On shelf 1 you see nothing.", "put mug 2 on shelf 1", Some(0.02)),
        ]),
    };
    if let [first, .., last] = episode.turns.as_mut_slice() {
        first.response = Some("<think>A mug is likely on the counter.</think>\n<action>go to counter 1</action>".into());
        last.reward = Some(1.0);
    }
    episode
}

fn lost() -> EpisodeExample {
    EpisodeExample {
        stage: "unseen".into(),
        split: "house.unseen".into(),
        task: "house-unseen-0003".into(),
        goal: "look at a book under a lamp".into(),
        success: false,
        score: 0.0,
        turns: turns(&[
            ("You are in the middle of a study. You see a desk, a drawer (closed) and a sofa.", "go to drawer 1", Some(1.21)),
            ("Drawer 1 is closed.", "open drawer 1", Some(0.4)),
            ("You open drawer 1. It is empty.", "close drawer 1", Some(0.77)),
        ]),
        ..won()
    }
}
