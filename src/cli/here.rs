//! This machine: what of it a run records, and what a plan asks of it.

use super::Settings;
use crate::model::free_memory;
use crate::model::pretrained::cache_folder;
use crate::plan::{self, Here, Plan, Reason, Takes};
use crate::store::{Store, StoreError};
use serde_json::{Value, json};

/// `machine.json` of a run.
pub(super) fn machine(settings: &Settings) -> Value {
    json!({
        "format": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "features": if cfg!(feature = "cuda") { vec!["cuda"] } else { vec![] },
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "settings": recorded(settings),
        "origins": settings.origins,
    })
}

/// With dotted names one below the other, as in a file of settings.
fn recorded(settings: &Settings) -> Value {
    let mut all = serde_json::Map::new();
    for (name, value) in settings.rows() {
        match *name.split('.').collect::<Vec<_>>() {
            [group, of] => all.entry(group).or_insert_with(|| json!({}))[of] = value,
            [group, of, what] => all.entry(group).or_insert_with(|| json!({}))[of][what] = value,
            _ => drop(all.insert(name, value)),
        }
    }
    all.into()
}

/// What each task that is to run will ask for, and the bytes that are free for models. With `times`, how long it will take as well.
///
/// # Errors
/// If the store cannot be read.
pub(super) fn takes(
    plan: &Plan,
    reasons: &[Reason],
    settings: &Settings,
    times: Option<&Store>,
) -> Result<(Vec<Takes>, Option<u64>), StoreError> {
    let values = &settings.values;
    let cpu = values.device == "cpu" || !cfg!(feature = "cuda");
    let free = if cpu { free_memory() } else { None };
    let models = values.machine.data.get("models").cloned().unwrap_or_else(cache_folder);
    let machine = machine(settings);
    let here = Here { cpu, threads: settings.threads(), models: &models, free, machine: &machine };
    let mut takes = plan::takes(plan, reasons, &here);
    if let Some(store) = times {
        plan::times(plan, reasons, store, &here, &mut takes)?;
    }
    Ok((takes, free))
}
