//! The games as an environment: panels of tasks, and games that are read when first played.

use super::folder::{self, Entry, RELEASE, SPLITS, TASK_TYPES, locate, scan};
use super::goals::{self, Goals};
use super::{AlfworldError, GameFile, episode::Episode};
use crate::env::pddl::{Game, Loader};
use crate::env::{EnvError, Environment, Panel, Task, World};
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Where the games are and which of them are played.
#[derive(Clone, Debug, Default)]
pub struct AlfworldConfig {
    /// The setting `data.alfworld`; `None`: the places where `alfworld-download` puts the games.
    pub data: Option<PathBuf>,
    /// A file that keeps what was found about the game files, so that they are not all read again. `None`: nothing is kept.
    pub cache: Option<PathBuf>,
    /// Only these task types; empty: all six.
    pub task_types: Vec<String>,
    /// Which games a panel of limited size has: another number, other games.
    pub seed: u64,
    /// Who shows how to play.
    pub expert: Expert,
    /// What the games are about.
    pub goals: Goals,
    /// Whether each split has to be, to the byte, that of the release, see [`RELEASE`].
    pub verified: bool,
}

/// Who shows how to play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expert {
    /// The game's own walkthrough, which knows where things are.
    #[default]
    Walkthrough,
    /// Knows what a player is told, and where things of a kind mostly lie.
    Searching,
    /// Plays alike; what it thinks are notes, with all that it will have to remember.
    Noting,
}

/// The official games in one folder.
pub struct Alfworld {
    shared: Arc<Shared>,
    config: AlfworldConfig,
    entries: Mutex<BTreeMap<String, Arc<Vec<Entry>>>>,
}

/// What all running games share.
pub(super) struct Shared {
    root: PathBuf,
    pub(super) expert: Expert,
    goals: Goals,
    loader: Loader,
    games: Mutex<IndexMap<String, Arc<Cell>>>,
}

type Cell = OnceLock<Result<Arc<Playable>, AlfworldError>>;

/// A game with what belongs to it.
#[derive(Debug)]
pub struct Playable {
    pub game: Game,
    pub walkthrough: Vec<String>,
}

/// Games kept ready: a quarter of a megabyte each.
const KEPT: usize = 256;

impl Alfworld {
    /// Looks for the folder, and reads no game yet.
    ///
    /// # Errors
    /// When there are no games, or a task type is unknown.
    pub fn new(config: AlfworldConfig) -> Result<Alfworld, AlfworldError> {
        if let Some(unknown) = config.task_types.iter().find(|name| !TASK_TYPES.contains(&name.as_str())) {
            return Err(AlfworldError::UnknownType { name: unknown.clone() });
        }
        let root = locate(config.data.as_deref())?;
        let shared = Shared { root, expert: config.expert, goals: config.goals, loader: Loader::new(), games: Mutex::default() };
        Ok(Alfworld { shared: Arc::new(shared), config, entries: Mutex::default() })
    }

    /// The folder that holds the splits.
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// The game of a task, with its own goal; read when it is asked for the first time.
    ///
    /// # Errors
    /// When its file is absent, damaged, unsolvable or not supported.
    pub fn playable(&self, id: &str) -> Result<Arc<Playable>, AlfworldError> {
        self.shared.playable(id)
    }

    /// A panel with the given types (empty: all), number of games and seed; see [`World::panel`].
    ///
    /// Without a `count` in order of ids. With one, games are drawn by the hash of seed and id: a smaller panel is the beginning of
    /// a larger one.
    ///
    /// # Errors
    /// When the split is unknown, absent or damaged, or has fewer games.
    pub fn select(&self, split: &str, types: &[String], count: Option<usize>, seed: u64) -> Result<Panel, AlfworldError> {
        let entries = self.entries(split)?;
        let mut chosen: Vec<&Entry> = entries.iter().filter(|e| types.is_empty() || types.contains(&e.task_type)).collect();
        let mut name = split.to_string();
        if !types.is_empty() {
            let mut types: Vec<&str> = types.iter().map(String::as_str).collect();
            types.sort_unstable();
            types.dedup();
            name = format!("{name} {}", types.join("+"));
        }
        if let Some(count) = count {
            if count > chosen.len() {
                return Err(AlfworldError::TooFew { panel: name, wanted: count, there: chosen.len() });
            }
            chosen.sort_by_cached_key(|entry| *blake3::hash(format!("{seed}/{}", entry.id).as_bytes()).as_bytes());
            chosen.truncate(count);
            name = format!("{name} {count} of seed {seed}");
        }
        let hash = panel_hash(chosen.iter().copied());
        let tasks = chosen.iter().map(|entry| Task { id: entry.id.clone(), family: entry.task_type.clone() }).collect();
        Ok(Panel { name, tasks, hash })
    }

    fn entries(&self, split: &str) -> Result<Arc<Vec<Entry>>, AlfworldError> {
        let Some(split) = SPLITS.iter().find(|known| **known == split) else {
            return Err(AlfworldError::UnknownSplit { name: split.to_string() });
        };
        let mut known = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = known.get(*split) {
            return Ok(entries.clone());
        }
        if !self.shared.root.join(split).is_dir() {
            return Err(AlfworldError::NoSplit { root: self.shared.root.clone(), split: (*split).to_string() });
        }
        let entries = Arc::new(scan(&self.shared.root, split, self.config.cache.as_deref())?);
        if self.config.verified {
            verify(&self.shared.root, split, &entries)?;
        }
        known.insert((*split).to_string(), entries.clone());
        Ok(entries)
    }
}

/// Over everything that determines the games of a panel, in its order.
fn panel_hash<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"alfworld panel 1\n");
    for entry in entries {
        hasher.update(format!("{} {} {}\n", entry.id, entry.task_type, entry.hash.to_hex()).as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn verify(root: &Path, split: &str, entries: &[Entry]) -> Result<(), AlfworldError> {
    match RELEASE.iter().find(|(name, ..)| *name == split) {
        Some((_, games, hash)) if entries.len() != *games || panel_hash(entries) != *hash => {
            Err(AlfworldError::NotTheRelease { root: root.into(), split: split.into(), there: entries.len(), games: *games })
        }
        _ => Ok(()),
    }
}

impl Shared {
    /// The game that a task and a seed are.
    pub(super) fn set_up(&self, id: &str, seed: u64) -> Result<Arc<Playable>, AlfworldError> {
        match self.goals {
            Goals::Own => self.playable(id),
            // Hardly ever asked for twice.
            Goals::Varied => self.read(id, |file| goals::varied(file, seed)).map(Arc::new),
        }
    }

    fn playable(&self, id: &str) -> Result<Arc<Playable>, AlfworldError> {
        let cell = {
            let mut games = self.games.lock().unwrap_or_else(PoisonError::into_inner);
            // The one asked for last stands last.
            let cell = games.shift_remove(id).unwrap_or_default();
            games.insert(id.to_string(), cell.clone());
            if games.len() > KEPT {
                games.shift_remove_index(0);
            }
            cell
        };
        cell.get_or_init(|| self.read(id, |file| file).map(Arc::new)).clone()
    }

    fn read(&self, id: &str, change: impl FnOnce(GameFile) -> GameFile) -> Result<Playable, AlfworldError> {
        let inside = Path::new(id).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside || id.is_empty() {
            return Err(AlfworldError::UnknownTask { id: id.to_string() });
        }
        let path = self.root.join(id).join(folder::GAME);
        if !path.is_file() {
            return Err(AlfworldError::NoGame { path });
        }
        let file = change(GameFile::read(&path)?);
        Ok(Playable { game: file.game(&path, &self.loader)?, walkthrough: file.walkthrough })
    }
}

impl World for Alfworld {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Episode::new(self.shared.clone())))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let panel = self.select(split, &self.config.task_types, count, self.config.seed);
        panel.map(Arc::new).map_err(|error| EnvError::Task(error.to_string()))
    }

    fn splits(&self) -> Vec<&str> {
        SPLITS.to_vec()
    }
}
