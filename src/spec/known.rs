//! What is known of a file while it is written, mistakes or not: for editors.

use super::Request;
use super::compile::with_resolver;
use super::objectives::{Equations, of_instance};
use crate::lang::SourceMap;
use crate::lang::resolve::Resolver;
use crate::lang::resolve::survey::{Noun, Survey};
use crate::lang::value::ValueKind;
use crate::objective::{Advantage, Leveled, Place, Scope, levels};
use crate::registry::fields_of;
use std::collections::BTreeMap;

/// What every word of a program means, and what its lines come to.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub sources: SourceMap,
    pub names: Survey,
    /// By pipeline and path: what the line comes to there, inherited or not. Of several seeds and points of sweeps, the first.
    pub values: BTreeMap<(usize, String), String>,
    /// Of the lines at the top of the first file, by their definitions.
    pub file_values: BTreeMap<usize, String>,
    /// Of the parts of the equations of the first file's pipelines.
    pub levels: Vec<Leveled>,
}

/// Reads the files of a request; what cannot be read is left out.
pub(crate) fn known(request: &Request<'_>) -> Known {
    match with_resolver(request, look) {
        Ok((known, sources, _)) => Known { sources, ..known },
        Err((sources, _)) => Known { sources, ..Known::default() },
    }
}

fn has_field(kind: &str, name: &str) -> bool {
    fields_of(kind).any(|field| field.name == name)
}

fn look(resolver: &mut Resolver<'_>, sources: &SourceMap) -> Known {
    let mut known = Known { names: resolver.survey(has_field), ..Known::default() };
    let root = known.names.files.first().map(|file| file.source);
    for (index, definition) in known.names.definitions.iter().enumerate() {
        if definition.noun == Noun::Line && definition.pipeline.is_none() && Some(definition.span.source) == root {
            let value = resolver.file_value_in_words(definition.span.source, &definition.name);
            value.into_iter().for_each(|value| drop(known.file_values.insert(index, value)));
        }
    }
    for pipeline in resolver.root_pipelines() {
        let Some(instance) = resolver.unfold(pipeline, sources).first().copied() else { continue };
        let lines = known.names.pipelines.get(pipeline).map(|p| p.lines.clone()).unwrap_or_default();
        for (path, definition) in &lines {
            let is_value = known.names.definitions.get(*definition).is_some_and(|d| matches!(d.noun, Noun::Line));
            if let Some(value) = is_value.then(|| resolver.value_in_words(instance, path)).flatten() {
                known.values.insert((pipeline, path.clone()), value);
            }
        }
        if let Some(ValueKind::Loss(block)) = resolver.line_quietly(instance, "loss").map(|value| value.kind.clone()) {
            for term in &block.terms {
                let text = crate::lang::print::shortened(&term.term, MOST);
                known.values.insert((pipeline, format!("loss.{}", term.name)), text);
            }
        }
        for equations in of_instance(resolver, instance) {
            known.levels.extend(levels_of(&equations));
        }
    }
    known
}

/// Characters of an equation that are shown.
const MOST: usize = 400;

fn levels_of(equations: &Equations) -> Vec<Leveled> {
    let mut found = Vec::new();
    let mut unheard = crate::lang::Diagnostics::default();
    let advantage = equations.advantage.as_ref().and_then(|term| Advantage::check(term, &mut unheard));
    if let Some(term) = &equations.advantage {
        found.extend(levels(std::slice::from_ref(term), &Scope::new(Place::Advantage)));
    }
    if let Some(loss) = &equations.loss {
        let scope = advantage.map_or_else(Scope::loss, |advantage| Scope::loss().with_advantage(&advantage));
        let terms: Vec<_> = loss.terms.iter().map(|term| term.term.clone()).chain(loss.minimize.clone()).collect();
        found.extend(levels(&terms, &scope));
    }
    found
}
