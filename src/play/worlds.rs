//! The registry of environments: one line each.

use super::environment::WorldKind;
use crate::kind::Entry;
use std::sync::OnceLock;

/// Those that read data from the disk, by default in a folder of the user's for each.
pub(crate) const WITH_DATA: &[&str] = &["scienceworld"];

pub(crate) const ENTRIES: &[Entry<dyn WorldKind>] = &[
    Entry { info: &super::alfworld::Alfworld::INFO, read: super::alfworld::read },
    Entry { info: &super::household::Household::INFO, read: super::household::read },
    Entry { info: &super::openenv::OpenEnv::INFO, read: super::openenv::read },
    Entry { info: &super::process::Process::INFO, read: super::process::read },
    Entry { info: &super::scienceworld::ScienceWorld::INFO, read: super::scienceworld::read },
];

/// Those of a program that depends on this crate: set once, before anything is read.
static ADDED: OnceLock<&'static [Entry<dyn WorldKind>]> = OnceLock::new();

pub(crate) fn add(entries: &'static [Entry<dyn WorldKind>]) {
    // A second call of one program's `main` would say the same.
    let _ = ADDED.set(entries);
}

pub(super) fn added() -> &'static [Entry<dyn WorldKind>] {
    ADDED.get().copied().unwrap_or_default()
}
