//! How messages are drawn.

use epo::lang::render::{render, render_all, to_json};
use epo::lang::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use serde_json::json;

/// One source `a.epo`, and the span of the first occurrence of a part.
fn source(text: &str) -> (SourceMap, impl Fn(&str) -> Span) {
    let mut sources = SourceMap::default();
    let id = sources.add("a.epo", None, text);
    let text = text.to_owned();
    (sources, move |part: &str| {
        let start = text.find(part).expect("a part of the text");
        Span::new(id, start..start + part.len())
    })
}

#[test]
fn the_message_of_the_language_page() {
    let text = format!("{}    optimizer = adamw {{ lr = 5e-6, weight_decai = 0.01 }}\n", "\n".repeat(23));
    let (sources, at) = source(&text);
    let message =
        Diagnostic::error("E0104", at("weight_decai"), "unknown field `weight_decai`").did_you_mean("weight_decai", ["lr", "weight_decay"]);
    let expected = "\
error[E0104]: unknown field `weight_decai`
  --> a.epo:24:36
   |
24 |     optimizer = adamw { lr = 5e-6, weight_decai = 0.01 }
   |                                    ^^^^^^^^^^^^
   = help: did you mean `weight_decay`?
";
    assert_eq!(render(&sources, &message, false), expected);
}

#[test]
fn several_places() {
    let (mut sources, at) = source("one = two\n\nthree = four\nfive\nsix = seven\n");
    let other = sources.add("b.epo", None, "first\nsecond line\n");
    let message = Diagnostic::warning("W0110", at("three"), "words")
        .saying("the main one")
        .also(at("four"), "another\u{20}one")
        .also(at("two"), "")
        .also(at("seven"), "far below")
        .also(Span::new(other, 6..12), "in another file")
        .help("one line\nand one more");
    let expected = "\
warning[W0110]: words
 --> a.epo:3:1
  |
1 | one = two
  |       ---
2 |
3 | three = four
  | ^^^^^   ---- another one
  | the main one
4 | five
5 | six = seven
  |       ----- far below
 ::: b.epo:2:1
  |
2 | second line
  | ------ in another file
  = help: one line
          and one more
";
    assert_eq!(render(&sources, &message, false), expected);
}

#[test]
fn marks_stand_under_the_characters() {
    for (text, part, expected) in [
        ("数据 = 1", "1", "1 | 数据 = 1\n  |        ^\n"),
        ("数据 = 1", "据", "1 | 数据 = 1\n  |   ^^\n"),
        ("\ta\tb", "b", "1 |     a   b\n  |         ^\n"),
        ("e\u{301}x = y", "y", "1 | e\u{301}x = y\n  |      ^\n"),
        ("a = \"x\u{1b}[31m\" b", "b", "1 | a = \"x\u{fffd}[31m\" b\n  |              ^\n"),
        ("a = \"\"\"\nb\n\"\"\"", "\"\"\"\nb\n\"\"\"", "1 | a = \"\"\"\n  |     ^^^\n"),
    ] {
        let (sources, at) = source(text);
        let found = render(&sources, &Diagnostic::error("E0001", at(part), "words"), false);
        assert!(found.ends_with(expected), "{found}");
    }
}

#[test]
fn places_at_the_edges() {
    let draw = |text: &str, range: std::ops::Range<usize>| {
        let mut sources = SourceMap::default();
        let id = sources.add("a.epo", None, text);
        render(&sources, &Diagnostic::error("E0001", Span::new(id, range), "words"), false)
    };
    assert_eq!(draw("", 0..0), "error[E0001]: words\n --> a.epo:1:1\n  |\n1 |\n  | ^\n");
    assert_eq!(draw("ab", 2..2), "error[E0001]: words\n --> a.epo:1:3\n  |\n1 | ab\n  |   ^\n");
    assert_eq!(draw("ab\r\ncd", 2..2), "error[E0001]: words\n --> a.epo:1:3\n  |\n1 | ab\n  |   ^\n");
    assert_eq!(draw("ab\n", 3..3), "error[E0001]: words\n --> a.epo:2:1\n  |\n2 |\n  | ^\n");
    // Spans that do not fit their text are drawn as well as possible.
    draw("é", 1..1);
    draw("ab", 7..9);
    let (sources, _) = source("");
    assert_eq!(render(&sources, &Diagnostic::bare("E0040", "no place").help("go on"), false), "error[E0040]: no place\n  = help: go on\n");
}

#[test]
fn long_lines_are_cut_around_the_mark() {
    let text = format!("{} here {}", "x".repeat(300), "y".repeat(300));
    let (sources, at) = source(&text);
    let found = render(&sources, &Diagnostic::error("E0001", at("here"), "words").also(at("x"), "far away"), false);
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[1], " --> a.epo:1:302");
    assert_eq!(lines[3], format!("1 | …{} here {}…", "x".repeat(39), "y".repeat(75)));
    assert_eq!(lines[4], format!("  | -{}^^^^", " ".repeat(40)));
}

#[test]
fn colours_only_add_escapes() {
    let (sources, at) = source("one = two\n");
    let message = Diagnostic::error("E0001", at("two"), "words").saying("why").also(at("one"), "where").help("then");
    let plain = render(&sources, &message, false);
    let painted = render(&sources, &message, true);
    assert!(painted.starts_with("\u{1b}[1;31merror[E0001]\u{1b}[0m"));
    let mut without = String::new();
    for part in painted.split('\u{1b}') {
        without += part.strip_prefix('[').and_then(|p| p.split_once('m')).map_or(part, |(_, rest)| rest);
    }
    assert_eq!(without, plain);
    let two = Diagnostics(vec![message.clone(), message]);
    assert_eq!(render_all(&sources, &two, false), format!("{plain}\n{plain}"));
}

#[test]
fn messages_for_programs() {
    let (sources, at) = source("a = 1\né = two\nmore\n");
    let message = Diagnostic::error("E0101", at("two\nm"), "words").also(at("1"), "here").help("then");
    let expected = json!({
        "severity": "error", "code": "E0101", "message": "words", "file": "a.epo", "line": 2, "column": 5, "end_line": 3, "end_column": 2,
        "help": ["then"],
        "labels": [
            { "file": "a.epo", "line": 2, "column": 5, "end_line": 3, "end_column": 2, "text": "" },
            { "file": "a.epo", "line": 1, "column": 5, "end_line": 1, "end_column": 6, "text": "here" },
        ],
    });
    assert_eq!(to_json(&sources, &message), expected);
    let bare = to_json(&sources, &Diagnostic::bare("E0040", "words"));
    assert_eq!((&bare["file"], &bare["line"], &bare["labels"]), (&json!(null), &json!(null), &json!([])));
    assert_eq!(SourceId(0), at("a").source);
}
