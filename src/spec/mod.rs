//! A pipeline after `check`: typed and complete; no `Option` means "not yet known".

mod check;
mod compile;
mod deep;
pub(crate) mod describe;
mod environment;
pub(crate) mod fits;
pub(crate) mod known;
mod library;
mod middle;
mod objectives;
mod resolved;
mod vocabulary;

pub(crate) use compile::checked;
pub use compile::{Compiled, Request, compile};
pub use deep::on_deep_stack;
pub(crate) use environment::environment;
pub(crate) use library::add;
pub use library::{LIBRARY, LibraryFunction, PRELUDE, library, library_functions};
pub use objectives::{Equations, equations};
pub use resolved::{Leaf, Resolved};
#[cfg(test)]
pub(crate) mod fake;
mod foreign;

use crate::lang::Span;
use crate::stage::{Artifact, Resources, Stage};
use std::sync::Arc;

/// One instance of a pipeline (one seed, one point of its sweeps).
#[derive(Clone, Debug)]
pub struct PipelineSpec {
    /// `ppo_epo`.
    pub name: String,
    /// `[("seed", "1"), ("lambda", "0.003")]`: what tells this instance from its siblings; empty where nothing was unfolded.
    pub label: Vec<(String, String)>,
    /// For people; empty where none was written.
    pub title: String,
    /// The root of its seed tree.
    pub seed: u64,
    /// Its name, where it was written.
    pub span: Span,
    /// All of its text.
    pub extent: Span,
    /// As written.
    pub stages: Vec<StageSpec>,
    /// The equation in words for reports: term name and text, `minimize` last.
    pub equation: Vec<(String, String)>,
    /// The pipeline flattened to text that runs alone; without the places where values were written, which differ between machines.
    pub resolved: String,
}

impl PipelineSpec {
    /// `ppo_epo` or `ppo_epo[seed=1, lambda=0.003]`.
    pub fn display_name(&self) -> String {
        if self.label.is_empty() {
            return self.name.clone();
        }
        format!("{}[{}]", self.name, self.label_text())
    }

    /// Whether a name is that of the pipeline, or of this instance of it; blanks in it do not count.
    pub fn is_called(&self, name: &str) -> bool {
        let plain = |name: &str| name.split_whitespace().collect::<String>();
        self.name == name || plain(&self.display_name()) == plain(name)
    }

    /// `seed=1, lambda=0.003`; empty where nothing was unfolded.
    pub fn label_text(&self) -> String {
        self.label.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(", ")
    }
}

/// A stage of an instance.
#[derive(Clone, Debug)]
pub struct StageSpec {
    /// `train`.
    pub name: String,
    /// Its name, where it was written.
    pub span: Span,
    /// Where it sets `seed = n` itself.
    pub seed: Option<u64>,
    /// Its checked fields.
    pub stage: Arc<dyn Stage>,
    /// In the order of its fields.
    pub inputs: Vec<Input>,
    /// Order alone: indices into the instances and stage names.
    pub after: Vec<Input>,
    /// What it asks of a machine.
    pub needs: Resources,
}

/// An edge: an output of a stage, used by a field of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// `policy`, `of`.
    pub field: String,
    /// Where the reference was written.
    pub span: Span,
    /// Index into the compiled instances.
    pub pipeline: usize,
    /// The stage that gives the output.
    pub stage: String,
    /// `best`, `last`, …
    pub output: String,
    /// What the output holds.
    pub artifact: Artifact,
    /// Whether it is there because its user brings seeds together: it is left out where the instance is not asked for.
    pub pooled: bool,
}
