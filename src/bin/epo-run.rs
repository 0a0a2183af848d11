//! The program `epo-run`; everything it does is in the library's `cli`.

use std::process::ExitCode;

/// An update asks for and lets go of many large buffers: this one keeps them at hand, where the system's hands them back and clears them anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    epo::cli::main()
}
