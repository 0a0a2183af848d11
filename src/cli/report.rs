//! The tables at the end of a run.

use crate::exec::Outcome;
use crate::plan::Plan;

/// Prints each report's table on stdout, and where its page lies.
pub fn print_tables(_plan: &Plan, outcome: &Outcome) {
    for page in &outcome.pages {
        println!("{}", page.display());
    }
}
