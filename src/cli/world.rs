//! Environments by what the user calls them: a kind with its defaults (`household`), or a line of a file (`pipelines/quickstart.epo:house`).

use super::{Settings, WRONG_INPUT, compiled, complain, complain_with};
use crate::env::World;
use crate::kind::Category;
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::play::{EnvironmentSpec, WorldKind};
use crate::spec::{Request, environment};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The kinds there are.
pub(super) fn kinds() -> Vec<&'static str> {
    <dyn WorldKind as Category>::entries().iter().map(|e| e.info.name).collect()
}

/// # Errors
/// The exit code; the user has been told.
pub(super) fn open(given: &str, settings: &Settings, data: Option<&Path>) -> Result<Arc<dyn World>, u8> {
    let (spec, folder) = declared_with_data(given, settings, data)?;
    spec.world.open(folder.as_deref()).map_err(|error| complain(&error.to_string()))
}

/// The declaration, and the folder of its data where one is named.
///
/// # Errors
/// The exit code; the user has been told.
pub(super) fn declared_with_data(given: &str, settings: &Settings, data: Option<&Path>) -> Result<(EnvironmentSpec, Option<PathBuf>), u8> {
    let spec = declared(given, settings)?;
    let folder = data.map(Path::to_path_buf).or_else(|| settings.values.data.get(spec.world.kind).cloned());
    Ok((spec, folder))
}

fn declared(given: &str, settings: &Settings) -> Result<EnvironmentSpec, u8> {
    let library = compiled::library(settings)?;
    let (sources, found, diagnostics) = match given.rsplit_once(':') {
        Some((file, name)) => environment(&Request { root: Root::File(Path::new(file)), overrides: &[], library: &library }, name),
        None if !kinds().contains(&given) => {
            let help = match closest(given, kinds()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are `{}`; a line of a file is FILE:NAME", kinds().join("`, `")),
            };
            return Err(complain_with(&format!("there is no environment `{given}`"), Some(&help)));
        }
        None => {
            let text = format!("world = {given} {{ prompt = windowed {{ then = \"{{observation}}\" }} }}\n");
            environment(&Request { root: Root::Text { name: "<command line>", text: &text }, overrides: &[], library: &library }, "world")
        }
    };
    match found {
        Some(spec) if !diagnostics.has_errors() => Ok(spec),
        _ => {
            compiled::show(&sources, &diagnostics);
            Err(WRONG_INPUT)
        }
    }
}
