//! `epo-run man`

use super::args::Cli;
use super::{DONE, answer, complain};
use clap::{Args, CommandFactory};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write a page for each verb as well, all into this folder.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs) -> u8 {
    let written = match &args.output {
        Some(folder) => write_all(folder).map_err(|error| format!("cannot write manual pages into {}: {error}", folder.display())),
        None => page().map_err(|error| format!("cannot make the manual page: {error}")),
    };
    match written {
        Ok(said) => {
            answer(&said);
            DONE
        }
        Err(message) => complain(&message),
    }
}

/// The page of the program itself, in roff.
fn page() -> std::io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// `epo-run.1`, `epo-run-check.1` and so on. Gives the folder's name as a line.
fn write_all(folder: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    Ok(format!("{}\n", folder.display()))
}
