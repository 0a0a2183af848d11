//! `epo-run lsp`

use super::{DONE, FAILED, Settings, complain, elsewhere, surroundings};
use crate::lsp;
use clap::Args;

#[derive(Debug, Args)]
pub(super) struct LspArgs {
    /// Over stdin and stdout, as editors expect; there is no other way.
    #[arg(long)]
    pub stdio: bool,
}

pub(super) fn run(_: &LspArgs, settings: &Settings) -> u8 {
    let library = match settings.library() {
        Ok(library) => library,
        Err(message) => return complain(&message),
    };
    // The texts of the library are shown from there: one folder for each version of them.
    let all: String = library.files().map(|(name, text)| format!("{name}\0{text}\0")).collect();
    let digest = blake3::hash(all.as_bytes()).to_hex();
    let home = surroundings::data_home().unwrap_or_else(std::env::temp_dir);
    let texts = home.join("epo").join("library").join(digest.as_str().get(..16).unwrap_or("texts"));
    match lsp::serve(library, elsewhere::FOR_EDITORS, texts) {
        Ok(()) => DONE,
        Err(message) => {
            complain(&message);
            FAILED
        }
    }
}
