//! `epo-run fmt`

use super::{DONE, WRONG_INPUT, answer, compiled, complain};
use crate::lang::{SourceMap, format};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct FmtArgs {
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 1 if there are any.
    #[arg(long)]
    pub check: bool,
}

pub(super) fn run(args: &FmtArgs) -> u8 {
    args.files.iter().map(|file| one(file, args.check)).max().unwrap_or(DONE)
}

fn one(file: &Path, check: bool) -> u8 {
    let shown = file.display();
    let text = match super::input::read(file, crate::lang::MAX_BYTES) {
        Ok(text) => text,
        Err(message) => return complain(&message),
    };
    let formatted = match format::format(&text) {
        Ok(formatted) => formatted,
        Err(diagnostics) => {
            let mut sources = SourceMap::default();
            sources.add(shown.to_string(), Some(file), text);
            compiled::show(&sources, &diagnostics);
            return WRONG_INPUT;
        }
    };
    if formatted == text {
        return DONE;
    }
    answer(&format!("{shown}\n"));
    if check {
        return WRONG_INPUT;
    }
    match write(file, &formatted) {
        Ok(()) => DONE,
        Err(error) => complain(&format!("cannot write {shown}: {error}")),
    }
}

/// Whole or not at all: beside the file, then in its place, with its permissions.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut temporary, text.as_bytes())?;
    temporary.as_file().set_permissions(std::fs::metadata(&file)?.permissions())?;
    // Before it has the name: a power cut would else leave the name without the text.
    temporary.as_file().sync_all()?;
    temporary.persist(&file).map_err(|e| e.error)?;
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
