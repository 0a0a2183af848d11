//! Where a name is looked up.

use crate::lang::Span;
use crate::lang::value::Value;
use indexmap::IndexMap;
use std::rc::Rc;
use std::sync::Arc;

/// The scope of an expression. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// The file it was written in: its top-level names and imports.
    pub file: usize,
    /// The instance whose lines it sees, late-bound: a child's where a parent's line is inherited.
    pub instance: Option<usize>,
    /// The arguments, inside the body of a function.
    pub params: Option<Rc<IndexMap<String, Arc<Value>>>>,
    /// The `loss` block it stands in: an index into the resolver's table.
    pub block: Option<usize>,
    /// The outermost call that led into a function's body.
    pub via: Option<Span>,
    /// Path of the line being evaluated; a line does not see itself, so `tokenizer = tokenizer { … }` names the kind.
    pub defining: Option<Rc<str>>,
}
