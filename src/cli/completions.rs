//! `epo-run completions`

use super::args::Cli;
use super::{DONE, answer};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "epo-run", &mut script);
    answer(&String::from_utf8_lossy(&script));
    DONE
}
