//! The registry of environments: one line each.

use super::environment::WorldKind;
use crate::kind::Entry;

pub const ENTRIES: &[Entry<dyn WorldKind>] = &[];
