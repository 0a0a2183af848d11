//! The work of each stage: one file each.

pub mod collect;
pub mod evaluate;
pub mod export;
pub mod report;
pub mod rl;
pub mod sft;
mod shared;
pub mod tokenizer;
