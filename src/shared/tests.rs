use super::objects::Reason;
use super::*;
use crate::store::{MetricRecord, State, TaskInfo};
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn key() -> Value {
    json!({ "kind": "test", "identity": 1 })
}

fn task() -> Digest {
    Digest::of(&key())
}

/// A finished task with two outputs, of which two files are alike, and both logs.
fn make(store: &Store) {
    let info = TaskInfo { name: "a.train".into(), by: "a/1".into(), key: key() };
    let mut folder = store.claim(&task()).unwrap().begin(info, 3).unwrap();
    folder.metric(&MetricRecord::new(0).with("x", 1.0)).unwrap();
    folder.episode(&json!({ "turns": 3 })).unwrap();
    for output in ["best", "last"] {
        let fill = |place: &Path| {
            fs::create_dir(place.join("sub"))?;
            fs::write(place.join("sub/weights"), "the same")?;
            Ok(fs::write(place.join("state.json"), output)?)
        };
        folder.write_output(output, fill).unwrap();
    }
    folder.save_checkpoint(1, |place| Ok(fs::write(place.join("x"), "x")?)).unwrap();
    folder.finish().unwrap();
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(&path).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            match path.is_dir() {
                true => open.push(path),
                false if name.ends_with(".lock") || name.starts_with("checkpoints") => {}
                false => drop(found.insert(name, fs::read(&path).unwrap())),
            }
        }
    }
    found
}

struct Place {
    folder: tempfile::TempDir,
    expected: BTreeMap<String, Vec<u8>>,
}

impl Place {
    fn new() -> Self {
        let folder = scratch();
        let made = Store::new(folder.path().join("made"));
        make(&made);
        let expected = files(&made.task_path(&task()));
        assert_eq!(expected.len(), 3 + 2 * 3);
        Self { folder, expected }
    }

    fn made(&self) -> Store {
        Store::new(self.folder.path().join("made"))
    }

    fn address(&self) -> Address {
        Address::parse(&format!("file:{}", self.path().display())).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("team")
    }

    fn open(&self) -> Shared {
        Shared::open(&self.address()).unwrap()
    }

    /// Fetched into an empty run folder: whole, or nothing.
    fn fetch(&self, shared: &mut Shared) -> Result<bool, SharedError> {
        let other = scratch();
        let store = Store::new(other.path());
        let mut claim = store.claim(&task()).unwrap();
        let fetched = shared.fetch(&mut claim, &task(), &|| false);
        drop(claim);
        let found = files(&store.task_path(&task()));
        match &fetched {
            Ok(Some(status)) => {
                assert_eq!(found, self.expected);
                assert_eq!((status.state, status.problem(&store.task_path(&task()))), (State::Finished, None));
            }
            _ => assert_eq!(found, BTreeMap::new(), "nothing is left of what is not whole"),
        }
        fetched.map(|status| status.is_some())
    }
}

#[test]
fn what_was_pushed_is_fetched() {
    let place = Place::new();
    let mut shared = place.open();
    assert!(!shared.has(&task()) && !place.fetch(&mut shared).unwrap());
    assert!(shared.push(&place.made(), &task(), false).unwrap());
    assert!(!shared.push(&place.made(), &task(), false).unwrap(), "it is there");
    assert!(place.fetch(&mut shared).unwrap());
    let mut other = place.open();
    assert!(other.has(&task()) && place.fetch(&mut other).unwrap());
    // Equal contents are one object; checkpoints stay behind.
    assert_eq!(files(&place.path().join("blobs")).len(), place.expected.len() - 1);
}

#[test]
fn what_is_not_finished_or_damaged_is_not_pushed() {
    let place = Place::new();
    let mut shared = place.open();
    let weights = place.made().task_path(&task()).join("outputs/best/sub/weights");
    fs::write(weights, "changed!").unwrap();
    assert!(!shared.push(&place.made(), &task(), false).unwrap());
    assert!(!shared.push(&Store::new(place.folder.path().join("empty")), &task(), false).unwrap());
    assert!(!place.path().exists());
}

/// Every byte of a short object, every seventh of a long one: what has the change is found and named, and the next push mends it.
#[test]
fn a_changed_byte_anywhere_is_found() {
    let place = Place::new();
    place.open().push(&place.made(), &task(), false).unwrap();
    let objects = files(&place.path());
    for (name, content) in &objects {
        for at in (0..content.len()).step_by(if content.len() < 64 { 1 } else { 7 }) {
            let mut changed = content.clone();
            changed[at] ^= 1;
            fs::write(place.path().join(name), &changed).unwrap();
            let mut shared = place.open();
            let fetched = place.fetch(&mut shared);
            // The manifest has blanks of which nothing depends.
            if name.starts_with("tasks/") && matches!(fetched, Ok(true)) {
                fs::write(place.path().join(name), content).unwrap();
                continue;
            }
            let said = fetched.unwrap_err().to_string();
            assert!(said.starts_with(&format!("`{}/", place.address())), "{name}, byte {at}: {said}");
            if name.starts_with("blobs/") {
                assert_eq!(said, format!("`{}/{name}` is damaged: its content does not have the hash in its name", place.address()));
            }
            if at % 37 == 0 {
                // Not of another format, which may be a newer one.
                let mended = shared.push(&place.made(), &task(), false);
                assert!(mended.is_ok() || said.contains("has format"), "{said}");
                if mended.is_ok_and(|pushed| pushed) {
                    assert!(place.fetch(&mut place.open()).unwrap(), "{name}, byte {at}: mended");
                }
            }
            fs::write(place.path().join(name), content).unwrap();
        }
    }
    assert!(place.fetch(&mut place.open()).unwrap());
}

#[test]
fn what_is_too_short_too_long_or_missing_is_found() {
    let place = Place::new();
    place.open().push(&place.made(), &task(), false).unwrap();
    for (name, content) in files(&place.path()) {
        let path = place.path().join(&name);
        for other in [Some([&content[..], b"x"].concat()), Some(content[..content.len() / 2].to_vec()), Some(Vec::new()), None] {
            match other {
                Some(other) => fs::write(&path, other).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let mut shared = place.open();
            match place.fetch(&mut shared) {
                Ok(fetched) => assert!(!fetched && name.starts_with("tasks/") && !path.exists(), "{name}"),
                Err(error) => assert!(matches!(error, SharedError::Damaged { .. }), "{name}: {error}"),
            }
            assert!(shared.push(&place.made(), &task(), false).unwrap(), "{name}: put again");
            assert_eq!(fs::read(&path).unwrap(), content, "{name}: mended");
        }
    }
}

#[test]
fn an_entry_of_another_task_or_with_other_files_is_not_taken() {
    let place = Place::new();
    place.open().push(&place.made(), &task(), false).unwrap();
    let path = place.path().join(entry::name(&task()));
    let whole: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let blob = whole["files"]["status.json"].clone();
    let with = |name: &str| {
        let mut entry = whole.clone();
        entry["files"][name] = blob.clone();
        entry
    };
    let without = |name: &str| {
        let mut entry = whole.clone();
        entry["files"].as_object_mut().unwrap().remove(name);
        entry
    };
    let of_another = json!({ "format": 1, "task": Digest::of_bytes(b"other"), "files": {} });
    for (entry, problem) in [
        (with("../../x"), "`../../x` is no file of a finished task"),
        (with("/etc/x"), "`/etc/x` is no file of a finished task"),
        (with("checkpoints/iteration-0001/x"), "`checkpoints/iteration-0001/x` is no file of a finished task"),
        (with("outputs/best/more"), "it has files that are none of the task's"),
        (without("metrics.jsonl"), "`metrics.jsonl` has 0 bytes instead of "),
        (without("status.json"), "it has no `status.json`"),
        (without("outputs/best/state.json"), "in its output `best`, `state.json` is missing"),
        (of_another, "it is that of the task "),
    ] {
        fs::write(&path, entry.to_string()).unwrap();
        let said = place.fetch(&mut place.open()).unwrap_err().to_string();
        assert!(said.contains(problem), "{said}");
    }
    // A whole entry of another task, under this one's name.
    let other = json!({ "kind": "test", "identity": 2 });
    let copy = place.path().join(entry::name(&Digest::of(&other)));
    let mut entry = whole.clone();
    entry["task"] = json!(Digest::of(&other));
    fs::write(copy, entry.to_string()).unwrap();
    let store = Store::new(place.folder.path().join("other"));
    let mut claim = store.claim(&Digest::of(&other)).unwrap();
    let said = place.open().fetch(&mut claim, &Digest::of(&other), &|| false).unwrap_err().to_string();
    assert!(said.contains("its `status.json` is that of another task"), "{said}");
    // Newer ones are left as they are, older ones are put again.
    for (format, pushed) in [(0, true), (2, false)] {
        let mut entry = whole.clone();
        entry["format"] = json!(format);
        fs::write(&path, entry.to_string()).unwrap();
        let mut shared = place.open();
        let said = place.fetch(&mut shared).unwrap_err().to_string();
        assert!(said.ends_with(&format!("has format {format}, which this epo-run does not know (it knows 1)")), "{said}");
        shared.damaged_tasks.insert(task());
        assert_eq!(shared.push(&place.made(), &task(), false).is_ok(), pushed);
    }
}

/// A store that dies at the `n`th change: nothing more reaches it.
#[derive(Debug)]
struct Dying {
    objects: folder::Folder,
    left: Cell<usize>,
}

impl Objects for Dying {
    fn names(&self, below: &str) -> Result<Vec<String>, Reason> {
        self.objects.names(below)
    }

    fn length(&self, name: &str) -> Result<Option<u64>, Reason> {
        self.objects.length(name)
    }

    fn read(&self, name: &str, from: u64) -> Result<Option<Vec<u8>>, Reason> {
        self.objects.read(name, from)
    }

    fn put(&self, name: &str, bytes: u64, from: &mut dyn Read) -> Result<(), Reason> {
        match self.left.get() {
            0 => Err("the store is full".into()),
            left => {
                self.left.set(left - 1);
                self.objects.put(name, bytes, from)
            }
        }
    }
}

#[test]
fn what_is_half_pushed_is_not_taken_and_the_next_push_completes_it() {
    for n in 0.. {
        let place = Place::new();
        let objects = Dying { objects: folder::Folder::open(&place.path()).unwrap(), left: Cell::new(n) };
        let mut shared = Shared { objects: Box::new(objects), ..place.open() };
        let pushed = shared.push(&place.made(), &task(), false);
        assert_eq!(place.fetch(&mut place.open()).unwrap(), pushed.is_ok());
        if pushed.is_ok() {
            assert_eq!(n, place.expected.len());
            return;
        }
        let said = pushed.unwrap_err().to_string();
        assert!(said.starts_with("cannot write `file:") && said.ends_with("`: the store is full"), "{said}");
        assert!(!shared.push(&place.made(), &task(), false).unwrap(), "it is not tried again");
        assert!(place.open().push(&place.made(), &task(), false).unwrap());
        assert!(place.fetch(&mut place.open()).unwrap());
    }
}

/// What was there before stays until the whole of what is fetched is there.
#[test]
fn death_while_a_task_is_received() {
    use crate::store::fault;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    let place = Place::new();
    place.open().push(&place.made(), &task(), false).unwrap();
    for n in 0.. {
        let other = scratch();
        let store = Store::new(other.path());
        let info = || TaskInfo { name: "a.train".into(), by: "a/2".into(), key: key() };
        let mut folder = store.claim(&task()).unwrap().begin(info(), 3).unwrap();
        folder.save_checkpoint(1, |place| Ok(fs::write(place.join("x"), "x")?)).unwrap();
        drop(folder);
        let mut claim = store.claim(&task()).unwrap();
        fault::crash_after(n);
        let fetched = catch_unwind(AssertUnwindSafe(|| place.open().fetch(&mut claim, &task(), &|| false).unwrap().is_some()));
        fault::disarm();
        drop(claim);
        let path = store.task_path(&task());
        if let Some(status) = store.status(&task()).unwrap() {
            match status.state {
                State::Finished => assert_eq!(status.problem(&path), None, "died at point {n}"),
                _ => assert!(path.join("checkpoints/iteration-0001/x").is_file(), "died at point {n}"),
            }
        }
        let mut claim = store.claim(&task()).unwrap();
        assert!(place.open().fetch(&mut claim, &task(), &|| false).unwrap().is_some());
        assert_eq!(files(&path), place.expected, "died at point {n}");
        if fetched.is_ok() {
            assert!(n > 30, "{n}");
            return;
        }
    }
}
