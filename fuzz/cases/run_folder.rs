//! Arbitrary files in a folder of runs: looked at, verified and run over; never a panic, and either a message or the right result.
//!
//! The bytes are sections. Each begins with a line `=== PATH`; in paths, `T0`, `T1`, … stand for the digests of the tasks and `R` for the run's. A section
//! whose content begins with `-> ` is a link to the folder or file of somebody else.

use epo::exec::{Options, Watch, execute};
use epo::lang::load::Root;
use epo::plan::{Plan, reasons};
use epo::spec::{LIBRARY, Request, compile};
use epo::store::{RunRecord, Store};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// Small enough to be made a few hundred times a second.
const RECIPE: &str = r#"prompt look = "{observation}"
house = household {
  receptacles = 5, objects = 4, families = [put], max_turns = 2
  prompt = windowed { then = look }
  seen = games { split = "seen", count = 1 }
}
pipeline small {
  stages {
    chance = evaluate { actor = random, on = house.seen }
    page   = report { of = [chance] }
  }
}
"#;

/// In memory where there is such a place: everything is synced.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

struct Silent;

impl Watch for Silent {}

/// The plan, and the report that it leads to.
fn expected() -> &'static (Plan, String) {
    static EXPECTED: OnceLock<(Plan, String)> = OnceLock::new();
    EXPECTED.get_or_init(|| {
        let root = Root::Text { name: "small.epo", text: RECIPE };
        let compiled = compile(&Request { root, overrides: &[], library: &LIBRARY });
        let plan = Plan::new(&compiled.pipelines).unwrap_or_else(|messages| panic!("{messages:?}"));
        let folder = scratch();
        let report = run(&plan, &Store::new(folder.path())).expect("a clean run");
        (plan, report)
    })
}

/// The report of the run.
fn run(plan: &Plan, store: &Store) -> Result<String, String> {
    let record = RunRecord { name: "small".into(), ..RunRecord::default() };
    let outcome = execute(plan, store, record, &Options::default(), &mut Silent).map_err(|error| error.to_string())?;
    let report = outcome.pages.iter().find(|page| page.extension().is_some_and(|ending| ending == "json")).expect("a report");
    fs::read_to_string(report).map_err(|error| error.to_string())
}

/// A store after one run, as sections.
#[allow(dead_code, reason = "the fuzz target begins with seeds instead")]
pub(crate) fn seed() -> Vec<u8> {
    let (plan, _) = expected();
    let folder = scratch();
    run(plan, &Store::new(folder.path())).expect("a clean run");
    let mut sections = Vec::new();
    let mut open = vec![folder.path().to_path_buf()];
    while let Some(path) = open.pop() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        entries.sort();
        for path in entries {
            if path.is_symlink()
                || path.ends_with(".lock")
                || path.ends_with("report.html")
                || path.ends_with("machine.json")
                || path.ends_with("events.jsonl")
            {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let mut name = path.strip_prefix(folder.path()).expect("inside").display().to_string();
            for (number, task) in plan.tasks.iter().enumerate() {
                name = name.replace(task.digest.hex(), &format!("T{number}"));
            }
            sections.extend(format!("=== {}\n", name.replace(plan.digest.short(), "R")).into_bytes());
            sections.extend(fs::read(&path).expect("a file"));
        }
    }
    sections
}

/// What the bytes describe is looked at in every way, and run over.
pub(crate) fn try_out(bytes: &[u8]) {
    let (plan, report) = expected();
    let folder = scratch();
    let (root, victim) = (folder.path().join("runs"), folder.path().join("victim"));
    fs::create_dir(&victim).expect("a folder");
    fs::write(victim.join("precious"), "precious").expect("written");
    lay_out(bytes, plan, &root, &victim);

    let store = Store::new(&root);
    let _ = store.runs();
    let _ = store.verify(None);
    let _ = store.find_run("small").map(|run| (run.plan(), store.page_problem(&run, "report.json")));
    let _ = reasons(plan, &store, "small");
    if let Ok(found) = run(plan, &store) {
        assert_eq!(&found, report, "what is shown is what a clean run shows");
        let run = store.find_run(&format!("small/{}", plan.digest.short())).expect("the run");
        let verified = store.verify(Some(&run)).expect("verified");
        let own = verified.faults.iter().filter(|fault| !fault.problem.contains("report.") && !fault.problem.contains("damaged"));
        assert_eq!(own.collect::<Vec<_>>(), Vec::<&epo::store::Fault>::new());
    }
    let mut kept = fs::read_dir(&victim).expect("the folder is there").map(|entry| entry.expect("an entry").file_name());
    assert_eq!((kept.next().as_deref(), kept.next()), (Some("precious".as_ref()), None));
    assert_eq!(fs::read_to_string(victim.join("precious")).expect("a file"), "precious");
}

fn lay_out(bytes: &[u8], plan: &Plan, root: &Path, victim: &Path) {
    let text_at = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"=== "));
    let starts: Vec<usize> =
        (0..bytes.len()).filter(|at| text_at(*at) && (*at == 0 || bytes.get(at - 1) == Some(&b'\n'))).take(64).collect();
    for (number, start) in starts.iter().enumerate() {
        let section = &bytes[start + 4..starts.get(number + 1).copied().unwrap_or(bytes.len())];
        let Some(end) = section.iter().position(|b| *b == b'\n') else { continue };
        let Some(path) = std::str::from_utf8(&section[..end]).ok().and_then(|name| inside(name, plan)) else { continue };
        let (path, content) = (root.join(path), &section[end + 1..]);
        // A link in the way would lead what is laid out here into the other folder.
        if path.ancestors().any(|part| part.is_symlink()) || path.parent().is_none_or(|parent| fs::create_dir_all(parent).is_err()) {
            continue;
        }
        #[cfg(unix)]
        if let Some(target) = content.strip_prefix(b"-> ") {
            let target = if target.starts_with(b"file") { victim.join("precious") } else { victim.to_path_buf() };
            let _ = std::os::unix::fs::symlink(target, path);
            continue;
        }
        let _ = fs::write(path, content);
    }
}

/// A path that stays in the folder.
fn inside(name: &str, plan: &Plan) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in Path::new(name).components().take(8) {
        let Component::Normal(part) = part else { return None };
        let part = part.to_str().filter(|part| part.len() < 100)?;
        let task = part.strip_prefix('T').and_then(|number| number.parse::<usize>().ok()).and_then(|number| plan.tasks.get(number));
        match task {
            Some(task) => path.push(task.digest.hex()),
            None if part == "R" => path.push(plan.digest.short()),
            None => path.push(part),
        }
    }
    Some(path).filter(|path| !path.as_os_str().is_empty())
}
