//! Reads a file and everything it imports. An import is looked up beside the importing file, then in the library.

mod edited;
pub mod elsewhere;
mod library;
mod read;
mod read_once;

pub use edited::Edited;
pub use library::Library;

use super::ast::{File, Ident, LineKind};
use super::diagnostic::{Diagnostic, Diagnostics};
use super::parser;
use super::source::{Source, SourceId, SourceMap, Span};
use read::Trouble;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many files one experiment may consist of.
pub const MAX_FILES: usize = 256;
/// How many imports may lead from the experiment to a file.
pub const MAX_IMPORT_DEPTH: usize = 32;

/// A file and everything that it imports.
#[derive(Clone, Debug)]
pub struct Program {
    /// Each once, in the order in which they were met.
    pub files: Vec<LoadedFile>,
    /// Index of the file that was asked for.
    pub root: usize,
}

/// A file of a program.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// Its text.
    pub source: SourceId,
    /// What could be read of it.
    pub ast: Arc<File>,
    /// Those that could be read.
    pub imports: Vec<Import>,
}

/// An import that was followed.
#[derive(Clone, Debug)]
pub struct Import {
    /// The name in front of its names.
    pub alias: Option<Ident>,
    /// Index into [`Program::files`].
    pub file: usize,
    /// The whole line.
    pub span: Span,
}

/// Where the first file comes from.
#[derive(Clone, Copy, Debug)]
pub enum Root<'a> {
    /// Its imports are looked for beside it, then in the library.
    File(&'a Path),
    /// As [`Self::File`], while it is edited.
    Edited {
        /// The file.
        path: &'a Path,
        /// What it and its imports say, as far as that is not what the disk says.
        texts: &'a Edited,
    },
    /// A text that is in no file; it can only import files of the library.
    Text {
        /// As messages call it.
        name: &'a str,
        /// What it says.
        text: &'a str,
    },
}

/// Reads the root and all imports, each file once. `None` if the root itself cannot be read; with errors the program lacks the lines
/// and the imports that are to blame, so names that it seems to lack may not be.
pub fn load(root: Root<'_>, library: &Library, sources: &mut SourceMap) -> (Option<Program>, Diagnostics) {
    let mut loader = Loader::new(library, sources, Program { files: Vec::new(), root: 0 });
    if let Root::Edited { texts, .. } = root {
        loader.edited = Some(texts);
    }
    let loaded = match root {
        Root::Text { name, text } => loader.parsed(Origin::Library(String::new()), name.to_owned(), None, text.to_owned()),
        Root::File(path) | Root::Edited { path, .. } => match loader.read(path) {
            Ok(text) => {
                loader.home = Some(identity(read::folder_of(path)));
                let origin = Origin::Disk(identity(path));
                loader.parsed(origin, read::shown(path), Some(path), text)
            }
            Err(trouble) => {
                loader.messages.push(trouble.diagnostic(&read::shown(path), None));
                None
            }
        },
    };
    let Loader { program, messages, .. } = loader;
    (loaded.map(|root| Program { root, ..program }), messages)
}

/// The text that an import beside a text of elsewhere means; `None` where it leads out of that text's repository or pack.
pub(crate) fn beside_elsewhere(importer: &str, wanted: &str) -> Option<String> {
    let name = read::beside(importer, wanted);
    let home = |name: &str| match elsewhere::place(name) {
        Ok(elsewhere::Place::Hub { name, revision, .. }) => Some((name, revision)),
        Ok(elsewhere::Place::Pack { pack, .. }) => Some((pack, String::new())),
        Err(_) => None,
    };
    (home(&name).is_some() && home(&name) == home(importer)).then_some(name)
}

impl Program {
    /// Adds a file of the library that nothing imports (a prelude) and what it imports; gives its index. A file that is already there is not
    /// read again.
    pub fn add_library(&mut self, name: &str, library: &Library, sources: &mut SourceMap) -> (Option<usize>, Diagnostics) {
        let program = std::mem::replace(self, Program { files: Vec::new(), root: 0 });
        let mut loader = Loader::new(library, sources, program);
        let text = library.text(name).unwrap_or_default().to_owned();
        let known = loader.program.files.iter().position(|f| {
            let source = loader.sources.get(f.source);
            source.path.is_none() && source.name == name
        });
        let index = known.or_else(|| loader.parsed(Origin::Library(name.to_owned()), name.to_owned(), None, text));
        *self = loader.program;
        (index, loader.messages)
    }
}

/// What a file is known by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Disk(PathBuf),
    /// The name of a file of the library; empty for a text in no file.
    Library(String),
}

enum State {
    /// Being read; the import that led out of it, if one is being followed.
    Open(Option<Span>),
    Done(usize),
    /// Its mistakes are reported.
    Failed,
}

struct Loader<'a> {
    library: &'a Library,
    /// Texts in the place of those of the disk.
    edited: Option<&'a Edited>,
    sources: &'a mut SourceMap,
    program: Program,
    states: BTreeMap<Origin, State>,
    /// The files being read, outermost first.
    path: Vec<Origin>,
    /// The folder of the first file, links resolved: no import leads out of it.
    home: Option<PathBuf>,
    messages: Diagnostics,
    /// Whether the limit of files was reported.
    full: bool,
}

/// The first character that makes a text look otherwise than it is read. Others than those of strings and comments are refused anyway.
fn hidden(text: &str) -> Option<(std::ops::Range<usize>, char)> {
    let seen = |c: char| matches!(c, '\n' | '\t' | '\r') || !(c.is_control() || super::visible::turns(c));
    text.char_indices().find(|(_, c)| !seen(*c)).map(|(at, c)| (at..at + c.len_utf8(), c))
}

fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

impl<'a> Loader<'a> {
    fn new(library: &'a Library, sources: &'a mut SourceMap, program: Program) -> Self {
        let states = program.files.iter().enumerate().map(|(i, file)| {
            let source = sources.get(file.source);
            let origin = match &source.path {
                Some(path) => Origin::Disk(identity(path)),
                None => Origin::Library(source.name.clone()),
            };
            (origin, State::Done(i))
        });
        let states = states.collect();
        Self {
            library,
            edited: None,
            sources,
            program,
            states,
            path: Vec::new(),
            home: None,
            messages: Diagnostics::default(),
            full: false,
        }
    }

    fn read(&self, path: &Path) -> Result<String, Trouble> {
        match self.edited.and_then(|texts| texts.text(path)) {
            Some(text) => Ok(text.to_owned()),
            None => read::file(path),
        }
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists() || self.edited.is_some_and(|texts| texts.text(path).is_some())
    }

    /// Parses a text and follows its imports; gives the file's index.
    fn parsed(&mut self, origin: Origin, name: String, path: Option<&Path>, text: String) -> Option<usize> {
        let library = match &origin {
            Origin::Library(name) if !name.is_empty() => self.library.path(name),
            _ => None,
        };
        let compiled = if let Origin::Library(name) = &origin { self.library.compiled_in(name) } else { None };
        let hidden = if compiled.is_some() { None } else { hidden(&text) };
        let source = self.sources.push(Source { name, path: path.map(Path::to_path_buf), library, text });
        let (file, messages) = match compiled {
            Some(text) => read_once::parsed(source, text),
            None => {
                let (file, messages) = parser::parse(self.sources, source);
                (file.map(Arc::new), messages)
            }
        };
        messages.0.into_iter().for_each(|m| self.messages.push(m));
        let told = |at: usize| self.messages.0.iter().flat_map(|m| &m.labels).any(|l| l.span == Span::new(source, at..at + 1));
        if let Some((range, found)) = hidden.filter(|(range, _)| !told(range.start)) {
            let message = format!("the text holds U+{:04X}, which is not seen", found as u32);
            self.messages.push(
                Diagnostic::warning("W0033", Span::new(source, range), message)
                    .help(format!("write `\\u{{{:x}}}` in a string, or take it out", found as u32)),
            );
        }
        let Some(ast) = file else {
            self.states.insert(origin, State::Failed);
            return None;
        };
        let index = self.program.files.len();
        let wanted: Vec<_> = ast
            .lines
            .iter()
            .filter_map(|line| match &line.kind {
                LineKind::Import { file, alias } => Some((file.clone(), alias.clone(), line.span)),
                _ => None,
            })
            .collect();
        self.program.files.push(LoadedFile { source, ast, imports: Vec::new() });
        self.states.insert(origin.clone(), State::Open(None));
        self.path.push(origin.clone());
        for (file, alias, span) in wanted {
            self.states.insert(origin.clone(), State::Open(Some(file.span)));
            let imported = self.import(source, &file.value, file.span);
            if let (Some(imported), Some(this)) = (imported, self.program.files.get_mut(index)) {
                this.imports.push(Import { alias, file: imported, span });
            }
        }
        self.path.pop();
        self.states.insert(origin, State::Done(index));
        Some(index)
    }

    fn import(&mut self, importer: SourceId, wanted: &str, span: Span) -> Option<usize> {
        if elsewhere::is_elsewhere(wanted) {
            return self.import_from_elsewhere(wanted, span);
        }
        if let Some(help) = read::refused(wanted) {
            self.messages.push(Diagnostic::error("E0041", span, format!("cannot import `{wanted}`")).help(help));
            return None;
        }
        let importer = self.sources.get(importer);
        let folder = importer.path.as_deref().map(read::folder_of);
        if folder.is_some_and(|folder| self.leads_out(folder, wanted)) {
            self.messages.push(
                Diagnostic::error("E0041", span, format!("cannot import `{wanted}`: it lies outside the folder of the first file"))
                    .help("an experiment is one folder that can be moved: put the file into it; links are followed only inside of it"),
            );
            return None;
        }
        let beside = folder.map(|folder| folder.join(wanted));
        if let Some(path) = beside.as_deref().filter(|p| self.exists(p)) {
            let shown = read::beside(&importer.name, wanted);
            return self.follow(Origin::Disk(identity(path)), shown, Some(path), span);
        }
        let in_library = [read::beside(&importer.name, wanted), wanted.to_owned()];
        if let [beside, _] = &in_library
            && elsewhere::is_elsewhere(&importer.name)
            && self.library.problem(beside).is_some()
        {
            return self.import_from_elsewhere(&beside.clone(), span);
        }
        let name = in_library.into_iter().skip(usize::from(importer.path.is_some())).find(|name| self.library.text(name).is_some());
        match name {
            Some(name) => self.follow(Origin::Library(name.clone()), name, None, span),
            None => {
                let diagnostic = self.missing(&importer.name, wanted, beside.as_deref(), span);
                self.messages.push(diagnostic);
                None
            }
        }
    }

    /// Nothing is looked for on the disk: a text of elsewhere is there, pinned by its hash, or it is not.
    fn import_from_elsewhere(&mut self, wanted: &str, span: Span) -> Option<usize> {
        let refused = |message: String, help: &str| Diagnostic::error("E0045", span, message).help(help);
        let message = match (elsewhere::place(wanted), self.library.problem(wanted)) {
            (Err(help), _) => refused(format!("cannot import `{wanted}`"), help),
            (Ok(_), Some(problem)) => refused(
                format!("cannot import `{wanted}`: {problem}"),
                "`epo-run lock FILE` fetches and pins what is imported from elsewhere",
            ),
            (Ok(_), None) if self.library.text(wanted).is_none() => {
                refused(format!("`{wanted}` is not in `{}`", elsewhere::LOCK), "`epo-run lock FILE` fetches it, and writes its hash there")
            }
            _ => return self.follow(Origin::Library(wanted.to_owned()), wanted.to_owned(), None, span),
        };
        self.messages.push(message);
        None
    }

    /// Whether an import from a folder leads out of the experiment's: by its words, or by the links on its way.
    fn leads_out(&self, folder: &Path, wanted: &str) -> bool {
        let Some(home) = &self.home else { return true };
        let by_words = read::joined(identity(folder), wanted);
        let path = folder.join(wanted);
        let elsewhere = |path: &Path| path.canonicalize().is_ok_and(|path| !path.starts_with(home));
        // What its words lead to is not even looked for.
        !by_words.starts_with(home) || elsewhere(read::folder_of(&path)) || elsewhere(&path)
    }

    fn missing(&self, importer: &str, wanted: &str, beside: Option<&Path>, span: Span) -> Diagnostic {
        let mut diagnostic = Diagnostic::error("E0041", span, format!("there is no file `{wanted}`"));
        let neighbours = beside.map(|path| read::neighbours(path, wanted)).unwrap_or_default();
        let mut known: Vec<&str> = neighbours.iter().map(String::as_str).collect();
        known.extend(self.library.names());
        diagnostic = match read::nearest(wanted, &known) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        };
        match beside {
            Some(_) => diagnostic.help(format!("looked for `{}`, then {}", read::beside(importer, wanted), self.library.place())),
            None => diagnostic.help(format!("looked {}", self.library.place())),
        }
    }

    fn follow(&mut self, origin: Origin, shown: String, path: Option<&Path>, span: Span) -> Option<usize> {
        match self.states.get(&origin) {
            Some(State::Done(index)) => return Some(*index),
            Some(State::Failed) => return None,
            Some(State::Open(_)) => {
                self.cycle(&origin, &shown, span);
                return None;
            }
            None => {}
        }
        if self.program.files.len() >= MAX_FILES {
            if !self.full {
                self.full = true;
                let message = format!("more than {MAX_FILES} files are imported");
                self.messages.push(Diagnostic::error("E0044", span, message).help("put what belongs together into one file"));
            }
            return None;
        }
        if self.path.len() >= MAX_IMPORT_DEPTH {
            let message = format!("more than {MAX_IMPORT_DEPTH} imports lead to this one");
            self.messages
                .push(Diagnostic::error("E0044", span, message).help("import the files where they are used, not one through the other"));
            return None;
        }
        let text = match path {
            Some(path) => self.read(path),
            None => self.library.text(&shown).map(str::to_owned).ok_or(Trouble::Missing),
        };
        match text {
            Ok(text) => self.parsed(origin, shown, path, text),
            Err(trouble) => {
                self.messages.push(trouble.diagnostic(&shown, Some(span)));
                self.states.insert(origin, State::Failed);
                None
            }
        }
    }

    fn cycle(&mut self, origin: &Origin, shown: &str, span: Span) {
        let mut diagnostic = Diagnostic::error("E0043", span, format!("`{shown}` imports itself")).saying("leads back to it");
        let start = self.path.iter().position(|o| o == origin).unwrap_or(0);
        let through = self.path.get(start..).unwrap_or(&[]);
        if through.len() > 1 {
            diagnostic.message = format!("`{shown}` imports itself through other files");
            for outer in through.iter().take(through.len() - 1) {
                if let Some(State::Open(Some(import))) = self.states.get(outer) {
                    diagnostic = diagnostic.also(*import, "leads here");
                }
            }
        }
        self.messages.push(diagnostic.help("put what both files need into a third one that imports neither"));
    }
}
