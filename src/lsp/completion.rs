//! What may be written at a place.

use super::navigate::At;
use super::offers::Offers;
use super::server::Server;
use crate::builtin::{Accepts, Builtin};
use crate::lang::cursor::{Cursor, Spot};
use crate::lang::resolve::survey::{Definition, Noun};
use crate::objective::VOCABULARY;
use crate::play::EXPLAINED;
use crate::registry::{all_kinds, fields_of};
use crate::spec::describe as words;
use crate::spec::fits::fits;
use crate::stage::possible_outputs;
use lsp_types::{CompletionItemKind, CompletionResponse, TextDocumentPositionParams};

pub(super) fn completion(server: &Server, place: &TextDocumentPositionParams) -> Option<CompletionResponse> {
    let document = server.documents.get(&place.text_document.uri)?;
    let offset = document.lines.offset(&document.text, place.position, server.encoding);
    let cursor = Cursor::at(&document.text, offset);
    let at = At::new(server, place)?;
    let mut writing = Writing { server, pipeline: None, at, cursor, offers: Offers::default() };
    writing.pipeline = writing.pipeline_here();
    writing.offer(&document.text, offset);
    Some(CompletionResponse::Array(writing.offers.finish()))
}

struct Writing<'s> {
    server: &'s Server,
    at: At,
    cursor: Cursor<'s>,
    pipeline: Option<usize>,
    offers: Offers,
}

impl Writing<'_> {
    /// By its name: the text of the line may be broken.
    fn pipeline_here(&self) -> Option<usize> {
        let names = &self.at.known.names;
        let source = names.files.first()?.source;
        names.pipeline_at(source, self.at.offset as u32).or_else(|| {
            let inside = self.cursor.around.iter().any(|bracket| bracket.keyword == "pipeline");
            let before =
                |p: &crate::lang::resolve::survey::PipelineNames| p.extent.source == source && p.extent.start as usize <= self.at.offset;
            if inside { names.pipelines.iter().rposition(before) } else { None }
        })
    }

    fn offer(&mut self, text: &str, offset: usize) {
        if !self.cursor.path.is_empty() {
            return self.members(self.cursor.path);
        }
        match self.cursor.spot.clone() {
            Spot::Nothing => {}
            Spot::Text(start) => self.placeholders(text, start, offset),
            Spot::Import => self.files(),
            Spot::From => self.defined(|d| matches!(d.noun, Noun::Pipeline | Noun::Alias)),
            Spot::Without => self.inherited(),
            Spot::Name => self.names(),
            Spot::Value(line) => self.value(line),
            Spot::Argument(name) => self.argument(name),
        }
    }

    fn defined(&mut self, wanted: impl Fn(&Definition) -> bool) {
        let known = self.at.known.clone();
        let Some(source) = known.names.files.first().map(|file| file.source) else { return };
        let own = self.cursor.word.start as u32;
        for index in known.names.visible(source, self.pipeline) {
            // not the line that is being written
            let fits = |d: &Definition| wanted(d) && !(d.span.source == source && d.span.start == own);
            if known.names.definitions.get(index).is_some_and(fits) {
                self.offers.definition(self.server, &known, index, self.pipeline);
            }
        }
    }

    /// At the beginning of a line.
    fn names(&mut self) {
        let Some(braces) = self.cursor.braces().cloned() else {
            for word in ["pipeline", "import", "fn", "prompt"] {
                self.offers.add(word, CompletionItemKind::KEYWORD, None, None);
                self.offers.writing(&format!("{word} "));
            }
            return;
        };
        match (braces.keyword, braces.line.is_empty()) {
            ("pipeline", _) => {
                for name in words::pipeline_lines() {
                    let doc = words::pipeline_line(name).map(|found| super::describe::markdown(&found));
                    self.offers.add(name, CompletionItemKind::PROPERTY, Some("a line of a pipeline".into()), doc);
                    self.offers.writing(&if matches!(name, "loss" | "stages") { format!("{name} {{") } else { format!("{name} = ") });
                }
                for word in ["fn", "prompt", "without"] {
                    self.offers.add(word, CompletionItemKind::KEYWORD, None, None);
                }
                self.inherited();
            }
            ("loss", true) => {
                self.offers.add("minimize", CompletionItemKind::PROPERTY, Some("what is minimised".into()), None);
                self.offers.writing("minimize = ");
                self.inherited();
            }
            ("stages", true) => self.inherited(),
            _ => self.fields(braces.head, &braces.given),
        }
    }

    /// The lines that a pipeline may change.
    fn inherited(&mut self) {
        let known = self.at.known.clone();
        let Some(pipeline) = self.pipeline.and_then(|p| known.names.pipelines.get(p)) else { return };
        let block = self.cursor.braces().map_or("", |braces| braces.keyword).to_owned();
        for (path, index) in &pipeline.lines {
            let inside = match block.as_str() {
                "loss" => path.starts_with("loss."),
                "stages" => path.starts_with("stages."),
                _ => true,
            };
            if inside {
                self.offers.definition(self.server, &known, *index, self.pipeline);
                if block == "pipeline" && path.starts_with("loss.") {
                    self.offers.writing(path);
                }
            }
        }
    }

    /// The kind that a path in front of braces or dots means.
    fn kind_of(&self, head: &str) -> Option<&'static str> {
        let kinds = || all_kinds().find(|(_, info)| info.name == head).map(|(_, info)| info.name);
        kinds().or_else(|| self.find(head).and_then(|d| self.at.known.names.definitions.get(d)?.kind))
    }

    /// The definition of a path as it is seen here.
    fn find(&self, path: &str) -> Option<usize> {
        let names = &self.at.known.names;
        let source = names.files.first()?.source;
        let mut parts = path.split('.');
        let first = parts.next()?;
        let named = |index: &usize, name: &str| names.definitions.get(*index).is_some_and(|d| d.name == name);
        let mut at = names.visible(source, self.pipeline).into_iter().find(|index| named(index, first))?;
        for part in parts {
            let whole = names.definitions.get(at)?.whole;
            at = (0..names.definitions.len()).find(|index| {
                named(index, part)
                    && names.definitions.get(*index).is_some_and(|d| {
                        d.noun == Noun::Member && d.span.source == whole.source && whole.start <= d.span.start && d.span.end <= whole.end
                    })
            })?;
        }
        Some(at)
    }

    fn fields(&mut self, head: &str, given: &[&str]) {
        let Some(kind) = self.kind_of(head) else { return };
        for field in fields_of(kind).filter(|field| !given.contains(&field.name)) {
            self.offers.field(kind, field);
        }
    }

    /// Behind a dot.
    fn members(&mut self, path: &str) {
        let known = self.at.known.clone();
        let names = &known.names;
        let Some(source) = names.files.first().map(|file| file.source) else { return };
        let alias = names.files.first().and_then(|file| file.imports.iter().find(|(alias, _)| alias.as_deref() == Some(path)));
        if let Some((_, file)) = alias {
            let own = names.files.get(*file).map(|file| file.own.clone()).unwrap_or_default();
            return own.into_iter().for_each(|index| self.offers.definition(self.server, &known, index, self.pipeline));
        }
        let block = matches!(path, "loss" | "stages") && self.cursor.spot == Spot::Name;
        let by_name = |d: &Definition| d.name == path || d.path == path;
        let pipeline = names.pipelines.iter().position(|p| p.name == path);
        let found = names.visible(source, self.pipeline).into_iter().find(|index| names.definitions.get(*index).is_some_and(by_name));
        if block || (pipeline.is_some() && found.and_then(|d| names.definitions.get(d)).is_none_or(|d| d.noun == Noun::Pipeline)) {
            let (of, prefix) = if block { (self.pipeline, path) } else { (pipeline, "stages") };
            let lines = of.and_then(|p| names.pipelines.get(p)).map(|p| p.lines.clone()).unwrap_or_default();
            for (_, index) in lines.iter().filter(|(key, _)| key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))) {
                self.offers.definition(self.server, &known, *index, self.pipeline);
            }
            return;
        }
        let Some(definition) = self.find(path).and_then(|d| Some((d, names.definitions.get(d)?))) else { return };
        let changes = matches!(self.cursor.spot, Spot::Name);
        if let (Noun::Stage, Some(kind), false) = (definition.1.noun, definition.1.kind, changes) {
            for output in possible_outputs(kind) {
                self.offers.add(output.name, CompletionItemKind::PROPERTY, Some(output.artifact.words().to_owned()), None);
            }
            return;
        }
        let members = names.definitions.iter().enumerate().filter(|(_, d)| d.noun == Noun::Member);
        let whole = definition.1.whole;
        for (index, _) in members.filter(|(_, d)| d.span.source == whole.source && whole.start <= d.span.start && d.span.end <= whole.end) {
            self.offers.definition(self.server, &known, index, self.pipeline);
        }
        if let Some(kind) = definition.1.kind {
            fields_of(kind).for_each(|field| self.offers.field(kind, field));
        }
    }

    /// Behind `name =`.
    fn value(&mut self, line: &str) {
        let braces = self.cursor.braces().cloned();
        let in_block = braces.as_ref().is_none_or(|b| matches!(b.keyword, "pipeline" | "loss" | "stages"));
        let keyword = braces.as_ref().map_or("", |b| b.keyword).to_owned();
        match (keyword.as_str(), in_block) {
            ("stages", _) => {
                for (_, info) in all_kinds().filter(|(category, _)| *category == "stages") {
                    self.offers.kind(info);
                    self.offers.writing(&format!("{} {{ ", info.name));
                }
                self.defined(|d| d.noun == Noun::Stage);
            }
            ("loss", _) => self.expression(),
            (_, true) => {
                // a line that stages take over takes what their field takes
                let field = all_kinds().filter(|(c, _)| *c == "stages").flat_map(|(_, k)| k.fields).find(|f| f.inherited && f.name == line);
                match field {
                    Some(field) => self.fitting(field),
                    None => {
                        all_kinds().filter(|(c, _)| *c != "stages").for_each(|(_, info)| self.offers.kind(info));
                        self.expression();
                    }
                }
            }
            _ => {
                let kind = braces.and_then(|b| self.kind_of(b.head));
                match kind.and_then(|kind| fields_of(kind).find(|field| field.name == line)) {
                    Some(field) => self.fitting(field),
                    None => {
                        // a line of its own: a split, a reward
                        all_kinds().filter(|(c, _)| *c == "games").for_each(|(_, info)| self.offers.kind(info));
                        self.expression();
                    }
                }
            }
        }
    }

    /// What a field takes.
    fn fitting(&mut self, field: &'static crate::kind::FieldInfo) {
        let fits = fits(field);
        self.offers.words(fits.words.iter().map(String::as_str));
        fits.kinds.iter().for_each(|info| self.offers.kind(info));
        let gives = |kind: Option<&str>| kind.is_some_and(|kind| possible_outputs(kind).iter().any(|o| fits.stages.contains(&o.artifact)));
        self.defined(|d| d.noun == Noun::Stage && gives(d.kind));
        if fits.prompts {
            self.defined(|d| d.noun == Noun::Prompt);
        }
        if fits.splits {
            self.splits();
        }
        let kinds: Vec<&str> = fits.kinds.iter().map(|info| info.name).collect();
        self.defined(|d| matches!(d.noun, Noun::Line) && d.kind.is_some_and(|kind| kinds.contains(&kind)));
        if fits.expression {
            self.expression();
        }
    }

    /// `house.train`
    fn splits(&mut self) {
        let known = self.at.known.clone();
        let Some(source) = known.names.files.first().map(|file| file.source) else { return };
        for index in known.names.visible(source, self.pipeline) {
            let Some(owner) = known.names.definitions.get(index).filter(|d| d.noun == Noun::Line && d.kind.is_some()) else { continue };
            let inside = |d: &&Definition| {
                d.noun == Noun::Member
                    && d.kind == Some("games")
                    && d.span.source == owner.whole.source
                    && owner.whole.start <= d.span.start
                    && d.span.end <= owner.whole.end
            };
            for split in known.names.definitions.iter().filter(inside) {
                self.offers.add(&format!("{}.{}", owner.name, split.name), CompletionItemKind::VALUE, Some("a split".into()), None);
            }
        }
    }

    /// Quantities, functions, and names that stand for numbers or equations.
    fn expression(&mut self) {
        let known = self.at.known.clone();
        if let (true, Some(pipeline)) = (self.cursor.is_in("loss"), self.pipeline.and_then(|p| known.names.pipelines.get(p))) {
            for (_, index) in pipeline.lines.iter().filter(|(path, _)| path.starts_with("loss.") && path != "loss.minimize") {
                self.offers.definition(self.server, &known, *index, self.pipeline);
            }
        }
        self.defined(|d| matches!(d.noun, Noun::Line | Noun::Function | Noun::Prompt | Noun::Alias) && d.name != "title");
        self.offers.equations();
    }

    /// Inside of `( )` and `[ ]`.
    fn argument(&mut self, name: &str) {
        let line = self.cursor.line();
        if self.cursor.call().is_none() && !line.is_empty() {
            return self.value(line);
        }
        let Some(call) = self.cursor.call().cloned() else { return self.expression() };
        if let Some(builtin) = Builtin::called(call.head) {
            let param = match name {
                "" => builtin.params().get(call.commas),
                name => builtin.params().iter().find(|param| param.name == name),
            };
            if let Some(Accepts::Key(keys) | Accepts::Keys(keys)) = param.map(|param| &param.accepts) {
                self.offers.words(keys.iter().copied().chain(VOCABULARY.counted_keys.iter().copied()));
                if !name.is_empty() {
                    return;
                }
            }
            if name.is_empty() {
                for param in builtin.params().iter().skip(1).filter(|param| !call.given.contains(&param.name)) {
                    self.offers.add(&format!("{} = ", param.name), CompletionItemKind::FIELD, Some("an argument".into()), None);
                }
            }
        } else if name.is_empty() {
            self.parameters(call.head, &call.given);
        }
        self.expression();
    }

    /// The parameters of a function of a file, to be given by name.
    fn parameters(&mut self, function: &str, given: &[&str]) {
        let known = self.at.known.clone();
        let name = function.rsplit('.').next().unwrap_or(function);
        let is_it = |d: &&Definition| d.noun == Noun::Function && d.name == name;
        let Some(whole) = known.names.definitions.iter().find(is_it).map(|d| d.whole) else { return };
        let inside = |d: &&Definition| {
            d.noun == Noun::Parameter && d.span.source == whole.source && whole.start <= d.span.start && d.span.end <= whole.end
        };
        for param in known.names.definitions.iter().filter(inside).filter(|param| !given.contains(&param.name.as_str())) {
            self.offers.add(&format!("{} = ", param.name), CompletionItemKind::FIELD, Some("an argument".into()), None);
        }
    }

    /// `{history}` in a prompt.
    fn placeholders(&mut self, text: &str, start: usize, offset: usize) {
        let before = text.get(start..offset).unwrap_or("");
        let open = before.rfind('{').is_some_and(|at| before.get(at..).is_some_and(|rest| !rest.contains(['}', ' ', '\n'])));
        if open {
            for (name, doc) in EXPLAINED {
                let doc = super::describe::markdown(&words::placeholder(name, doc));
                self.offers.add(name, CompletionItemKind::VARIABLE, Some("a placeholder".into()), Some(doc));
            }
        }
    }

    /// The files that an import may name: those of the library, and those below the folder of this one.
    fn files(&mut self) {
        let library: Vec<String> = self.server.workspace.library.names().map(str::to_owned).collect();
        let folder =
            self.at.known.sources.iter().next().and_then(|(_, source)| source.path.as_ref()?.parent().map(std::path::Path::to_path_buf));
        let own = self.at.known.sources.iter().next().and_then(|(_, source)| source.path.clone());
        let beside = self
            .server
            .workspace
            .files()
            .into_iter()
            .filter(|path| Some(path) != own.as_ref())
            .filter_map(|path| Some(path.strip_prefix(folder.as_ref()?).ok()?.to_str()?.replace('\\', "/")));
        let names: Vec<String> = beside.chain(library).collect();
        names.iter().for_each(|name| self.offers.add(name, CompletionItemKind::FILE, None, None));
    }
}
