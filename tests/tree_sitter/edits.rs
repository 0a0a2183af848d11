//! A tree is mended where a text was edited, and is then the tree of the new text.

use crate::generate::{Generator, Random};
use crate::parts::grammar;
use std::ops::Range;
use tree_sitter::{InputEdit, Point};

const PIECES: &[&str] = &[
    "(", ")", "[", "]", "{", "}", "\"", "\"\"\"", ",", "=", "\n", "..", "-", "and", "not ", ".", "#", "é", "1e", "from ", "\\", "\r", ";",
    " ", "{a}",
];

/// A few bytes of a text, and what stands in their place.
fn edit(text: &str, random: &mut Random) -> (Range<usize>, String) {
    let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let first = random.below(boundaries.len());
    let last = (first + random.below(6)).min(boundaries.len() - 1);
    let range = boundaries[first]..boundaries[last];
    match random.below(4) {
        0 => (range, String::new()),
        1 => (range.start..range.start, random.pick(PIECES).to_owned()),
        2 => (range, random.pick(PIECES).to_owned()),
        _ => {
            let at = boundaries[random.below(boundaries.len())];
            (at..at, text[range].to_owned())
        }
    }
}

/// One to three edits.
pub(crate) fn damaged(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(3) {
        let (range, piece) = edit(&text, random);
        text.replace_range(range, &piece);
    }
    text
}

fn point(text: &str, at: usize) -> Point {
    let row = text[..at].matches('\n').count();
    Point { row, column: at - text[..at].rfind('\n').map_or(0, |newline| newline + 1) }
}

#[test]
fn a_mended_tree_is_that_of_the_text() {
    let mut whole = 0;
    for seed in 0..250 {
        let mut random = Random(seed);
        let mut text = Generator::file(seed) + include_str!("../syntax/paper.epo");
        let mut parser = grammar();
        let mut tree = parser.parse(&text, None).expect("a tree");
        for _ in 0..6 {
            let (range, piece) = edit(&text, &mut random);
            let before = text.clone();
            text.replace_range(range.clone(), &piece);
            let new_end_byte = range.start + piece.len();
            tree.edit(&InputEdit {
                start_byte: range.start,
                old_end_byte: range.end,
                new_end_byte,
                start_position: point(&before, range.start),
                old_end_position: point(&before, range.end),
                new_end_position: point(&text, new_end_byte),
            });
            tree = parser.parse(&text, Some(&tree)).expect("a tree");
            let anew = parser.parse(&text, None).expect("a tree");
            // How a mistake is got over depends on what is known of its surroundings.
            assert_eq!(tree.root_node().has_error(), anew.root_node().has_error(), "seed {seed}\n{text}");
            if !anew.root_node().has_error() {
                whole += 1;
                assert_eq!(tree.root_node().to_sexp(), anew.root_node().to_sexp(), "seed {seed}\n{text}");
            }
        }
    }
    assert!(whole >= 100, "{whole}");
}
