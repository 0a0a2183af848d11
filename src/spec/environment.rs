//! An environment by itself, outside of any stage: for `play` and `env`.

use super::Request;
use super::compile::with_resolver;
use crate::kind::{Field, Reader};
use crate::lang::{Diagnostic, Diagnostics, SourceMap};
use crate::play::EnvironmentSpec;

/// The environment that the root file calls `name`. Without errors it is there.
pub(crate) fn environment(request: &Request<'_>, name: &str) -> (SourceMap, Option<EnvironmentSpec>, Diagnostics) {
    let found = with_resolver(request, |resolver, _| {
        let names = resolver.top_level_names();
        match resolver.top_level(name) {
            Some(value) => EnvironmentSpec::read(&value, &mut Reader::new(resolver, 0)),
            None => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let diagnostic =
                    Diagnostic::bare("E0101", format!("the file has no line `{name}`")).did_you_mean(name, known.iter().copied());
                resolver.report_at(match known.is_empty() {
                    true => diagnostic,
                    false => diagnostic.help(format!("its lines are `{}`", known.join("`, `"))),
                });
                None
            }
        }
    });
    match found {
        Ok((environment, sources, diagnostics)) => (sources, environment, diagnostics),
        Err((sources, diagnostics)) => (sources, None, diagnostics),
    }
}
