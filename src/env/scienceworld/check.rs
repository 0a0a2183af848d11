//! Replaying recordings of the official package, to the letter.

use super::config::Config;
use super::episode::{Mode, Spec};
use super::game::Game;
use super::{ScienceWorld, SetupError};
use crate::env::{self, EnvError, Replay};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One recorded episode; the first step is the reset.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Recording {
    /// One of the simulator's 30 tasks: `boil`.
    pub task: String,
    /// From 0.
    pub variation: u32,
    /// As in [`Config::simplification`](super::Config::simplification).
    pub simplification: String,
    /// `gold` or `walk`.
    pub kind: String,
    /// The goal in words.
    pub task_description: String,
    /// The reset, then one for each action.
    pub steps: Vec<RecordedStep>,
}

/// What the simulator's package in Python answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RecordedStep {
    /// `None` for the reset.
    pub action: Option<String>,
    /// The answer to the action.
    pub observation: String,
    /// 0 to 100, or -100 after a failure.
    pub score: i32,
    /// Change of the score.
    pub reward: i32,
    /// The simulator's clock.
    pub moves: u32,
    /// The game is over.
    pub done: bool,
    /// The room as it is described.
    pub look: String,
    /// What is carried.
    pub inventory: String,
    /// `None` where they are those of the step before.
    pub possible_actions: Option<Vec<String>>,
    /// What actions can name.
    pub possible_objects: Vec<String>,
    /// How many valid actions there are.
    pub valid_count: usize,
    /// SHA-256, in hex, of the valid actions sorted by code point and joined with line feeds.
    pub valid_sha256: String,
}

impl Recording {
    /// `boil/3 easy gold`
    pub fn name(&self) -> String {
        let simplification = if self.simplification.is_empty() { "plain" } else { &self.simplification };
        format!("{}/{} {simplification} {}", self.task, self.variation, self.kind)
    }
}

/// What prevents any replaying.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The simulator cannot be set up.
    #[error("{0}")]
    Setup(#[from] SetupError),
    /// A recording names a game that the simulator does not know.
    #[error("{0}")]
    Config(#[from] EnvError),
    /// A file is no recording.
    #[error("`{file}`: {reason}")]
    Recordings {
        /// The recordings.
        file: String,
        /// What is wrong, and in which line.
        reason: String,
    },
}

/// Reads recordings: one episode as JSON a line, plain (`.jsonl`), packed (`.zst`), or in an archive (`.tar`, `.tar.zst`).
///
/// # Errors
/// [`CheckError::Recordings`] says where the file is not what it should be.
pub fn read(file: &Path) -> Result<Vec<Recording>, CheckError> {
    let wrong = |reason: String| CheckError::Recordings { file: file.display().to_string(), reason };
    let opened = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (plain_name, input): (&str, Box<dyn Read>) = match name.strip_suffix(".zst") {
        Some(inner) => {
            (inner, Box::new(ruzstd::decoding::StreamingDecoder::new(opened).map_err(|error| wrong(format!("not zstd: {error}")))?))
        }
        None => (&name, Box::new(opened)),
    };
    let input = Bounded { input, left: MOST_BYTES };
    let mut recordings = Vec::new();
    if Path::new(plain_name).extension().is_some_and(|extension| extension == "tar") {
        let mut archive = tar::Archive::new(input);
        for entry in archive.entries().map_err(|error| wrong(error.to_string()))? {
            let entry = entry.map_err(|error| wrong(error.to_string()))?;
            if entry.path().is_ok_and(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
                add(&mut recordings, entry).map_err(wrong)?;
            }
        }
    } else {
        add(&mut recordings, input).map_err(wrong)?;
    }
    if recordings.is_empty() {
        return Err(wrong("there are no recordings in it".into()));
    }
    Ok(recordings)
}

/// A small file may unpack to more than any machine has room for; all recordings that there are have less.
const MOST_BYTES: usize = 1 << 30;

/// Fails where there is more.
struct Bounded<R> {
    input: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count)
            .ok_or_else(|| std::io::Error::other(format!("it unpacks to more than {} MiB", MOST_BYTES >> 20)))?;
        Ok(count)
    }
}

fn add(recordings: &mut Vec<Recording>, lines: impl Read) -> Result<(), String> {
    for line in BufReader::new(lines).lines() {
        let line = line.map_err(|error| error.to_string())?;
        if !line.trim().is_empty() {
            let number = recordings.len() + 1;
            recordings.push(serde_json::from_str(&line).map_err(|error| format!("episode {number} is no recording: {error}"))?);
        }
    }
    Ok(())
}

/// The first thing in which an episode differs from its recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// [`Recording::name`].
    pub episode: String,
    /// 0 is the reset.
    pub step: usize,
    /// The field of [`RecordedStep`].
    pub field: &'static str,
    /// What the recording says.
    pub recorded: String,
    /// What the simulator says.
    pub found: String,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Episodes played.
    pub episodes: usize,
    /// Steps compared, resets included.
    pub steps: usize,
    /// At most one an episode, in the order of the recordings.
    pub differences: Vec<Difference>,
    /// Episodes that could not be played to their end, with the reason.
    pub broken: Vec<(String, String)>,
}

impl Report {
    /// No difference, and every episode was played to its end.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty() && self.broken.is_empty()
    }
}

impl From<Report> for Replay {
    fn from(report: Report) -> Self {
        let example = |found: &Difference| env::Difference {
            place: format!("{}, step {}", found.episode, found.step),
            what: found.field.into(),
            recorded: found.recorded.clone(),
            found: found.found.clone(),
        };
        Self {
            compared: vec![("episodes", report.episodes), ("steps", report.steps)],
            differences: report.differences.len(),
            examples: report.differences.iter().map(example).collect(),
            failures: report.broken.iter().map(|(episode, reason)| format!("{episode}: {reason}")).collect(),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { episodes, steps, differences, broken } = self;
        for Difference { episode, step, field, recorded, found } in differences.iter().take(20) {
            writeln!(f, "{episode}, step {step}: {field} was {recorded:?}, is {found:?}")?;
        }
        for (episode, reason) in broken.iter().take(20) {
            writeln!(f, "{episode}: {reason}")?;
        }
        let shown = differences.len().min(20) + broken.len().min(20);
        if shown < differences.len() + broken.len() {
            writeln!(f, "… and {} more", differences.len() + broken.len() - shown)?;
        }
        write!(f, "{episodes} episodes, {steps} steps: {} differ, {} broke down", differences.len(), broken.len())
    }
}

/// Replays a file of recordings on `simulators` simulators at once, each on a thread of its own.
/// `progress` is told how many episodes are done and how many there are.
///
/// # Errors
/// Only what prevents any replaying; what goes wrong in an episode is in the report.
pub fn check(data: &Path, transcripts: &Path, simulators: usize, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, CheckError> {
    let recordings = read(transcripts)?;
    let config = Config { mode: Mode::Full, ..Config::default() };
    replay(&ScienceWorld::new(data, config)?, &recordings, simulators, progress)
}

/// The same for recordings that have been read. The world has to be in the full mode with the usual move limit of 100.
///
/// # Errors
/// [`CheckError::Setup`]
pub fn replay(
    world: &ScienceWorld,
    recordings: &[Recording],
    simulators: usize,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Report, CheckError> {
    let games = (0..simulators.clamp(1, recordings.len().max(1))).map(|_| world.game()).collect::<Result<Vec<_>, _>>()?;
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; recordings.len()]);
    std::thread::scope(|scope| {
        for mut game in games {
            let (next, done, outcomes) = (&next, &done, &outcomes);
            scope.spawn(move || {
                while let Some((index, recording)) = take_next(next, recordings) {
                    let outcome = replay_one(&mut game, recording);
                    if let Some(place) = outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(index) {
                        *place = Some(outcome);
                    }
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, recordings.len());
                }
            });
        }
    });
    let mut report = Report::default();
    for (outcome, recording) in
        outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().flatten().zip(recordings)
    {
        report.episodes += 1;
        report.steps += outcome.steps;
        report.differences.extend(outcome.difference);
        report.broken.extend(outcome.broken.map(|reason| (recording.name(), reason)));
    }
    Ok(report)
}

fn take_next<'a>(next: &AtomicUsize, recordings: &'a [Recording]) -> Option<(usize, &'a Recording)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    recordings.get(index).map(|recording| (index, recording))
}

#[derive(Clone, Debug, Default)]
struct Outcome {
    steps: usize,
    difference: Option<Difference>,
    broken: Option<String>,
}

fn replay_one(game: &mut Game, recording: &Recording) -> Outcome {
    let mut outcome = Outcome::default();
    if let Err(error) = compare(game, recording, &mut outcome) {
        outcome.broken = Some(error.to_string());
    }
    outcome
}

fn compare(game: &mut Game, recording: &Recording, outcome: &mut Outcome) -> Result<(), EnvError> {
    let spec = Spec::new(&format!("{}/{}", recording.task, recording.variation), &recording.simplification)?;
    let mut templates: &[String] = &[];
    for (number, step) in recording.steps.iter().enumerate() {
        match &step.action {
            Some(action) => game.act(action)?,
            None => game.begin(spec.clone())?,
        };
        templates = step.possible_actions.as_deref().unwrap_or(templates);
        let limit = game.config().move_limit;
        let (look, inventory, goal) = (game.look()?, game.inventory()?, game.goal_with_heading()?);
        let turn = game.turn()?;
        let mut valid = turn.valid_actions.clone().unwrap_or_default();
        valid.sort_unstable();
        let hash: String = Sha256::digest(valid.join("\n").as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let done = turn.terminated() || turn.truncated(limit);
        let fields: [(&'static str, String, String); 12] = [
            ("observation", step.observation.clone(), turn.observation.clone()),
            ("score", step.score.to_string(), turn.score.to_string()),
            ("reward", step.reward.to_string(), game.gain().to_string()),
            ("moves", step.moves.to_string(), turn.moves.to_string()),
            ("done", step.done.to_string(), done.to_string()),
            ("look", step.look.clone(), look),
            ("inventory", step.inventory.clone(), inventory),
            ("task description", recording.task_description.clone(), goal),
            ("actions", templates.join("; "), game.templates()?.join("; ")),
            ("objects", step.possible_objects.join("; "), turn.objects.join("; ")),
            ("number of valid actions", step.valid_count.to_string(), valid.len().to_string()),
            ("valid actions", step.valid_sha256.clone(), hash),
        ];
        outcome.steps += 1;
        if let Some((field, recorded, found)) = fields.into_iter().find(|(_, recorded, found)| recorded != found) {
            outcome.difference = Some(Difference { episode: recording.name(), step: number, field, recorded, found });
            return Ok(());
        }
    }
    Ok(())
}
