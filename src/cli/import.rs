//! `epo-run import`

use super::{DONE, FAILED, Settings, answer, compiled, complain, complain_with, input, tell};
use crate::import::{self, Imported};
use crate::lang::load::Root;
use crate::spec::{Request, compile};
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    pub verb: ImportVerb,
    /// The file to write, instead of the terminal.
    #[arg(long, short, value_name = "FILE", global = true)]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ImportVerb {
    /// From verl, verl-agent or EPO: a configuration in YAML or JSON, a launcher's script, or a command line.
    Verl {
        /// A file; or the command line as it would be run, behind `--`: `-- bash examples/general_running_server.sh --environment sciworld`.
        #[arg(value_name = "FILE|COMMAND", required = true)]
        words: Vec<String>,
    },
    /// From TRL: a `GRPOConfig` in YAML or JSON.
    Trl {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

pub(super) fn run(args: &ImportArgs, settings: &Settings) -> u8 {
    let read = |path: &std::path::Path| input::read(path, import::LONGEST);
    let imported = match &args.verb {
        ImportVerb::Verl { words } => import::verl(words, read),
        ImportVerb::Trl { file } => read(file).and_then(|text| import::trl(&file.display().to_string(), &text)),
    };
    match imported {
        Ok(imported) => write(args, &imported, settings),
        Err(message) => complain(&message),
    }
}

fn write(args: &ImportArgs, imported: &Imported, settings: &Settings) -> u8 {
    let library = match compiled::library(settings) {
        Ok(library) => library,
        Err(code) => return code,
    };
    let root = Root::Text { name: "what was imported", text: &imported.text };
    let checked = compile(&Request { root, overrides: &[], library: &library });
    match &args.output {
        None => answer(&imported.text),
        Some(path) => {
            let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
            match made.and_then(|mut file| file.write_all(imported.text.as_bytes())) {
                Ok(()) => answer(&format!("{}\n", path.display())),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    return complain_with(&format!("{} is already there", path.display()), Some("choose another name, or remove it first"));
                }
                Err(error) => return complain(&format!("cannot write {}: {error}", path.display())),
            }
        }
    }
    tell(&format!(
        "{} settings have a place, {} have none or are ignored: the end of the file says why",
        imported.placed, imported.unplaced
    ));
    compiled::show(&checked.sources, &checked.diagnostics);
    if checked.diagnostics.has_errors() { FAILED } else { DONE }
}
