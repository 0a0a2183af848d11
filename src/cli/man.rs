//! `epo-run man`

use super::args::Cli;
use super::{DONE, answer, complain};
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write a page for each verb as well, all into this folder.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs) -> u8 {
    // `epo-run help VERB` says what the verb's own page says.
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let written = match &args.output {
        Some(folder) => {
            write_all(&program, folder).map_err(|error| format!("cannot write manual pages into {}: {error}", folder.display()))
        }
        None => text(&program).map_err(|error| format!("cannot make the manual page: {error}")),
    };
    match written {
        Ok(said) => {
            answer(&said);
            DONE
        }
        Err(message) => complain(&message),
    }
}

/// Without a day, so that a build gives the same bytes.
fn page(command: &Command) -> Man {
    Man::new(command.clone()).source(concat!("epo-run ", env!("CARGO_PKG_VERSION")))
}

/// In roff.
fn text(command: &Command) -> std::io::Result<String> {
    let mut text = Vec::new();
    page(command).render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `epo-run.1`, `epo-run-check.1` and so on. Gives the folder's name as a line.
fn write_all(program: &Command, folder: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let mut open = vec![program];
    while let Some(command) = open.pop() {
        page(command).generate_to(folder)?;
        open.extend(command.get_subcommands());
    }
    Ok(format!("{}\n", folder.display()))
}
