//! The tables at the end of a run.

use crate::exec::Outcome;
use crate::plan::Plan;
use std::path::Path;

/// The width that a table may take.
const WIDTH: usize = 120;

/// Prints each report's table on stdout, and where its page lies.
pub fn print_tables(_plan: &Plan, outcome: &Outcome) {
    for page in &outcome.pages {
        match page.extension().and_then(|e| e.to_str()) {
            Some("json") => print_table(page),
            _ => println!("{}", page.display()),
        }
    }
}

fn print_table(page: &Path) {
    let data = std::fs::read_to_string(page).ok().and_then(|text| crate::report::from_json(&text).ok());
    if let Some(data) = data {
        println!("{}", crate::report::text(&data, WIDTH));
    }
}
