//! The command from outside: the built binary, its words and its exit codes.

#[path = "../common/archive.rs"]
mod archive;
mod diff;
mod env;
mod files;
mod help;
mod library;
mod lock;
mod packs;
mod pipes;
mod probe;
mod reference;
#[path = "../common/repository.rs"]
mod repository;
mod resolved;
mod runs;
mod shared;
mod show;
mod support;
mod takes;
mod tour;
