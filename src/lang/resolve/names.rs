//! Looking a name up, and following a path.

use super::lines::{Body, ScopedLine, mentions};
use super::open::symbol;
use super::scope::Context;
use super::{Definition, Resolver};
use crate::builtin::Builtin;
use crate::lang::ast::{Ident, Path};
use crate::lang::diagnostic::closest;
use crate::lang::term::{Term, TermKind};
use crate::lang::value::{Owner, StageRef, Value, ValueKind};
use crate::lang::{Diagnostic, Span, ast};
use std::rc::Rc;
use std::sync::Arc;

/// Lines that a message about a circle shows.
pub(super) const MAX_ROUTE: usize = 8;

/// What a name turned out to be.
pub(super) enum Found<'a> {
    Value(Arc<Value>),
    Function(&'a ast::Function),
    Pipeline(usize),
    /// The file behind `import "…" as name`.
    File(usize),
    Nothing,
}

impl<'a> Resolver<'a> {
    /// In this order: arguments, lines of the loss, quantities, lines and stages of the pipeline, the file, its imports, the prelude,
    /// keys, kinds.
    pub(super) fn lookup(&self, name: &Ident, context: &Context) -> Found<'a> {
        if let Some(value) = context.params.as_ref().and_then(|p| p.get(&name.name)) {
            return Found::Value(value.clone());
        }
        if let Some(block) = context.block
            && let Some(found) = self.lookup_block(block, name)
        {
            return found;
        }
        let quantity = self.words.vocabulary.quantities.iter().find(|q| **q == name.name);
        if let Some(quantity) = quantity {
            let kind = TermKind::Quantity(Arc::from(*quantity));
            let term = Term::new(kind, name.span, context.via);
            return Found::Value(Value::new(ValueKind::Term(term), name.span));
        }
        if let Some(instance) = context.instance
            && let Some(found) = self.lookup_pipeline(instance, name, context)
        {
            return found;
        }
        if let Some(found) = self.lookup_file(context.file, name, true) {
            return found;
        }
        if let Some(found) = self.prelude.and_then(|file| self.lookup_file(file, name, false)) {
            return found;
        }
        if let Some(key) = self.words.vocabulary.keys.iter().find(|k| **k == name.name) {
            return Found::Value(Value::new(ValueKind::Key(Arc::from(*key)), name.span));
        }
        Found::Nothing
    }

    fn lookup_block(&self, block: usize, name: &Ident) -> Option<Found<'a>> {
        let line = self.blocks.borrow()[block].lines.get(&name.name).cloned()?;
        if name.name == "minimize" {
            return None;
        }
        self.used.borrow_mut().insert(line.name_span);
        match line.body {
            Body::Function(function) => Some(Found::Function(function)),
            _ => Some(Found::Value(self.block_term(block, &name.name, name.span))),
        }
    }

    fn lookup_pipeline(&self, instance: usize, name: &Ident, context: &Context) -> Option<Found<'a>> {
        let defining = context.defining.as_deref();
        let lines = &self.instances[instance].lines;
        if mentions(lines, &name.name) && name.name != "stages" && defining != Some(&name.name) {
            if let Some(ScopedLine { body: Body::Function(function), name_span, .. }) = lines.get(&name.name) {
                self.used.borrow_mut().insert(*name_span);
                return Some(Found::Function(function));
            }
            let value = self.line(instance, &name.name)?;
            if self.is_open(instance) && self.depends_on_sweep(&value) {
                return Some(Found::Value(symbol(&name.name, name.span)));
            }
            return Some(Found::Value(value));
        }
        let stage = format!("stages.{}", name.name);
        if mentions(lines, &stage) && defining != Some(&stage) {
            if let Some(line) = lines.get(&stage) {
                self.used.borrow_mut().insert(line.name_span);
            }
            let stage = StageRef { pipeline: None, stage: name.name.clone(), stage_span: name.span, output: None, at: None };
            return Some(Found::Value(Value::new(ValueKind::Stage(stage), name.span)));
        }
        None
    }

    /// `imports`: also what the file imports without an alias.
    fn lookup_file(&self, file: usize, name: &Ident, imports: bool) -> Option<Found<'a>> {
        if let Some((definition, span)) = self.files[file].names.get(&name.name) {
            self.used.borrow_mut().insert(*span);
            return Some(match definition {
                Definition::Function(function) => Found::Function(function),
                Definition::Pipeline(index) => Found::Pipeline(*index),
                Definition::Line => Found::Value(self.file_line(file, &name.name)),
            });
        }
        if !imports {
            return None;
        }
        let list = &self.program.files[file].imports;
        if let Some(import) = list.iter().find(|i| i.alias.as_ref().is_some_and(|a| a.name == name.name)) {
            return Some(Found::File(import.file));
        }
        let mut offers: Vec<(usize, Span)> = Vec::new();
        for import in list.iter().filter(|i| i.alias.is_none()) {
            if self.files[import.file].names.contains_key(&name.name) && !offers.iter().any(|(f, _)| *f == import.file) {
                offers.push((import.file, import.span));
            }
        }
        if let [(_, first), (_, second), ..] = offers.as_slice() {
            self.report(
                Diagnostic::error("E0102", name.span, format!("`{}` is defined by two imports", name.name))
                    .also(*first, "here")
                    .also(*second, "and here")
                    .help("give one of them a name: `import \"…\" as other`, then write `other.name`"),
            );
            return Some(Found::Value(Value::poison(name.span)));
        }
        offers.first().and_then(|(file, _)| self.lookup_file(*file, name, false))
    }

    /// Every name that could stand where `context` is, for suggestions.
    pub(super) fn visible(&self, context: &Context) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if let Some(params) = &context.params {
            names.extend(params.keys().cloned());
        }
        if let Some(block) = context.block {
            names.extend(self.blocks.borrow()[block].lines.keys().filter(|k| *k != "minimize").cloned());
        }
        if let Some(instance) = context.instance {
            for key in self.instances[instance].lines.keys() {
                let key = key.strip_prefix("stages.").unwrap_or(key);
                names.push(key.split('.').next().unwrap_or(key).to_string());
            }
        }
        names.extend(self.files[context.file].names.keys().cloned());
        for import in &self.program.files[context.file].imports {
            match &import.alias {
                Some(alias) => names.push(alias.name.clone()),
                None => names.extend(self.files[import.file].names.keys().cloned()),
            }
        }
        if let Some(prelude) = self.prelude {
            names.extend(self.files[prelude].names.keys().cloned());
        }
        names.extend(self.words.vocabulary.quantities.iter().map(|q| q.to_string()));
        names
    }

    pub(super) fn path(&self, path: &Path, context: &Context) -> Arc<Value> {
        let mut at = match self.lookup(&path.parts[0], context) {
            Found::Value(value) => value,
            Found::Function(function) => {
                let message = format!("`{}` is a function and needs its arguments", path.parts[0].name);
                self.report(Diagnostic::error("E0115", path.span, message).also(function.name.span, "defined here"));
                return Value::poison(path.span);
            }
            Found::Pipeline(pipeline) => return self.pipeline_member(pipeline, path, 1, context),
            Found::File(file) => match path.parts.get(1).map(|name| (name, self.lookup_file(file, name, false))) {
                Some((_, Some(Found::Value(value)))) => return self.members(value, path, 2),
                Some((_, Some(Found::Pipeline(pipeline)))) => return self.pipeline_member(pipeline, path, 2, context),
                Some((name, Some(_))) => {
                    self.report(Diagnostic::error("E0115", name.span, format!("`{}` is not a value", name.name)));
                    return Value::poison(path.span);
                }
                Some((name, None)) => {
                    let known = self.files[file].names.keys().map(String::as_str);
                    let message = format!("`{}` defines no `{}`", path.parts[0].name, name.name);
                    self.report(Diagnostic::error("E0101", name.span, message).did_you_mean(&name.name, known));
                    return Value::poison(path.span);
                }
                None => {
                    self.report(Diagnostic::error("E0115", path.span, format!("`{path}` is a file, not a value")));
                    return Value::poison(path.span);
                }
            },
            Found::Nothing => return self.nothing(path, context),
        };
        // a line below a block of the pipeline: `loss.surrogate` has no meaning of its own outside the loss
        if path.parts.len() == 1 {
            // a word that means nothing is to blame where it was given to a function, not in the function's body
            let given =
                matches!(at.kind, ValueKind::Word { .. }) && context.params.as_ref().is_some_and(|p| p.contains_key(&path.parts[0].name));
            if at.span != path.span && !given && !matches!(at.kind, ValueKind::Term(_) | ValueKind::Poison) {
                at = Arc::new(Value { span: path.span, ..Value::clone(&at) });
            }
            return at;
        }
        self.members(at, path, 1)
    }

    /// A name that nothing defines: perhaps a kind without fields, perhaps a word that a field knows.
    fn nothing(&self, path: &Path, context: &Context) -> Arc<Value> {
        let name = &path.parts[0];
        if path.parts.len() == 1 && self.words.kind(&name.name).is_some() {
            return self.component(path, &[], context, None);
        }
        let itself = context.defining.as_deref().is_some_and(|own| own.strip_prefix("stages.").unwrap_or(own) == name.name);
        let close = self.near(&name.name, context).or_else(|| self.in_alias(&name.name, context));
        let close = close.or_else(|| self.near_kind(&name.name).map(str::to_string));
        let foreign = (self.words.foreign)(&name.name);
        let word = Value::new(ValueKind::Word { name: name.name.clone(), close, foreign, itself }, name.span);
        if path.parts.len() > 1 {
            self.report(Self::unknown_word(&word, &[]));
            return Value::poison(path.span);
        }
        word
    }

    /// The visible name nearest to one that does not exist.
    pub(super) fn near(&self, name: &str, context: &Context) -> Option<String> {
        if self.compared.get() > super::MAX_COMPARED {
            return None;
        }
        let visible = self.visible(context);
        self.compared.set(self.compared.get() + visible.len());
        closest(name, visible.iter().map(String::as_str)).map(str::to_string)
    }

    /// What to write instead of a name that other tools have.
    pub(crate) fn foreign(&self, name: &str) -> Option<&'static str> {
        (self.words.foreign)(name)
    }

    /// The kind nearest to a name.
    pub(super) fn near_kind(&self, name: &str) -> Option<&'static str> {
        closest(name, self.words.kinds.iter().map(|k| k.name))
    }

    /// A name that an import with an alias defines.
    fn in_alias(&self, name: &str, context: &Context) -> Option<String> {
        let imports = &self.program.files[context.file].imports;
        imports.iter().find_map(|i| {
            let alias = i.alias.as_ref()?;
            self.files[i.file].names.contains_key(name).then(|| format!("{}.{name}", alias.name))
        })
    }

    /// The message about a word that no field knows. `expected`: words that would have been right.
    pub(crate) fn unknown_word(value: &Value, expected: &[&str]) -> Diagnostic {
        let ValueKind::Word { name, close, foreign, itself } = &value.kind else {
            return Diagnostic::error("E0203", value.span, format!("cannot use {} here", value.words()));
        };
        if *itself {
            return Diagnostic::error("E0103", value.span, format!("`{name}` is defined in terms of itself"));
        }
        if Builtin::called(name).is_some() {
            return Diagnostic::error("E0115", value.span, format!("`{name}` is a function and needs its arguments"));
        }
        let diagnostic = Diagnostic::error("E0101", value.span, format!("there is nothing called `{name}` here"));
        match (foreign, closest(name, expected.iter().copied()).or(close.as_deref())) {
            (Some(foreign), _) => diagnostic.help(*foreign),
            (None, Some(close)) => diagnostic.help(format!("did you mean `{close}`?")),
            (None, None) => diagnostic,
        }
    }

    /// Follows the parts of a path from `from` on.
    fn members(&self, mut at: Arc<Value>, path: &Path, from: usize) -> Arc<Value> {
        for (index, part) in path.parts.iter().enumerate().skip(from) {
            let next = match &at.kind {
                ValueKind::Component(component) => match component.fields.get(&part.name) {
                    Some(field) => {
                        let written = path.parts[..=index].iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
                        let owner = Some(Arc::new(Owner { value: at.clone(), path: written }));
                        Arc::new(Value { span: path.span, owner, ..Value::clone(&field.value) })
                    }
                    None => {
                        let fields: Vec<&str> = component.fields.keys().map(String::as_str).collect();
                        let written = path.parts[..index].iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".");
                        let known = self.words.kind(&component.kind).is_some_and(|kind| kind.fields.contains(&part.name.as_str()));
                        let message = match known {
                            true => format!("`{written}` leaves its field `{}` out", part.name),
                            false => format!("`{written}` has no field `{}`", part.name),
                        };
                        let diagnostic = Diagnostic::error("E0111", part.span, message).also(component.kind_span, "written here");
                        self.report(match known {
                            true => diagnostic.help("only a field that is written can be spoken of"),
                            false => diagnostic.did_you_mean(&part.name, fields),
                        });
                        return Value::poison(path.span);
                    }
                },
                ValueKind::Stage(stage) if stage.output.is_none() => {
                    let stage = StageRef { output: Some((part.name.clone(), part.span)), ..stage.clone() };
                    Value::new(ValueKind::Stage(stage), path.span)
                }
                ValueKind::Poison => return at,
                _ if self.symbol_of(&at).is_some() => {
                    let name = self.symbol_of(&at).unwrap_or_default();
                    symbol(&format!("{name}.{}", part.name), path.span)
                }
                _ => {
                    let message = format!("{} has no parts, so no `{}`", at.words(), part.name);
                    self.report(Diagnostic::error("E0114", part.span, message));
                    return Value::poison(path.span);
                }
            };
            at = next;
        }
        at
    }

    /// What a path names of a pipeline: `ppo.seen`, `ppo.train.best`, `other.ppo.train`. `at`: which of its parts is the stage.
    fn pipeline_member(&self, pipeline: usize, path: &Path, at: usize, context: &Context) -> Arc<Value> {
        let text = &self.pipelines[pipeline];
        let lines = &self.pipeline_lines[pipeline];
        let Some(part) = path.parts.get(at) else {
            self.report(Diagnostic::error(
                "E0115",
                path.span,
                format!("`{path}` is a pipeline; name one of its stages, such as `{path}.train`"),
            ));
            return Value::poison(path.span);
        };
        if mentions(lines, &format!("stages.{}", part.name)) {
            let own = context.instance.is_some_and(|i| self.instances[i].pipeline == pipeline);
            let pipeline = (!own).then(|| text.name.clone());
            let stage = StageRef { pipeline, stage: part.name.clone(), stage_span: part.span, output: None, at: None };
            let value = Value::new(ValueKind::Stage(stage), path.parts[0].span.to(part.span));
            return if path.parts.len() == at + 1 { value } else { self.members(value, path, at + 1) };
        }
        let stages: Vec<&str> = lines.keys().filter_map(|k| k.strip_prefix("stages.")).filter(|k| !k.contains('.')).collect();
        self.report(
            Diagnostic::error("E0111", part.span, format!("the pipeline `{}` has no stage `{}`", text.name, part.name))
                .also(text.name_span, "the pipeline")
                .did_you_mean(&part.name, stages),
        );
        Value::poison(path.span)
    }

    /// A line of an instance by its path, evaluated once; `None` if there is none. Counts as read.
    pub fn line(&self, instance: usize, path: &str) -> Option<Arc<Value>> {
        let this = &self.instances[instance];
        if !mentions(&this.lines, path) {
            return None;
        }
        if let Some(line) = this.lines.get(path) {
            self.used.borrow_mut().insert(line.name_span);
        }
        if let Some(value) = this.memo.borrow().get(path) {
            return Some(value.clone());
        }
        let guard = format!("{instance}:{path}");
        let value =
            self.guarded(guard, path, this.lines.get(path).map(|l| l.name_span), || self.entry(&this.lines, path, Some(Rc::from(path))));
        this.memo.borrow_mut().insert(path.to_string(), value.clone());
        Some(value)
    }

    pub(super) fn file_line(&self, file: usize, name: &str) -> Arc<Value> {
        let key = (file, name.to_string());
        if let Some(value) = self.file_memo.borrow().get(&key) {
            return value.clone();
        }
        let lines = &self.files[file].lines;
        let guard = format!("file {file}:{name}");
        let value = self.guarded(guard, name, lines.get(name).map(|l| l.name_span), || self.entry(lines, name, Some(Rc::from(name))));
        self.file_memo.borrow_mut().insert(key, value.clone());
        value
    }

    /// Refuses a line that leads back to itself.
    pub(super) fn guarded(&self, guard: String, name: &str, span: Option<Span>, make: impl FnOnce() -> Arc<Value>) -> Arc<Value> {
        let Some(span) = span.or_else(|| self.instances.first().map(|i| i.name_span)) else { return make() };
        let name = name.strip_prefix("stages.").unwrap_or(name);
        let known = self.open.borrow().get_index_of(&guard);
        if let Some(at) = known {
            let mut diagnostic = Diagnostic::error("E0103", span, format!("`{name}` is defined in terms of itself"));
            for (between, place) in self.open.borrow().values().skip(at + 1).take(MAX_ROUTE) {
                diagnostic = diagnostic.also(*place, format!("through `{between}`"));
            }
            self.report(diagnostic);
            return Value::poison(span);
        }
        self.open.borrow_mut().insert(guard.clone(), (name.to_string(), span));
        let value = make();
        self.open.borrow_mut().shift_remove(&guard);
        value
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Adds a message from a later stage of the check.
    pub(crate) fn report_at(&self, diagnostic: Diagnostic) {
        self.report(diagnostic);
    }
}
