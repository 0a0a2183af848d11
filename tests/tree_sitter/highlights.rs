//! What is drawn how.

use crate::parts::read;
use std::collections::BTreeSet;
use tree_sitter::{Query, QueryCursor, StreamingIterator};

const TEXT: &str = r#"
import "std/losses.epo" as std
prompt from = "{task} {{no}}\n"
pipeline b from prompt {   # why
  fn beta(k, low = 1) = not k or std.relu(low)
  loss { from = true }
  without loss.smooth
  stages { train = rl { groups = 8, limit = 30min } }
}
"#;

/// The words of the text with each way in which they are drawn.
fn drawn() -> BTreeSet<(String, &'static str)> {
    let query: &'static Query = Box::leak(Box::new(
        Query::new(&tree_sitter_epo::LANGUAGE.into(), tree_sitter_epo::HIGHLIGHTS_QUERY).expect("a query that fits the grammar"),
    ));
    let tree = read(TEXT);
    let mut found = BTreeSet::new();
    let mut cursor = QueryCursor::new();
    let mut matches = cursor.matches(query, tree.root_node(), TEXT.as_bytes());
    while let Some(one) = matches.next() {
        for capture in one.captures {
            found.insert((TEXT[capture.node.byte_range()].to_owned(), query.capture_names()[capture.index as usize]));
        }
    }
    found
}

#[test]
fn words_are_drawn_as_what_they_are() {
    let found = drawn();
    let has = |word: &str, way: &str| found.iter().any(|(w, name)| w == word && *name == way);
    for (word, way) in [
        ("import", "keyword"),
        ("as", "keyword"),
        ("from", "keyword"),
        ("from", "constant"),
        ("from", "property"),
        ("prompt", "type"),
        ("{task}", "string.special"),
        ("\\n", "string.escape"),
        ("# why", "comment"),
        ("fn", "keyword"),
        ("beta", "function"),
        ("low", "variable.parameter"),
        ("not", "keyword.operator"),
        ("relu", "function"),
        ("loss", "keyword"),
        ("true", "constant.builtin"),
        ("without", "keyword"),
        ("smooth", "property"),
        ("rl", "type"),
        ("30min", "number"),
    ] {
        assert!(has(word, way), "`{word}` is not drawn as {way}: {found:#?}");
    }
    assert!(!has("{no}", "string.special"), "a brace that is written twice is a brace");
}
