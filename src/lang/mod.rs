//! The language: texts, syntax, names. Knows nothing of RL and nothing of tensors.

pub mod ast;
pub mod codes;
pub mod diagnostic;
pub mod format;
pub mod layout;
pub mod lexer;
pub mod load;
pub mod outline;
pub mod parser;
pub mod print;
pub mod render;
pub mod resolve;
pub mod source;
pub mod term;
pub mod value;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use source::{Source, SourceId, SourceMap, Span};
