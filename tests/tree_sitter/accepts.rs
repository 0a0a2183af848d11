//! Which texts have a tree without a mistake, and which tree.

use crate::edits::damaged;
use crate::generate::{Generator, Random};
use crate::pages::{blocks, pages};
use crate::parts::{by_grammar, by_parser};
use crate::pipelines::files;
use std::collections::BTreeMap;
use std::fs;

/// What the parser refuses and the grammar may read: no matter of a line's form.
const BEYOND_FORM: &[(&str, &str)] = &[
    ("E0002", "the bracket of a call stands on the line of its name"),
    ("E0007", "how large a number may be"),
    ("E0008", "`1and 2` is a number with an unknown unit"),
    ("E0009", "`\\u{…}` that is no character"),
    ("E0019", "a chain behind `a + not`"),
    ("E0024", "how deep brackets nest"),
    ("E0025", "how long a text is"),
    ("E0026", "how many operators stand around a value"),
    ("E0027", "the version of the language"),
    ("E0028", "where `language` stands"),
    ("E0029", "how long a name is"),
    ("E0106", "a parameter given twice"),
];

/// What the texts of one source came to.
#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    beyond: BTreeMap<&'static str, usize>,
    complaints: Vec<String>,
}

impl Tally {
    fn compare(&mut self, name: &str, text: &str) {
        match (by_parser(text), by_grammar(text)) {
            (Ok(parser), Some(grammar)) if parser == grammar => self.accepted += 1,
            (Ok(parser), Some(grammar)) => {
                let only: Vec<_> =
                    parser.symmetric_difference(&grammar).take(6).map(|(kind, a, b)| format!("{kind}: {}", &text[*a..*b])).collect();
                self.complaints.push(format!("{name}: parts differ: {only:#?}\n{text}"));
            }
            (Ok(_), None) => self.complaints.push(format!("{name}: the parser reads it, the grammar does not\n{text}")),
            (Err(_), None) => self.refused += 1,
            // A carriage return alone is a blank for the grammar, which then reads on where the parser asks for a new line.
            (Err(codes), Some(_)) if has_lone_return(text) && codes.iter().all(|code| *code == "E0012") => {
                *self.beyond.entry("a carriage return alone").or_default() += 1;
            }
            // `a ory` is `a or y` for the grammar: where no name may stand, it looks for no longer word.
            (Err(codes), Some(_)) if codes.iter().all(|code| *code == "E0012") && is_read_with_an_operator_cut_off(text) => {
                *self.beyond.entry("an operator that goes on as a name").or_default() += 1;
            }
            (Err(codes), Some(_)) => match BEYOND_FORM.iter().find(|(code, _)| codes.iter().all(|found| found == code)) {
                Some((code, _)) => *self.beyond.entry(code).or_default() += 1,
                None => self.complaints.push(format!("{name}: the grammar reads it, the parser says {codes:?}\n{text}")),
            },
        }
    }

    /// Panics with the first complaints; prints what was compared.
    fn finish(self, what: &str) -> (usize, usize) {
        let shown = self.complaints.iter().take(5).cloned().collect::<Vec<_>>().join("\n----\n");
        assert!(self.complaints.is_empty(), "{} of {what}\n{shown}", self.complaints.len());
        println!("{what}: {} read alike, {} refused by both, {:?} beyond the form", self.accepted, self.refused, self.beyond);
        (self.accepted, self.refused)
    }
}

fn has_lone_return(text: &str) -> bool {
    text.split('\r').skip(1).any(|rest| !rest.starts_with('\n'))
}

/// Whether the parser would read it with a blank behind the `and` or `or` that some name begins with.
fn is_read_with_an_operator_cut_off(text: &str) -> bool {
    ["and", "or"].iter().any(|word| {
        let behind = text.match_indices(word).map(|(at, word)| at + word.len());
        behind.filter(|&at| text[at..].starts_with(char::is_alphanumeric) || text[at..].starts_with('_')).any(|at| {
            let (before, rest) = text.split_at(at);
            by_parser(&format!("{before} {rest}")).is_ok()
        })
    })
}

/// Also the damaged ones in `tests/diagnostics`.
#[test]
fn files_of_the_repository() {
    let mut tally = Tally::default();
    for file in files(&["pipelines", "tests", "src", "scripts", "fuzz/seeds"]) {
        // What is no UTF-8 is refused before it is parsed.
        if let Ok(text) = fs::read_to_string(&file) {
            tally.compare(&file.display().to_string(), &text);
        }
    }
    let (accepted, refused) = tally.finish("files");
    assert!(accepted >= 200 && refused >= 30, "{accepted} and {refused}: are the files still found?");
}

#[test]
fn blocks_of_the_pages() {
    let mut tally = Tally::default();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for block in blocks(&text).iter().filter(|b| b.info.split_whitespace().next() == Some("epo")) {
            tally.compare(&format!("{}:{}", page.display(), block.line), &block.text);
        }
    }
    let (accepted, refused) = tally.finish("blocks");
    assert!(accepted >= 90 && refused >= 2, "{accepted} and {refused}: are the blocks still found?");
}

/// In every layout that the language allows.
#[test]
fn random_files() {
    let mut tally = Tally::default();
    for seed in 0..1500 {
        tally.compare(&format!("seed {seed}"), &Generator::file(seed));
    }
    let (accepted, _) = tally.finish("random files");
    assert!(accepted >= 1400, "{accepted}");
}

/// With signs taken out, put in and moved: what is then refused, the grammar refuses too.
#[test]
fn damaged_files() {
    let mut tally = Tally::default();
    let recipes = files(&["pipelines"]);
    for seed in 0..3000 {
        let mut random = Random(seed);
        let whole = match random.below(2) {
            0 => Generator::file(seed),
            _ => fs::read_to_string(&recipes[random.below(recipes.len())]).expect("a recipe"),
        };
        tally.compare(&format!("seed {seed}"), &damaged(&whole, &mut random));
    }
    let (accepted, refused) = tally.finish("damaged files");
    assert!(accepted >= 300 && refused >= 1000, "{accepted} and {refused}");
}

/// What one may get wrong, one at a time.
#[test]
fn lines_that_have_no_form() {
    for text in [
        "x =\n5",
        "x = 5\n\n  6",
        "x = = 5",
        "x = a b",
        "x = a\n(b)",
        "x = k {\n  a = 1, , b = 2\n}",
        "x = k { a = 1 b = 2 }",
        "x = k { fn f(a) = 1 }",
        "x = k { loss { without a } }",
        "pipeline { a = 1 }",
        "pipeline a from { b = 1 }\npipeline from x { }",
        "pipelin a { }",
        "pipeline a { pipeline b { } }",
        "pipeline a { import \"x.epo\" }",
        "without x",
        "prompt p = 5",
        "prompt p = \"a\" + \"b\"",
        "fn f = 5",
        "fn f(a b) = 5",
        "fn f(,) = 5",
        "import x",
        "import \"x.epo\" as",
        "true = 5",
        "and = 5",
        "x.and = 5",
        "fn or(a) = 5",
        "x = f(true = 1)",
        "x = f(a = 1, 2)",
        "x = a < b < c",
        "x = a == b or c == d == e",
        "x = 1 .. 2 .. 3",
        "x = 1.2.3",
        "x = 1__0",
        "x = 0x10",
        "x = 5e",
        "x = 30minutes",
        "x = a . b",
        "x = a.",
        "x = .5",
        "x = a ** b",
        "x = a && b",
        "x = !a",
        "x = 'a'",
        "x = \"a",
        "x = \"a\nb\"",
        "x = \"\\q\"",
        "x = \"\"\"a",
        "x = \"\"\"a\"\"\"\"",
        "x = (a",
        "x = a)",
        "x = [a }",
        "x = ()",
        "x = [,]",
        "x = a,",
        "x = a; y = b",
        "x = é",
        "x = a \u{2212} b",
    ] {
        assert!(by_parser(text).is_err(), "the parser reads {text:?}");
        assert!(by_grammar(text).is_none(), "the grammar reads {text:?}: {}", crate::parts::read(text).root_node().to_sexp());
    }
}
