//! The files that are compiled in.

use crate::lang::load::Library;

/// Visible everywhere without an import.
pub const PRELUDE: &str = "std/prelude.epo";

pub const LIBRARY: Library = Library {
    files: &[
        ("std/prelude.epo", include_str!("../../pipelines/std/prelude.epo")),
        ("std/losses.epo", include_str!("../../pipelines/std/losses.epo")),
        ("std/advantages.epo", include_str!("../../pipelines/std/advantages.epo")),
        ("lib/alfworld.epo", include_str!("../../pipelines/lib/alfworld.epo")),
        ("lib/scienceworld.epo", include_str!("../../pipelines/lib/scienceworld.epo")),
    ],
};
