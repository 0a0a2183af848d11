//! What every name of a program means, by the text alone: nothing is evaluated, and mistakes elsewhere do not matter. For editors.
//!
//! Names are looked up in the order of [`Resolver::lookup`](super::Resolver::lookup); what a pipeline inherits is seen as the pipeline has it.

mod collect;
mod lookup;
mod walk;

use super::Resolver;
use super::scope::Context;
use crate::builtin::Builtin;
use crate::lang::ast::Expr;
use crate::lang::{SourceId, Span};
use std::collections::HashMap;

/// What a definition is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Noun {
    Line,
    Prompt,
    Function,
    Parameter,
    Pipeline,
    Stage,
    /// A named line of a loss.
    Term,
    /// `import "…" as name`
    Alias,
    /// A line of a component that its kind has no field for: a split, a reward.
    Member,
}

/// A name and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub name: String,
    pub noun: Noun,
    /// Of the name.
    pub span: Span,
    /// The line.
    pub whole: Span,
    /// Of the expression; absent where there is none.
    pub value: Option<Span>,
    /// The definition that this one takes the place of in a child, or itself: all that have one origin are renamed together.
    pub origin: usize,
    /// The kind of the component that it stands for.
    pub kind: Option<&'static str>,
    /// The pipeline whose line it is: an index into [`Survey::pipelines`].
    pub pipeline: Option<usize>,
    /// Its path there: `stages.train`.
    pub path: String,
}

/// What a word means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// An index into [`Survey::definitions`].
    Defined(usize),
    /// The file of an import.
    File(SourceId),
    Quantity(&'static str),
    Key(&'static str),
    Builtin(Builtin),
    /// `by` of `mean`, by its position.
    Argument(Builtin, usize),
    Kind(&'static str),
    Field {
        kind: &'static str,
        name: String,
    },
    /// `best` of `train.best`.
    Output {
        kind: &'static str,
        name: String,
    },
    /// A line of a pipeline that stages take over, or that means something of itself: `title`, `loss`.
    Setting(&'static str),
}

/// A word of a text.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    pub span: Span,
    pub meaning: Meaning,
}

/// A pipeline, and the names of its lines.
#[derive(Clone, Debug)]
pub(crate) struct PipelineNames {
    pub name: String,
    pub span: Span,
    /// All of its text.
    pub extent: Span,
    pub parent: Option<usize>,
    /// Paths and definitions, what is inherited too.
    pub lines: Vec<(String, usize)>,
}

/// The names of one file.
#[derive(Clone, Debug)]
pub(crate) struct FileNames {
    pub source: SourceId,
    /// Its own, without those of its imports.
    pub own: Vec<usize>,
    /// Indices into [`Survey::files`], with the alias.
    pub imports: Vec<(Option<String>, usize)>,
}

/// Everything that is known of the names of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    pub definitions: Vec<Definition>,
    /// By their places.
    pub mentions: Vec<Mention>,
    pub pipelines: Vec<PipelineNames>,
    pub files: Vec<FileNames>,
    /// The file that is visible everywhere.
    pub prelude: Option<usize>,
}

impl Survey {
    /// The word at a place of a text; of two that touch there, the one that begins there.
    pub(crate) fn at(&self, source: SourceId, offset: u32) -> Option<&Mention> {
        let touches = |m: &&Mention| m.span.source == source && m.span.start <= offset && offset <= m.span.end;
        self.mentions.iter().filter(touches).max_by_key(|m| m.span.start)
    }

    /// Every place where a definition or one of the same origin is mentioned, itself included.
    pub(crate) fn mentions_of(&self, definition: usize) -> impl Iterator<Item = &Mention> {
        let origin = self.origin(definition);
        self.mentions.iter().filter(move |m| matches!(m.meaning, Meaning::Defined(other) if self.origin(other) == origin))
    }

    fn origin(&self, definition: usize) -> usize {
        self.definitions.get(definition).map_or(definition, |d| d.origin)
    }

    /// The pipeline whose text holds a place.
    pub(crate) fn pipeline_at(&self, source: SourceId, offset: u32) -> Option<usize> {
        self.pipelines.iter().position(|p| p.extent.source == source && p.extent.start <= offset && offset <= p.extent.end)
    }

    /// The names that may be mentioned in a file, or in one of its pipelines.
    pub(crate) fn visible(&self, source: SourceId, pipeline: Option<usize>) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        if let Some(pipeline) = pipeline.and_then(|p| self.pipelines.get(p)) {
            found.extend(pipeline.lines.iter().filter(|(path, _)| !path.starts_with("loss.")).map(|(_, definition)| *definition));
        }
        let file = self.files.iter().find(|file| file.source == source);
        let own = |file: usize| self.files.get(file).into_iter().flat_map(|file| file.own.iter().copied());
        found.extend(file.into_iter().flat_map(|file| file.own.iter().copied()));
        let imports = file.into_iter().flat_map(|file| &file.imports).filter(|(alias, _)| alias.is_none());
        found.extend(imports.flat_map(|(_, file)| own(*file)));
        found.extend(self.prelude.into_iter().flat_map(own));
        found
    }
}

/// Where a definition has its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Home {
    File(usize),
    Alias(usize),
    Pipeline(usize),
    /// The parameters of the function that is this definition.
    Function(usize),
    /// The lines of the component that this definition stands for.
    Component(usize),
}

/// A definition while names are looked up.
struct Known<'a> {
    value: Option<&'a Expr>,
    sight: Sight,
}

/// What can be seen from an expression.
#[derive(Clone, Debug, Default)]
struct Sight {
    file: usize,
    pipeline: Option<usize>,
    /// Of the functions around it.
    params: Vec<(String, usize)>,
    /// Whether the terms of the pipeline's loss are seen.
    in_loss: bool,
    /// The terms of a loss inside of a component.
    terms: Vec<(String, usize)>,
    /// A line does not see itself.
    defining: Option<String>,
}

struct Surveyor<'r, 'a> {
    resolver: &'r Resolver<'a>,
    /// Whether a kind has a field.
    has_field: fn(&str, &str) -> bool,
    survey: Survey,
    known: Vec<Known<'a>>,
    homes: HashMap<(Home, String), usize>,
    /// By the place of the name.
    places: HashMap<Span, usize>,
}

impl Resolver<'_> {
    /// What every name of the program means.
    pub(crate) fn survey(&self, has_field: fn(&str, &str) -> bool) -> Survey {
        let mut surveyor = Surveyor {
            resolver: self,
            has_field,
            survey: Survey { prelude: self.prelude, ..Survey::default() },
            known: Vec::new(),
            homes: HashMap::new(),
            places: HashMap::new(),
        };
        surveyor.collect();
        surveyor.walk();
        let mut survey = surveyor.survey;
        survey.mentions.sort_by_key(|m| m.span);
        survey.mentions.dedup_by_key(|m| m.span);
        survey
    }

    /// Of a line of a pipeline by its path there, its value where it can be told in a few words.
    pub(crate) fn value_in_words(&self, instance: usize, path: &str) -> Option<String> {
        self.line_quietly(instance, path)?.in_few_words()
    }

    /// Of a line at the top of a file, likewise.
    pub(crate) fn file_value_in_words(&self, source: SourceId, name: &str) -> Option<String> {
        let file = self.program.files.iter().position(|file| file.source == source)?;
        let context = Context { file, ..Context::default() };
        self.files.get(context.file)?.lines.get(name)?;
        self.file_line(file, name).in_few_words()
    }
}
