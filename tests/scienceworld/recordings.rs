use crate::common::{all_recordings, alone, data, recordings, world};
use epo::env::scienceworld::check::{Recording, check, read, replay};
use epo::env::scienceworld::{Config, Mode};

/// On four simulators in one process, from four threads.
pub(crate) fn replays(recordings: &[Recording]) {
    let data = data();
    let _alone = alone();
    let world = world(data, Config { mode: Mode::Full, ..Config::default() });
    let report = replay(&world, recordings, 4, &|_, _| ()).expect("set up");
    assert!(report.agrees(), "{report}");
    let steps = recordings.iter().map(|recording| recording.steps.len()).sum();
    assert_eq!((report.episodes, report.steps), (recordings.len(), steps));
    assert_eq!(world.processes_started(), 1);
    eprintln!("{report}");
}

#[test]
#[ignore = "needs Java, the simulator and the reference data: scripts/test.sh"]
fn a_recording_of_every_task_replays_to_the_letter() {
    // Of the six of each task another one in turn: gold paths and walks, easy and plain.
    let all = all_recordings().into_iter().enumerate();
    let one: Vec<Recording> = all.filter(|(number, _)| number % 6 == (number / 6) % 6).map(|(_, recording)| recording).collect();
    let tasks: std::collections::BTreeSet<&String> = one.iter().map(|recording| &recording.task).collect();
    assert_eq!((one.len(), tasks.len()), (30, 30));
    replays(&one);
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn a_changed_recording_is_told() {
    let data = data();
    let mut changed = recordings();
    changed.reverse();
    changed[0].steps[5].reward += 1;
    changed[1].steps.truncate(3);
    changed[1].task = "boill".into();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("changed.jsonl");
    // Written by hand: recordings are only read.
    std::fs::write(&file, "{\"task\": 3}\n").expect("written");
    let error = read(&file).expect_err("no recording");
    assert!(error.to_string().contains("changed.jsonl`: episode 1 is no recording: "), "{error}");
    std::fs::write(&file, "\n").expect("written");
    assert!(check(data, &file, 1, &|_, _| ()).expect_err("empty").to_string().ends_with("there are no recordings in it"));

    let _alone = alone();
    let world = world(data, Config { mode: Mode::Full, ..Config::default() });
    let report = replay(&world, &changed, 2, &|_, _| ()).expect("set up");
    assert!(!report.agrees());
    let found = format!("{}", changed[0].steps[5].reward - 1);
    let said = format!("boil/0 easy walk, step 5: reward was {:?}, is {found:?}", changed[0].steps[5].reward.to_string());
    let lines: Vec<String> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], said);
    assert_eq!(lines[1], "boill/0 easy gold: no game `boill/0` in ScienceWorld: there is no task `boill`; did you mean `boil`?");
    assert_eq!(lines[2], "2 episodes, 6 steps: 1 differ, 1 broke down");
}
