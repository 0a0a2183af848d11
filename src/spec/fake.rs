//! Stages and pipelines for tests of the plan and the executor.

use super::{Input, PipelineSpec, StageSpec};
use crate::kind::Identity;
use crate::lang::{SourceId, Span};
use crate::stage::{Artifact, Context, Figure, Output, Progress, RunError, Stage};
use crate::store::{MetricRecord, read_json, write_json};
use rand_chacha::rand_core::RngCore;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts: each iteration adds a draw to a sum, writes metrics, episodes, a checkpoint every few, and `best` whenever the draw is the greatest yet.
#[derive(Clone, Debug)]
pub(crate) struct Count {
    pub kind: &'static str,
    pub iterations: u64,
    pub every: u64,
    pub rate: f64,
    pub draws: bool,
    pub last: bool,
    /// Not part of what it computes.
    pub probe: Arc<Probe>,
}

/// What a test wants to see, or to happen.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    /// Iterations done, in all runs together.
    pub worked: AtomicU64,
    pub pause_ms: AtomicU64,
    /// 1 + the iteration at which one that draws fails, panics.
    pub fail_at: AtomicU64,
    pub panic_at: AtomicU64,
}

pub(crate) fn count(kind: &'static str) -> Count {
    Count { kind, iterations: 7, every: 2, rate: 0.5, draws: true, last: false, probe: Arc::default() }
}

#[derive(Serialize, Deserialize)]
struct Progressed {
    sum: u64,
    best: u64,
}

impl Identity for Count {
    fn identity(&self) -> Value {
        json!({ "iterations": self.iterations, "every": self.every, "loss": { "rate": self.rate, "terms": ["a", "b"] } })
    }
}

impl Stage for Count {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn outputs(&self) -> Vec<Output> {
        if self.last {
            return vec![Output { name: "page", artifact: Artifact::Page }];
        }
        let output = |name, artifact| Output { name, artifact };
        vec![output("policy", Artifact::Policy), output("best", Artifact::Policy), output("metrics", Artifact::Metrics)]
    }

    fn draws(&self) -> bool {
        self.draws
    }

    fn is_final(&self) -> bool {
        self.last
    }

    fn arithmetic(&self) -> Vec<Figure> {
        vec![Figure { name: "iterations".into(), value: self.iterations.to_string() }]
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        let mut before = 0u64;
        for input in context.inputs("policy").into_iter().chain(context.inputs("of")) {
            before = read_json::<Progressed>(&input.path().join("state.json"))?.sum ^ before.rotate_left(7);
        }
        if self.last {
            let line = context.inputs("of").iter().map(|i| i.task_name()).collect::<Vec<_>>().join(" ");
            context
                .folder()
                .write_output("page", |folder| Ok(std::fs::write(folder.join("report.html"), format!("{line} {before}\n"))?))?;
            return Ok(());
        }
        let (first, mut at) = match context.folder().checkpoint() {
            Some(checkpoint) => (checkpoint.iteration, read_json(&checkpoint.file("state.json"))?),
            None => (0, Progressed { sum: before, best: 0 }),
        };
        for iteration in first..self.iterations {
            if context.interrupted() {
                return Err(RunError::Interrupted);
            }
            std::thread::sleep(Duration::from_millis(self.probe.pause_ms.load(Ordering::SeqCst)));
            if self.draws && self.probe.fail_at.load(Ordering::SeqCst) == iteration + 1 {
                return Err(RunError::Failed(format!("the number {iteration} is not liked")));
            }
            assert!(!(self.draws && self.probe.panic_at.load(Ordering::SeqCst) == iteration + 1), "at {iteration}");
            let draw = if self.draws { context.seeds().child("iteration", iteration).rng().next_u64() >> 8 } else { iteration };
            at.sum = at.sum.wrapping_add(draw);
            let entropy = if iteration == 1 { f64::NAN } else { self.rate * draw as f64 };
            context.folder().metric(&MetricRecord::new(iteration).with("entropy", entropy).with("inf", f64::INFINITY))?;
            for episode in 0..2 {
                context.folder().episode(&json!({ "iteration": iteration, "episode": episode, "text": "ü\n" }))?;
            }
            if draw >= at.best {
                at.best = draw;
                context.folder().write_output("best", |folder| Ok(write_json(&folder.join("state.json"), &at)?))?;
            }
            self.probe.worked.fetch_add(1, Ordering::SeqCst);
            if (iteration + 1) % self.every == 0 {
                context.folder().save_checkpoint(iteration + 1, |folder| {
                    std::fs::create_dir(folder.join("sub"))?;
                    std::fs::write(folder.join("sub/weights"), at.sum.to_le_bytes())?;
                    Ok(write_json(&folder.join("state.json"), &at)?)
                })?;
            }
            let notes = vec![("entropy", format!("{entropy:.2}"))];
            context.progress(Progress { done: iteration + 1, total: self.iterations, unit: "iterations", notes });
        }
        context.folder().write_output("policy", |folder| Ok(write_json(&folder.join("state.json"), &at)?))?;
        Ok(())
    }
}

pub(crate) fn span(start: usize) -> Span {
    Span::new(SourceId(0), start..start + 5)
}

pub(crate) fn pipeline(name: &str, seed: u64, stages: Vec<StageSpec>) -> PipelineSpec {
    PipelineSpec {
        name: name.into(),
        label: Vec::new(),
        title: String::new(),
        seed,
        span: Span::new(SourceId(0), 0..1000),
        extent: Span::new(SourceId(0), 0..1000),
        stages,
        equation: Vec::new(),
        resolved: format!("pipeline {name} {{ }}\n"),
    }
}

pub(crate) fn labelled(mut pipeline: PipelineSpec, key: &str, value: impl ToString) -> PipelineSpec {
    pipeline.label.push((key.into(), value.to_string()));
    pipeline
}

pub(crate) fn stage(name: &str, stage: Count, inputs: Vec<Input>) -> StageSpec {
    let needs = crate::stage::Resources::default();
    StageSpec { name: name.into(), span: span(0), seed: None, stage: Arc::new(stage), inputs, after: Vec::new(), needs }
}

/// `field = stage.output`, written at byte `at`.
pub(crate) fn input(field: &str, pipeline: usize, stage: &str, output: &str, at: usize) -> Input {
    Input {
        field: field.into(),
        span: span(at),
        pipeline,
        stage: stage.into(),
        output: output.into(),
        artifact: Artifact::Policy,
        pooled: false,
    }
}

/// warm → train → page, as instance `index`. `warm` draws nothing.
pub(crate) fn three(name: &str, index: usize, seed: u64, train: Count) -> PipelineSpec {
    let warm = Count { draws: false, iterations: 3, probe: train.probe.clone(), ..count("sft") };
    let page = Count { draws: false, last: true, probe: train.probe.clone(), ..count("report") };
    pipeline(
        name,
        seed,
        vec![
            stage("warm", warm, vec![]),
            stage("train", train, vec![input("policy", index, "warm", "policy", 10)]),
            stage("page", page, vec![input("of", index, "train", "best", 20)]),
        ],
    )
}
