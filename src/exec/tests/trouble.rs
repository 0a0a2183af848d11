use super::*;
use crate::spec::fake::{Count, count, three};
use crate::store::Digest;
use std::fs;
use std::sync::atomic::Ordering;

fn train_folder(store: &Store, instances: &[PipelineSpec]) -> PathBuf {
    store.task_path(&plan(instances).tasks[1].digest)
}

/// A run that stopped in `train` at iteration 5, with checkpoints at 2 and 4.
fn half_done() -> (tempfile::TempDir, Store, [PipelineSpec; 1]) {
    let folder = scratch();
    let store = Store::new(folder.path());
    let failing = count("rl");
    failing.probe.fail_at.store(6, Ordering::SeqCst);
    run(&[three("a", 0, 5, failing)], &store).unwrap_err();
    (folder, store, [three("a", 0, 5, count("rl"))])
}

fn expected(instances: &[PipelineSpec]) -> BTreeMap<String, Vec<u8>> {
    let folder = scratch();
    let store = Store::new(folder.path());
    run(instances, &store).unwrap();
    tasks(&store)
}

fn warnings(store: &Store) -> Vec<String> {
    events(store).into_iter().filter_map(|e| if let Event::Warning { line, .. } = e { Some(line) } else { None }).collect()
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_used() {
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 7] = [
        ("`sub/weights` has 3 bytes instead of 8", |c| fs::write(c.join("sub/weights"), b"abc").unwrap()),
        ("the content of `sub/weights` does not have the hash", |c| fs::write(c.join("sub/weights"), b"abcdefgh").unwrap()),
        ("`state.json` is missing", |c| fs::remove_file(c.join("state.json")).unwrap()),
        ("`manifest.json` cannot be read", |c| fs::remove_file(c.join("manifest.json")).unwrap()),
        ("`manifest.json`: ", |c| fs::write(c.join("manifest.json"), "{\"format\": 1").unwrap()),
        ("`metrics.jsonl` has ", |c| {
            let log = c.join("../../metrics.jsonl");
            let text = fs::read(&log).unwrap();
            fs::write(log, &text[..text.len() / 5 * 3]).unwrap();
        }),
        ("`manifest.json` speaks of another iteration", |c| {
            let text = fs::read_to_string(c.join("manifest.json")).unwrap();
            fs::write(c.join("manifest.json"), text.replace("\"iteration\": 4", "\"iteration\": 5")).unwrap();
        }),
    ];
    for (words, damage) in damages {
        let (_folder, store, instances) = half_done();
        let checkpoint = train_folder(&store, &instances).join("checkpoints/iteration-0004");
        damage(&checkpoint);
        let outcome = run(&instances, &store).unwrap();
        assert_eq!(outcome.made, ["a.train", "a.page"]);
        let said = warnings(&store);
        assert_eq!(said.len(), 1, "{said:?}");
        let all = format!("checkpoint `{}` is damaged: {words}", checkpoint.display());
        assert!(said[0].starts_with(&all) && said[0].ends_with("; going on from iteration 2"), "{said:?}");
        assert!(events(&store).iter().any(|e| matches!(e, Event::TaskResumed { iteration: 2, .. })));
        assert_same(&expected(&instances), &tasks(&store), words);
    }
}

#[test]
fn all_checkpoints_damaged_or_the_outputs_begin_anew() {
    for output in [false, true] {
        let (_folder, store, instances) = half_done();
        let task = train_folder(&store, &instances);
        if output {
            fs::write(task.join("outputs/best/state.json"), "{}").unwrap();
        } else {
            for checkpoint in ["iteration-0002", "iteration-0004"] {
                fs::write(task.join("checkpoints").join(checkpoint).join("state.json"), "{}").unwrap();
            }
        }
        run(&instances, &store).unwrap();
        let said = warnings(&store);
        assert_eq!(said.len(), if output { 1 } else { 2 });
        assert!(
            said.iter().all(|line| line.contains("is damaged") && line.ends_with(if output { "it begins anew" } else { "beginning anew" })),
            "{said:?}"
        );
        assert_same(&expected(&instances), &tasks(&store), "anew");
    }
}

#[test]
fn a_damaged_input_is_made_again() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    run(&instances, &store).unwrap();
    // The same length, so that a quick look does not see it.
    let weights = train_folder(&store, &instances).join("outputs/best/state.json");
    let text = fs::read_to_string(&weights).unwrap();
    fs::write(&weights, text.replace("best", "tseb")).unwrap();
    let page = store.task_path(&plan(&instances).tasks[2].digest);
    fs::remove_dir_all(page).unwrap();
    let outcome = run(&instances, &store).unwrap();
    assert_eq!(outcome.made, ["a.train", "a.page"]);
    let said = warnings(&store);
    assert!(said.len() == 1 && said[0].contains("in its output `best`, the content of `state.json`"), "{said:?}");
    assert_same(&expected(&instances), &tasks(&store), "healed");
}

#[test]
fn a_finished_task_whose_output_is_gone_is_made_again() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    run(&instances, &store).unwrap();
    fs::remove_dir_all(train_folder(&store, &instances).join("outputs/policy")).unwrap();
    let why = crate::plan::reasons(&plan(&instances), &store, "a").unwrap();
    assert_eq!(why[1].to_string(), "damaged: its output `policy` is missing");
    assert_eq!(run(&instances, &store).unwrap().made, ["a.train"]);
    assert_same(&expected(&instances), &tasks(&store), "healed");
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    let outcome = run(&instances, &store).unwrap();
    for file in [train_folder(&store, &instances).join("status.json"), outcome.folder.join("plan.json")] {
        let old = fs::read_to_string(&file).unwrap();
        fs::write(&file, old.replacen("\"format\": 1", "\"format\": 2", 1).replace("finished", "done in a new way")).unwrap();
        let before = bytes(folder.path());
        for fresh in [false, true] {
            let error = run_with(&instances, &store, &Options { fresh, ..Options::default() }).unwrap_err();
            let words = format!("`{}` has format 2, written by a newer epo-run; this one knows formats up to 1", file.display());
            assert_eq!(error.to_string(), words);
            assert_eq!(error.exit_code(), 2);
        }
        let after = bytes(folder.path());
        let touched: Vec<_> =
            after.iter().filter(|(k, v)| before.get(*k) != Some(*v) && !k.ends_with("events.jsonl")).map(|(k, _)| k).collect();
        assert!(touched.is_empty(), "{touched:?}");
        assert!(store.runs().is_ok());
        fs::write(&file, old).unwrap();
    }
}

#[test]
fn a_status_without_sense_is_made_again() {
    let (_folder, store, instances) = half_done();
    fs::write(train_folder(&store, &instances).join("status.json"), "{ \"format\": 1, \"sta").unwrap();
    run(&instances, &store).unwrap();
    assert!(warnings(&store)[0].contains("status.json` is damaged"));
    assert_same(&expected(&instances), &tasks(&store), "status");
}

/// Does something when the execution says that it waits.
struct WhenWaiting<F: FnMut(&str)>(F);

impl<F: FnMut(&str)> Watch for WhenWaiting<F> {
    fn waits(&mut self, line: &str) {
        self.0(line);
    }
}

#[test]
fn a_run_that_another_process_is_at_work_on_is_waited_for() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let plan = plan(&[three("a", 0, 5, count("rl"))]);
    let record = RunRecord { plan: plan.record(), tasks: plan.links(), ..record("a") };
    let mut held = Some(store.open_run(&plan.digest, &record).unwrap());
    let path = held.as_ref().unwrap().path().to_path_buf();
    let mut said = Vec::new();
    let mut watch = WhenWaiting(|line| {
        said.push(line.to_owned());
        held = None;
    });
    let outcome = execute(&plan, &store, record, &Options::default(), &mut watch).unwrap();
    assert_eq!(outcome.made.len(), 3);
    let start = format!("another epo-run (pid {}, since 2", std::process::id());
    let end = format!(" is at work on `{}`; waiting until it is done", path.display());
    assert!(said.len() == 1 && said[0].starts_with(&start) && said[0].ends_with(&end), "{said:?}");
}

#[test]
fn a_task_that_another_process_is_at_work_on_is_waited_for() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    run(&instances, &store).unwrap();
    let (first, second) = (plan(&instances), plan(&[three("b", 0, 5, count("rl"))]));
    // Another run, the same task.
    fs::remove_dir_all(train_folder(&store, &instances)).unwrap();
    let mut held = Some(store.claim(&first.tasks[1].digest).unwrap());
    let why = crate::plan::reasons(&first, &store, "a").unwrap();
    assert_eq!(why[1].to_string(), format!("another epo-run (pid {}) is at work on it", std::process::id()));
    let mut watch = WhenWaiting(|line| {
        assert!(line.contains(first.tasks[1].digest.hex()), "{line}");
        held = None;
    });
    let outcome = execute(&second, &store, record("b"), &Options::default(), &mut watch).unwrap();
    assert_eq!((outcome.taken, outcome.made), (vec!["b.warm".into()], vec!["b.train".into(), "b.page".into()]));

    // `--fresh` empties nothing as long as it waits, and may be stopped.
    let before = tasks(&store);
    let held = store.claim(&first.tasks[1].digest).unwrap();
    let options = Options { fresh: true, ..Options::default() };
    let mut watch = WhenWaiting(|_| options.interrupt.request());
    let error = execute(&first, &store, record("a"), &options, &mut watch).unwrap_err();
    assert_eq!(error.exit_code(), 130);
    assert_same(&before, &tasks(&store), "fresh and locked");
    drop(held);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = scratch();
    fs::write(folder.path().join("file"), "x").unwrap();
    let root = folder.path().join("file/runs");
    let error = run(&[three("a", 0, 5, count("rl"))], &Store::new(&root)).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create `{}`: a part of this path is a file, not a folder", root.display()));
    let diagnostic = error.diagnostic();
    assert_eq!(diagnostic.help, ["choose a folder that can be written with `--runs DIR`"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_with_its_path() {
    let (_folder, store, instances) = half_done();
    let task = train_folder(&store, &instances);
    // All bytes from here on go to a disk that is always full.
    fs::remove_dir_all(task.join("checkpoints")).unwrap();
    let digest: Digest = plan(&instances).tasks[1].digest.clone();
    let info = TaskInfo { name: "a.train".into(), by: "a/x".into(), key: serde_json::Value::Null };
    let mut claim = store.claim(&digest).unwrap();
    claim.clear().unwrap();
    let mut folder = claim.begin(info, 3).unwrap();
    fs::remove_file(task.join("episodes.jsonl")).unwrap();
    let error = folder
        .write_output("policy", |folder| {
            std::os::unix::fs::symlink("/dev/full", folder.join("weights"))?;
            Ok(fs::write(folder.join("weights"), "x")?)
        })
        .unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write `{}`: the disk is full", task.join("outputs/policy").display()));
    assert!(error.help().unwrap().starts_with("free some space"));
    assert_eq!(fs::read_dir(task.join("outputs")).unwrap().count(), 0);
}

#[test]
fn a_failure_is_told_with_its_place_and_what_follows_is_not_run() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let train = count("rl");
    train.probe.fail_at.store(3, Ordering::SeqCst);
    let mut instances = [three("a", 0, 5, Count { ..train.clone() })];
    instances[0].stages[1].span = crate::spec::fake::span(77);
    let error = run(&instances, &store).unwrap_err();
    assert_eq!(error.to_string(), "stage `a.train` failed: the number 2 is not liked");
    assert_eq!(error.exit_code(), 2);
    let diagnostic = error.diagnostic();
    assert_eq!((diagnostic.code, diagnostic.labels[0].span.start), ("E0501", 77));
    assert_eq!(store.runs().unwrap()[0].state, crate::store::RunState::Failed);
    let why = crate::plan::reasons(&plan(&instances), &store, "a").unwrap();
    assert_eq!(why[1].to_string(), "failed before (the number 2 is not liked): goes on at iteration 2");
    assert!(!store.task_path(&plan(&instances).tasks[2].digest).exists());

    train.probe.fail_at.store(0, Ordering::SeqCst);
    train.probe.panic_at.store(5, Ordering::SeqCst);
    let error = run(&instances, &store).unwrap_err();
    assert_eq!(error.to_string(), "stage `a.train` failed: a mistake in epo-run itself: at 4");
    train.probe.panic_at.store(0, Ordering::SeqCst);
    run(&instances, &store).unwrap();
    assert_same(&expected(&instances), &tasks(&store), "after failures");
}

#[test]
fn what_a_run_folder_holds() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let outcome = run(&[three("a", 0, 5, count("rl"))], &store).unwrap();
    let names: Vec<String> = bytes(&outcome.folder).into_keys().filter(|k| !k.starts_with("tasks/")).collect();
    assert_eq!(
        names,
        ["events.jsonl", "machine.json", "plan.json", "report.html", "resolved.epo", "source/command-line", "source/up/x/a.epo"]
    );
}

#[test]
fn the_machine_of_a_run_is_the_one_that_was_at_work_last() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    let threads_after = |threads: u32, fresh: bool| {
        let machine = serde_json::json!({ "format": 1, "threads": threads });
        let options = Options { fresh, ..Options::default() };
        execute(&plan(&instances), &store, RunRecord { machine, ..record("a") }, &options, &mut Silent).unwrap();
        store.runs().unwrap()[0].machine().unwrap()["threads"].clone()
    };
    assert_eq!(threads_after(1, false), 1);
    assert_eq!(threads_after(2, false), 1, "everything was up to date");
    assert_eq!(threads_after(2, true), 2);
}

#[test]
fn a_stage_that_does_not_give_what_it_promised() {
    #[derive(Debug)]
    struct Empty;
    impl crate::kind::Identity for Empty {
        fn identity(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
    }
    impl crate::stage::Stage for Empty {
        fn kind(&self) -> &'static str {
            "export"
        }
        fn outputs(&self) -> Vec<crate::stage::Output> {
            vec![crate::stage::Output { name: "folder", artifact: Artifact::Folder }]
        }
        fn draws(&self) -> bool {
            false
        }
        fn run(&self, _: &mut dyn crate::stage::Context) -> Result<(), RunError> {
            Ok(())
        }
    }
    let folder = scratch();
    let mut stage = crate::spec::fake::stage("x", count("x"), vec![]);
    stage.stage = std::sync::Arc::new(Empty);
    let error = run(&[crate::spec::fake::pipeline("p", 0, vec![stage])], &Store::new(folder.path())).unwrap_err();
    assert_eq!(error.to_string(), "stage `p.x` failed: a `export` stage ended without its output `folder`");
}

/// The folder of a stranger's task under the digest of ours, whole in itself.
#[test]
fn a_task_with_the_key_of_another_is_made_again() {
    for finished in [true, false] {
        let (_folder, store, instances) = half_done();
        if finished {
            run(&instances, &store).unwrap();
        }
        let status = train_folder(&store, &instances).join("status.json");
        let text = fs::read_to_string(&status).unwrap();
        fs::write(&status, text.replace("\"seed\": 5", "\"seed\": 12345")).unwrap();
        let outcome = run(&instances, &store).unwrap();
        assert!(outcome.made.contains(&"a.train".into()));
        let said = warnings(&store);
        assert!(said.last().unwrap().ends_with("is damaged: `status.json` is that of another task; it begins anew"), "{said:?}");
        assert_same(&expected(&instances), &tasks(&store), "forged");
    }
}

#[test]
fn a_log_that_was_damaged_after_the_end_is_made_again_from_a_checkpoint() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    run(&instances, &store).unwrap();
    let log = train_folder(&store, &instances).join("metrics.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replace("\"iteration\":6", "\"iteration\":9")).unwrap();
    assert_eq!(run(&instances, &store).unwrap().made, ["a.train"]);
    assert!(events(&store).iter().any(|e| matches!(e, Event::TaskResumed { .. })));
    assert!(warnings(&store)[0].contains("`metrics.jsonl`"), "{:?}", warnings(&store));
    assert_same(&expected(&instances), &tasks(&store), "healed");
}

#[test]
fn a_plan_that_was_damaged_is_written_anew_and_can_be_removed() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let instances = [three("a", 0, 5, count("rl"))];
    let plan = run(&instances, &store).unwrap().folder.join("plan.json");
    let whole = fs::read(&plan).unwrap();
    fs::write(&plan, &whole[..10]).unwrap();
    assert_eq!(store.runs().unwrap()[0].state, crate::store::RunState::Unreadable);
    run(&instances, &store).unwrap();
    assert_eq!(fs::read(&plan).unwrap(), whole);
    fs::write(&plan, "").unwrap();
    assert_eq!(store.remove_run(&store.find_run("a").unwrap()).unwrap().tasks, 3);
}

/// What remains of the checkpoints does not depend on where a task was stopped.
#[test]
fn a_checkpoint_of_a_stop_goes_when_there_is_another() {
    let folder = scratch();
    let store = Store::new(folder.path());
    let key = serde_json::json!({ "kind": "rl" });
    let digest = Digest::of(&key);
    let begin = || store.claim(&digest).unwrap().begin(TaskInfo { name: "a.train".into(), by: "a/x".into(), key: key.clone() }, 2).unwrap();
    let names = || {
        let mut names: Vec<u32> = fs::read_dir(store.task_path(&digest).join("checkpoints"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace("iteration-", "").parse().unwrap())
            .collect();
        names.sort_unstable();
        names
    };
    let fill = |folder: &std::path::Path| Ok(fs::write(folder.join("x"), "x")?);
    let mut task = begin();
    [2, 4, 6].into_iter().for_each(|iteration| task.save_checkpoint(iteration, fill).unwrap());
    task.save_before_stop(7, fill).unwrap();
    assert_eq!(names(), [4, 6, 7]);
    drop(task);
    let mut task = begin();
    assert_eq!(task.checkpoint().map(|c| c.iteration), Some(7));
    task.save_before_stop(9, fill).unwrap();
    assert_eq!(names(), [4, 6, 9]);
    drop(task);
    let mut task = begin();
    task.save_checkpoint(10, fill).unwrap();
    assert_eq!(names(), [6, 10]);
    task.save_before_stop(11, fill).unwrap();
    task.finish().unwrap();
    assert_eq!(names(), [6, 10]);
}
