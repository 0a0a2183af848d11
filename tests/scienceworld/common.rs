use crate::reference::reference;
use epo::env::scienceworld::check::{Recording, read};
use epo::env::scienceworld::{Config, Game, ScienceWorld, Spec, Turn, install};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// One test at a time: each drives many simulators.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The data folder, with the simulator's archive, which is installed through pip if need be.
pub(crate) fn data() -> &'static Path {
    static DATA: OnceLock<PathBuf> = OnceLock::new();
    DATA.get_or_init(|| {
        let folder =
            std::env::var_os("EPO_SCIENCEWORLD").map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("scienceworld"), PathBuf::from);
        install(&folder).unwrap_or_else(|error| panic!("{error}"));
        folder
    })
}

/// Two recordings of the official package, of a few steps: a gold path and a walk.
pub(crate) fn recordings() -> Vec<Recording> {
    read(Path::new("tests/data/scienceworld/recordings.jsonl")).expect("the recordings can be read")
}

/// All recordings of the reference data.
pub(crate) fn all_recordings() -> Vec<Recording> {
    read(&reference("scienceworld/transcripts-public.tar.zst")).expect("the recordings can be read")
}

pub(crate) fn world(data: &Path, config: Config) -> ScienceWorld {
    ScienceWorld::new(data, config).expect("a good configuration")
}

pub(crate) fn spec(id: &str) -> Spec {
    Spec::new(id, "easy").expect("a game")
}

/// The whole episode, turn by turn.
pub(crate) fn played(game: &mut Game, id: &str, actions: &[String]) -> Result<Vec<Turn>, epo::env::EnvError> {
    let mut turns = vec![game.begin(spec(id))?.clone()];
    for action in actions {
        turns.push(game.act(action)?.clone());
    }
    Ok(turns)
}

/// Easy games and random actions in them.
pub(crate) fn walks(count: usize, steps: usize) -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string("tests/data/scienceworld/walks.tsv").expect("the walks can be read");
    let walk = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        (parts.next().expect("a game"), parts.take(steps).collect())
    };
    text.lines().take(count).map(walk).collect()
}

pub(crate) fn signal(process: u32, signal: &str) {
    let status = std::process::Command::new("kill").arg(signal).arg(process.to_string()).status();
    assert!(status.is_ok_and(|status| status.success()), "kill {signal} {process}");
}
