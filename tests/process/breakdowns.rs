//! Programs that end, hang and talk nonsense.

use crate::support::{at_once, on_threads, script, seed, transcript, twin};
use crate::twin::Twin;
use epo::env::{Program, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(500);

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn killed_twenty_times_the_episodes_are_the_same() {
    let process = twin("slow", Program::TIME_OUT);
    // As many threads as a rollout has lanes.
    let expected = on_threads(&Twin, 8, 40);
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(400));
                let patience = Instant::now() + Duration::from_secs(10);
                while process.process().is_none() && Instant::now() < patience {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let id = process.process().expect("it is started again").to_string();
                assert!(std::process::Command::new("kill").args(["-9", &id]).status().unwrap().success());
            }
            enough.store(true, Ordering::Relaxed);
        });
        let mut rounds = 0;
        while !enough.load(Ordering::Relaxed) {
            assert_eq!(on_threads(&process, 8, 40), expected, "round {rounds}");
            rounds += 1;
        }
    });
    assert!(process.started() > 20, "{}", process.started());
}

/// In the third turn of every fifth task; the others are not disturbed, though they share a process.
fn one_in_five_fails(way: &str, time_out: Duration, reason: &str) -> usize {
    let process = twin(way, time_out);
    let (found, expected) = (at_once(&process, 20), at_once(&Twin, 20));
    let mut failed = 0;
    for (number, (found, expected)) in found.into_iter().zip(expected).enumerate() {
        let expected = expected.unwrap();
        // A play of three turns or more comes that far.
        if number % 5 == 2 && expected.lines().count() > 5 {
            let said = found.unwrap_err();
            assert!(said.contains(reason), "{said}");
            failed += 1;
        } else {
            assert_eq!(found.unwrap(), expected, "{number}");
        }
    }
    assert!(failed >= 2, "{failed}");
    // The next is not disturbed either.
    assert_eq!(transcript(&process, "train/3", seed(3)).unwrap(), transcript(&Twin, "train/3", seed(3)).unwrap());
    process.started()
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn an_episode_that_hangs_is_given_up() {
    let begin = Instant::now();
    let started = one_in_five_fails(
        "hang",
        Duration::from_secs(2),
        "it breaks down in a process of its own, too: the program did not answer within 2 s",
    );
    assert!(started > 3 && begin.elapsed() < Duration::from_mins(1), "{started} {:?}", begin.elapsed());
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn an_episode_that_ends_its_process_does_not_end_others() {
    let reason = "it breaks down in a process of its own, too: the program ended (exit status: 3) and wrote: ";
    one_in_five_fails("end", Program::TIME_OUT, reason);
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn nonsense_is_shown_without_what_a_terminal_obeys() {
    one_in_five_fails("nonsense", Program::TIME_OUT, "too: the program wrote `\\u{1b}[31mSegmentation fault`, which is no answer");
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn a_line_without_end_is_not_read_to_its_end() {
    one_in_five_fails("long", Program::TIME_OUT, "too: the program wrote a line of more than 1048576 bytes, which begins `xxxx");
}

#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn errors_of_the_users_code_are_messages() {
    let started = one_in_five_fails("error", Program::TIME_OUT, "the program says: ValueError: no third step here (twin.py:");
    assert_eq!(started, 1);
    let started = one_in_five_fails("reward", Program::TIME_OUT, "the program says: TypeError: ");
    assert_eq!(started, 1);
}

/// What is random is not played again as if it were the same.
#[test]
#[ignore = "needs Python: scripts/test.sh"]
fn what_does_not_repeat_itself_is_not_played_again() {
    let process = twin("chance", Program::TIME_OUT);
    assert!(!process.repeats());
    let mut game = process.instance().unwrap();
    game.reset(&process.panel("train", None).unwrap().tasks[0], 0).unwrap();
    std::process::Command::new("kill").args(["-9", &process.process().unwrap().to_string()]).status().unwrap();
    let said = game.step("stay").unwrap_err().to_string();
    let end = "; what was played cannot be played again: the program says that it is not deterministic";
    assert!(said.starts_with("the program ended (signal: 9 (SIGKILL))") && said.ends_with(end), "{said}");
    game.reset(&process.panel("train", None).unwrap().tasks[0], 0).unwrap();
    game.step("stay").unwrap();
}

#[cfg(unix)]
fn refused(text: &str) -> String {
    script(text, SHORT).map(drop).unwrap_err().to_string()
}

#[cfg(unix)]
#[test]
fn what_is_no_environment_is_refused_at_once() {
    let hello = |rest: &str| format!("read -r line; echo '{{\"protocol\":1,\"version\":\"1\",{rest}}}'; read -r line");
    assert_eq!(refused("echo oh >&2; exit 4"), "`script`: the program ended (exit status: 4) and wrote: oh");
    assert_eq!(refused("exit 0"), "`script`: the program ended (exit status: 0)");
    let closed = script("exec >&-; read -r line; read -r line", Program::TIME_OUT).map(drop).unwrap_err().to_string();
    assert_eq!(closed, "`script`: the program has closed its output");
    assert_eq!(refused("echo loading; read -r line; read -r line"), "`script`: the program wrote `loading`, which is no answer");
    assert_eq!(refused("read -r line; echo '{\"error\":\"no licence\"}'; read -r line"), "`script`: the program says: no licence");
    assert_eq!(refused("exec /bin/sleep 100"), "`script`: the program did not answer within 0.5 s");
    assert_eq!(refused(&hello("\"splits\":{}")), "`script`: it has no splits");
    let other = hello("\"splits\":{\"train\":1}").replace("\"version\":\"1\"", "\"version\":\"2\"");
    assert_eq!(refused(&other), "`script`: it is version `2` of the environment, and the recipe is for version `1`");
    let later = hello("\"splits\":{\"train\":1}").replace("\"protocol\":1", "\"protocol\":2");
    assert_eq!(refused(&later), "`script`: it speaks version 2 of the protocol, and this program version 1");
    assert!(refused(&hello("\"splits\":7")).contains("is no answer: invalid type: integer `7`"));
    let long = "read -r line; while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done";
    let error = script(long, Program::TIME_OUT).map(drop).unwrap_err().to_string();
    assert!(error.starts_with("`script`: the program wrote a line of more than 1048576 bytes, which begins `xxx"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_program_is_looked_for_in_absolute_folders_alone() {
    let start = |word: &str| {
        let program = Program::new(vec![word.to_owned()]);
        epo::env::process::Process::start("none", "1", &[], program).map(drop).unwrap_err().to_string()
    };
    assert_eq!(start("no-such-program"), "`none`: there is no program `no-such-program` in the folders of `PATH`");
    assert!(start("./no-such-program").starts_with("`none`: `./no-such-program` cannot be started: "));
    assert_eq!(start(""), "`none`: there is no program `` in the folders of `PATH`");
}

/// Its folder, its variables, and what it leaves behind.
#[cfg(unix)]
#[test]
fn a_program_knows_nothing_of_its_surroundings_and_leaves_with_its_children() {
    let place = tempfile::tempdir().unwrap();
    let heard = place.path().join("heard");
    let text = format!(
        "(/bin/pwd; /usr/bin/env) > '{0}'; /bin/sleep 1000 & echo $! > '{0}.child'; read -r line; echo '{{\"protocol\":1,\"version\":\"1\",\"splits\":{{\"train\":1}}}}'; while :; do /bin/sleep 1000; done",
        heard.display()
    );
    let process = script(&text, Program::TIME_OUT).unwrap();
    let said = std::fs::read_to_string(&heard).unwrap();
    let folder = std::path::PathBuf::from(said.lines().next().unwrap());
    assert!(folder.file_name().unwrap().to_string_lossy().starts_with("epo-process-"), "{said}");
    let own = ["PWD=", "_=", "SHLVL=", "OLDPWD="];
    let known: Vec<&str> = said.lines().skip(1).filter(|line| !own.iter().any(|own| line.starts_with(own))).collect();
    assert_eq!(known, Vec::<&str>::new());
    let child = std::fs::read_to_string(format!("{}.child", heard.display())).unwrap();
    drop(process);
    assert!(!folder.exists());
    let gone = |id: &str| match std::fs::read_to_string(format!("/proc/{}/stat", id.trim())) {
        Ok(stat) => stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => true,
    };
    let patience = Instant::now() + Duration::from_secs(10);
    while !gone(&child) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(gone(&child), "its child still runs");
}
