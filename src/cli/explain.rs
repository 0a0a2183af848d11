//! `epo-run explain`

use super::{DONE, answer, complain};
use crate::lang::codes;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The code of a message: `E0104`, or `104`.
    #[arg(value_name = "CODE")]
    pub code: String,
}

pub(super) fn run(args: &ExplainArgs) -> u8 {
    match codes::explain(&args.code) {
        Ok(text) => {
            answer(&text);
            DONE
        }
        Err(message) => complain(&message),
    }
}
