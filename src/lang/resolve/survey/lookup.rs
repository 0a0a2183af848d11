//! What a name means where it stands.

use super::{Home, Meaning, Noun, Sight, Surveyor};
use crate::builtin::Builtin;
use crate::lang::ast::{Expr, ExprKind, Path};
use crate::lang::resolve::lines::mentions;

impl Surveyor<'_, '_> {
    fn home(&self, home: Home, name: &str) -> Option<usize> {
        self.homes.get(&(home, name.to_string())).copied()
    }

    /// A line of a pipeline or of one that it inherits from.
    pub(super) fn line_of(&self, pipeline: usize, key: &str) -> Option<usize> {
        let line = self.resolver.pipeline_lines.get(pipeline)?.get(key)?;
        self.home(Home::Pipeline(line.written_in), key)
    }

    /// As [`Self::line_of`]; a line of a parent also sees what only its children define.
    fn line_of_a_child(&self, pipeline: usize, key: &str) -> Option<usize> {
        let parent = |p: usize| self.resolver.pipelines.get(p).and_then(|p| p.parent);
        let count = self.resolver.pipelines.len();
        let below = |p: usize| std::iter::successors(parent(p), |&p| parent(p)).take(count).any(|p| p == pipeline);
        (0..count).filter(|&p| below(p)).find_map(|p| self.line_of(p, key))
    }

    fn in_file(&self, file: usize, name: &str) -> Option<usize> {
        self.home(Home::File(file), name)
    }

    fn in_imports(&self, file: usize, name: &str) -> Option<usize> {
        let imports = &self.resolver.program.files.get(file)?.imports;
        imports.iter().filter(|i| i.alias.is_none()).find_map(|i| self.in_file(i.file, name))
    }

    pub(super) fn kind(&self, name: &str) -> Option<&'static str> {
        self.resolver.words.kind(name).map(|kind| kind.name)
    }

    /// In the order of [`Resolver::lookup`](crate::lang::resolve::Resolver::lookup).
    pub(super) fn lookup(&self, name: &str, sight: &Sight) -> Option<Meaning> {
        let of = |names: &[(String, usize)]| names.iter().rev().find(|(known, _)| known == name).map(|(_, definition)| *definition);
        if let Some(found) = of(&sight.params).or_else(|| of(&sight.terms)) {
            return Some(Meaning::Defined(found));
        }
        let term = || sight.pipeline.and_then(|p| self.line_of(p, &format!("loss.{name}")));
        if let Some(found) = (sight.in_loss && name != "minimize").then(term).flatten() {
            return Some(Meaning::Defined(found));
        }
        let vocabulary = self.resolver.words.vocabulary;
        if let Some(quantity) = vocabulary.quantities.iter().find(|known| **known == name) {
            return Some(Meaning::Quantity(quantity));
        }
        let stage = format!("stages.{name}");
        let other = |key: &str| sight.defining.as_deref() != Some(key);
        let of_pipeline = |find: &dyn Fn(usize, &str) -> Option<usize>| {
            let pipeline = sight.pipeline?;
            let line = (name != "stages" && other(name)).then(|| find(pipeline, name)).flatten();
            line.or_else(|| other(&stage).then(|| find(pipeline, &stage)).flatten())
        };
        let own = of_pipeline(&|p, key| self.line_of(p, key));
        let file = || self.in_file(sight.file, name).filter(|_| sight.pipeline.is_some() || other(name));
        let alias = || self.home(Home::Alias(sight.file), name);
        let prelude = || self.resolver.prelude.and_then(|file| self.in_file(file, name));
        let found = own.or_else(file).or_else(alias).or_else(|| self.in_imports(sight.file, name)).or_else(prelude);
        if let Some(found) = found.or_else(|| of_pipeline(&|p, key| self.line_of_a_child(p, key))) {
            return Some(Meaning::Defined(found));
        }
        if let Some(key) = vocabulary.keys.iter().find(|known| **known == name) {
            return Some(Meaning::Key(key));
        }
        self.kind(name).map(Meaning::Kind)
    }

    /// What is called: functions have names of their own.
    pub(super) fn lookup_function(&self, path: &Path, sight: &Sight) -> Option<Meaning> {
        let is_function = |definition: &usize| self.survey.definitions.get(*definition).is_some_and(|d| d.noun == Noun::Function);
        let name = match path.parts.as_slice() {
            [name] => name.name.as_str(),
            [alias, name] => {
                let file = self.file_behind(&alias.name, sight)?;
                return self.in_file(file, &name.name).filter(is_function).map(Meaning::Defined);
            }
            _ => return None,
        };
        let of_pipeline = |key: &str| sight.pipeline.and_then(|p| self.line_of(p, key).or_else(|| self.line_of_a_child(p, key)));
        let found = (if sight.in_loss { of_pipeline(&format!("loss.{name}")) } else { None })
            .filter(is_function)
            .or_else(|| of_pipeline(name).filter(is_function))
            .or_else(|| self.in_file(sight.file, name).filter(is_function))
            .or_else(|| self.in_imports(sight.file, name).filter(is_function))
            .or_else(|| self.resolver.prelude.and_then(|file| self.in_file(file, name)).filter(is_function));
        if let Some(found) = found {
            return Some(Meaning::Defined(found));
        }
        let counted = || self.resolver.words.vocabulary.counted_keys.iter().find(|key| **key == name).map(|key| Meaning::Key(key));
        Builtin::called(name).map(Meaning::Builtin).or_else(counted).or_else(|| self.kind(name).map(Meaning::Kind))
    }

    pub(super) fn file_behind(&self, alias: &str, sight: &Sight) -> Option<usize> {
        let imports = &self.resolver.program.files.get(sight.file)?.imports;
        imports.iter().find(|i| i.alias.as_ref().is_some_and(|a| a.name == alias)).map(|i| i.file)
    }

    /// The pipeline that a path speaks of, and how many of its parts that takes.
    pub(super) fn pipeline_of(&self, definition: usize) -> Option<usize> {
        let span = self.survey.definitions.get(definition).filter(|d| d.noun == Noun::Pipeline)?.span;
        self.resolver.pipelines.iter().position(|p| p.name_span == span)
    }

    /// The definition that a whole path leads to.
    pub(super) fn followed(&self, path: &Path, sight: &Sight, depth: usize) -> Option<usize> {
        let mut parts = path.parts.iter();
        let Some(Meaning::Defined(mut at)) = self.lookup(&parts.next()?.name, sight) else { return None };
        for part in parts {
            at = self.part(at, &part.name, sight, depth)?;
        }
        Some(at)
    }

    /// What a part of a path means behind a definition.
    pub(super) fn part(&self, behind: usize, name: &str, sight: &Sight, depth: usize) -> Option<usize> {
        let d = self.survey.definitions.get(behind)?;
        if d.noun == Noun::Alias {
            return self.in_file(self.file_behind(&d.name, sight)?, name);
        }
        if let Some(pipeline) = self.pipeline_of(behind) {
            return self.line_of(pipeline, &format!("stages.{name}"));
        }
        self.member(behind, name, depth)
    }

    pub(super) fn kind_of(&self, definition: usize, depth: usize) -> Option<&'static str> {
        let known = self.known.get(definition)?;
        self.kind_of_value(known.value?, &known.sight, depth)
    }

    /// The kind of the component that an expression stands for.
    pub(super) fn kind_of_value(&self, value: &Expr, sight: &Sight, depth: usize) -> Option<&'static str> {
        let depth = depth.checked_sub(1)?;
        match &value.kind {
            ExprKind::Call { function, .. } => match self.lookup_function(function, sight)? {
                Meaning::Kind(kind) => Some(kind),
                _ => None,
            },
            ExprKind::Component { kind: path, .. } if path.parts.len() == 1 && self.kind(&path.to_string()).is_some() => {
                self.kind(&path.to_string())
            }
            ExprKind::Component { kind: path, .. } | ExprKind::Path(path) => match path.parts.as_slice() {
                [name] => match self.lookup(&name.name, sight)? {
                    Meaning::Kind(kind) => Some(kind),
                    Meaning::Defined(definition) => self.kind_of(definition, depth),
                    _ => None,
                },
                _ => self.kind_of(self.followed(path, sight, depth)?, depth),
            },
            _ => None,
        }
    }

    /// The kind of the component that a field of a definition's component is given.
    pub(super) fn kind_of_field(&self, definition: usize, field: &str, depth: usize) -> Option<&'static str> {
        let known = self.known.get(definition)?;
        self.kind_of_line(known.value?, field, &known.sight, depth)
    }

    fn kind_of_line(&self, value: &Expr, field: &str, sight: &Sight, depth: usize) -> Option<&'static str> {
        let depth = depth.checked_sub(1)?;
        let ExprKind::Component { kind: path, lines } = &value.kind else { return None };
        let own = lines.iter().find_map(|line| match &line.kind {
            crate::lang::ast::LineKind::Assign { path, value } if path.to_string() == field => Some(value),
            _ => None,
        });
        match own {
            Some(value) => self.kind_of_value(value, sight, depth),
            None if self.kind(&path.to_string()).is_some() => None,
            None => self.kind_of_field(self.followed(path, sight, depth)?, field, depth),
        }
    }

    /// Whether a pipeline has a line of its own or lines below a path.
    pub(super) fn has_line(&self, pipeline: usize, key: &str) -> bool {
        self.resolver.pipeline_lines.get(pipeline).is_some_and(|lines| mentions(lines, key))
    }
}
