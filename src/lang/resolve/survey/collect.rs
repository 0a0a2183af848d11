//! Definitions: every name that a program's files give to something.

use super::{Definition, FileNames, Home, Known, Noun, PipelineNames, Sight, Surveyor};
use crate::lang::Span;
use crate::lang::ast::{Expr, ExprKind, Function, Ident, Line, LineKind};
use crate::lang::resolve::lines::mentions;

/// Components within components that are looked into for names.
const DEEPEST: usize = 16;

impl<'a> Surveyor<'_, 'a> {
    pub(super) fn collect(&mut self) {
        let program = self.resolver.program;
        for (index, file) in program.files.iter().enumerate() {
            let imports = file.imports.iter().map(|i| (i.alias.as_ref().map(|a| a.name.clone()), i.file)).collect();
            self.survey.files.push(FileNames { source: file.source, own: Vec::new(), imports });
            let sight = Sight { file: index, ..Sight::default() };
            for line in &file.ast.lines {
                self.top_level(line, index, &sight);
            }
        }
        self.link_pipelines();
        for definition in 0..self.known.len() {
            self.members(definition);
        }
        for definition in 0..self.known.len() {
            let kind = self.kind_of(definition, DEEPEST);
            let origin = self.first_origin(definition);
            if let Some(d) = self.survey.definitions.get_mut(definition) {
                (d.kind, d.origin) = (kind, origin);
            }
        }
    }

    /// The end of a row of origins.
    fn first_origin(&self, definition: usize) -> usize {
        let next = |&at: &usize| self.survey.definitions.get(at).map(|d| d.origin).filter(|origin| *origin != at);
        std::iter::successors(Some(definition), next).take(self.known.len()).last().unwrap_or(definition)
    }

    fn top_level(&mut self, line: &'a Line, file: usize, sight: &Sight) {
        let home = Home::File(file);
        let found = match &line.kind {
            LineKind::Import { alias: Some(alias), .. } => {
                self.define(&Home::Alias(file), alias, Noun::Alias, line.span, None, sight);
                None
            }
            LineKind::Assign { path, value } if path.parts.len() == 1 => {
                path.parts.first().map(|name| self.define(&home, name, Noun::Line, line.span, Some(value), &own(sight, &name.name)))
            }
            LineKind::Prompt { name, .. } => Some(self.define(&home, name, Noun::Prompt, line.span, None, sight)),
            LineKind::Function(function) => Some(self.function(&home, function, line.span, sight)),
            LineKind::Pipeline { name, lines, .. } => {
                let definition = self.define(&home, name, Noun::Pipeline, line.span, None, sight);
                if let Some(pipeline) = self.resolver.pipelines.iter().position(|p| p.name_span == name.span) {
                    let sight = Sight { pipeline: Some(pipeline), ..sight.clone() };
                    self.pipeline_lines(lines, pipeline, "", &sight);
                }
                Some(definition)
            }
            _ => None,
        };
        if let (Some(found), Some(names)) = (found, self.survey.files.get_mut(file)) {
            names.own.push(found);
        }
    }

    fn pipeline_lines(&mut self, lines: &'a [Line], pipeline: usize, prefix: &str, sight: &Sight) {
        let home = Home::Pipeline(pipeline);
        for line in lines {
            match &line.kind {
                LineKind::Assign { path, value } => {
                    let key = self.key(pipeline, prefix, &path.to_string());
                    let (noun, parts) = match key.split('.').collect::<Vec<_>>().as_slice() {
                        ["stages", _] => (Noun::Stage, path.parts.last()),
                        ["loss", _] => (Noun::Term, path.parts.last()),
                        [_] => (Noun::Line, path.parts.last()),
                        _ => continue,
                    };
                    if let Some(name) = parts {
                        let sight = Sight { in_loss: noun == Noun::Term, ..own(sight, &key) };
                        self.define_as(&home, &key, name, noun, line.span, Some(value), &sight);
                    }
                }
                LineKind::Prompt { name, .. } => {
                    let key = self.key(pipeline, prefix, &name.name);
                    self.define_as(&home, &key, name, Noun::Prompt, line.span, None, sight);
                }
                LineKind::Function(function) => {
                    let key = self.key(pipeline, prefix, &function.name.name);
                    let sight = Sight { in_loss: prefix == "loss", ..sight.clone() };
                    let definition = self.define_as(&home, &key, &function.name, Noun::Function, line.span, Some(&function.body), &sight);
                    self.params(definition, function, &sight);
                }
                LineKind::Block { name, lines } if prefix.is_empty() => self.pipeline_lines(lines, pipeline, &name.name, sight),
                _ => {}
            }
        }
    }

    /// The path of a line in its pipeline: `train.groups` may mean `stages.train.groups`.
    pub(super) fn key(&self, pipeline: usize, prefix: &str, path: &str) -> String {
        if !prefix.is_empty() {
            return format!("{prefix}.{path}");
        }
        let first = path.split('.').next().unwrap_or(path);
        let stage = format!("stages.{first}");
        let lines = self.resolver.pipeline_lines.get(pipeline);
        match lines.is_some_and(|lines| path.contains('.') && !mentions(lines, first) && mentions(lines, &stage)) {
            true => format!("stages.{path}"),
            false => path.to_string(),
        }
    }

    fn function(&mut self, home: &Home, function: &'a Function, whole: Span, sight: &Sight) -> usize {
        let definition = self.define(home, &function.name, Noun::Function, whole, Some(&function.body), sight);
        self.params(definition, function, sight);
        definition
    }

    fn params(&mut self, definition: usize, function: &'a Function, sight: &Sight) {
        for param in &function.params {
            self.define(&Home::Function(definition), &param.name, Noun::Parameter, param.name.span, param.default.as_ref(), sight);
        }
    }

    fn define(&mut self, home: &Home, name: &Ident, noun: Noun, whole: Span, value: Option<&'a Expr>, sight: &Sight) -> usize {
        self.define_as(home, &name.name, name, noun, whole, value, sight)
    }

    #[allow(clippy::too_many_arguments)]
    fn define_as(
        &mut self,
        home: &Home,
        path: &str,
        name: &Ident,
        noun: Noun,
        whole: Span,
        value: Option<&'a Expr>,
        sight: &Sight,
    ) -> usize {
        let origin = self.known.len();
        self.known.push(Known { value, sight: sight.clone() });
        let pipeline = if let Home::Pipeline(pipeline) = home { Some(*pipeline) } else { None };
        let (name, span, path, value) = (name.name.clone(), name.span, path.to_string(), value.map(|value| value.span));
        self.survey.definitions.push(Definition { name, noun, span, whole, value, origin, kind: None, pipeline, path: path.clone() });
        self.homes.entry((home.clone(), path)).or_insert(origin);
        self.places.insert(span, origin);
        origin
    }

    /// A line of a loss that stands inside of a component.
    pub(super) fn define_term(&mut self, name: &Ident, whole: Span, value: &'a Expr, sight: &Sight) -> usize {
        let block = self.known.len();
        self.define(&Home::Component(block), name, Noun::Term, whole, Some(value), sight)
    }

    /// Names of what the pipelines have, and which line of a parent a line takes the place of.
    fn link_pipelines(&mut self) {
        for (index, text) in self.resolver.pipelines.iter().enumerate() {
            let lines = self.resolver.pipeline_lines.get(index);
            let defined = |(key, line): (&String, &super::super::lines::ScopedLine<'_>)| {
                Some((key.clone(), *self.homes.get(&(Home::Pipeline(line.written_in), key.clone()))?))
            };
            let lines = lines.into_iter().flat_map(|lines| lines.iter()).filter_map(defined).collect();
            let (name, span, extent, parent) = (text.name.clone(), text.name_span, text.span, text.parent);
            self.survey.pipelines.push(PipelineNames { name, span, extent, parent, lines });
        }
        for definition in 0..self.known.len() {
            let Some(d) = self.survey.definitions.get(definition) else { continue };
            let Some(pipeline) = d.pipeline else { continue };
            let above = std::iter::successors(self.survey.pipelines.get(pipeline).and_then(|p| p.parent), |&p| {
                self.survey.pipelines.get(p).and_then(|p| p.parent)
            });
            let same = above.take(self.known.len()).filter_map(|p| self.homes.get(&(Home::Pipeline(p), d.path.clone())));
            if let Some(origin) = same.last().copied()
                && let Some(d) = self.survey.definitions.get_mut(definition)
            {
                d.origin = origin;
            }
        }
    }

    /// The lines of a component that its kind has no field for: splits of an environment, rewards.
    fn members(&mut self, definition: usize) {
        let Some((Some(value), sight)) = self.known.get(definition).map(|known| (known.value, known.sight.clone())) else { return };
        let ExprKind::Component { lines, .. } = &value.kind else { return };
        let Some(kind) = self.kind_of_value(value, &sight, DEEPEST) else { return };
        for line in lines {
            if let LineKind::Assign { path, value } = &line.kind
                && let [name] = path.parts.as_slice()
                && !(self.has_field)(kind, &name.name)
            {
                let inherited = self.member(definition, &name.name, DEEPEST);
                let own = self.define(&Home::Component(definition), name, Noun::Member, line.span, Some(value), &sight);
                if let (Some(origin), Some(d)) = (inherited, self.survey.definitions.get_mut(own)) {
                    d.origin = origin;
                }
            }
        }
    }

    /// Where a line of a component was written, in the component of a definition or in the one that it changes.
    pub(super) fn member(&self, definition: usize, name: &str, depth: usize) -> Option<usize> {
        if let Some(found) = self.homes.get(&(Home::Component(definition), name.to_string())) {
            return Some(*found);
        }
        let known = self.known.get(definition)?;
        let base = match &known.value?.kind {
            ExprKind::Component { kind: path, .. } | ExprKind::Path(path) if self.kind(&path.to_string()).is_none() => {
                self.followed(path, &known.sight, depth.checked_sub(1)?)?
            }
            _ => {
                // the same line of a parent may have been changed by its fields alone
                let origin = self.survey.definitions.get(definition)?.origin;
                (origin != definition).then_some(origin)?
            }
        };
        (base != definition).then(|| self.member(base, name, depth.checked_sub(1)?)).flatten()
    }
}

fn own(sight: &Sight, key: &str) -> Sight {
    Sight { defining: Some(key.to_string()), ..sight.clone() }
}
