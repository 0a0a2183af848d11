//! The recipe of the tests, its runs, and what lies in its folders.

use crate::place::{Place, Said};
use crate::server::Server;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const RECIPE: &str = r#"
prompt look = """
Task: {task}
{history}Now: {observation}
You can: {admissible}
"""

house = household {
  receptacles = 5, objects = 4, families = [put]
  max_turns = 6, success_reward = 1
  prompt = windowed { then = look }
  action = between("<action>", "</action>")
  seen = games { split = "seen", count = 10 }
}

pipeline far {
  policy = endpoint { name = "judge", model = "tiny", decode = sample { temperature = 0.5, max_tokens = 20 }, FIELDS }
  stages {
    end  = evaluate { on = house.seen, keep = all }
    page = report { of = [end] }
  }
}
"#;

pub(crate) fn recipe(fields: &str) -> String {
    RECIPE.replace(", FIELDS", &if fields.is_empty() { String::new() } else { format!(", {fields}") })
}

/// A folder with the recipe and the settings.
pub(crate) fn place(server: &Server, fields: &str, settings: &str) -> Place {
    let place = Place::new(&[("far.epo", &recipe(fields))]);
    place.write("epo.toml", &server.settings(settings));
    place
}

/// Asserts that the recipe runs through.
#[track_caller]
pub(crate) fn runs(place: &Place) -> Said {
    let said = place.epo(&["far.epo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    said
}

/// Asserts that the recipe does not.
#[track_caller]
pub(crate) fn stops(place: &Place, words: &str) -> Said {
    let said = place.epo(&["far.epo"]);
    assert!(said.code == 2 && said.err.contains(words), "{}", said.err);
    said
}

/// The folder of the evaluation.
pub(crate) fn task(place: &Place) -> PathBuf {
    let run = std::fs::read_dir(place.path("runs/far")).expect("a run").flatten().next().expect("a run").path();
    std::fs::canonicalize(run.join("tasks/far.end")).expect("a task")
}

/// The lines of a file of JSON lines.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

pub(crate) fn results(place: &Place) -> Value {
    let text = std::fs::read_to_string(task(place).join("outputs/results/results.json")).expect("results");
    serde_json::from_str::<Value>(&text).expect("JSON")["splits"][0].clone()
}

/// Every file below a folder with what it holds.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = open.pop() {
        for path in std::fs::read_dir(&next).expect("a folder").flatten().map(|entry| entry.path()) {
            match (path.is_symlink(), path.is_dir()) {
                (true, _) => {}
                (_, true) => open.push(path),
                _ => drop(all.insert(path.strip_prefix(folder).expect("below").to_path_buf(), std::fs::read(&path).expect("a file"))),
            }
        }
    }
    all
}

/// The files of the evaluation but for its lock.
pub(crate) fn files(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = contents(&task(place));
    files.retain(|path, _| !path.to_string_lossy().contains("lock"));
    files
}

#[track_caller]
pub(crate) fn same(one: &Place, other: &Place) {
    let (one, other) = (files(one), files(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(Some(bytes) == other.get(path), "{} differs", path.display());
    }
}
