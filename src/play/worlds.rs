//! The registry of environments: one line each.

use super::environment::WorldKind;
use crate::kind::Entry;

pub const ENTRIES: &[Entry<dyn WorldKind>] = &[
    Entry { info: &super::alfworld::Alfworld::INFO, read: super::alfworld::read },
    Entry { info: &super::household::Household::INFO, read: super::household::read },
];
