//! `epo-run lsp`: what the compiler knows, for editors, by the Language Server Protocol.
//!
//! The texts that an editor holds are read in the place of those of the disk. After each edit the whole check of `epo-run check` runs; what requests need
//! besides is asked of [`spec::known`](crate::spec::known) and remembered until the next edit. A request that fails, or panics, is answered with an error.

mod actions;
mod answers;
mod completion;
mod describe;
mod diagnostics;
mod documents;
mod hints;
mod hover;
mod layout;
mod navigate;
mod offers;
mod places;
mod rename;
mod server;
mod signature;
mod symbols;
mod workspace;

use crate::lang::load::Library;
use lsp_server::Connection;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use workspace::Workspace;

/// Texts of elsewhere by their names, or why one cannot be used.
pub(crate) type Texts = BTreeMap<String, Result<String, String>>;

/// How texts are found that a folder's lock pins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinned {
    /// The folder's lock, if it can be read.
    pub lock: fn(&Path) -> Option<String>,
    /// The texts that a lock names.
    pub texts: fn(&str, &Path) -> Texts,
}

/// Serves an editor over stdin and stdout until it says goodbye. `texts`: a folder for the texts of the library, to be shown.
///
/// # Errors
/// What went wrong with the connection.
pub(crate) fn serve(library: Cow<'static, Library>, pinned: Pinned, texts: PathBuf) -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let result = server::run(&connection, |folders| Workspace::new(folders, library, pinned, texts));
    drop(connection);
    result?;
    threads.join().map_err(|error| error.to_string())
}
