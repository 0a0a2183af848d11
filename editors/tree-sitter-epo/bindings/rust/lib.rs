//! The grammar of the epo language for [tree-sitter](https://tree-sitter.github.io).

use tree_sitter_language::LanguageFn;

unsafe extern "C" {
    fn tree_sitter_epo() -> *const ();
}

/// The language, for `tree_sitter::Parser::set_language`.
// SAFETY: the function is the one that src/parser.c defines.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_epo) };

/// What is drawn how, for an editor or `tree-sitter-highlight`.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");
