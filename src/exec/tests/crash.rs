//! A process may die between any two changes of the disk: the next one ends with the same bytes as if it had not.

use super::*;
use crate::seed::Seed;
use crate::spec::fake::{Count, count, three};
use crate::store::fault;
use rand_chacha::rand_core::RngCore;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) fn pipelines() -> Vec<PipelineSpec> {
    vec![three("a", 0, 5, count("rl"))]
}

/// Fewer checkpoints than are written, so that some are removed on the way.
pub(super) fn options() -> Options {
    Options { keep: 2, ..Options::default() }
}

fn run(instances: &[PipelineSpec], store: &Store) -> Result<Outcome, ExecError> {
    run_with(instances, store, &options())
}

/// Runs until the `n`th point; whether it got through.
pub(super) fn run_until(n: u64, instances: &[PipelineSpec], store: &Store) -> bool {
    fault::crash_after(n);
    let result = catch_unwind(AssertUnwindSafe(|| run(instances, store)));
    fault::disarm();
    match result {
        Ok(result) => result.map(|_| true).unwrap(),
        Err(panic) => {
            assert!(panic.is::<fault::Crash>());
            false
        }
    }
}

pub(super) fn reference() -> (tempfile::TempDir, BTreeMap<String, Vec<u8>>) {
    let folder = scratch();
    let store = Store::new(folder.path());
    run(&pipelines(), &store).unwrap();
    let expected = tasks(&store);
    // 3 tasks; of 7 iterations, checkpoints 4 and 6 remain; of 3, the one at 2.
    assert_eq!(expected.keys().filter(|k| k.ends_with("status.json")).count(), 3);
    assert_eq!(expected.keys().filter(|k| k.ends_with("sub/weights")).count(), 3);
    (folder, expected)
}

#[test]
fn death_at_every_point_once() {
    let (_folder, expected) = reference();
    let mut points = 0;
    loop {
        let folder = scratch();
        let store = Store::new(folder.path());
        let through = run_until(points, &pipelines(), &store);
        run(&pipelines(), &store).unwrap();
        assert_same(&expected, &tasks(&store), &format!("died at point {points}"));
        assert_eq!(run(&pipelines(), &store).unwrap().made, Vec::<String>::new());
        if through {
            break;
        }
        points += 1;
    }
    assert!(points > 200, "only {points} points");
}

#[test]
fn death_again_and_again() {
    let (_folder, expected) = reference();
    for trial in 0..40 {
        let mut rng = Seed(11).child("trial", trial).rng();
        let folder = scratch();
        let store = Store::new(folder.path());
        let mut deaths = 0;
        // Short lives get nowhere beyond the next checkpoint; every hundredth is long.
        while !run_until(rng.next_u64() % if deaths % 5 == 4 { 300 } else { 60 }, &pipelines(), &store) {
            deaths += 1;
            assert!(deaths < 1000);
        }
        assert_same(&expected, &tasks(&store), &format!("trial {trial}, {deaths} deaths"));
    }
}

#[test]
fn fresh_over_finished_and_death_meanwhile() {
    let (folder, expected) = reference();
    let store = Store::new(folder.path());
    for n in (0..400).step_by(7) {
        fault::crash_after(n);
        let fresh = Options { fresh: true, ..options() };
        let result = catch_unwind(AssertUnwindSafe(|| run_with(&pipelines(), &store, &fresh)));
        fault::disarm();
        run(&pipelines(), &store).unwrap();
        assert_same(&expected, &tasks(&store), &format!("died at point {n}"));
        if result.is_ok() {
            return;
        }
    }
}

/// The error path cleans up where the crash path does not; neither leaves half a file under a final name.
#[test]
fn an_error_at_any_iteration_leaves_a_resumable_task() {
    let (_folder, expected) = reference();
    for iteration in 0..7 {
        let train = count("rl");
        train.probe.fail_at.store(iteration + 1, std::sync::atomic::Ordering::SeqCst);
        let folder = scratch();
        let store = Store::new(folder.path());
        let failing = vec![three("a", 0, 5, Count { ..train })];
        let error = run(&failing, &store).unwrap_err();
        assert!(error.to_string().contains("is not liked"), "{error}");
        run(&pipelines(), &store).unwrap();
        assert_same(&expected, &tasks(&store), &format!("failed at {iteration}"));
    }
}
