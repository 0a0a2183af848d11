//! The language: texts, syntax, names. Knows nothing of RL and nothing of tensors.

pub mod ast;
pub mod codes;
pub(crate) mod cursor;
pub(crate) mod diagnostic;
pub mod format;
mod layout;
mod lexer;
pub mod load;
pub(crate) mod outline;
pub mod parser;
pub mod print;
pub(crate) mod regions;
pub mod render;
pub mod resolve;
mod source;
pub mod term;
pub mod value;
mod visible;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub(crate) use layout::MAX_BYTES;
pub(crate) use lexer::is_name;
pub use source::{Position, Source, SourceId, SourceMap, Span};
pub(crate) use visible::{is_hidden, pad};
pub use visible::{on_one_line, visible};
