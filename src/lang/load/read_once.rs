//! Texts that are part of the program are read once, however many files a process looks at.

use super::super::ast::File;
use super::super::diagnostic::Diagnostics;
use super::super::parser;
use super::super::source::SourceId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// By the text's address and the number that its spans carry.
static READ: Mutex<BTreeMap<(usize, SourceId), Arc<File>>> = Mutex::new(BTreeMap::new());

/// What [`parser::parse`] gives for `text` as source `id`. A text with mistakes is read anew each time.
pub(super) fn parsed(id: SourceId, text: &'static str) -> (Option<Arc<File>>, Diagnostics) {
    let key = (text.as_ptr() as usize, id);
    if let Some(file) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return (Some(Arc::clone(file)), Diagnostics::default());
    }
    let (file, messages, _) = parser::parse_text(id, text);
    let file = file.map(Arc::new);
    if let (Some(file), true) = (&file, messages.0.is_empty()) {
        READ.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(file));
    }
    (file, messages)
}
