//! With real processes: this test executable, started again as a child that runs one pipeline.

use super::*;
use crate::spec::fake::{Count, count, three};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const ROOT: &str = "EPO_TEST_CHILD_ROOT";
const PAUSE: &str = "EPO_TEST_CHILD_PAUSE";
const NAME: &str = "EPO_TEST_CHILD_NAME";

pub(super) fn pipelines(pause_ms: u64) -> [PipelineSpec; 1] {
    pipelines_of("a", pause_ms)
}

fn pipelines_of(name: &str, pause_ms: u64) -> [PipelineSpec; 1] {
    let train = Count { iterations: 40, every: 3, ..count("rl") };
    train.probe.pause_ms.store(pause_ms, Ordering::SeqCst);
    [three(name, 0, 5, train)]
}

mod role {
    use super::*;

    #[test]
    #[ignore = "no test, but the process that the others start"]
    fn child() {
        let root = std::env::var(ROOT).expect("where it runs");
        let pause = std::env::var(PAUSE).ok().and_then(|p| p.parse().ok()).unwrap_or(0);
        let options = Options { interrupt: Interrupt::on_ctrl_c().unwrap(), ..Options::default() };
        let name = std::env::var(NAME).unwrap_or_else(|_| "a".into());
        let code = match run_with(&pipelines_of(&name, pause), &Store::new(root), &options) {
            Ok(_) => 0,
            Err(error) => {
                let diagnostic = error.diagnostic();
                eprintln!("{}: {}", diagnostic.code, diagnostic.message);
                error.exit_code()
            }
        };
        std::process::exit(code.into());
    }
}

const CHILD: [&str; 4] = ["exec::tests::process::role::child", "--exact", "--ignored", "--nocapture"];

/// On another machine, as far as claims go, which then count without a sign of life for a second and a half.
pub(super) fn command_of(host: &str, name: &str, root: &Path, pause_ms: u64) -> Command {
    let mut command = command(root, pause_ms);
    command.env("EPO_TEST_HOST", host).env("EPO_TEST_CLAIM_SECONDS", "1.5").env(NAME, name);
    command
}

fn command(root: &Path, pause_ms: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(CHILD).env(ROOT, root).env(PAUSE, pause_ms.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start(root: &Path, pause_ms: u64) -> Child {
    command(root, pause_ms).spawn().unwrap()
}

/// Waits until the child's `train` has so many metrics.
pub(super) fn wait_for(store: &Store, lines: usize, child: &mut Child) -> Option<ExitStatus> {
    let folder = store.task_path(&plan(&pipelines(0)).tasks[1].digest);
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if crate::store::read_metrics(&folder).is_ok_and(|m| m.len() >= lines) {
            return None;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "the child does not get on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn expected() -> BTreeMap<String, Vec<u8>> {
    let folder = scratch();
    let store = Store::new(folder.path());
    run(&pipelines(0), &store).unwrap();
    tasks(&store)
}

#[test]
fn killed_and_run_again_it_ends_with_the_same_bytes() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let mut kills = 0;
    for lines in [1, 2, 5, 9, 14, 15, 22, 30, 38] {
        let mut child = start(folder.path(), 10);
        if wait_for(&store, lines, &mut child).is_none() {
            child.kill().unwrap(); // SIGKILL
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills >= 3, "{kills}");
    assert_eq!(start(folder.path(), 0).wait().unwrap().code(), Some(0));
    assert_same(&expected(), &tasks(&store), "killed");
}

#[test]
fn the_second_process_waits_for_the_first_however_that_ends() {
    for kill in [false, true] {
        let folder = scratch();
        let store = Store::new(folder.path());
        let mut first = start(folder.path(), 30);
        assert!(wait_for(&store, 1, &mut first).is_none());
        assert_eq!(store.runs().unwrap()[0].state, crate::store::RunState::Running);
        assert!(store.remove_run(&store.runs().unwrap()[0]).is_err());
        let mut second = start(folder.path(), 0);
        if kill {
            std::thread::sleep(Duration::from_millis(300));
            first.kill().unwrap();
        }
        assert_eq!(first.wait().unwrap().code(), (!kill).then_some(0));
        assert_eq!(second.wait().unwrap().code(), Some(0));
        assert_same(&expected(), &tasks(&store), "waited");
        let count = |wanted: fn(&Event) -> bool| events(&store).iter().filter(|event| wanted(event)).count();
        assert_eq!(count(|e| matches!(e, Event::RunStarted { .. })), 2);
        if !kill {
            assert_eq!(count(|e| matches!(e, Event::TaskFinished { .. })), 3, "nothing is done twice");
        }
    }
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_after_the_iteration_and_twice_at_once() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let interrupt = |child: &Child| assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut child = start(folder.path(), 20);
    assert!(wait_for(&store, 4, &mut child).is_none());
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(events(&store).iter().any(|e| matches!(e, Event::TaskInterrupted { .. })));

    // One long iteration: the first is heard after it, the second does not wait.
    let mut child = start(folder.path(), 600_000);
    let train = store.task_path(&plan(&pipelines(0)).tasks[1].digest);
    let began = Instant::now();
    while crate::store::Lock::holder(&train).is_none() {
        assert!(began.elapsed() < Duration::from_mins(2), "the child does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    interrupt(&child);
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_mins(5));
    assert_eq!(start(folder.path(), 0).wait().unwrap().code(), Some(0));
    assert_same(&expected(), &tasks(&store), "interrupted");
}

/// A limit on the size of files stands for a full disk: it holds for root too.
#[test]
#[cfg(target_os = "linux")]
fn a_write_that_the_system_refuses() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let exe = std::env::current_exe().unwrap();
    // One block of 512 bytes or of 1024, by shell; the signal is ignored, so that the write fails instead.
    let script = format!("trap '' XFSZ; ulimit -f 2; exec '{}' {}", exe.display(), CHILD.join(" "));
    let output = Command::new("sh").args(["-c", &script]).env(ROOT, folder.path()).stdout(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write `") && said.contains("`: the file would be larger than allowed"), "{said}");
    for name in bytes(folder.path()).keys() {
        assert!(!name.contains(".tmp-"), "{name}");
    }
    assert_eq!(start(folder.path(), 0).wait().unwrap().code(), Some(0));
    assert_same(&expected(), &tasks(&store), "after the limit");
}

/// A real one of 100 KiB.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "needs the right to mount a file system: scripts/test.sh"]
fn a_full_disk_and_then_room_again() {
    let folder = scratch();
    let (disk, saved) = (folder.path().join("disk"), folder.path().join("saved"));
    std::fs::create_dir(&disk).unwrap();
    // The mount ends with the shell, so what it held is saved.
    let child = format!("'{}' {}", std::env::current_exe().unwrap().display(), CHILD.join(" "));
    let script = format!(
        "mount -t tmpfs -o size=100k tmpfs '{0}' || exit 97; {child}; first=$?; find '{0}' -name '.tmp-*' >&2
         mount -o remount,size=20m '{0}' && {child} && cp -a '{0}' '{1}'; exit $first",
        disk.display(),
        saved.display()
    );
    let output = Command::new("unshare").args(["-m", "sh", "-c", &script]).env(ROOT, &disk).stdout(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot ") && said.contains("`: the disk is full") && !said.contains(".tmp-\n"), "{said}");
    assert_same(&expected(), &tasks(&Store::new(saved)), "after the full disk");
}
