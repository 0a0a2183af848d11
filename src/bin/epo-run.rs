use std::process::ExitCode;

fn main() -> ExitCode {
    epo::cli::main()
}
