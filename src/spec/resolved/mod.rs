//! The resolved pipeline: a text without imports, inheritance and functions that runs alone and asks for the very same tasks.
//!
//! Values stand where they are used, environments and prompts once at the top, equations with every function replaced by its meaning. `seeds` and
//! `sweep(…)` stay: a line that depends on a sweep keeps its name.

mod doc;
mod pipeline;
mod value;

use crate::lang::SourceMap;
use crate::lang::resolve::Resolver;
pub use doc::Leaf;
use doc::{DocLine, Page};
use indexmap::{IndexMap, IndexSet};
use value::Printer;

/// Every pipeline of a file, and those that they mention.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    prompts: IndexMap<String, Prompt>,
    /// Environments, and values that several pipelines mention by name.
    shared: IndexMap<String, Shared>,
    pipelines: Vec<Flat>,
}

#[derive(Clone, Debug, PartialEq)]
struct Prompt {
    text: String,
    origin: String,
}

#[derive(Clone, Debug)]
struct Shared {
    line: DocLine,
    uses: Uses,
}

/// What a part of the text needs of the rest.
#[derive(Clone, Debug, Default)]
struct Uses {
    prompts: IndexSet<String>,
    shared: IndexSet<String>,
    /// By index in the resolver.
    pipelines: IndexSet<usize>,
    /// It mentions a stage or a line of its own pipeline.
    local: bool,
}

#[derive(Clone, Debug)]
struct Flat {
    index: usize,
    /// As in the source.
    name: String,
    /// In the text; another one only where two files use one name.
    line: DocLine,
    uses: Uses,
}

impl Uses {
    fn add(&mut self, other: Uses) {
        self.prompts.extend(other.prompts);
        self.shared.extend(other.shared);
        self.pipelines.extend(other.pipelines);
        self.local |= other.local;
    }
}

/// Flattens the pipelines of the root file, and those that they mention. To be called on a file without mistakes.
pub(super) fn resolve(resolver: &mut Resolver<'_>, sources: &SourceMap) -> Resolved {
    let mut order = resolver.root_pipelines();
    let mut instances = Vec::new();
    let mut at = 0;
    while let Some(&pipeline) = order.get(at) {
        let instance = resolver.open(pipeline);
        instances.push(instance);
        for mentioned in pipeline::mentioned(resolver, instance) {
            if !order.contains(&mentioned) {
                order.push(mentioned);
            }
        }
        at += 1;
    }
    let mut printer = Printer::new(resolver, sources, &order, &instances);
    let pipelines = order.iter().zip(&instances).map(|(&pipeline, &instance)| printer.pipeline(pipeline, instance)).collect();
    Resolved { prompts: printer.prompts, shared: printer.shared, pipelines }
}

impl Resolved {
    /// These pipelines (all, where `names` is empty) and what they need, as one text. `origins`: with the place where each value was written.
    pub fn text(&self, names: &[&str], origins: bool) -> String {
        let mut wanted: IndexSet<usize> = IndexSet::new();
        let mut open: Vec<usize> =
            self.pipelines.iter().filter(|p| names.is_empty() || names.contains(&p.name.as_str())).map(|p| p.index).collect();
        while let Some(index) = open.pop() {
            if wanted.insert(index) {
                let pipeline = self.pipelines.iter().find(|p| p.index == index);
                open.extend(pipeline.into_iter().flat_map(|p| p.uses.pipelines.iter().copied()));
            }
        }
        let pipelines: Vec<&Flat> = self.pipelines.iter().filter(|p| wanted.contains(&p.index)).collect();
        let mut uses = Uses::default();
        for pipeline in &pipelines {
            uses.add(pipeline.uses.clone());
        }
        let direct: Vec<String> = uses.shared.iter().cloned().collect();
        direct.iter().filter_map(|name| self.shared.get(name)).for_each(|s| uses.add(s.uses.clone()));
        let mut page = Page::new(origins);
        for (name, prompt) in self.prompts.iter().filter(|(name, _)| uses.prompts.contains(*name)) {
            page.prompt(name, &prompt.text, &prompt.origin);
        }
        for (_, shared) in self.shared.iter().filter(|(name, _)| uses.shared.contains(*name)) {
            page.section(&shared.line);
        }
        for pipeline in pipelines {
            page.section(&pipeline.line);
        }
        page.finish()
    }

    /// Every value of a pipeline by its path, in order: `train.groups`, `loss.minimize`.
    pub fn leaves(&self, name: &str) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        if let Some(pipeline) = self.pipelines.iter().find(|p| p.name == name) {
            pipeline.line.leaves("", &mut leaves);
        }
        // a stage is called by its name alone
        let by_name = |leaf: Leaf| match leaf.path.strip_prefix("stages.") {
            Some(path) => Leaf { path: path.to_string(), ..leaf },
            None => leaf,
        };
        leaves.into_iter().map(by_name).collect()
    }

    /// The prompts and environments that these pipelines use, likewise.
    pub fn shared_leaves(&self, names: &[&str]) -> Vec<Leaf> {
        let mut uses = Uses::default();
        self.pipelines.iter().filter(|p| names.contains(&p.name.as_str())).for_each(|p| uses.add(p.uses.clone()));
        let shared: Vec<&Shared> = uses.shared.iter().filter_map(|name| self.shared.get(name)).collect();
        let mut leaves = Vec::new();
        for prompt in shared.iter().flat_map(|s| &s.uses.prompts).chain(&uses.prompts) {
            if let Some(found) = self.prompts.get(prompt) {
                leaves.push(Leaf { path: format!("prompt {prompt}"), text: crate::lang::print::quoted(&found.text), default: false });
            }
        }
        for line in shared {
            line.line.leaves("", &mut leaves);
        }
        leaves
    }

    /// The names of the pipelines, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pipelines.iter().map(|p| p.name.as_str())
    }
}
