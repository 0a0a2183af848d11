//! Two run folders and a store that they share.

use super::*;
use crate::spec::fake::{count, three};
use std::fs;
use std::sync::atomic::Ordering;

struct Team {
    folder: tempfile::TempDir,
}

/// What was said.
#[derive(Default)]
struct Heard(Vec<String>);

impl Watch for Heard {
    fn warn(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }

    fn say(&mut self, line: &str) {
        self.0.push(line.to_owned());
    }
}

/// Of one run in the run folder of a name: what it did, what was said, and how many iterations were worked.
struct Done {
    outcome: Outcome,
    said: Vec<String>,
    worked: u64,
}

impl Team {
    fn new() -> Self {
        Self { folder: scratch() }
    }

    fn store(&self, runs: &str) -> Store {
        Store::new(self.folder.path().join(runs))
    }

    fn team(&self) -> PathBuf {
        self.folder.path().join("team")
    }

    fn run(&self, runs: &str, fresh: bool) -> Done {
        let train = count("rl");
        let plan = plan(&[three("a", 0, 5, train.clone())]);
        let address = Address::parse(&format!("file:{}", self.team().display())).unwrap();
        let options = Options { store: Some(address), fresh, ..Options::default() };
        let mut heard = Heard::default();
        let outcome = execute(&plan, &self.store(runs), record("a"), &options, &mut heard).unwrap();
        Done { outcome, said: heard.0, worked: train.probe.worked.load(Ordering::SeqCst) }
    }

    fn objects(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = bytes(&self.team()).into_keys().map(|name| self.team().join(name)).collect();
        found.sort();
        found
    }

    fn same(&self, runs: &str) {
        let without_checkpoints = |runs| {
            let mut files = tasks(&self.store(runs));
            files.retain(|name, _| !name.contains("/checkpoints/"));
            files
        };
        assert_same(&without_checkpoints("one"), &without_checkpoints(runs), runs);
    }
}

#[test]
fn what_one_has_made_the_other_takes() {
    let team = Team::new();
    let one = team.run("one", false);
    assert_eq!((one.outcome.made.len(), one.worked), (3, 10));
    assert_eq!(one.said, [format!("3 tasks put into file:{}", team.team().display())]);
    let two = team.run("two", false);
    assert_eq!((two.outcome.made.len(), two.outcome.taken.len(), two.worked), (0, 3, 0));
    assert_eq!(two.said[0], format!("a.warm: fetched from file:{}", team.team().display()));
    assert!(two.outcome.pages[0].is_file());
    team.same("two");
    // A third time there is nothing to do or to say; with `--fresh` everything is made, and put there again.
    assert_eq!(team.run("two", false).said, Vec::<String>::new());
    let fresh = team.run("two", true);
    assert_eq!((fresh.outcome.made.len(), fresh.worked), (3, 10));
    team.same("two");
}

#[test]
fn what_was_made_without_the_store_is_put_there_later() {
    let team = Team::new();
    run(&[three("a", 0, 5, count("rl"))], &team.store("one")).unwrap();
    fs::write(team.team(), "no folder").unwrap();
    let said = team.run("one", false).said;
    assert_eq!(said, [format!("cannot use `file:{}`: it is no folder; the run goes on without it", team.team().display())]);
    fs::remove_file(team.team()).unwrap();
    let later = team.run("one", false);
    assert_eq!((later.worked, later.said), (0, vec![format!("3 tasks put into file:{}", team.team().display())]));
    assert_eq!(team.run("two", false).worked, 0);
}

#[test]
fn a_store_that_cannot_be_written_is_said_once() {
    let team = Team::new();
    fs::create_dir(team.team()).unwrap();
    fs::write(team.team().join("blobs"), "no folder").unwrap();
    let one = team.run("one", false);
    assert_eq!((one.outcome.made.len(), one.said.len()), (3, 1));
    assert!(one.said[0].contains("nothing more is put there, and the next run puts what is missing"), "{:?}", one.said);
    fs::remove_file(team.team().join("blobs")).unwrap();
    assert_eq!(team.run("one", false).said, [format!("3 tasks put into file:{}", team.team().display())]);
}

#[test]
fn a_changed_byte_is_computed_instead_and_mended() {
    let team = Team::new();
    team.run("one", false);
    for (index, object) in team.objects().into_iter().enumerate() {
        let content = fs::read(&object).unwrap();
        let mut changed = content.clone();
        match changed.last_mut() {
            Some(byte) => *byte ^= 64,
            None => continue,
        }
        fs::write(&object, &changed).unwrap();
        let runs = format!("run{index}");
        let done = team.run(&runs, false);
        team.same(&runs);
        let warnings: Vec<&String> = done.said.iter().filter(|line| line.contains("is damaged: ")).collect();
        assert!(!warnings.is_empty() && !done.outcome.made.is_empty(), "{}: {:?}", object.display(), done.said);
        for line in warnings {
            assert!(line.contains(&object.display().to_string()) && line.ends_with("the task is computed"), "{line}");
        }
        // By that run; but for who made it, which a run of another name would have changed.
        assert_eq!(team.run(&format!("after{index}"), false).worked, 0, "{}", object.display());
    }
}
