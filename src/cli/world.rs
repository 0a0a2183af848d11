//! Environments by what the user calls them: a kind with its defaults (`household`), or a line of a file (`pipelines/quickstart.epo:house`).

use super::{Settings, WRONG_INPUT, compiled, complain, complain_with};
use crate::env::{Machine, World};
use crate::kind::Category;
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::play::{EnvironmentSpec, WorldKind};
use crate::spec::{Request, environment};
use std::path::Path;
use std::sync::Arc;

/// The kinds there are.
pub(super) fn kinds() -> Vec<&'static str> {
    <dyn WorldKind as Category>::all().map(|e| e.info.name).collect()
}

/// # Errors
/// The exit code; the user has been told.
pub(super) fn open(given: &str, settings: &Settings, data: Option<&Path>) -> Result<Arc<dyn World>, u8> {
    let (spec, machine) = declared_on(given, settings, data)?;
    spec.world.open(&machine).map_err(|error| complain(&error.to_string()))
}

/// The same, for as many games at once as there can be.
///
/// # Errors
/// The exit code; the user has been told.
pub(super) fn open_for_many(given: &str, settings: &Settings, data: Option<&Path>) -> Result<Arc<dyn World>, u8> {
    let (spec, machine) = declared_on(given, settings, data)?;
    spec.world.look(&machine).and_then(|()| spec.world.open(&machine)).map_err(|error| complain(&error.to_string()))
}

/// The declaration, and the machine with the folder of its data where one is named.
///
/// # Errors
/// The exit code; the user has been told.
pub(super) fn declared_on(given: &str, settings: &Settings, data: Option<&Path>) -> Result<(EnvironmentSpec, Machine), u8> {
    let spec = declared(given, settings)?;
    let mut machine = settings.values.machine.clone();
    if let Some(folder) = data {
        machine.data.insert(spec.world.kind.into(), folder.into());
    }
    Ok((spec, machine))
}

fn declared(given: &str, settings: &Settings) -> Result<EnvironmentSpec, u8> {
    let file = given.rsplit_once(':').map_or(given, |(file, _)| file);
    let library = super::elsewhere::library(Path::new(file), settings)?;
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
