//! The power may fail at any moment, and what was not synced is lost: what is believed afterwards is true, and a run ends with the same bytes.

use super::crash::{options, pipelines, reference, run_until};
use super::*;
use crate::store::fault::power::{self, Unsynced};

#[test]
fn a_power_cut_at_every_point() {
    let (_folder, expected) = reference();
    for unsynced in [Unsynced::Lost, Unsynced::NamesKept] {
        let mut points = 0;
        loop {
            let (folder, after) = (scratch(), scratch());
            power::watch(folder.path());
            let through = run_until(points, &pipelines(), &Store::new(folder.path()));
            power::cut(folder.path(), unsynced, &after.path().join("runs"));
            let store = Store::new(after.path().join("runs"));
            let context = format!("{unsynced:?}, cut at point {points}");
            believed(&expected, &store, &context);
            let outcome = run_with(&pipelines(), &store, &options()).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_same(&expected, &tasks(&store), &context);
            if through {
                assert_eq!(outcome.made, Vec::<String>::new(), "{context}: what was finished is kept");
                break;
            }
            points += 1;
        }
        assert!(points > 300, "only {points} points");
    }
}

/// What a finished task left is there to the last byte.
fn believed(expected: &BTreeMap<String, Vec<u8>>, store: &Store, context: &str) {
    for task in &plan(&pipelines()).tasks {
        let Ok(Some(status)) = store.status(&task.digest) else { continue };
        if status.state != State::Finished {
            continue;
        }
        let found = bytes(&store.task_path(&task.digest));
        for (name, content) in found.iter().filter(|(name, _)| !name.starts_with("checkpoints/")) {
            assert_eq!(expected.get(&format!("{}/{name}", task.digest.hex())), Some(content), "{context}: {name}");
        }
    }
}

/// The model itself: a file that is renamed without a sync has a name and no content.
#[test]
fn what_was_not_synced_is_lost() {
    use crate::store::write_json;
    let (folder, after) = (scratch(), scratch());
    power::watch(folder.path());
    write_json(&folder.path().join("kept.json"), &1).unwrap();
    std::fs::write(folder.path().join("lost.json"), "2").unwrap();
    std::fs::create_dir(folder.path().join("lost")).unwrap();
    power::cut(folder.path(), Unsynced::Lost, &after.path().join("a"));
    assert_eq!(bytes(&after.path().join("a")), BTreeMap::from([("kept.json".into(), b"1\n".to_vec())]));
    power::watch(folder.path());
    std::fs::write(folder.path().join("named.json"), "3").unwrap();
    power::cut(folder.path(), Unsynced::NamesKept, &after.path().join("b"));
    assert_eq!(bytes(&after.path().join("b"))["named.json"], b"");
}
