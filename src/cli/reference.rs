//! The pages under `docs/reference/`, made from the registries: what the program says of itself and what the pages say cannot differ.

use super::args::Cli;
use super::kinds::first_sentence;
use crate::builtin::{Builtin, Notation};
use crate::kind::{FieldInfo, KindInfo};
use crate::lang::codes;
use crate::lang::load::Library;
use crate::objective::probe::EXAMPLE;
use crate::objective::quantities::{QUANTITIES, When};
use crate::registry::{all_kinds, shared_fields};
use crate::spec::describe::{doc, gradient, sentence, signature, when_left_out};
use crate::spec::{LibraryFunction, PRELUDE, library_functions};
use clap::CommandFactory;
use std::fmt::Write;

/// Name and text of every page. The functions of `std/` are those of `library`.
pub fn pages(library: &Library) -> Vec<(&'static str, String)> {
    vec![
        ("kinds.md", kinds()),
        ("functions.md", functions(library)),
        ("quantities.md", quantities()),
        ("codes.md", codes_page()),
        ("command-line.md", command_line()),
    ]
}

fn head(title: &str, words: &str) -> String {
    format!("<!-- Made by `UPDATE=1 cargo test --test cli reference`; do not edit. -->\n\n# {title}\n\n{words}\n")
}

/// For a cell of a table.
fn cell(text: &str) -> String {
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn kinds() -> String {
    let mut out = head(
        "Kinds",
        "What may stand before `{ … }`. Fields may be given in any order; where a kind is written like a call, `between(\"<a>\", \"</a>\")`, in the \
         order of the table. \"The pipeline's line\" means: left out, the field is taken from the pipeline's line of that name.",
    );
    let mut last = "";
    for (category, kind) in all_kinds() {
        if category != last {
            let _ = writeln!(out, "\n- [{category}](#{category}):");
            last = category;
        }
        let _ = writeln!(out, "  - [`{0}`](#{0}): {1}", kind.name, first_sentence(kind.doc));
    }
    last = "";
    for (category, kind) in all_kinds() {
        if category != last {
            let _ = writeln!(out, "\n## {category}");
            if let Some(shared) = shared_fields(category) {
                let _ = writeln!(out, "\n{}", doc(shared).trim());
                fields(&mut out, shared.fields);
            }
            last = category;
        }
        one_kind(&mut out, kind);
    }
    out
}

fn one_kind(out: &mut String, kind: &KindInfo) {
    let _ = writeln!(out, "\n### {}\n\n{}", kind.name, doc(kind).trim());
    fields(out, kind.fields);
}

fn fields(out: &mut String, fields: &[FieldInfo]) {
    if fields.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n| field | takes | left out | |\n|---|---|---|---|");
    for field in fields {
        let left_out = when_left_out(field);
        let left_out = left_out.replacen("default: ", "", 1);
        let left_out = if (field.default)().is_some() && !field.inherited { format!("`{left_out}`") } else { left_out };
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", field.name, cell(&(field.expects)()), cell(&left_out), cell(field.doc));
    }
}

fn functions(library: &Library) -> String {
    let mut out = head(
        "Functions",
        "What an objective may be built from. Levels, and when each line is evaluated: `docs/language.md`. Everything in `std/` is written in the \
         language itself; its functions are below.",
    );
    let _ = writeln!(
        out,
        "\nEvery example has its value on this batch, in the format that `epo-run probe` reads; that of an advantage is one number for each row, in brackets \
         where a row's tokens differ.\n\n```json\n{}\n```",
        EXAMPLE.trim_end()
    );
    out.push_str("\n## Operators\n\n| | meaning | | gradient | example | is |\n|---|---|---|---|---|---|\n");
    for row in Builtin::ALL.iter().map(|builtin| builtin.row()) {
        let sign = match row.notation {
            Notation::Call => continue,
            Notation::Prefix { sign, .. } => sign.trim_end(),
            Notation::Infix(_) => row.name,
        };
        let (gradient, example) = (gradient(row), row.example);
        let [equation, doc, text] = [row.equation, row.doc, example.text].map(cell);
        let _ = writeln!(out, "| `{}` | {equation} | {doc} | {gradient} | `{text}` | {} |", cell(sign), example.value);
    }
    out.push_str("\n## Built in\n");
    for row in Builtin::functions().map(Builtin::row) {
        let _ = writeln!(out, "\n### {}\n\n`{}`", row.name, signature(row));
        let _ = writeln!(out, "\n{}\n\n{}. Gradient: {}.", row.equation, sentence(row.doc), gradient(row));
        let _ = writeln!(out, "\n```epo-expression\n{}\n```\n\nis {}.", row.example.text, row.example.value);
    }
    for name in library.names().filter(|name| name.starts_with("std/")) {
        let how = if name == PRELUDE { "Visible everywhere, without an import.".into() } else { format!("`import \"{name}\"`") };
        let _ = writeln!(out, "\n## {name}\n\n{how}");
        for function in library_functions(library, name) {
            let LibraryFunction { name, text, comment, example, value, .. } = function;
            let doc: Vec<&str> = comment.lines().map(|line| line.trim_start_matches(['#', ' '])).collect();
            let _ =
                writeln!(out, "\n### {name}\n\n{}\n\n```epo-library\n{text}\n```", doc.join("\n").trim_end_matches('.').to_owned() + ".");
            let _ = writeln!(out, "\nExample: `{example}` is {value}");
        }
    }
    out
}

fn quantities() -> String {
    let mut out = head(
        "Quantities",
        "What a batch knows. A value of a coarser level may stand where one of a finer level is expected: it is given to each of its elements.\n\n\
         *Always*: also in schedules, before any data. *Collected*: once the episodes of an iteration are there, so also in an `advantage`. *Learning*: \
         only in a `loss`.",
    );
    out.push_str("\n| quantity | one for each | gradient | known | |\n|---|---|---|---|---|\n");
    for q in &QUANTITIES {
        let when = match q.when {
            When::Always => "always",
            When::Collected => "collected",
            When::Learning => "learning",
        };
        let gradient = if q.gradient { "yes" } else { "" };
        let _ = writeln!(out, "| `{}` | {} | {gradient} | {when} | {} |", q.name, q.level.name(), cell(q.doc));
    }
    out
}

fn codes_page() -> String {
    let mut out = head("Codes", "Every message has a code; `epo-run explain E0104` prints what stands here.");
    for row in codes::all() {
        let _ = writeln!(out, "\n## {}: {}\n\n{}", row.code, row.title, row.explanation.trim());
        for (words, example) in [("Wrong", row.wrong), ("Right", row.right)] {
            if !example.is_empty() {
                let _ = writeln!(out, "\n{words}:\n\n```epo-fragment\n{}\n```", example.trim_end());
            }
        }
    }
    out
}

/// Columns of the help texts on the page; on a terminal they are as wide as it is.
const WIDTH: usize = 100;

fn command_line() -> String {
    let mut command = Cli::command().term_width(WIDTH);
    command.build();
    let mut out = head("The command line", "As `epo-run help`, `epo-run help VERB` print it.");
    help(&mut out, &mut command, "epo-run", 2);
    out
}

fn help(out: &mut String, command: &mut clap::Command, path: &str, depth: usize) {
    let text = command.clone().term_width(WIDTH).render_long_help().to_string();
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    let _ = writeln!(out, "\n{} {path}\n\n```text\n{}\n```", "#".repeat(depth), lines.join("\n"));
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_string()).filter(|n| n != "help").collect();
    for name in names {
        if let Some(inner) = command.find_subcommand_mut(&name) {
            help(out, inner, &format!("{path} {name}"), depth + 1);
        }
    }
}
