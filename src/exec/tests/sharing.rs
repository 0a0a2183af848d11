use super::*;
use crate::plan::reasons;
use crate::spec::fake::{Count, count, input, labelled, stage, three};
use std::sync::atomic::Ordering;

#[test]
fn a_second_time_nothing_is_run() {
    let folder = scratch();
    let store = Store::new(folder.path().join("runs"));
    let train = count("rl");
    let instances = [three("a", 0, 5, train.clone())];
    let first = run(&instances, &store).unwrap();
    assert_eq!(first.made, ["a.warm", "a.train", "a.page"]);
    assert_eq!(first.run, format!("a/{}", plan(&instances).digest.short()));
    assert_eq!(train.probe.worked.load(Ordering::SeqCst), 10);
    let before = tasks(&store);
    let second = run(&instances, &store).unwrap();
    assert_eq!((second.made.len(), second.taken.len()), (0, 3));
    assert_eq!(train.probe.worked.load(Ordering::SeqCst), 10);
    assert_same(&before, &tasks(&store), "second run");
    let reasons: Vec<String> = reasons(&plan(&instances), &store, "a").unwrap().iter().map(|r| r.to_string()).collect();
    assert_eq!(reasons, vec![format!("up to date (made by {})", first.run); 3]);
}

#[test]
fn seeds_share_what_does_not_draw() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let train = count("rl");
    let instances: Vec<_> = (0..3).map(|seed| labelled(three("a", seed, seed as u64, train.clone()), "seed", seed)).collect();
    let plan = plan(&instances);
    assert_eq!(plan.tasks.len(), 1 + 3 + 3);
    let outcome = run(&instances, &store).unwrap();
    assert_eq!(outcome.made.iter().filter(|n| n.rsplit('.').next() == Some("warm")).count(), 1);
    assert_eq!(train.probe.worked.load(Ordering::SeqCst), 3 + 3 * 7);
    let links = std::fs::read_dir(outcome.folder.join("tasks")).unwrap().count();
    assert_eq!(links, 9);
    let link = outcome.folder.join("tasks/a.warm.seed-2");
    assert!(link.join("status.json").is_file(), "{:?}", std::fs::read_link(&link));
    // Several pages: each is copied under its stage's name.
    assert!(outcome.folder.join("report.a.page.seed-1.html").is_file());
}

#[test]
fn another_file_takes_what_this_one_made() {
    let folder = scratch();
    let store = Store::new(folder.path());
    run(&[three("a", 0, 5, count("rl"))], &store).unwrap();
    let other = count("rl");
    let outcome = run(&[three("b", 0, 5, other.clone())], &store).unwrap();
    assert_eq!(outcome.taken, ["b.warm", "b.train"]);
    // The page shows the names of what it reads.
    assert_eq!(outcome.made, ["b.page"]);
    let page = std::fs::read_to_string(outcome.folder.join("report.html")).unwrap();
    assert!(page.starts_with("b.train "), "{page}");
    assert_eq!(other.probe.worked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_changed_number_reruns_its_stage_and_what_follows_and_says_why() {
    let folder = scratch();
    let store = Store::new(folder.path());
    run(&[three("a", 0, 5, count("rl"))], &store).unwrap();
    let changed = [three("a", 0, 5, Count { rate: 0.25, ..count("rl") })];
    let why = reasons(&plan(&changed), &store, "a").unwrap();
    let why: Vec<String> = why.iter().map(|r| r.to_string()).collect();
    assert!(why[0].starts_with("up to date (made by a/"), "{why:?}");
    assert_eq!(why[1..], ["changed: loss.rate", "changed: its input train.best changed"]);
    let outcome = run(&changed, &store).unwrap();
    assert_eq!((outcome.made, outcome.taken), (vec!["a.train".into(), "a.page".into()], vec!["a.warm".into()]));
    // Back again: both are there.
    assert_eq!(run(&[three("a", 0, 5, count("rl"))], &store).unwrap().made.len(), 0);
    // Another seed.
    let why = reasons(&plan(&[three("a", 0, 6, count("rl"))]), &store, "a").unwrap();
    assert_eq!(why[1].to_string(), "changed: seed");
    let never = reasons(&plan(&[three("z", 0, 7, count("rl"))]), &store, "z").unwrap();
    assert_eq!(never[1].to_string(), "new");
}

#[test]
fn interrupted_it_stops_after_the_iteration_and_goes_on() {
    struct StopAt(u64, Interrupt);
    impl Watch for StopAt {
        fn progress(&mut self, progress: &crate::stage::Progress) {
            if progress.total == 7 && progress.done == self.0 {
                self.1.request();
            }
        }
    }
    let (reference, folder) = (scratch(), scratch());
    let instances = [three("a", 0, 5, count("rl"))];
    run(&instances, &Store::new(reference.path())).unwrap();
    let store = Store::new(folder.path());
    for at in [1, 4, 7] {
        let options = Options::default();
        let mut watch = StopAt(at, options.interrupt.clone());
        let error = execute(&plan(&instances), &store, record("a"), &options, &mut watch).unwrap_err();
        assert_eq!((error.exit_code(), error.to_string().as_str()), (130, "interrupted; run the same command again to go on"));
        let why = reasons(&plan(&instances), &store, "a").unwrap();
        match at {
            1 => assert_eq!(why[1].to_string(), "half done: begins again"),
            4 => assert_eq!(why[1].to_string(), "half done: goes on at iteration 4"),
            // The last iteration was done, so the task was finished before the stop.
            _ => assert!(why[1].is_up_to_date()),
        }
        assert_eq!(store.runs().unwrap()[0].state, crate::store::RunState::Interrupted);
    }
    run(&instances, &store).unwrap();
    assert_same(&tasks(&Store::new(reference.path())), &tasks(&store), "interrupted thrice");
    let names: Vec<String> =
        events(&store).iter().map(|e| serde_json::to_value(e).unwrap()["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.iter().filter(|n| *n == "task_resumed").count(), 1);
    assert_eq!(names.iter().filter(|n| *n == "run_interrupted").count(), 3);
    assert_eq!(names.last().unwrap(), "run_finished");
}

#[test]
fn names_under_which_inputs_come() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let page = Count { draws: false, last: true, ..count("report") };
    let of = vec![input("of", 0, "train", "best", 1), input("of", 1, "train", "policy", 2), input("of", 0, "warm", "policy", 3)];
    let table = crate::spec::fake::pipeline("table", 0, vec![stage("page", page, of)]);
    let instances = [labelled(three("a", 0, 5, count("rl")), "seed", 5), labelled(three("a", 1, 6, count("rl")), "seed", 6), table];
    let outcome = run(&instances, &store).unwrap();
    assert_eq!(outcome.run.split('/').next(), Some("file"));
    let page = std::fs::read_to_string(outcome.folder.join("report.table.page.html")).unwrap();
    assert!(page.starts_with("a[seed=5].train a[seed=6].train a[seed=5].warm "), "{page}");
}

#[test]
fn removing_a_run_keeps_what_others_link_to() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let first = run(&[three("a", 0, 5, count("rl"))], &store).unwrap();
    let second = run(&[three("b", 0, 6, count("rl"))], &store).unwrap();
    let found = store.find_run("a").unwrap();
    assert_eq!(found.id, first.run);
    assert_eq!((found.done, found.state), (3, crate::store::RunState::Finished));
    assert_eq!(store.find_run(second.run.split('/').nth(1).unwrap()).unwrap().id, second.run);
    assert!(store.find_run("").unwrap_err().to_string().contains("may mean"));
    assert!(store.find_run("nothing").unwrap_err().to_string().contains("no run is called `nothing`"));

    let removed = store.remove_run(&found).unwrap();
    assert_eq!((removed.tasks, removed.shared, removed.busy), (2, 1, 0));
    assert!(!first.folder.exists() && !store.root().join("a").exists());
    assert_eq!(run(&[three("b", 0, 6, count("rl"))], &store).unwrap().made.len(), 0);

    let held = plan(&[three("b", 0, 6, count("rl"))]).tasks[1].digest.clone();
    let claim = store.claim(&held).unwrap();
    let removed = store.remove_run(&store.find_run("b").unwrap()).unwrap();
    assert_eq!((removed.tasks, removed.shared, removed.busy), (2, 0, 1));
    drop(claim);
    assert!(store.status(&held).unwrap().is_some());
}
