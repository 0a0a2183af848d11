//! Programs that play, and what is played in them.

use epo::env::process::Process;
use epo::env::{EnvError, Environment, Program, World};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// A path of the repository.
pub(crate) fn here(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).display().to_string()
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The interpreter itself, and no script in its place that would take longer to start.
pub(crate) fn python() -> &'static str {
    static PYTHON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = std::process::Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        String::from_utf8(output.expect("python3 is there").stdout).expect("UTF-8").trim().to_owned()
    })
}

/// The command of the twin in Python, which misbehaves in one way.
pub(crate) fn twin_command(way: &str, folder: &Path) -> Vec<String> {
    words(&[python(), &here("tests/process/twin.py"), &here("python"), way, &folder.display().to_string()])
}

pub(crate) fn twin(way: &str, time_out: Duration) -> Process {
    let program = Program { time_out, ..Program::new(twin_command(way, Path::new(""))) };
    Process::start("twin", "3", &["far".into()], program).unwrap_or_else(|error| panic!("{error}"))
}

/// A shell script as a program.
#[cfg(unix)]
pub(crate) fn script(text: &str, time_out: Duration) -> Result<Process, EnvError> {
    Process::start("script", "1", &[], Program { time_out, pass: Vec::new(), ..Program::new(words(&["/bin/sh", "-c", text])) })
}

/// All that an episode says when it is played in a fixed way, some of it nonsense.
pub(crate) fn transcript(world: &dyn World, id: &str, seed: u64) -> Result<String, EnvError> {
    let mut game = world.instance()?;
    play(&mut *game, id, seed)
}

pub(crate) fn play(game: &mut dyn Environment, id: &str, seed: u64) -> Result<String, EnvError> {
    let mut said = String::new();
    let task = epo::env::Task { id: id.into(), family: String::new() };
    let _ = writeln!(said, "{:?}", game.reset(&task, seed)?);
    for turn in 0..15_u64 {
        let expert = game.expert()?;
        let _ = writeln!(said, "{:?} {:?} {expert:?} {:?}", game.admissible()?, game.placeholder("far")?, game.figures());
        let draw = (seed / 7 + turn * turn + turn * 3) % 6;
        let action = match draw {
            0 => "left".to_owned(),
            1 => "fly \u{1b}[31m \"away\"\n".to_owned(),
            2 | 3 => "stay".to_owned(),
            _ => expert.unwrap_or_default(),
        };
        let step = game.step(&action)?;
        let _ = writeln!(said, "{action:?} {step:?}");
        if step.terminated || step.truncated {
            break;
        }
    }
    Ok(said)
}

/// Each with a seed of its own.
pub(crate) fn seed(number: u64) -> u64 {
    blake3::hash(&number.to_le_bytes()).as_bytes()[..8].iter().fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// Many at once, each on a thread of its own, in the order of their numbers.
pub(crate) fn at_once(world: &dyn World, episodes: u64) -> Vec<Result<String, String>> {
    on_threads(world, episodes, 1).concat()
}

/// On every thread so many episodes, one after another, each in the place of the one before.
pub(crate) fn on_threads(world: &dyn World, threads: u64, episodes: u64) -> Vec<Vec<Result<String, String>>> {
    let one = |number: u64, game: &mut dyn Environment| {
        play(game, &format!("train/{}", number % 40), seed(number)).map_err(|error| error.to_string())
    };
    let thread = |thread: u64| -> Vec<Result<String, String>> {
        let mut game = world.instance().expect("an instance");
        (0..episodes).map(|episode| one(thread + episode * threads, &mut *game)).collect()
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|number| scope.spawn(move || thread(number))).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    })
}
