//! A recipe, and what was made of it, in one file that travels: packing, reading what a stranger packed, and comparing.
//!
//! A pack is data. It is read by the names of its entries, within bounds, and nothing of it is ever written to the disk.

mod archive;
mod check;
mod crate_metadata;
mod description;
mod make;
mod names;
mod open;
mod readme;
mod recipe;
mod rerun;

pub(crate) use check::Fault;
pub(crate) use description::PackedTask;
pub(crate) use make::{Packing, Results};
pub(crate) use open::{Pack, is_pack};
pub(crate) use recipe::{Recipe, shown, stem};
pub(crate) use rerun::{Agreement, agreement};

/// The version of what is written here. A newer one is refused.
const FORMAT: u32 = 1;
/// What a pack says of itself.
const DESCRIPTION: &str = "pack.json";
const METADATA: &str = "ro-crate-metadata.json";
const README: &str = "README.md";
const RESOLVED: &str = "resolved.epo";
const PLAN: &str = "plan.json";
const MACHINE: &str = "machine.json";
/// The user's own texts.
const SOURCE: &str = "source/";
/// Those that the program, or a folder of the user's, has for everybody.
const LIBRARY: &str = "library/";
/// Those that were imported out of a repository or another pack.
const ELSEWHERE: &str = "imports/";
const TASKS: &str = "tasks/";
