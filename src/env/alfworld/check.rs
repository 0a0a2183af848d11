//! Replays recorded play of the reference environment and says what differs.

use super::{AlfworldError, GameFile};
use crate::env::Replay;
use crate::env::pddl::{Game, Loader, State};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// The first line of a recording.
#[derive(Deserialize)]
struct Head {
    game: String,
}

/// Every other line: one moment of play, after `action`.
#[derive(Deserialize)]
struct Moment {
    episode: String,
    step: usize,
    action: Option<String>,
    observation: String,
    admissible_commands: Vec<String>,
    won: bool,
    score: i64,
    done: bool,
}

/// One thing that came out otherwise than recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The recording's file.
    pub transcript: PathBuf,
    /// Of the recording, from 1.
    pub line: usize,
    /// The game.
    pub episode: String,
    /// 0 is the reset.
    pub step: usize,
    /// `observation`, `admissible_commands`, `won`, `score` or `done`.
    pub what: &'static str,
    /// What the recording says.
    pub recorded: String,
    /// What the game says.
    pub found: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Files read.
    pub transcripts: usize,
    /// Games played.
    pub episodes: usize,
    /// Observations compared, each with its admissible commands.
    pub moments: usize,
    /// Moments that answer a command that was not understood.
    pub refused: usize,
    /// All of them, also those that are no examples.
    pub differences: usize,
    /// Differences by [`Difference::what`].
    pub by_kind: BTreeMap<&'static str, usize>,
    /// The first differences in order of files.
    pub examples: Vec<Difference>,
    /// Recordings or games that could not be played at all, with the reason.
    pub failures: Vec<String>,
}

const MAX_EXAMPLES: usize = 20;

impl Report {
    /// No difference and no failure.
    pub fn is_clean(&self) -> bool {
        self.differences == 0 && self.failures.is_empty()
    }

    fn add(&mut self, other: Report) {
        self.transcripts += other.transcripts;
        self.episodes += other.episodes;
        self.moments += other.moments;
        self.refused += other.refused;
        self.differences += other.differences;
        other.by_kind.into_iter().for_each(|(kind, count)| *self.by_kind.entry(kind).or_default() += count);
        self.failures.extend(other.failures);
        let room = MAX_EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }
}

impl From<Report> for Replay {
    fn from(report: Report) -> Replay {
        let place = |d: &Difference| format!("{}:{}, step {} of `{}`", d.transcript.display(), d.line, d.step, d.episode);
        let examples = report.examples.into_iter().map(|d| crate::env::Difference {
            place: place(&d),
            what: d.what.to_string(),
            recorded: d.recorded,
            found: d.found,
        });
        Replay {
            compared: vec![("recordings", report.transcripts), ("episodes", report.episodes), ("moments", report.moments)],
            differences: report.differences,
            examples: examples.collect(),
            failures: report.failures,
        }
    }
}

/// Replays every recording (`*.jsonl`) below `transcripts` with the games below `games` (the folder that holds the splits).
///
/// # Errors
/// When `transcripts` cannot be read or holds no recording. What is wrong with single recordings is in the report.
pub fn check(games: &Path, transcripts: &Path) -> Result<Report, AlfworldError> {
    let files = recordings(transcripts)?;
    let loader = Loader::new();
    let reports: Vec<Report> = files
        .par_iter()
        .map(|file| {
            replay(games, file, &loader).unwrap_or_else(|error| Report {
                transcripts: 1,
                failures: vec![error.to_string()],
                ..Report::default()
            })
        })
        .collect();
    let mut report = Report::default();
    for one in reports {
        report.add(one);
    }
    Ok(report)
}

fn recordings(folder: &Path) -> Result<Vec<PathBuf>, AlfworldError> {
    let unreadable = |path: &Path, message: String| AlfworldError::Unreadable { path: path.into(), message };
    let mut files = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(|e| unreadable(&path, e.to_string()))? {
                todo.push(entry.map_err(|e| unreadable(&path, e.to_string()))?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(unreadable(folder, "there is no recording (`*.jsonl`) in it".into())),
        false => Ok(files),
    }
}

fn replay(games: &Path, file: &Path, loader: &Loader) -> Result<Report, AlfworldError> {
    let unreadable = |e: std::io::Error| AlfworldError::Unreadable { path: file.into(), message: e.to_string() };
    let mut lines = std::io::BufReader::new(std::fs::File::open(file).map_err(unreadable)?).lines();
    let head = lines.next().transpose().map_err(unreadable)?.unwrap_or_default();
    let head: Head = serde_json::from_str(&head).map_err(|e| AlfworldError::damaged(file, format!("line 1: {e}")))?;
    let path = games.join(&head.game);
    let game = GameFile::read(&path)?.game(&path, loader)?;
    let mut report = Report { transcripts: 1, ..Report::default() };
    let mut state = game.initial();
    for (index, line) in lines.enumerate() {
        let line = line.map_err(unreadable)?;
        if line.trim().is_empty() {
            continue;
        }
        let damaged = |message: String| AlfworldError::damaged(file, format!("line {}: {message}", index + 2));
        let moment: Moment = serde_json::from_str(&line).map_err(|e| damaged(e.to_string()))?;
        let (text, refused) = play(&game, &mut state, moment.action.as_deref()).map_err(|e| damaged(e.to_string()))?;
        report.episodes += usize::from(moment.action.is_none());
        report.refused += usize::from(refused);
        report.moments += 1;
        compare(&game, &state, file, index + 2, &moment, text, &mut report);
    }
    Ok(report)
}

fn play(game: &Game, state: &mut State, action: Option<&str>) -> Result<(String, bool), crate::env::pddl::PlayError> {
    let Some(action) = action else {
        *state = game.initial();
        return Ok((game.opening(state)?, false));
    };
    Ok(match game.act(state, action)? {
        Some(text) => (text, false),
        None => (super::REFUSAL.to_string(), true),
    })
}

fn compare(game: &Game, state: &State, file: &Path, line: usize, moment: &Moment, text: String, report: &mut Report) {
    let won = game.won(state);
    // At the beginning the reference gives no score and the recordings say 0 and not done.
    let ended = won && moment.action.is_some();
    let admissible = game.admissible_texts(state);
    let mut differ = |what: &'static str, recorded: String, found: String| {
        report.differences += 1;
        *report.by_kind.entry(what).or_default() += 1;
        if report.examples.len() < MAX_EXAMPLES {
            let (transcript, episode, step) = (file.to_path_buf(), moment.episode.clone(), moment.step);
            report.examples.push(Difference { transcript, line, episode, step, what, recorded, found });
        }
    };
    if text != moment.observation {
        differ("observation", moment.observation.clone(), text);
    }
    if admissible != moment.admissible_commands {
        differ("admissible_commands", moment.admissible_commands.join("\n"), admissible.join("\n"));
    }
    if won != moment.won {
        differ("won", moment.won.to_string(), won.to_string());
    }
    if i64::from(ended) != moment.score {
        differ("score", moment.score.to_string(), i64::from(ended).to_string());
    }
    if ended != moment.done {
        differ("done", moment.done.to_string(), ended.to_string());
    }
}
