//! Several machines at work on one run folder: processes that play machines of other names and do not see each other's locks of the system.

use super::process::{command_of, expected, pipelines, wait_for};
use super::*;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

fn start(host: &str, name: &str, root: &Path, pause_ms: u64) -> Child {
    command_of(host, name, root, pause_ms).spawn().unwrap()
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Of all runs.
fn count(store: &Store, wanted: fn(&Event) -> bool) -> usize {
    let of = |path: &Path| crate::store::read_events(path).unwrap().into_iter().filter(|record| wanted(&record.event)).count();
    store.runs().unwrap().iter().map(|run| of(&run.path)).sum()
}

fn finished(store: &Store) -> usize {
    count(store, |event| matches!(event, Event::TaskFinished { .. }))
}

#[test]
fn what_a_dead_machine_claimed_is_gone_on_with() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let mut first = start("one", "a", folder.path(), 20);
    assert!(wait_for(&store, 9, &mut first).is_none());
    first.kill().unwrap();
    first.wait().unwrap();
    let train = store.task_path(&plan(&pipelines(0)).tasks[1].digest);
    assert_eq!(crate::store::Lock::holder(&train).unwrap().host.as_deref(), Some("one"));
    let began = Instant::now();
    assert_eq!(start("two", "a", folder.path(), 0).wait().unwrap().code(), Some(0));
    assert!(began.elapsed() >= Duration::from_millis(1500), "nobody is dead before his time");
    assert_eq!(count(&store, |event| matches!(event, Event::TaskResumed { .. })), 1);
    assert_same(&expected(), &tasks(&store), "taken over");
}

#[test]
fn what_a_living_machine_claimed_is_waited_for() {
    let folder = scratch();
    let store = Store::new(folder.path());
    // Twice as long as a claim without a sign of life is good for.
    let mut first = start("one", "a", folder.path(), 80);
    assert!(wait_for(&store, 1, &mut first).is_none());
    let mut second = start("two", "b", folder.path(), 0);
    assert_eq!((first.wait().unwrap().code(), second.wait().unwrap().code()), (Some(0), Some(0)));
    assert_eq!(finished(&store), 4, "`warm` and `train` once, and two pages");
    assert_eq!(count(&store, |event| matches!(event, Event::TaskResumed { .. })), 0);
}

/// A machine that stood still and goes on finds that its task is another's, leaves it alone, and takes the result.
#[test]
fn who_was_taken_for_dead_writes_no_more() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let mut first = start("one", "a", folder.path(), 20);
    assert!(wait_for(&store, 9, &mut first).is_none());
    signal(&first, "-STOP");
    assert_eq!(start("two", "a", folder.path(), 0).wait().unwrap().code(), Some(0));
    let before = tasks(&store);
    signal(&first, "-CONT");
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_same(&before, &tasks(&store), "awake again");
    assert_same(&expected(), &tasks(&store), "stopped");
    assert_eq!(count(&store, |event| matches!(event, Event::TaskInterrupted { .. })), 1);
}

/// Eight pipelines that share two tasks, on eight machines that begin at once; some of them die.
#[test]
fn eight_machines_do_each_task_once() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for (round, dead) in [&[][..], &[0, 3, 5]].into_iter().enumerate() {
        let folder = scratch();
        let store = Store::new(folder.path());
        let mut children: Vec<Child> = names.iter().map(|name| start(&format!("m{name}"), name, folder.path(), 10)).collect();
        if !dead.is_empty() {
            let train = store.task_path(&plan(&pipelines(0)).tasks[1].digest);
            let began = Instant::now();
            while crate::store::read_metrics(&train).map_or(0, |metrics| metrics.len()) < 5 {
                assert!(began.elapsed() < Duration::from_mins(2), "nobody gets on");
                std::thread::sleep(Duration::from_millis(2));
            }
            for index in dead {
                children[*index].kill().unwrap();
            }
        }
        for (index, mut child) in children.into_iter().enumerate() {
            let code = child.wait().unwrap().code();
            assert!(code == Some(0) || dead.contains(&index), "{round}: {index} ended with {code:?}");
        }
        // What the dead left undone.
        for index in dead {
            assert_eq!(start("last", names[*index], folder.path(), 0).wait().unwrap().code(), Some(0));
        }
        assert_eq!(finished(&store), 10, "two shared tasks and eight pages");
        let expected = expected();
        let found = tasks(&store);
        // Who made it stands in `status.json`.
        for (name, content) in expected.iter().filter(|(name, _)| !name.ends_with("status.json") && !name.contains("page")) {
            assert_eq!(found.get(name), Some(content), "{round}: {name}");
        }
    }
}
