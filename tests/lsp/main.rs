//! `epo-run lsp` over the real protocol: every feature on the repository's own recipes, names across files, edits without end.

mod actions;
mod client;
mod completion;
mod documentation;
mod edits;
mod elsewhere;
mod names;
#[path = "../common/pipelines.rs"]
mod pipelines;
mod protocol;
mod texts;
