//! Where the games lie, and which of them count.

use super::AlfworldError;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The splits of the official release. `valid_train` comes with it, the usual loader does not use it.
pub const SPLITS: &[&str] = &["train", "valid_seen", "valid_unseen", "valid_train"];

/// The text-game release that [`RELEASE`] describes.
pub(crate) const RELEASE_NAME: &str = "2.1.3";

/// The panels of whole splits in the text-game release 2.1.3: split, number of games, hash. What is on a disk can be held
/// against them, and a plan can name them where there are no games.
pub const RELEASE: &[(&str, usize, &str)] = &[
    ("train", 3553, "b390832b165a4f33c7892cca7f67aa35f8230cc069517f81121887d03fdfcbd5"),
    ("valid_seen", 140, "0b556f454369aaf9d36f4d3ce73456ca3c015c2c016d763ad187add06f52c8b9"),
    ("valid_unseen", 134, "148afbf35a457b04eee0b3362eab77edd4340e2a55c6d0394e942b3ffe508788"),
    ("valid_train", 200, "167d962c91092c4aa1c58555a3b040b40cc9d2d5851c33b3d256fb97c1d1d7f0"),
];

/// The six task types that the official loader plays.
pub const TASK_TYPES: &[&str] = &[
    "pick_and_place_simple",
    "look_at_obj_in_light",
    "pick_clean_then_place_in_recep",
    "pick_heat_then_place_in_recep",
    "pick_cool_then_place_in_recep",
    "pick_two_obj_and_place",
];

/// The name of every game file.
pub(super) const GAME: &str = "game.tw-pddl";

/// The folder that holds the splits. `given` is the setting `data.alfworld`: the folder itself or the one above it. Without
/// it the places where `alfworld-download` puts the games are tried.
///
/// # Errors
/// When there are no games: names every place that was tried and how to get them.
pub(crate) fn locate(given: Option<&Path>) -> Result<PathBuf, AlfworldError> {
    let mut above = Vec::new();
    match given {
        Some(given) => above.push(given.to_path_buf()),
        None => {
            above.extend(std::env::var_os("ALFWORLD_DATA").map(PathBuf::from));
            above.extend(std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/alfworld")));
        }
    }
    let candidates: Vec<PathBuf> = above.into_iter().flat_map(|folder| [folder.join("json_2.1.1"), folder]).collect();
    let found = candidates.iter().find(|folder| SPLITS.iter().any(|split| folder.join(split).is_dir()));
    found.cloned().ok_or(AlfworldError::Absent { looked: candidates })
}

/// A file of the user's cache folder for what is found below `root`.
pub(crate) fn usual_cache(root: &Path) -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let root = root.canonicalize().ok()?;
    let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
    Some(folder.join("epo").join(format!("alfworld-{}.json", &name[..16])))
}

/// A game that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The folder of the game below the root, with `/`: `valid_seen/<task>/<trial>`.
    pub id: String,
    pub task_type: String,
    /// blake3 of the game file.
    pub hash: blake3::Hash,
}

/// What is kept of a game folder from one run to the next; good as long as both files keep size and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    stamp: [u64; 4],
    task_type: String,
    solvable: bool,
    hash: String,
}

#[derive(Serialize, Deserialize)]
struct Cache {
    version: u32,
    games: BTreeMap<String, Known>,
}

const CACHE_VERSION: u32 = 1;

/// The games of a split that count, sorted by id: not in a folder with `movable` or `Sliced` in its name, of one of the six
/// types, with a game file that is marked as solvable.
///
/// Reading all files of `train` takes seconds; with `cache` (a file, made when absent) what was found is kept.
///
/// # Errors
/// When the split or one of its files cannot be read, or a file is damaged.
pub(super) fn scan(root: &Path, split: &str, cache: Option<&Path>) -> Result<Vec<Entry>, AlfworldError> {
    let mut folders = Vec::new();
    let top = root.join(split);
    for task in children(&top)? {
        for trial in children(&top.join(&task))? {
            let id = format!("{split}/{task}/{trial}");
            if !id.contains("movable") && !id.contains("Sliced") {
                folders.push(id);
            }
        }
    }
    folders.sort();
    let known = cache.map_or_else(BTreeMap::new, read_cache);
    let found: Vec<Option<(String, Known)>> =
        folders.into_par_iter().map(|id| look(root, id, &known)).collect::<Result<_, AlfworldError>>()?;
    let found: BTreeMap<String, Known> = found.into_iter().flatten().collect();
    if let Some(cache) = cache {
        write_cache(cache, known, split, &found);
    }
    let counts = |known: &Known| known.solvable && TASK_TYPES.contains(&known.task_type.as_str());
    let entry = |(id, known): (String, Known)| {
        let hash = blake3::Hash::from_hex(&known.hash).unwrap_or_else(|_| blake3::hash(&[]));
        Entry { id, task_type: known.task_type, hash }
    };
    Ok(found.into_iter().filter(|(_, known)| counts(known)).map(entry).collect())
}

/// Names of the folders in a folder.
fn children(folder: &Path) -> Result<Vec<String>, AlfworldError> {
    let unreadable = |error: std::io::Error| AlfworldError::Unreadable { path: folder.into(), message: error.to_string() };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// `None` when there is no game in the folder.
fn look(root: &Path, id: String, known: &BTreeMap<String, Known>) -> Result<Option<(String, Known)>, AlfworldError> {
    #[derive(Deserialize)]
    struct Trajectory {
        task_type: String,
    }
    #[derive(Deserialize)]
    struct Mark {
        #[serde(default)]
        solvable: bool,
    }
    let folder = root.join(&id);
    let (about, game) = (folder.join("traj_data.json"), folder.join(GAME));
    let (Some([a, b]), Some([c, d])) = (stamp(&about), stamp(&game)) else { return Ok(None) };
    let stamp = [a, b, c, d];
    if let Some(known) = known.get(&id).filter(|known| known.stamp == stamp) {
        return Ok(Some((id, known.clone())));
    }
    let read = |path: &Path| std::fs::read(path).map_err(|e| AlfworldError::Unreadable { path: path.into(), message: e.to_string() });
    let trajectory: Trajectory =
        serde_json::from_slice(&read(&about)?).map_err(|error| AlfworldError::damaged(&about, error.to_string()))?;
    let bytes = read(&game)?;
    let mark: Mark = serde_json::from_slice(&bytes).map_err(|error| AlfworldError::damaged(&game, error.to_string()))?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    Ok(Some((id, Known { stamp, task_type: trajectory.task_type, solvable: mark.solvable, hash })))
}

/// Size and time of a file.
fn stamp(path: &Path) -> Option<[u64; 2]> {
    let metadata = std::fs::metadata(path).ok()?;
    let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    metadata.is_file().then_some([metadata.len(), time])
}

/// A cache that cannot be read is none.
fn read_cache(path: &Path) -> BTreeMap<String, Known> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let cache = serde_json::from_slice::<Cache>(&bytes).ok().filter(|cache| cache.version == CACHE_VERSION);
    cache.map_or_else(BTreeMap::new, |cache| cache.games)
}

/// A cache that cannot be written costs time, nothing else.
fn write_cache(path: &Path, mut games: BTreeMap<String, Known>, split: &str, found: &BTreeMap<String, Known>) {
    let before = games.clone();
    let prefix = format!("{split}/");
    games.retain(|id, _| !id.starts_with(&prefix));
    games.extend(found.clone());
    if games == before {
        return;
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder).and_then(|()| tempfile::NamedTempFile::new_in(folder)).and_then(|file| {
        serde_json::to_writer(std::io::BufWriter::new(file.as_file()), &Cache { version: CACHE_VERSION, games })?;
        file.persist(path).map_err(|error| error.error)
    });
    drop(written);
}
