//! The program `epo-run`; everything it does is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    epo::cli::main()
}
