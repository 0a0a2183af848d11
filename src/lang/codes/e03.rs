//! Codes of messages about objectives.

use super::Code;

pub const ROWS: &[Code] = &[];
