//! The grammar for editors beside the parser: on every text of the repository, on random ones, and on damaged ones both say the same of
//! what is a line and how operators group, and what the parser refuses for its form the grammar does not read as if nothing were wrong.

#[path = "../common/generate.rs"]
mod generate;
#[path = "../common/pages.rs"]
mod pages;
#[path = "../common/pipelines.rs"]
mod pipelines;

mod accepts;
mod edits;
mod highlights;
mod parts;
