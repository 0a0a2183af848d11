//! What takes too long for every change.

use crate::common::{all_recordings, alone, data, played, walks, world};
use epo::env::scienceworld::{Config, Mode};

#[test]
#[ignore = "takes minutes: scripts/full-check.sh"]
fn every_recording_replays_to_the_letter() {
    let recordings = all_recordings();
    assert_eq!((recordings.len(), recordings.iter().map(|recording| recording.steps.len()).sum::<usize>()), (180, 8824));
    crate::recordings::replays(&recordings);
}

#[test]
#[ignore = "takes minutes: scripts/full-check.sh"]
fn killed_in_the_middle_of_a_large_rollout() {
    crate::breakdowns::killed_in_the_middle(16);
}

#[test]
#[ignore = "takes minutes: scripts/full-check.sh"]
fn two_thousand_episodes_in_the_same_memory() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config { mode: Mode::Full, ..Config::default() });
    let walks = walks(45, 3);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut resident = Vec::new();
    let mut games: Vec<_> = (0..4).map(|_| world.game().expect("set up")).collect();
    for _ in 0..8 {
        let end = next.load(std::sync::atomic::Ordering::Relaxed) + 250;
        std::thread::scope(|scope| {
            for game in &mut games {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if number >= end {
                            return;
                        }
                        let (id, actions) = &walks[number % walks.len()];
                        played(game, id, actions).expect("played");
                    }
                });
            }
        });
        next.store(end, std::sync::atomic::Ordering::Relaxed);
        resident.push(world.resident().expect("known on Linux") / 1_000_000);
        eprintln!("{end} episodes: {} MB", resident[resident.len() - 1]);
    }
    assert_eq!(world.processes_started(), 1);
    // The heap fills up to its bound in the first quarter; a leak would go on.
    assert!(resident[7] <= resident[2] + resident[2] / 10, "{resident:?} MB");
}
