//! Processes that die or hang while games are played in them.

use crate::common::{alone, data, played, signal, walks, world};
use epo::env::scienceworld::{Config, Limits, ScienceWorld, Turn};
use epo::env::{EnvError, Environment};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// All episodes at once, each in a game and a thread of its own. `at_step` is told how many steps have been taken.
fn rollout(world: &ScienceWorld, episodes: &[(String, Vec<String>)], at_step: &(dyn Fn(usize) + Sync)) -> Vec<Result<Vec<Turn>, EnvError>> {
    let taken = AtomicUsize::new(0);
    let play = |(id, actions): &(String, Vec<String>), game: &mut epo::env::scienceworld::Game| {
        let mut turns = vec![game.begin(crate::common::spec(id))?.clone()];
        for action in actions {
            at_step(taken.fetch_add(1, Ordering::Relaxed));
            turns.push(game.act(action)?.clone());
        }
        Ok(turns)
    };
    let mut games: Vec<_> = episodes.iter().map(|episode| (world.game().expect("set up"), episode)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = games.iter_mut().map(|(game, episode)| scope.spawn(move || play(episode, game))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn killed_in_the_middle_of_a_rollout() {
    killed_in_the_middle(5);
}

/// Each simulator takes a second to build, three times over.
pub(crate) fn killed_in_the_middle(count: usize) {
    let data = data();
    let _alone = alone();
    // The tasks with bees and crossed plants among them, where every random number counts.
    let mut episodes = walks(45, 20);
    episodes.sort_by_key(|(id, _)| !(id.starts_with("grow-fruit") || id.starts_with("mendelian")));
    episodes.truncate(count);
    let steps: usize = episodes.iter().map(|(_, actions)| actions.len()).sum();
    let undisturbed = rollout(&world(data, Config::default()), &episodes, &|_| ());
    assert!(undisturbed.iter().all(Result::is_ok));

    let world = world(data, Config::default());
    let killed = AtomicUsize::new(0);
    let disturbed = rollout(&world, &episodes, &|step| {
        if step == steps / 2 || step == steps * 9 / 10 {
            world.processes().into_iter().for_each(|process| signal(process, "-KILL"));
            killed.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(killed.into_inner(), 2);
    assert!(world.processes_started() >= 3, "{} processes", world.processes_started());
    for (number, (one, other)) in undisturbed.iter().zip(&disturbed).enumerate() {
        let (one, other) = (one.as_ref().expect("complete"), other.as_ref().expect("complete"));
        assert_eq!(one, other, "{}", episodes[number].0);
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn a_process_that_never_answers_is_replaced() {
    const PATIENCE: Duration = Duration::from_secs(10);
    let data = data();
    let _alone = alone();
    let episodes = walks(2, 20);
    let undisturbed = rollout(&world(data, Config::default()), &episodes, &|_| ());
    let limits = Limits { time_out: PATIENCE, ..Limits::default() };
    let world = world(data, Config { limits, ..Config::default() });
    let stopped = AtomicBool::new(false);
    let start = Instant::now();
    let disturbed = rollout(&world, &episodes, &|step| {
        if step == 15 {
            world.processes().into_iter().for_each(|process| signal(process, "-STOP"));
            stopped.store(true, Ordering::Relaxed);
        }
    });
    assert!(stopped.into_inner() && start.elapsed() > PATIENCE);
    assert!(world.processes_started() >= 2);
    for (one, other) in undisturbed.iter().zip(&disturbed) {
        assert_eq!(one.as_ref().expect("complete"), other.as_ref().expect("complete"));
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn a_process_that_died_between_two_games() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let (id, actions) = &walks(1, 5)[0];
    let mut game = world.game().expect("set up");
    let before = played(&mut game, id, actions).expect("played");
    world.processes().into_iter().for_each(|process| signal(process, "-KILL"));
    assert_eq!(played(&mut game, id, actions).expect("played"), before);
    world.processes().into_iter().for_each(|process| signal(process, "-KILL"));
    let after = (game.look().expect("replayed"), game.placeholder("objects").expect("known"));
    assert_eq!(after.0.trim_end(), game.act("look around").expect("played").observation.trim_end());
    assert_eq!(world.processes_started(), 3);
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn what_breaks_every_process_ends_the_episode_with_the_reason() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let mut game = world.game().expect("set up");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Also those that the world does not show.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                children().into_iter().for_each(|process| drop(std::process::Command::new("kill").args(["-KILL", &process]).status()));
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let result = played(&mut game, "boil/0", &[]);
        over.store(true, Ordering::Relaxed);
        let Err(EnvError::Broken(reason)) = result else { panic!("{result:?}") };
        assert!(reason.starts_with("`boil/0`: no process has lasted in 6 tries, at last: "), "{reason}");
    });
    assert!(world.processes_started() <= 8, "{} processes", world.processes_started());
    assert!(played(&mut game, "boil/0", &[]).is_ok(), "the next game has a new chance");
}

/// The Java processes that this one has started.
fn children() -> Vec<String> {
    let me = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    let is_mine = |name: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        stat.split_once(" (java) ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&me) && !rest.starts_with('Z'))
    };
    processes.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(is_mine).collect()
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn java_ends_with_its_world() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let game = world.game().expect("set up");
    let processes = world.processes();
    assert_eq!(processes.len(), 1);
    drop(world);
    assert!(is_running(processes[0]), "a game still uses it");
    drop(game);
    assert!(!is_running(processes[0]));
}

mod role {
    use super::*;

    #[test]
    #[ignore = "no test, but the process that the next one kills"]
    fn holds_a_java_process() {
        let world = world(data(), Config::default());
        let _game = world.game().expect("set up");
        println!("java is {}", world.processes()[0]);
        std::thread::sleep(Duration::from_mins(1));
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn java_ends_with_us_even_when_we_are_killed() {
    use std::io::{BufRead, BufReader};
    data();
    let _alone = alone();
    let mut command = std::process::Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "breakdowns::role::holds_a_java_process", "--ignored", "--nocapture"]);
    let mut victim = command.stdout(std::process::Stdio::piped()).spawn().expect("started");
    let lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
    let java = lines.map_while(Result::ok).find_map(|line| line.split_once("java is ")?.1.parse().ok()).expect("it tells");
    assert!(is_running(java));
    victim.kill().expect("killed");
    victim.wait().expect("gone");
    let patience = Instant::now() + Duration::from_secs(10);
    while is_running(java) && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!is_running(java), "process {java} is still there");
}

fn is_running(process: u32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat")).unwrap_or_default();
    // A zombie has ended, it only waits for its parent to ask.
    !stat.is_empty() && !stat.contains(") Z ")
}
