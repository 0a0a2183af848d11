//! From syntax trees to values: imports, `from`, late binding, functions, sweeps. Every name keeps the place where it was written.
//!
//! Evaluation is lazy and remembered: a line is evaluated once an instance, when something asks for it. It is bounded: in depth, in steps,
//! in instances. Mistakes are collected in [`Resolver::diagnostics`]; a value that could not be made is [`ValueKind::Poison`](super::value::ValueKind::Poison), which nobody
//! complains about again.

mod at;
mod call;
mod eval;
mod instances;
mod lines;
mod names;
pub(crate) mod open;
mod scope;
pub(crate) mod survey;
mod swept;
mod unused;

use super::Diagnostic;
use super::ast::{self, LineKind};
use super::diagnostic::Diagnostics;
use super::load::Program;
use super::source::Span;
use super::term::Vocabulary;
use super::value::Value;
use indexmap::{IndexMap, IndexSet};
pub(crate) use instances::Instance;
use lines::Lines;
use scope::Context;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// A kind as the resolver knows it: its word, and its fields in the order in which positional arguments fill them.
#[derive(Clone, Debug)]
pub struct KindName {
    /// The word.
    pub name: &'static str,
    /// In order.
    pub fields: Vec<&'static str>,
}

/// The files of the library and the names they define.
pub type NamesOfLibrary = Arc<[(String, Vec<String>)]>;

/// What the words of a file may mean besides what files define.
pub struct Words {
    /// Quantities, and words for `by =` and `per =`.
    pub vocabulary: &'static Vocabulary,
    /// All that may stand before `{ … }`.
    pub kinds: Vec<KindName>,
    /// Pipeline lines that stages take over when a field of theirs is left out; they may be called like quantities.
    pub inherited: Vec<&'static str>,
    /// Pipeline lines with a meaning of their own (`title`, `seeds`).
    pub settings: Vec<&'static str>,
    /// For suggestions.
    pub library: NamesOfLibrary,
    /// What to write instead of a name that other tools have.
    pub foreign: fn(&str) -> Option<&'static str>,
}

impl Words {
    fn kind(&self, name: &str) -> Option<&KindName> {
        self.kinds.iter().find(|k| k.name == name)
    }
}

/// A definition at the top level of a file.
#[derive(Clone, Copy)]
enum Definition<'a> {
    Line,
    Function(&'a ast::Function),
    Pipeline(usize),
}

struct FileScope<'a> {
    names: IndexMap<String, (Definition<'a>, Span)>,
    lines: Lines<'a>,
}

struct PipelineText<'a> {
    name: String,
    name_span: Span,
    /// All of its text.
    span: Span,
    file: usize,
    parent: Option<usize>,
    lines: &'a [ast::Line],
    overrides: Vec<&'a ast::Line>,
}

/// How a component was written.
struct Template<'a> {
    lines: Lines<'a>,
}

/// A `loss { … }` while its lines are evaluated.
struct LossScope<'a> {
    lines: Lines<'a>,
    done: HashMap<String, Arc<Value>>,
    open: IndexSet<String>,
}

/// The bounds of one compilation; a file that needs more is refused.
const MAX_STEPS: u64 = 2_000_000;
const MAX_DEPTH: usize = 200;
/// Of one value, see [`super::term::Weight`].
const MAX_SIZE: u64 = 100_000;
const MAX_NESTING: u32 = 1000;
/// Names that are compared for suggestions; a file with more mistakes than that gets no more of them.
const MAX_COMPARED: usize = 500_000;
const MAX_INSTANCES: usize = 1000;

/// Evaluates the lines of a program, each when it is asked for.
pub struct Resolver<'a> {
    program: &'a Program,
    words: &'a Words,
    files: Vec<FileScope<'a>>,
    prelude: Option<usize>,
    pipelines: Vec<PipelineText<'a>>,
    pipeline_lines: Vec<Lines<'a>>,
    pub(crate) instances: Vec<Instance<'a>>,
    templates: RefCell<Vec<Template<'a>>>,
    blocks: RefCell<Vec<LossScope<'a>>>,
    open_sweeps: RefCell<Vec<Vec<open::SweepValue>>>,
    file_memo: RefCell<HashMap<(usize, String), Arc<Value>>>,
    /// The lines being evaluated, with their names and places.
    open: RefCell<IndexMap<String, (String, Span)>>,
    calls: RefCell<Vec<*const ast::Function>>,
    /// Places of definitions that something read.
    used: RefCell<IndexSet<Span>>,
    steps: Cell<u64>,
    depth: Cell<usize>,
    compared: Cell<usize>,
    /// Whether a bound was reached.
    exhausted: Cell<bool>,
    /// What was found wrong so far; evaluating a line adds to it.
    pub diagnostics: RefCell<Diagnostics>,
}

impl<'a> Resolver<'a> {
    /// `prelude`: a file whose names are visible everywhere. `overrides`: the lines of the command line.
    pub fn new(program: &'a Program, overrides: &'a [Override], words: &'a Words, prelude: Option<usize>) -> Self {
        let mut resolver = Self {
            program,
            words,
            files: Vec::new(),
            prelude,
            pipelines: Vec::new(),
            pipeline_lines: Vec::new(),
            instances: Vec::new(),
            templates: RefCell::default(),
            blocks: RefCell::default(),
            open_sweeps: RefCell::default(),
            file_memo: RefCell::default(),
            open: RefCell::default(),
            calls: RefCell::default(),
            used: RefCell::default(),
            steps: Cell::new(0),
            depth: Cell::new(0),
            compared: Cell::new(0),
            exhausted: Cell::new(false),
            diagnostics: RefCell::default(),
        };
        for file in 0..program.files.len() {
            resolver.read_file(file);
        }
        resolver.link_parents();
        resolver.place_overrides(overrides);
        resolver.flatten();
        resolver
    }

    /// Collects the top-level definitions of one file.
    fn read_file(&mut self, file: usize) {
        let program = self.program;
        let mut names: IndexMap<String, (Definition<'a>, Span)> = IndexMap::new();
        let mut kept = Lines::new();
        let mut own = IndexMap::new();
        let mut diagnostics = self.diagnostics.take();
        let context = Context { file, ..Context::default() };
        for line in &program.files[file].ast.lines {
            let (name, definition) = match &line.kind {
                LineKind::Import { .. } => continue,
                LineKind::Without { path } => {
                    diagnostics.push(Diagnostic::error(
                        "E0112",
                        path.span,
                        "`without` stands inside a pipeline: it leaves out an inherited line",
                    ));
                    continue;
                }
                LineKind::Block { name, .. } => {
                    diagnostics.push(
                        Diagnostic::error("E0116", name.span, format!("the block `{}` must stand inside a pipeline", name.name))
                            .did_you_mean(&name.name, ["pipeline", "prompt", "import"]),
                    );
                    continue;
                }
                LineKind::Pipeline { name, lines, .. } => {
                    self.pipelines.push(PipelineText {
                        name: name.name.clone(),
                        name_span: name.span,
                        span: line.span,
                        file,
                        parent: None,
                        lines,
                        overrides: Vec::new(),
                    });
                    (name, Definition::Pipeline(self.pipelines.len() - 1))
                }
                LineKind::Function(function) => (&function.name, Definition::Function(function)),
                LineKind::Prompt { name, .. } => (name, Definition::Line),
                LineKind::Assign { path, .. } => (&path.parts[0], Definition::Line),
            };
            let dotted = matches!(&line.kind, LineKind::Assign { path, .. } if path.parts.len() > 1);
            match names.get(&name.name) {
                Some(_) if dotted => {}
                Some((_, first)) => diagnostics.push(
                    Diagnostic::error("E0106", name.span, format!("`{}` is defined twice", name.name)).also(*first, "defined here first"),
                ),
                None => {
                    if self.words.vocabulary.quantities.contains(&name.name.as_str()) {
                        diagnostics.push(quantity_name(&name.name, name.span));
                    }
                    names.insert(name.name.clone(), (definition, name.span));
                }
            }
            if matches!(definition, Definition::Line) {
                lines::extend(&mut kept, std::slice::from_ref(line), "", &context, usize::MAX, &mut own, &mut Diagnostics::default());
            }
        }
        self.diagnostics.replace(diagnostics);
        self.files.push(FileScope { names, lines: kept });
    }

    /// Finds every pipeline's parent and refuses cycles.
    fn link_parents(&mut self) {
        for index in 0..self.pipelines.len() {
            let file = self.pipelines[index].file;
            let Some(from) = self.program.files[file].ast.lines.iter().find_map(|line| match &line.kind {
                LineKind::Pipeline { name, from, .. } if name.span == self.pipelines[index].name_span => from.as_ref(),
                _ => None,
            }) else {
                continue;
            };
            match self.find_pipeline(file, from) {
                Some(parent) => self.pipelines[index].parent = Some(parent),
                None => {
                    let known = self.pipelines_as_seen(file);
                    let last = from.parts.last().map_or("", |part| part.name.as_str());
                    let elsewhere = known.iter().find(|name| name.rsplit('.').next() == Some(last));
                    let diagnostic = Diagnostic::error("E0109", from.span, format!("there is no pipeline `{from}` to inherit from"));
                    self.diagnostics.borrow_mut().push(match elsewhere {
                        Some(name) => diagnostic.help(format!("did you mean `{name}`?")),
                        None => diagnostic.did_you_mean(&from.to_string(), known.iter().map(String::as_str)),
                    });
                }
            }
        }
        let mut sound = vec![false; self.pipelines.len()];
        for start in 0..self.pipelines.len() {
            let (mut at, mut seen) = (start, IndexSet::from([start]));
            while let Some(parent) = self.pipelines[at].parent.filter(|&parent| !sound[parent]) {
                if !seen.insert(parent) {
                    let first = seen.get_index_of(&parent).unwrap_or(0);
                    let name = |index: usize| (self.pipelines[index].name_span, self.pipelines[index].name.as_str());
                    let (span, own) = name(parent);
                    let mut diagnostic = Diagnostic::error("E0119", span, format!("`{own}` inherits from itself"));
                    for &between in seen.iter().skip(first + 1) {
                        let (span, name) = name(between);
                        diagnostic = diagnostic.also(span, format!("through `{name}`"));
                    }
                    self.diagnostics.borrow_mut().push(diagnostic);
                    self.pipelines[parent].parent = None;
                    break;
                }
                at = parent;
            }
            seen.iter().for_each(|&index| sound[index] = true);
        }
    }

    /// The names by which a file may speak of pipelines.
    fn pipelines_as_seen(&self, file: usize) -> Vec<String> {
        let imports = &self.program.files[file].imports;
        let mut names = Vec::new();
        for pipeline in &self.pipelines {
            if pipeline.file == file {
                names.push(pipeline.name.clone());
            }
            for import in imports.iter().filter(|i| i.file == pipeline.file) {
                names.push(import.alias.as_ref().map_or(pipeline.name.clone(), |alias| format!("{}.{}", alias.name, pipeline.name)));
            }
        }
        names
    }

    fn find_pipeline(&self, file: usize, path: &ast::Path) -> Option<usize> {
        let (scope, name) = match path.parts.as_slice() {
            [name] => (None, name),
            [alias, name] => (Some(alias), name),
            _ => return None,
        };
        let pipeline_in = |file: usize| match self.files[file].names.get(&name.name) {
            Some((Definition::Pipeline(index), _)) => Some(*index),
            _ => None,
        };
        let imports = &self.program.files[file].imports;
        match scope {
            Some(alias) => {
                let import = imports.iter().find(|i| i.alias.as_ref().is_some_and(|a| a.name == alias.name))?;
                pipeline_in(import.file)
            }
            None => pipeline_in(file).or_else(|| imports.iter().filter(|i| i.alias.is_none()).find_map(|i| pipeline_in(i.file))),
        }
    }

    /// Hands each line of the command line to its pipeline.
    fn place_overrides(&mut self, overrides: &'a [Override]) {
        for given in overrides {
            match self.pipelines.iter().position(|p| p.file == self.program.root && p.name == given.pipeline.name) {
                Some(pipeline) => self.pipelines[pipeline].overrides.push(&given.line),
                None => {
                    let known: Vec<&str> = self.pipelines.iter().filter(|p| p.file == self.program.root).map(|p| p.name.as_str()).collect();
                    let names = known.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                    let diagnostic =
                        Diagnostic::error("E0121", given.pipeline.span, format!("this file has no pipeline `{}`", given.pipeline.name))
                            .did_you_mean(&given.pipeline.name, known)
                            .help(format!("`--set` takes PIPELINE.PATH=VALUE; the pipelines are {names}"));
                    self.diagnostics.borrow_mut().push(diagnostic);
                }
            }
        }
    }

    /// Every pipeline's lines: the parent's, then its own, then those of the command line.
    fn flatten(&mut self) {
        let mut done: Vec<Option<Lines<'a>>> = vec![None; self.pipelines.len()];
        let mut diagnostics = self.diagnostics.take();
        for start in 0..self.pipelines.len() {
            let mut chain = vec![start];
            while let Some(parent) = self.pipelines[chain[chain.len() - 1]].parent {
                chain.push(parent);
            }
            for &index in chain.iter().rev() {
                if done[index].is_some() {
                    continue;
                }
                let pipeline = &self.pipelines[index];
                let mut lines = pipeline.parent.and_then(|p| done[p].clone()).unwrap_or_default();
                let context = Context { file: pipeline.file, ..Context::default() };
                let mut own = IndexMap::new();
                lines::extend(&mut lines, pipeline.lines, "", &context, index, &mut own, &mut diagnostics);
                for line in &pipeline.overrides {
                    lines::extend(&mut lines, std::slice::from_ref(*line), "", &context, index, &mut IndexMap::new(), &mut diagnostics);
                }
                for (key, line) in lines.iter() {
                    let free = key.contains('.') || self.words.inherited.contains(&key.as_str());
                    if !free && line.written_in == index && self.words.vocabulary.quantities.contains(&key.as_str()) {
                        diagnostics.push(quantity_name(key, line.name_span));
                    }
                }
                done[index] = Some(lines);
            }
        }
        self.pipeline_lines = done.into_iter().map(Option::unwrap_or_default).collect();
        self.diagnostics.replace(diagnostics);
    }
}

/// `--set PIPELINE.PATH=VALUE`, split after the pipeline's name.
pub struct Override {
    /// Of the root file.
    pub pipeline: ast::Ident,
    /// `PATH = VALUE`.
    pub line: ast::Line,
}

impl Override {
    /// Of what [`parse_override`](super::parser::parse_override) read.
    ///
    /// # Errors
    /// If the line is no assignment, or its path has only one part.
    pub fn from_line(line: ast::Line) -> Result<Self, Diagnostic> {
        let span = line.span;
        match line.kind {
            LineKind::Assign { path, value } if path.parts.len() > 1 => {
                let pipeline = path.parts[0].clone();
                let parts = path.parts[1..].to_vec();
                let rest = ast::Path { span: parts[0].span.to(path.span), parts };
                Ok(Self { pipeline, line: ast::Line { kind: LineKind::Assign { path: rest, value }, span } })
            }
            _ => Err(Diagnostic::error("E0121", span, "expected PIPELINE.PATH=VALUE").help("for example `--set ppo_epo.lambda=0.003`")),
        }
    }
}

fn quantity_name(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0113", span, format!("`{name}` is a quantity of the batch and cannot be defined")).help("choose another name")
}
