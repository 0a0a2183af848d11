//! Episodes in another program are those of the same environment in this one.

use crate::support::{at_once, play, seed, transcript, twin};
use crate::twin::Twin;
use epo::env::{Program, World};

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn equal_episodes_in_rust_and_in_python() {
    let process = twin("", Program::TIME_OUT);
    assert_eq!((process.splits(), process.placeholders(), process.has_expert()), (Twin.splits(), Twin.placeholders(), true));
    let mut turns = 0;
    for split in Twin.splits() {
        for (number, task) in process.panel(split, None).unwrap().tasks.iter().enumerate() {
            let seed = seed(number as u64);
            let expected = transcript(&Twin, &task.id, seed).unwrap();
            assert_eq!(transcript(&process, &task.id, seed).unwrap(), expected, "{}", task.id);
            turns += expected.lines().count() / 2;
        }
    }
    assert!(turns > 300, "{turns}");
    assert_eq!(process.started(), 1);
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn many_episodes_at_once_in_one_process() {
    let process = twin("", Program::TIME_OUT);
    let expected = at_once(&Twin, 64);
    assert!(expected.iter().all(Result::is_ok));
    assert_eq!(at_once(&process, 64), expected);
    assert_eq!(process.started(), 1);
    // One instance after another game than its last.
    let mut game = process.instance().unwrap();
    for number in [3, 8, 3] {
        let said = play(&mut *game, &format!("train/{number}"), seed(number)).map_err(|error| error.to_string());
        assert_eq!(said, expected[number as usize], "{number}");
    }
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn panels_have_what_the_program_says() {
    let process = twin("", Program::TIME_OUT);
    let panel = process.panel("test", Some(3)).unwrap();
    assert_eq!((panel.name.as_str(), panel.tasks[2].id.as_str(), panel.tasks[2].family.as_str()), ("test 3", "test/2", "twin"));
    assert_ne!(panel.hash, process.panel("test", Some(4)).unwrap().hash);
    let said = |split: &str, count| process.panel(split, count).unwrap_err().to_string();
    assert_eq!(said("tset", None), "`twin` has no split `tset`; it has `train`, `test`");
    assert_eq!(said("test", Some(21)), "the split `test` of `twin` has 20 games, not 21");
    let task = epo::env::Task { id: "train/99".into(), family: String::new() };
    let error = process.instance().unwrap().reset(&task, 0).unwrap_err().to_string();
    assert_eq!(error, "the program says: ValueError: there is no task 99 in the split 'train'");
}
