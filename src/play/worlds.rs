//! The registry of environments: one line each.

use super::environment::WorldKind;
use crate::kind::Entry;

/// Those that read data from the disk, by default in a folder of the user's for each.
pub(crate) const WITH_DATA: &[&str] = &["scienceworld"];

pub(crate) const ENTRIES: &[Entry<dyn WorldKind>] = &[
    Entry { info: &super::alfworld::Alfworld::INFO, read: super::alfworld::read },
    Entry { info: &super::household::Household::INFO, read: super::household::read },
    Entry { info: &super::process::Process::INFO, read: super::process::read },
    Entry { info: &super::scienceworld::ScienceWorld::INFO, read: super::scienceworld::read },
];
