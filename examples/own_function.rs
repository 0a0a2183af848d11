//! Functions of one's own for equations, compiled in like those of `std/`: `cargo run --example own_function -- check FILE`, where FILE has
//! `import "own/losses.epo"`.

use epo::extend::Additions;
use std::process::ExitCode;

/// Files of the language: a function is a line, and its comment its documentation.
static ADDED: Additions = Additions {
    library: &[(
        "own/losses.epo",
        "\
# The policy gradient, with a bound on how far a token's ratio may move in either direction.
fn bounded(width) = -advantage * clip(exp(logp - old_logp), 1 - width, 1 + width)
",
    )],
    ..Additions::NONE
};

fn main() -> ExitCode {
    epo::cli::main_with(&ADDED)
}
