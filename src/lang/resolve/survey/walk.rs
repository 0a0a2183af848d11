//! Mentions: every word of a program's files and what it means.

use super::{Home, Meaning, Mention, Noun, Sight, Surveyor};
use crate::lang::Span;
use crate::lang::ast::{Arg, Expr, ExprKind, Function, Ident, Line, LineKind, Path};

/// Names and components behind one another that are followed.
const DEEPEST: usize = 16;

impl<'a> Surveyor<'_, 'a> {
    pub(super) fn walk(&mut self) {
        let program = self.resolver.program;
        for (index, file) in program.files.iter().enumerate() {
            let sight = Sight { file: index, ..Sight::default() };
            let mut imports = file.imports.iter();
            for line in &file.ast.lines {
                if let LineKind::Import { file: text, alias } = &line.kind {
                    // only those that were followed
                    if let Some(import) = imports.clone().next().filter(|import| import.span == line.span) {
                        imports.next();
                        if let Some(target) = program.files.get(import.file) {
                            self.mention(text.span, Meaning::File(target.source));
                        }
                    }
                    if let Some(alias) = alias {
                        self.own(alias.span);
                    }
                } else {
                    self.line(line, "", &sight);
                }
            }
        }
    }

    fn mention(&mut self, span: Span, meaning: Meaning) {
        self.survey.mentions.push(Mention { span, meaning });
    }

    /// A name that is defined where it stands.
    fn own(&mut self, span: Span) -> bool {
        let Some(definition) = self.places.get(&span).copied() else { return false };
        self.mention(span, Meaning::Defined(definition));
        true
    }

    /// A line at the top of a file, or of a pipeline below `prefix`.
    fn line(&mut self, line: &'a Line, prefix: &str, sight: &Sight) {
        match &line.kind {
            LineKind::Import { .. } => {}
            LineKind::Pipeline { name, from, lines } => {
                self.own(name.span);
                from.iter().for_each(|from| self.pipeline_path(from, sight));
                let pipeline = self.resolver.pipelines.iter().position(|p| p.name_span == name.span);
                let sight = Sight { pipeline, ..sight.clone() };
                lines.iter().for_each(|line| self.line(line, "", &sight));
            }
            LineKind::Block { name, lines } => {
                self.setting(name);
                let sight = Sight { in_loss: name.name == "loss", ..sight.clone() };
                let prefix = if prefix.is_empty() { name.name.clone() } else { format!("{prefix}.{}", name.name) };
                lines.iter().for_each(|line| self.line(line, &prefix, &sight));
            }
            LineKind::Prompt { name, .. } => {
                self.own(name.span);
            }
            LineKind::Function(function) => self.in_function(function, sight),
            LineKind::Without { path } => self.path_of_line(path, prefix, sight),
            LineKind::Assign { path, value } => {
                self.path_of_line(path, prefix, sight);
                let key = match sight.pipeline {
                    Some(pipeline) => self.key(pipeline, prefix, &path.to_string()),
                    None => path.to_string(),
                };
                let in_loss = key.starts_with("loss.");
                self.expr(value, &Sight { in_loss, defining: Some(key), ..sight.clone() });
            }
        }
    }

    /// A line that means something of itself.
    fn setting(&mut self, name: &Ident) {
        let words = self.resolver.words;
        let found = words.settings.iter().chain(&words.inherited).chain(&["loss", "stages"]).find(|known| **known == name.name);
        if let Some(word) = found {
            self.mention(name.span, Meaning::Setting(word));
        }
    }

    fn in_function(&mut self, function: &'a Function, sight: &Sight) {
        self.own(function.name.span);
        let definition = self.places.get(&function.name.span).copied();
        let mut sight = sight.clone();
        for param in &function.params {
            self.own(param.name.span);
            param.default.iter().for_each(|default| self.expr(default, &sight));
            let own = definition.and_then(|d| self.homes.get(&(Home::Function(d), param.name.name.clone())).copied());
            if let Some(own) = own {
                sight.params.push((param.name.name.clone(), own));
            }
        }
        self.expr(&function.body, &sight);
    }

    /// `name`, `train.groups`, `loss.minimize` in front of `=` or behind `without`.
    fn path_of_line(&mut self, path: &Path, prefix: &str, sight: &Sight) {
        let (Some(first), Some(last)) = (path.parts.first(), path.parts.last()) else { return };
        if self.places.contains_key(&last.span) {
            let setting = path.parts.len() > 1;
            if setting {
                self.setting(first);
            }
            self.own(last.span);
            return;
        }
        let Some(pipeline) = sight.pipeline else {
            // a field of a line at the top: `house.max_turns = 20`
            if let Some(Meaning::Defined(definition)) = self.lookup(&first.name, sight) {
                self.mention(first.span, Meaning::Defined(definition));
                self.fields(definition, &path.parts[1..], sight);
            }
            return;
        };
        let key = self.key(pipeline, prefix, &path.to_string());
        let keys: Vec<&str> = key.split('.').collect();
        // how many parts of the key name what is changed
        let head = if matches!(keys.first(), Some(&("stages" | "loss"))) && keys.len() > 1 { 2 } else { 1 };
        let written = keys.len() - path.parts.len();
        let whole = keys[..head].join(".");
        let parent = self.resolver.pipelines.get(pipeline).and_then(|p| p.parent);
        let definition = self.line_of(pipeline, &whole).or_else(|| parent.and_then(|p| self.line_of(p, &whole)));
        if written == 0 && head == 2 {
            self.setting(first);
        }
        let Some(definition) = definition else {
            if self.has_line(pipeline, &whole) {
                self.setting(first);
            }
            return;
        };
        let at = head - 1 - written.min(head - 1);
        if let Some(name) = path.parts.get(at) {
            self.mention(name.span, Meaning::Defined(definition));
            self.fields(definition, &path.parts[at + 1..], sight);
        }
    }

    /// The parts of a path behind a definition that stands for a component.
    fn fields(&mut self, mut definition: usize, parts: &[Ident], sight: &Sight) {
        let mut kind = self.kind_of(definition, DEEPEST);
        for (index, part) in parts.iter().enumerate() {
            if let Some(next) = (index == 0 || kind.is_some()).then(|| self.part(definition, &part.name, sight, DEEPEST)).flatten() {
                self.mention(part.span, Meaning::Defined(next));
                (definition, kind) = (next, self.kind_of(next, DEEPEST));
                continue;
            }
            let Some(known) = kind else { return };
            let stage = self.survey.definitions.get(definition).is_some_and(|d| d.noun == Noun::Stage);
            let name = part.name.clone();
            let field = (self.has_field)(known, &name);
            self.mention(
                part.span,
                if stage && !field { Meaning::Output { kind: known, name } } else { Meaning::Field { kind: known, name } },
            );
            kind = if index == 0 { self.kind_of_field(definition, &part.name, DEEPEST) } else { None };
        }
    }

    /// `other`, `alias.other` behind `from`.
    fn pipeline_path(&mut self, path: &Path, sight: &Sight) {
        let Some(found) = self.resolver.find_pipeline(sight.file, path) else { return };
        let Some(span) = self.resolver.pipelines.get(found).map(|p| p.name_span) else { return };
        if let ([_, .., _], Some(Meaning::Defined(alias))) = (path.parts.as_slice(), self.lookup(&path.parts[0].name, sight)) {
            self.mention(path.parts[0].span, Meaning::Defined(alias));
        }
        if let (Some(definition), Some(last)) = (self.places.get(&span).copied(), path.parts.last()) {
            self.mention(last.span, Meaning::Defined(definition));
        }
    }

    fn expr(&mut self, expr: &'a Expr, sight: &Sight) {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Duration(_) | ExprKind::Size(_) => {}
            ExprKind::List(items) => items.iter().for_each(|item| self.expr(item, sight)),
            ExprKind::Range(left, right) | ExprKind::Binary { left, right, .. } => {
                self.expr(left, sight);
                self.expr(right, sight);
            }
            ExprKind::Unary { operand, .. } => self.expr(operand, sight),
            ExprKind::Path(path) => self.path(path, sight),
            ExprKind::Call { function, args } => self.call(function, args, sight),
            ExprKind::Component { kind, lines } => self.component(kind, lines, expr, sight),
        }
    }

    fn path(&mut self, path: &Path, sight: &Sight) {
        let Some(first) = path.parts.first() else { return };
        let Some(meaning) = self.lookup(&first.name, sight) else { return };
        self.mention(first.span, meaning.clone());
        if let Meaning::Defined(definition) = meaning {
            self.fields(definition, &path.parts[1..], sight);
        }
    }

    fn call(&mut self, function: &'a Path, args: &'a [Arg], sight: &Sight) {
        let found = self.lookup_function(function, sight);
        if let ([alias, name], Some(meaning)) = (function.parts.as_slice(), &found) {
            if let Some(Meaning::Defined(definition)) = self.lookup(&alias.name, sight) {
                self.mention(alias.span, Meaning::Defined(definition));
            }
            self.mention(name.span, meaning.clone());
        } else if let Some(meaning) = &found {
            self.mention(function.span, meaning.clone());
        }
        for arg in args {
            if let (Some(name), Some(meaning)) = (&arg.name, &found) {
                self.argument(name, meaning);
            }
            self.expr(&arg.value, sight);
        }
    }

    /// `by` of `mean(x, by = group)`.
    fn argument(&mut self, name: &Ident, function: &Meaning) {
        let meaning = match function {
            Meaning::Defined(definition) => {
                self.homes.get(&(Home::Function(*definition), name.name.clone())).copied().map(Meaning::Defined)
            }
            Meaning::Builtin(builtin) => {
                builtin.params().iter().position(|param| param.name == name.name).map(|at| Meaning::Argument(*builtin, at))
            }
            Meaning::Kind(kind) => Some(Meaning::Field { kind, name: name.name.clone() }),
            _ => None,
        };
        if let Some(meaning) = meaning {
            self.mention(name.span, meaning);
        }
    }

    fn component(&mut self, path: &'a Path, lines: &'a [Line], whole: &'a Expr, sight: &Sight) {
        match (path.parts.as_slice(), self.kind(&path.to_string())) {
            ([_], Some(kind)) => self.mention(path.span, Meaning::Kind(kind)),
            _ => self.path(path, sight),
        }
        let kind = self.kind_of_value(whole, sight, DEEPEST);
        let base = if self.kind(&path.to_string()).is_some() { None } else { self.followed(path, sight, DEEPEST) };
        for line in lines {
            match &line.kind {
                LineKind::Assign { path, value } => {
                    self.field_of_line(path, kind, base, sight);
                    self.expr(value, sight);
                }
                LineKind::Block { name, lines } => self.block_of_component(name, lines, kind, sight),
                LineKind::Without { path } => self.field_of_line(path, kind, base, sight),
                _ => {}
            }
        }
    }

    /// The name of a field inside of `kind { … }`; of a name with some fields changed, `base`.
    fn field_of_line(&mut self, path: &Path, kind: Option<&'static str>, base: Option<usize>, sight: &Sight) {
        let Some(first) = path.parts.first() else { return };
        if path.parts.len() == 1 && self.own(first.span) {
            return;
        }
        match (base, kind) {
            (Some(base), _) => self.fields(base, &path.parts, sight),
            (None, Some(kind)) => self.mention(first.span, Meaning::Field { kind, name: first.name.clone() }),
            (None, None) => {}
        }
    }

    /// `loss { … }` of a stage: its terms are seen by each other.
    fn block_of_component(&mut self, name: &Ident, lines: &'a [Line], kind: Option<&'static str>, sight: &Sight) {
        if let Some(kind) = kind {
            self.mention(name.span, Meaning::Field { kind, name: name.name.clone() });
        }
        let mut sight = Sight { in_loss: false, ..sight.clone() };
        for line in lines {
            if let LineKind::Assign { path, value } = &line.kind
                && let [name] = path.parts.as_slice()
            {
                let definition = self.define_term(name, line.span, value, &sight);
                if name.name != "minimize" {
                    sight.terms.push((name.name.clone(), definition));
                }
            }
        }
        for line in lines {
            match &line.kind {
                LineKind::Assign { path, value } => {
                    if let Some(name) = path.parts.first() {
                        self.own(name.span);
                    }
                    self.expr(value, &sight);
                }
                LineKind::Function(function) => self.in_function(function, &sight),
                _ => {}
            }
        }
    }
}
