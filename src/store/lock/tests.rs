use super::*;
use crate::store::fault;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Puts a claim of another machine there.
fn foreign(folder: &Path, beat: u64) -> Record {
    let record = Record {
        host: "node7".into(),
        machine: "another".into(),
        locked: true,
        dead_after: 0.3,
        since: "2026-05-01T12:00:00Z".into(),
        pid: 7,
        ..Record::new().unwrap()
    };
    fs::write(folder.join(LOCK), record.at(beat).bytes().unwrap()).unwrap();
    record
}

fn names(folder: &Path) -> Vec<String> {
    files::names(folder).unwrap()
}

#[test]
fn one_at_a_time_and_nothing_else_stays() {
    let folder = scratch();
    let lock = Lock::take(folder.path()).unwrap();
    let error = Lock::take(folder.path()).unwrap_err();
    assert!(error.to_string().contains(&format!("another epo-run (pid {}, since 2", std::process::id())), "{error}");
    assert_eq!(Lock::holder(folder.path()).unwrap().host, None);
    lock.check(false).unwrap();
    drop(lock);
    assert_eq!(Lock::holder(folder.path()), None);
    drop(Lock::take(folder.path()).unwrap());
    assert_eq!(names(folder.path()), [LOCK]);
}

/// An epo-run that knows the system's locks alone, and anything that is no claim.
#[test]
fn without_a_claim_the_lock_of_the_system_decides() {
    for text in ["", "{", r#"{"pid":7,"since":"2026-05-01T12:00:00Z"}"#, "[]", "\u{0}\u{0}"] {
        let folder = scratch();
        let path = folder.path().join(LOCK);
        fs::write(&path, text).unwrap();
        let old = File::options().read(true).write(true).open(&path).unwrap();
        old.lock().unwrap();
        assert!(matches!(Lock::take(folder.path()), Err(StoreError::Locked { .. })), "{text:?}");
        assert!(Lock::holder(folder.path()).is_some());
        drop(old);
        assert_eq!(Lock::holder(folder.path()), None);
        Lock::take(folder.path()).unwrap().check(false).unwrap();
    }
}

#[test]
fn the_claim_of_another_machine_is_watched() {
    let folder = scratch();
    let record = foreign(folder.path(), 0);
    let began = Instant::now();
    // As long as it shows life.
    for beat in 1..=10 {
        let error = Lock::take(folder.path()).unwrap_err();
        assert!(error.to_string().contains("another epo-run (pid 7 on node7, since 2026-05-01T12:00:00Z) is at work"), "{error}");
        std::thread::sleep(Duration::from_millis(60));
        fs::write(folder.path().join(LOCK), record.at(beat).bytes().unwrap()).unwrap();
    }
    assert!(began.elapsed() > Duration::from_millis(400));
    assert_eq!(Lock::holder(folder.path()).unwrap().host.as_deref(), Some("node7"));
    // And from then on not for long.
    let began = Instant::now();
    let lock = loop {
        match Lock::take(folder.path()) {
            Ok(lock) => break lock,
            Err(error) => assert!(matches!(error, StoreError::Locked { .. }), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(began.elapsed() >= Duration::from_millis(300));
    lock.check(false).unwrap();
    assert_eq!(names(folder.path()), [LOCK]);
    // One that was let go is free at once, and so is one whose death is waited for.
    drop(lock);
    let record = foreign(folder.path(), 3);
    fs::write(folder.path().join(LOCK), record.released().bytes().unwrap()).unwrap();
    assert_eq!(Lock::holder(folder.path()), None);
    drop(Lock::take(folder.path()).unwrap());
    foreign(folder.path(), 3);
    Lock::free_from_the_dead(folder.path()).unwrap();
    drop(Lock::take(folder.path()).unwrap());
}

#[test]
fn who_was_taken_for_dead_knows_it_and_touches_nothing() {
    let folder = scratch();
    let lock = Lock::take(folder.path()).unwrap();
    // The other way round: another machine takes over from this process.
    let other = foreign(folder.path(), 0);
    let _ = fs::remove_file(folder.path().join(LOCK));
    fs::write(folder.path().join(LOCK), other.at(5).bytes().unwrap()).unwrap();
    let error = lock.check(false).unwrap_err();
    assert!(error.to_string().contains("was taken over by another epo-run (pid 7 on node7"), "{error}");
    drop(lock);
    assert_eq!(fs::read(folder.path().join(LOCK)).unwrap(), other.at(5).bytes().unwrap());
}

/// Threads are to the system's locks as processes are: the open files are others.
#[test]
fn of_many_that_take_over_at_once_one_wins() {
    for round in 0..40 {
        let folder = scratch();
        let record = foreign(folder.path(), 0);
        let released = if round % 2 == 0 { record.released() } else { Record { machine: Record::new().unwrap().machine, ..record } };
        fs::write(folder.path().join(LOCK), released.bytes().unwrap()).unwrap();
        let (inside, taken, barrier) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..3 {
                        let lock = Lock::wait(folder.path()).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                        lock.check(false).unwrap();
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::SeqCst), 24);
    }
}

#[test]
fn death_at_any_moment_leaves_it_free() {
    for prepared in [false, true] {
        let mut n = 0;
        loop {
            let folder = scratch();
            if prepared {
                drop(Lock::take(folder.path()).unwrap());
            }
            fault::crash_after(n);
            let taken = catch_unwind(AssertUnwindSafe(|| Lock::take(folder.path())));
            fault::disarm();
            let through = taken.is_ok();
            drop(taken);
            drop(Lock::take(folder.path()).unwrap());
            drop(Lock::take(folder.path()).unwrap());
            assert_eq!(names(folder.path()), [LOCK], "died at point {n}");
            if through {
                assert!(n >= 2, "{n}");
                break;
            }
            n += 1;
        }
    }
}
