//! Edits without sense: each is taken, each request after it is answered, and nothing ends the server.

use crate::client::{Editor, position};
use crate::pipelines;
use serde_json::{Value, json};

const EDITS: usize = 1000;

/// Numbers that are the same each time (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A place between two characters.
    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

const PIECES: [&str; 26] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "=",
    ",",
    ".",
    "#",
    "\n",
    "\r\n",
    "\u{feff}",
    "𝛽",
    "pipeline a from b {\n",
    "import \"",
    "loss { ",
    " by = ",
    "house.",
    "mean(",
    "- ",
    "\0",
    "without loss",
    "fn f(x) = f(x)\n",
];

/// One change as the protocol has it, and the text after it.
fn change(dice: &mut Dice, text: &str) -> (Value, String) {
    let (a, b) = (dice.place(text), dice.place(text));
    let start = a.min(b);
    // mostly a few letters, sometimes a large part of the text
    let mut end = match dice.below(8) {
        0 => a.max(b),
        1..4 => start,
        _ => (start + 1 + dice.below(12)).min(text.len()),
    };
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let new = match dice.below(4) {
        0 => String::new(),
        1 => {
            let (a, b) = (dice.place(text), dice.place(text));
            text[a.min(b)..a.max(b)].chars().take(200).collect()
        }
        _ => (*dice.of(&PIECES)).to_owned(),
    };
    let after = format!("{}{new}{}", &text[..start], &text[end..]);
    let range = json!({ "start": position(text, start), "end": position(text, end) });
    (json!({ "range": range, "text": new }), after)
}

/// Texts with lone carriage returns have lines where this file's `position` sees none.
fn usable(text: &str) -> bool {
    text.len() < 40_000 && !text.replace("\r\n", "").contains('\r')
}

#[test]
fn a_thousand_edits_are_survived_and_answered() {
    let all = pipelines::files(&["pipelines"]);
    let names: Vec<&str> = all.iter().filter_map(|path| path.to_str()).collect();
    let mut editor = Editor::with(&names);
    let mut dice = Dice(18);
    let mut open: Vec<&str> = Vec::new();
    let mut answered = 0;
    for step in 0..EDITS {
        if step % 25 == 0 {
            // a few recipes at a time, begun anew as they are on the disk
            for file in open.drain(..) {
                let url = editor.url(file);
                editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": url } }));
            }
            open = (0..2).map(|_| *dice.of(&names)).collect();
            open.dedup();
            open.iter().for_each(|file| editor.open(file));
        }
        let file = *dice.of(&open);
        let (url, text) = (editor.url(file), editor.text(file));
        let (change, after) = change(&mut dice, &text);
        if usable(&after) {
            editor.change(&url, &after, change);
        }
        let text = editor.text(file);
        let place = dice.place(&text);
        let at = json!({ "textDocument": { "uri": url }, "position": position(&text, place) });
        let whole = json!({ "start": position(&text, 0), "end": position(&text, text.len()) });
        let (method, more) = match dice.below(13) {
            0 => ("hover", json!({})),
            1 | 2 => ("completion", json!({})),
            3 => ("signatureHelp", json!({})),
            4 => ("definition", json!({})),
            5 => ("documentHighlight", json!({})),
            6 => ("documentSymbol", json!({})),
            7 => ("foldingRange", json!({})),
            8 => ("formatting", json!({ "options": { "tabSize": 2, "insertSpaces": true } })),
            9 => ("inlayHint", json!({ "range": whole })),
            10 => {
                ("codeAction", json!({ "range": whole, "context": { "diagnostics": editor.said.get(&url).map_or(&[][..], |(_, d)| d) } }))
            }
            11 => ("prepareRename", json!({})),
            _ if dice.below(10) == 0 => ("references", json!({ "context": { "includeDeclaration": true } })),
            _ => ("hover", json!({})),
        };
        let mut params = at;
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let answer = editor.response(&format!("textDocument/{method}"), params);
        // refusals are answers; -32603 is a failure of the server's own
        assert!(answer.get("result").is_some() || answer["error"]["code"] == json!(-32803), "{method} after edit {step}: {answer}");
        answered += 1;
    }
    assert_eq!(answered, EDITS);
    // what the server holds is what the editor holds
    for file in open {
        editor.diagnostics(file);
        let (url, text) = (editor.url(file), editor.text(file));
        let symbols = editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": url } }));
        for symbol in symbols.as_array().expect("symbols") {
            assert_eq!(crate::client::slice(&text, &symbol["selectionRange"]), symbol["name"].as_str().expect("a name"), "{file}");
        }
    }
    assert_eq!(editor.end(), Some(0));
}
