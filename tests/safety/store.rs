//! A run folder of a stranger, and one that was damaged: what is taken, shown or copied has the key and the hashes it was written with.

use crate::support::{Place, SMALL};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder in which `small.epo` was run once.
fn ran() -> Place {
    let place = Place::new(&[("small.epo", SMALL)]);
    let said = place.epo(&["-q", "small.epo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    place
}

/// The folder of the task that is the work of a stage.
fn task(place: &Place, stage: &str) -> PathBuf {
    let tasks = fs::read_dir(place.path("runs/tasks")).expect("tasks").map(|entry| entry.expect("an entry").path());
    let named = |path: &PathBuf| {
        let status = fs::read_to_string(path.join("status.json")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&status).is_ok_and(|status| status["name"] == format!("small.{stage}"))
    };
    tasks.into_iter().find(named).unwrap_or_else(|| panic!("no task `{stage}`"))
}

fn run_folder(place: &Place) -> PathBuf {
    let mut runs = fs::read_dir(place.path("runs/small")).expect("runs");
    runs.next().expect("a run").expect("an entry").path()
}

fn replace(path: &PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("written");
}

/// Every hash beside it is made anew.
fn forge_results(task: &Path) {
    let (results, manifest) = (task.join("outputs/results/results.json"), task.join("outputs/results/manifest.json"));
    replace(&results, "\"successes\": 0", "\"successes\": 3");
    let bytes = fs::read(&results).expect("a file");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).expect("a file")).expect("JSON");
    value["files"]["results.json"]["blake3"] = blake3::hash(&bytes).to_hex().as_str().into();
    fs::write(&manifest, format!("{value:#}\n")).expect("written");
    let files = serde_json::to_string(&sorted(&value["files"])).expect("JSON");
    let status = task.join("status.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&status).expect("a file")).expect("JSON");
    value["outputs"]["results"] = blake3::hash(files.as_bytes()).to_hex().as_str().into();
    fs::write(&status, format!("{value:#}\n")).expect("written");
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            serde_json::Value::Object(fields.into_iter().collect())
        }
        other => other.clone(),
    }
}

#[test]
fn a_forged_task_is_not_taken() {
    let place = ran();
    let before = place.epo(&["report", "small"]).out;
    let chance = task(&place, "chance");
    forge_results(&chance);
    replace(&chance.join("status.json"), "\"seed\": 0", "\"seed\": 12345");
    fs::remove_dir_all(task(&place, "page")).expect("removed");
    let plan = place.epo(&["plan", "small.epo"]);
    assert!(plan.out.contains("damaged: `status.json` is that of another task"), "{}", plan.out);
    assert_eq!(place.epo(&["runs", "verify"]).code, 2);
    let said = place.epo(&["small.epo"]);
    assert!(said.err.contains("is damaged: `status.json` is that of another task; it begins anew"), "{}", said.err);
    assert_eq!(place.epo(&["report", "small"]).out, before);
}

#[test]
fn damage_of_equal_length_is_seen_by_every_verb_and_mended() {
    type Damage = fn(&Place);
    let damages: [(&str, Damage); 3] = [
        ("results.json", |place| {
            replace(&task(place, "chance").join("outputs/results/results.json"), "\"successes\": 0", "\"successes\": 9");
        }),
        ("episodes.jsonl", |place| replace(&task(place, "oracle").join("episodes.jsonl"), "\"valid\":true", "\"valid\":null")),
        ("report.html", |place| replace(&task(place, "page").join("outputs/page/report.html"), "seen/0000", "seen/9999")),
    ];
    for (file, damage) in damages {
        let place = ran();
        place.epo(&["runs", "verify"]).answers("1 run, 3 tasks: all as they were written\n");
        let before = place.epo(&["report", "small"]);
        damage(&place);
        let words = format!("the content of `{file}` does not have the hash it was written with");
        let verified = place.epo(&["runs", "verify"]);
        assert!(verified.code == 2 && verified.out.contains(&words), "{file}: {}", verified.out);
        let plan = place.epo(&["plan", "small.epo"]);
        assert!(plan.out.contains(&words), "{file}: {}", plan.out);
        let said = place.epo(&["small.epo"]);
        assert!(said.code == 0 && said.err.contains(&words), "{file}: {}", said.err);
        place.epo(&["runs", "verify"]).answers("1 run, 3 tasks: all as they were written\n");
        assert_eq!(place.epo(&["report", "small"]), before, "{file}");
    }
}

#[test]
fn a_page_in_a_run_folder_is_shown_only_as_its_task_wrote_it() {
    let place = ran();
    replace(&run_folder(&place).join("report.json"), "Small", "Smell");
    let said = place.epo(&["report", "small"]);
    assert!(said.code == 2 && !said.out.contains("Smell"), "{said:?}");
    assert!(said.err.contains("`report.json` is not what a task of this run wrote"), "{}", said.err);
    assert_eq!(place.epo(&["runs", "verify", "small"]).code, 2);
    assert_eq!(place.epo(&["-q", "small.epo"]).code, 0);
    assert_eq!(place.epo(&["report", "small"]).code, 0);
}

#[test]
fn a_damaged_plan_is_written_anew() {
    let place = ran();
    let plan = run_folder(&place).join("plan.json");
    let whole = fs::read_to_string(&plan).expect("a file");
    fs::write(&plan, &whole[..10]).expect("written");
    let said = place.epo(&["-q", "small.epo"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(fs::read_to_string(&plan).expect("a file"), whole);
    fs::write(&plan, "").expect("written");
    assert_eq!(place.epo(&["runs", "rm", "small"]).code, 0);
    assert!(!plan.exists());
}

/// An archive of a few bytes may hold a file of any length, most of it without a block on the disk.
#[cfg(unix)]
#[test]
fn a_run_folder_with_files_of_any_length_is_not_read_to_their_end() {
    let place = ran();
    let small = place.epo(&["report", "small"]);
    let (run, chance, page) = (run_folder(&place), task(&place, "chance"), task(&place, "page"));
    let files = [
        run.join("plan.json"),
        run.join("events.jsonl"),
        run.join("report.json"),
        run.join("report.html"),
        chance.join("status.json"),
        chance.join("metrics.jsonl"),
        chance.join("outputs/results/manifest.json"),
        page.join("episodes.jsonl"),
        page.join("outputs/page/report.json"),
    ];
    for file in files {
        fs::OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len(1 << 42)).expect("a long file");
        for verb in [&["runs", "verify"][..], &["runs"], &["plan", "small.epo"], &["report", "small"]] {
            let said = place.epo(verb);
            assert!(matches!(said.code, 0..=2) && !said.err.contains("memory"), "{verb:?}, {}: {said:?}", file.display());
        }
        let said = place.epo(&["-q", "small.epo"]);
        assert_eq!(said.code, 0, "{}: {}", file.display(), said.err);
        place.epo(&["runs", "verify"]).answers("1 run, 3 tasks: all as they were written\n");
        assert_eq!(place.epo(&["report", "small"]), small, "{}", file.display());
    }
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder that is somebody else's.
    fn victim() -> Place {
        Place::new(&[("small.epo", SMALL), ("victim/photos/a.jpg", "precious"), ("victim/file", "precious too")])
    }

    fn untouched(place: &Place, context: &str) {
        let mut found: Vec<String> = fs::read_dir(place.path("victim"))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        found.sort();
        assert_eq!(found, ["file", "photos"], "{context}");
        assert_eq!(place.read("victim/photos/a.jpg"), "precious", "{context}");
        assert_eq!(place.read("victim/file"), "precious too", "{context}");
    }

    fn digest(place: &Place) -> (String, String) {
        let plan: serde_json::Value = serde_json::from_str(&place.epo(&["plan", "small.epo", "--json"]).out).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        (text(&plan["tasks"][0]["digest"]), text(&plan["digest"])[..8].to_owned())
    }

    #[test]
    fn no_link_in_a_run_folder_is_followed() {
        let (task, run) = digest(&victim());
        let (task, run) = (format!("runs/tasks/{task}"), format!("runs/small/{run}"));
        let folder = |path: &str| (path.to_owned(), "victim");
        let file = |path: String| (path, "victim/file");
        let links = [
            folder("runs/tasks"),
            folder("runs/small"),
            folder(&task),
            folder(&run),
            folder(&format!("{task}/outputs")),
            folder(&format!("{task}/outputs/results")),
            folder(&format!("{task}/checkpoints")),
            folder(&format!("{run}/tasks")),
            folder(&format!("{run}/source")),
            file("runs/.lock".into()),
            file(format!("{task}/.lock")),
            file(format!("{task}/status.json")),
            file(format!("{task}/.tmp-status.json")),
            file(format!("{task}/metrics.jsonl")),
            file(format!("{task}/episodes.jsonl")),
            file(format!("{run}/.lock")),
            file(format!("{run}/events.jsonl")),
            file(format!("{run}/plan.json")),
            file(format!("{run}/machine.json")),
            file(format!("{run}/report.html")),
        ];
        for (link, target) in links {
            for fresh in [false, true] {
                let place = victim();
                fs::create_dir_all(place.path(&link).parent().expect("a parent")).expect("a folder");
                symlink(place.path(target), place.path(&link)).expect("a link");
                let mut args = vec!["-q", "small.epo"];
                args.extend(fresh.then_some("--fresh"));
                let said = place.epo(&args);
                untouched(&place, &link);
                assert!(said.code == 0 || said.err.contains("is a link; in a run folder there are none"), "{link}: {said:?}");
                assert!(said.code == 0 || said.err.contains("what it leads to was not touched"), "{link}: {said:?}");
                for args in
                    [["runs", "verify"].as_slice(), &["runs"], &["plan", "small.epo"], &["report", "small"], &["runs", "rm", "small"]]
                {
                    let said = place.epo(args);
                    assert!(said.code <= 2 && !said.err.contains("panicked"), "{link} {args:?}: {said:?}");
                    untouched(&place, &format!("{link} {args:?}"));
                }
            }
        }
    }

    /// Also what was written here: a file of an output that became a link to one of the same content.
    #[test]
    fn a_file_that_became_a_link_is_made_again() {
        let place = ran();
        let results = task(&place, "chance").join("outputs/results/results.json");
        let elsewhere = place.path("elsewhere.json");
        fs::rename(&results, &elsewhere).expect("moved");
        symlink(&elsewhere, &results).expect("a link");
        let said = place.epo(&["small.epo"]);
        assert!(said.code == 0 && said.err.contains("`results.json` is no regular file"), "{}", said.err);
        assert!(!is_link(&results) && elsewhere.is_file());
    }

    fn is_link(path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|data| data.is_symlink())
    }
}

/// A second command that needs what the first is making waits for it, and says so.
#[test]
fn a_second_command_waits() {
    use std::process::{Command, Stdio};
    let slow = SMALL.replace("count = 3", "count = 300").replace("max_turns = 4", "max_turns = 40");
    let place = Place::new(&[("small.epo", &slow), ("other.epo", &slow.replace("pipeline small", "pipeline other"))]);
    let start = |file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.arg(file).current_dir(place.path("")).env_clear().env("HOME", place.path(""));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
    };
    let first = start("small.epo");
    while fs::read_dir(place.path("runs/tasks")).map_or(0, Iterator::count) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let others = [start("other.epo"), start("small.epo")];
    assert!(first.wait_with_output().expect("the command ends").status.success());
    for other in others {
        let output = other.wait_with_output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(said.contains("is at work on `runs/") && said.contains("; waiting until it is done"), "{said}");
        assert!(said.contains("chance: up to date (made by small/"), "{said}");
    }
}
