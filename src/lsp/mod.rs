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
use std::path::PathBuf;

/// Serves an editor over stdin and stdout until it says goodbye. `texts`: a folder for the texts of the library, to be shown.
///
/// # Errors
/// What went wrong with the connection.
pub(crate) fn serve(library: Cow<'static, Library>, texts: PathBuf) -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    let result = server::run(&connection, library, texts);
    drop(connection);
    result?;
    threads.join().map_err(|error| error.to_string())
}
