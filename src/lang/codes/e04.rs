//! Codes of messages about plans.

use super::Code;

pub const ROWS: &[Code] = &[];
