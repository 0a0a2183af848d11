//! `epo-run watch`, from outside: the program beside a real run, and a client that knows HTTP and nothing else. `scripts/page-check.sh` looks at it with a browser.

// Signals end it.
#![cfg(unix)]

#[path = "../serve/client.rs"]
#[allow(dead_code, reason = "the tests of `serve` use more of it")]
mod client;
mod going_on;
mod guarded;
mod page;
#[path = "../experiment/runs.rs"]
#[allow(dead_code, reason = "the tests of experiments use more of it")]
mod runs;
mod watcher;

const TINY: &str = "tests/experiment/tiny.epo";
/// With seeds, and with its entropy in a corridor.
const CORRIDOR: &str = "tests/watch/corridor.epo";
