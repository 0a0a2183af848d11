//! `epo-run new`

use super::{DONE, answer, complain, complain_with, tell};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// The pipeline's name; the file is NAME.epo.
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `NAME` stands for the pipeline's name.
const TEMPLATE: &str = include_str!("new.epo");

pub(super) fn run(args: &NewArgs) -> u8 {
    let path = PathBuf::from(&args.name).with_extension("epo");
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let reserved = ["and", "or", "not", "true", "false", "house", "look"].contains(&name.as_str());
    if !begins || reserved || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let near: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let near = if begins && !reserved { near } else { format!("my_{near}") };
        return complain_with(
            &format!("`{name}` cannot be the name of a pipeline"),
            Some(&format!("letters, digits and `_` can, such as `{near}`")),
        );
    }
    let shown = path.display();
    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
    match made.and_then(|mut file| file.write_all(TEMPLATE.replace("NAME", &name).as_bytes())) {
        Ok(()) => {
            answer(&format!("{shown}\n"));
            tell(&format!("check it with `epo-run check {shown}`, run it with `epo-run {shown}`"));
            DONE
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            complain_with(&format!("{shown} is already there"), Some("choose another name, or remove it first"))
        }
        Err(error) => complain(&format!("cannot write {shown}: {error}")),
    }
}
