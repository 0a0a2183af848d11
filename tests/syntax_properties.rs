//! What holds for every text: the parser answers, the formatter keeps the meaning.

#[path = "common/generate.rs"]
mod generate;

use epo::lang::format::format;
use epo::lang::{SourceMap, parser, render};
use generate::{Generator, Random};
use proptest::prelude::*;
use std::time::Instant;

const PAPER: &str = include_str!("syntax/paper.epo");

/// Reads, renders and formats a text; gives the rendered messages.
fn survives(text: &str) -> String {
    let mut sources = SourceMap::default();
    let id = sources.add("x", None, text);
    let (file, messages) = parser::parse(&sources, id);
    for message in &messages.0 {
        for label in &message.labels {
            assert!(label.span.start <= label.span.end && label.span.end as usize <= text.len(), "{message:?}");
            assert!(text.is_char_boundary(label.span.start as usize) && text.is_char_boundary(label.span.end as usize), "{message:?}");
        }
        render::to_json(&sources, message);
    }
    assert!(file.is_some() || messages.has_errors());
    let formatted = format(text);
    assert_eq!(formatted.is_ok(), !messages.has_errors());
    render::render_all(&sources, &messages, true)
}

/// The syntax tree without places.
fn meaning(text: &str) -> String {
    let mut sources = SourceMap::default();
    let id = sources.add("x", None, text);
    let (file, messages) = parser::parse(&sources, id);
    assert!(messages.is_empty(), "{}\n{text}", render::render_all(&sources, &messages, false));
    let shown = format!("{file:?}");
    let mut parts = shown.split("Span { ");
    let first = parts.next().unwrap_or("").to_owned();
    first + &parts.map(|part| part.split_once(" }").expect("the end of a span").1).collect::<String>()
}

fn mutated(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..=random.below(4) {
        let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        let at = boundaries[random.below(boundaries.len())];
        let end = boundaries[(boundaries.binary_search(&at).expect("a boundary") + 1 + random.below(6)).min(boundaries.len() - 1)];
        let piece = random.pick(&[
            "(", ")", "[", "]", "{", "}", "\"", "\"\"\"", ",", "=", "\n", "..", "-", "and", ".", "#", "é", "1e", "from", "\\", "\r", ";",
            " ",
        ]);
        match random.below(4) {
            0 => text.replace_range(at..end, ""),
            1 => text.insert_str(at, piece),
            2 => text.replace_range(at..end, piece),
            _ => {
                let copy = text[at..end].to_owned();
                text.insert_str(boundaries[random.below(boundaries.len())], &copy);
            }
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        survives(&text);
    }

    #[test]
    fn any_soup_of_tokens_is_answered(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "[", "]", "{", "}", "\"", "\"\"\"", ",", "=", "\n", "\n", " ", " ", "..", "-", "+", "and", "not", ".", "# c\n", "é", "1e", "5.", "from",
                "\\", ";", "pipeline", "x", "y", "import", "as", "fn", "prompt", "without", "1", "\"s\"", "==", "<", "loss", "\r\n", "^", "true", "30min",
            ]),
            0..60,
        )
    ) {
        survives(&words.concat());
        survives(&words.join(" "));
    }

    #[test]
    fn a_damaged_file_is_answered(seed in any::<u64>()) {
        let mut random = Random(seed);
        survives(&mutated(PAPER, &mut random));
        let file = Generator::file(seed);
        survives(&mutated(&file, &mut random));
    }

    #[test]
    fn formatting_keeps_the_meaning_and_is_idempotent(seed in any::<u64>()) {
        let file = Generator::file(seed);
        let before = meaning(&file);
        let once = format(&file).expect("a valid file");
        prop_assert_eq!(&before, &meaning(&once), "formatting changed the meaning of\n{}\nto\n{}", file, once);
        let twice = format(&once).expect("a valid file");
        prop_assert_eq!(&once, &twice, "formatting twice is not formatting once, for\n{}", file);
        let comments = |text: &str| text.matches("# ").count();
        prop_assert_eq!(comments(&file), comments(&once), "comments were lost in\n{}", once);
        prop_assert!(!once.contains("\n\n\n"));
    }
}

/// Nanoseconds that this thread was on a processor; a busy machine must not fail a test.
fn processor_time() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let (before, started) = (processor_time(), Instant::now());
    work();
    match (before, processor_time()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e6,
        _ => started.elapsed().as_secs_f64() * 1e3,
    }
}

/// Texts that are made to be slow or deep. None may take much longer than reading an honest file of that size.
#[test]
fn hostile_texts_are_answered_in_time() {
    let repeat = |piece: &str, bytes: usize| piece.repeat(bytes / piece.len());
    let size = 300_000;
    let deep = |open: &str, close: &str, n: usize| format!("x = {}1{}\n", open.repeat(n), close.repeat(n));
    let texts = [
        ("brackets", repeat("(", size)),
        ("closers", repeat(")", size)),
        ("closers on lines", repeat(")\n", size)),
        ("braces on lines", repeat("{\n}\n", size)),
        ("pipelines never closed", repeat("pipeline x {\n", size)),
        ("strings never closed", repeat("a = \"\n", size)),
        ("quotes", repeat("\"", size)),
        ("newlines", repeat("\n", size)),
        ("comments", repeat("# x\n", size)),
        ("operators", format!("x = 1{}", repeat("\n+ 1", size))),
        ("minus", format!("x = {}1", repeat("-", size))),
        ("powers", format!("x = 1{}", repeat(" ^ 1", size))),
        ("nots", format!("x = {}1", repeat("not ", size))),
        ("path", format!("x = a{}", repeat(".a", size))),
        ("commas", format!("x = [{}]", repeat(",", size))),
        ("list", format!("x = [{}]", repeat("1,", size))),
        ("arguments", format!("x = f({})", repeat("a = 1,", size))),
        ("bad lines", repeat("a = \n", size)),
        ("bad lines in one pipeline", format!("pipeline x {{\n{}}}", repeat("a = \n", size))),
        ("bad characters", repeat(";", size)),
        ("fields", format!("x = k {{ {} }}", repeat("a = 1,", size))),
        ("one number", format!("x = {}", repeat("1", size))),
        ("one name", repeat("a", size)),
        ("one line of pipelines", repeat("pipeline x { } ", size)),
        ("parentheses, deep", repeat(&deep("(", ")", 60), size)),
        ("lists, deep", repeat(&deep("[", "]", 60), size)),
        ("calls, deep", repeat(&deep("f(", ")", 60), size)),
        ("components, deep", repeat(&deep("k { a = ", " }", 60), size)),
        ("mixed, deep", repeat(&deep("f([k { a = (", ")}])", 15), size)),
        ("signs, deep", repeat(&deep("-(", ")", 60), size)),
    ];
    for (name, text) in &texts {
        let mut parsing = milliseconds(|| {
            let mut sources = SourceMap::default();
            let id = sources.add("x", None, text.as_str());
            let (_, messages) = parser::parse(&sources, id);
            assert!(messages.0.len() <= 101, "{name}: {} messages", messages.0.len());
        });
        let formatting = milliseconds(|| drop(format(text)));
        println!("{name:30} parse {parsing:7.1} ms   format {formatting:7.1} ms");
        parsing += formatting;
        assert!(parsing < 2_000.0, "{name} took {parsing} ms");
    }
}

/// The deepest text that is accepted fits a small stack: a worker thread has 2 MiB, this one less.
#[test]
fn the_deepest_text_fits_a_small_stack() {
    let texts = [
        format!("x = {}1{}", "f(k { a = [-(".repeat(15), ")] })".repeat(15)),
        format!("x = {}1", "-".repeat(250)),
        format!("x = 1{}", " ^ 1".repeat(250)),
        format!("x = 1{}", " + 1".repeat(250)),
        format!("x = {}1{}", "(1 + 2 * ".repeat(63), ")".repeat(63)),
        "k { ".repeat(64) + &" }".repeat(64),
    ];
    let work = move || {
        for text in &texts {
            survives(text);
            meaning(text);
        }
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).expect("a thread").join().expect("no overflow");
}

#[test]
fn a_file_of_300_lines_takes_milliseconds() {
    let text: String = PAPER.split("language = 1\n").collect::<String>().repeat(4).replace("    # why\n", "");
    assert!(text.lines().count() > 280);
    meaning(&text);
    let parsing = milliseconds(|| drop(meaning(&text)));
    let formatting = milliseconds(|| drop(format(&text)));
    println!("{} lines: parse {parsing:.1} ms, format {formatting:.1} ms", text.lines().count());
    assert!(parsing < 500.0 && formatting < 500.0);
}
