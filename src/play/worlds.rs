//! The registry of environments: one line each.

use super::environment::WorldKind;
use crate::kind::Entry;

pub const ENTRIES: &[Entry<dyn WorldKind>] = &[
    Entry { info: &super::household::Household::INFO, read: super::household::read },
    Entry { info: &super::scienceworld::ScienceWorld::INFO, read: super::scienceworld::read },
];
