//! Every example of the reference has the value that stands beside it. An operation that computes something else fails by name.

use super::support::{advantage, all_there, loss};
use crate::repository::REPOSITORY;
use epo::builtin::Builtin;
use epo::objective::probe::{EXAMPLE, ProbeBatch, probe};
use epo::spec::library_functions;

fn batch() -> ProbeBatch {
    ProbeBatch::from_json(EXAMPLE).expect("the batch of the reference")
}

/// To six digits.
fn rounded(x: f64) -> f64 {
    let short: f64 = format!("{x:.5e}").parse().expect("a number");
    // No −0: it would be written like no other 0.
    short + 0.0
}

fn value(text: &str) -> f64 {
    let answer = probe(Some(&loss(text)), None, &batch()).unwrap_or_else(|e| panic!("{text}: {e}"));
    rounded(answer.minimize.expect("a value"))
}

#[test]
fn of_operators_and_built_in_functions() {
    let mut wrong = Vec::new();
    for row in Builtin::ALL.iter().map(|builtin| builtin.row()) {
        let found = value(row.example.text);
        if found != row.example.value {
            wrong.push(format!("`{}`: {} is {found}, not {}", row.name, row.example.text, row.example.value));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Values of the tokens, row after row; of a row whose tokens are all alike, one.
fn rows(text: &str) -> String {
    let answer = probe(None, Some(&advantage(text)), &batch()).unwrap_or_else(|e| panic!("{text}: {e}"));
    let lengths = batch().batch().rows().lengths.clone();
    let row = |(row, length): (Vec<f64>, usize)| {
        let tokens: Vec<String> = row[..length].iter().map(|x| rounded(*x).to_string()).collect();
        if tokens.iter().all(|token| *token == tokens[0]) { tokens[0].clone() } else { format!("({})", tokens.join(" ")) }
    };
    all_there(answer.advantage).into_iter().zip(lengths).map(row).collect::<Vec<_>>().join(", ")
}

#[test]
fn of_the_library() {
    let mut wrong = Vec::new();
    for file in REPOSITORY.names().filter(|name| name.starts_with("std/")) {
        for function in library_functions(&REPOSITORY, file) {
            let found = match file {
                "std/advantages.epo" => rows(function.example),
                // Numbers that change over a run are the same for the whole batch.
                "std/prelude.epo" => value(&format!("{} + 0 * mean(logp)", function.example)).to_string(),
                _ => value(function.example).to_string(),
            };
            if found != function.value {
                wrong.push(format!("{file}: `{}`: {} -> {found}", function.name, function.example));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
