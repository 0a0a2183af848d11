use epo::env::scienceworld::check::{Recording, read};
use epo::env::scienceworld::{Config, Game, ScienceWorld, Spec, Turn, install};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// One test at a time: each drives many simulators.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is(variable: &str, value: &str) -> bool {
    std::env::var(variable).is_ok_and(|found| found == value)
}

/// The long checks are wanted.
pub(crate) fn full() -> bool {
    is("EPO_FULL", "1")
}

/// The same, for a test that is a long check.
pub(crate) fn wanted() -> bool {
    if !full() {
        eprintln!("skipped: a long check, for EPO_FULL=1");
    }
    full()
}

/// CI runs every test that is not one of the long ones, and the whole check runs all of them.
fn has_to_be_there() -> bool {
    is("EPO_FULL", "1") || is("CI", "true")
}

/// The data folder, with the archive installed, if Java and the archive can be had; CI and the whole check insist on them.
pub(crate) fn data() -> Option<&'static Path> {
    static DATA: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let data = DATA.get_or_init(|| {
        let folder =
            std::env::var_os("EPO_SCIENCEWORLD").map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("scienceworld"), PathBuf::from);
        install(&folder).map_err(|error| error.to_string())?;
        let world = ScienceWorld::new(&folder, Config::default()).map_err(|error| error.to_string())?;
        world.game().map_err(|error| error.to_string())?;
        Ok(folder)
    });
    match data {
        Ok(folder) => Some(folder),
        Err(reason) => {
            assert!(!has_to_be_there(), "{reason}");
            eprintln!("skipped: {reason}");
            None
        }
    }
}

/// The recordings of the official package, if the shared data are there.
pub(crate) fn recordings() -> Option<&'static [Recording]> {
    static RECORDINGS: OnceLock<Option<Vec<Recording>>> = OnceLock::new();
    let recordings = RECORDINGS.get_or_init(|| {
        let shared = std::env::var_os("EPO_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
        let file = shared.join("data/scienceworld/transcripts-public.tar.zst");
        if !file.is_file() {
            assert!(!has_to_be_there(), "{} is missing", file.display());
            eprintln!("skipped: {} is missing (EPO_SHARED)", file.display());
            return None;
        }
        Some(read(&file).expect("the recordings can be read"))
    });
    recordings.as_deref()
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

/// Easy episodes of the recordings: what they are called, and the actions.
pub(crate) fn walks(recordings: &[Recording], count: usize, steps: usize) -> Vec<(String, Vec<String>)> {
    let easy = recordings.iter().filter(|recording| recording.simplification == "easy" && recording.kind == "walk");
    easy.map(|recording| {
        let actions = recording.steps.iter().filter_map(|step| step.action.clone()).take(steps).collect();
        (format!("{}/{}", recording.task, recording.variation), actions)
    })
    .take(count)
    .collect()
}

pub(crate) fn signal(process: u32, signal: &str) {
    let status = std::process::Command::new("kill").arg(signal).arg(process.to_string()).status();
    assert!(status.is_ok_and(|status| status.success()), "kill {signal} {process}");
}
