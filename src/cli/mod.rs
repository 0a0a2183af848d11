//! The command line: one file a verb. stdout is the answer, stderr is talk.

mod args;
mod check;
mod compiled;
mod device;
mod plan;
mod report;
mod run;
mod settings;

pub use settings::Settings;

use args::{Cli, Verb};
use clap::Parser;
use std::process::ExitCode;

/// Done, warnings included.
pub const DONE: u8 = 0;
/// The user's input is wrong.
pub const WRONG_INPUT: u8 = 1;
/// The run failed.
pub const FAILED: u8 = 2;
/// Interrupted; the same command goes on.
pub const INTERRUPTED: u8 = 130;

/// Runs the command and gives its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG_INPUT } else { DONE });
        }
    };
    ExitCode::from(dispatch(&cli))
}

fn dispatch(cli: &Cli) -> u8 {
    let settings = match Settings::load(&cli.settings) {
        Ok(settings) => settings,
        Err(message) => return complain(&message),
    };
    match &cli.verb {
        None => match &cli.run.file {
            Some(file) => run::run(file, &cli.run, &settings),
            None => {
                let _ = <Cli as clap::CommandFactory>::command().print_help();
                WRONG_INPUT
            }
        },
        Some(Verb::Check(args)) => check::run(args),
        Some(Verb::Plan(args)) => plan::run(args, &settings),
    }
}

/// Says on stderr what is wrong with the user's input.
pub(crate) fn complain(message: &str) -> u8 {
    eprintln!("error: {message}");
    WRONG_INPUT
}
