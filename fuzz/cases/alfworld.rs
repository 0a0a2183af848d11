//! Arbitrary bytes as a game file: read and played, or refused; never a panic, never without end.

use epo::env::alfworld::GameFile;
use epo::env::pddl::Loader;
use std::path::Path;

/// Panics where something is wrong.
pub fn run(bytes: &[u8]) {
    let name = Path::new("game.tw-pddl");
    let Ok(file) = GameFile::parse(name, bytes) else { return };
    let Ok(game) = file.game(name, &Loader::new()) else { return };
    let mut state = game.initial();
    let _ = game.opening(&state);
    for round in 0..5 {
        let commands = game.admissible_texts(&state);
        let Some(command) = commands.get(commands.len() * round / 5).map(|text| (*text).to_string()) else { return };
        let _ = game.act(&mut state, &command);
        let _ = game.won(&state);
    }
}
