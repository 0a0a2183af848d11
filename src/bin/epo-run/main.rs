//! The program `epo-run`; everything it does is in the library's `cli`.

mod allocator;

use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::configure();
    epo::cli::main()
}
