//! A pack from a stranger is data.

use crate::archive::entries;
use crate::support::{Place, SMALL};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use zip::write::SimpleFileOptions;

type Files = BTreeMap<String, Vec<u8>>;

/// A pack of a finished run, as files.
fn files(place: &Place) -> Files {
    let said = place.epo(&["--quiet", "small.epo"]);
    assert_eq!(said.code, 0, "{said:?}");
    let said = place.epo(&["pack", "small", "--output", "good.zip"]);
    assert_eq!(said.code, 0, "{said:?}");
    entries(&place.path("good.zip"))
}

fn archive(path: &Path, files: &Files) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).expect("a file"));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("an archive");
}

fn folder(path: &Path, files: &Files) {
    for (name, bytes) in files {
        let file = path.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, bytes).expect("a file");
    }
}

/// Makes a file part of a pack as somebody does who knows how.
fn forge(files: &mut Files, name: &str, bytes: &[u8]) {
    files.insert(name.into(), bytes.to_vec());
    let mut description: Value = serde_json::from_slice(&files["pack.json"]).expect("JSON");
    description["files"][name] = json!({ "bytes": bytes.len(), "blake3": blake3::hash(bytes).to_hex().to_string() });
    let mut listed: Vec<(String, Value)> = description["files"].as_object().expect("files").clone().into_iter().collect();
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    description["files"] = listed.into_iter().collect::<serde_json::Map<_, _>>().into();
    seal(files, description);
}

fn seal(files: &mut Files, mut description: Value) {
    description.as_object_mut().expect("an object").shift_remove("digest");
    let digest = blake3::hash(canonical(&description).as_bytes()).to_hex().to_string();
    description["digest"] = digest.into();
    files.insert("pack.json".into(), format!("{description:#}\n").into_bytes());
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// Every verb that takes a pack refuses it, and writes nothing.
#[track_caller]
fn refused(place: &Place, pack: &str, because: &str) {
    for args in [["verify", pack].as_slice(), &["verify", pack, "--rerun"], &["--runs", "other", "plan", pack], &["--runs", "other", pack]]
    {
        let said = place.epo(args);
        assert_eq!(said.code, 1, "{args:?}: {said:?}");
        assert!(said.err.contains(because), "{args:?}: {said:?}");
    }
    assert!(!place.path("other").exists());
}

#[test]
fn a_pack_with_names_that_lead_elsewhere_is_refused() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let good = files(&place);
    let names = [
        ("../outside", "leads out"),
        ("source/../../outside", "leads out"),
        ("/tmp/outside", "does not lie in the pack's folder"),
        ("C:outside", "does not lie in the pack's folder"),
        ("source\\..\\outside", "which some systems take for a folder"),
        ("source//outside", "is no plain name"),
        ("source/\u{202e}outside", "a sign in its name that is not seen"),
    ];
    for (name, because) in names {
        let mut bad = good.clone();
        forge(&mut bad, name, b"x = 1\n");
        archive(&place.path("bad.zip"), &bad);
        refused(&place, "bad.zip", because);
    }
}

#[test]
fn a_pack_whose_files_clash_is_refused() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let good = files(&place);
    for (names, because) in [
        (["source/Small.epo", "source/b"], "are one file where case does not count"),
        (["source/c", "source/c/d"], "is a file, and the folder of"),
    ] {
        let mut bad = good.clone();
        names.iter().for_each(|name| forge(&mut bad, name, b"x = 1\n"));
        archive(&place.path("bad.zip"), &bad);
        refused(&place, "bad.zip", because);
    }
    let mut twice = good.clone();
    forge(&mut twice, "source/1.epo", b"x = 1\n");
    forge(&mut twice, "source/2.epo", b"x = 2\n");
    archive(&place.path("bad.zip"), &twice);
    let mut bytes = fs::read(place.path("bad.zip")).expect("a file");
    let name = b"source/2.epo";
    let places: Vec<usize> = (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    places.iter().for_each(|at| bytes[*at + 7] = b'1');
    fs::write(place.path("bad.zip"), bytes).expect("a file");
    refused(&place, "bad.zip", "two of its files have one name");
}

#[test]
fn a_pack_with_links_is_refused() {
    let place = Place::new(&[("small.epo", SMALL), ("secret.epo", "x = 1\n")]);
    let good = files(&place);
    let mut zip = zip::ZipWriter::new(fs::File::create(place.path("bad.zip")).expect("a file"));
    for (name, bytes) in &good {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.add_symlink("source/link.epo", "../secret.epo", SimpleFileOptions::default()).expect("a link");
    zip.finish().expect("an archive");
    refused(&place, "bad.zip", "`source/link.epo` is a link");
    #[cfg(unix)]
    {
        folder(&place.path("bad"), &good);
        let text = place.path("bad/source/small.epo");
        fs::rename(&text, place.path("moved.epo")).expect("a name");
        std::os::unix::fs::symlink(place.path("moved.epo"), &text).expect("a link");
        refused(&place, "bad", "`source/small.epo` is a link");
    }
}

/// Archives that say how large they are, and archives that do not.
#[test]
fn a_pack_that_would_unpack_without_measure_is_refused() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let good = files(&place);
    let mut zeros = good.clone();
    let length = 4_u32 << 20;
    forge(&mut zeros, "source/zeros.epo", &vec![0; length as usize]);
    archive(&place.path("bad.zip"), &zeros);
    refused(&place, "bad.zip", "`source/zeros.epo`: it has more than 1048576 bytes");
    for (said, because) in
        [(3_u32 << 30, "would unpack to more than 1024 MiB"), (100, "cannot be read: File is larger than its declared uncompressed size")]
    {
        let mut bytes = fs::read(place.path("bad.zip")).expect("a file");
        let at: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(&length.to_le_bytes())).collect();
        assert!(at.len() >= 2, "the size is in the entry and in the directory");
        at.iter().for_each(|at| bytes[*at..*at + 4].copy_from_slice(&said.to_le_bytes()));
        fs::write(place.path("lies.zip"), &bytes).expect("a file");
        let verified = place.epo(&["verify", "lies.zip"]);
        assert!(verified.code != 0 && format!("{}{}", verified.out, verified.err).contains(because), "{verified:?}");
    }
    fs::write(place.path("no.zip"), b"PK\x03\x04 and then nothing").expect("a file");
    refused(&place, "no.zip", "it is no whole archive");
    let mut other = good;
    other.remove("pack.json");
    archive(&place.path("other.zip"), &other);
    refused(&place, "other.zip", "it has no `pack.json`");
}

#[test]
fn a_packed_recipe_reads_nothing_beside_it() {
    let place = Place::new(&[
        ("small.epo", SMALL),
        ("secret.epo", "OPENAI_API_KEY = \"sk-live-123\"\n"),
        ("source/secret.epo", "OPENAI_API_KEY = \"sk-live-123\"\n"),
    ]);
    let good = files(&place);
    for import in ["secret.epo", "../secret.epo", "../../secret.epo", "source/secret.epo"] {
        let mut bad = good.clone();
        let text =
            SMALL.replacen("prompt look", &format!("import \"{import}\" as e\nprompt look"), 1).replace("\"Small\"", "e.OPENAI_API_KEY");
        forge(&mut bad, "source/small.epo", text.as_bytes());
        archive(&place.path("bad.zip"), &bad);
        let path = place.path(import).display().to_string();
        refused(&place, "bad.zip", "error[E0041]");
        let said = place.epo(&["verify", "bad.zip"]);
        assert!(!format!("{said:?}").contains("sk-live"), "{path}: {said:?}");
    }
}

#[test]
fn one_changed_byte_is_named() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let good = files(&place);
    folder(&place.path("bad"), &good);
    place.epo(&["verify", "bad"]);
    for (name, bytes) in good.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(place.path("bad").join(name), &changed).expect("a file");
        let said = place.epo(&["verify", "bad"]);
        assert!(said.code > 0 && format!("{}{}", said.out, said.err).contains(name.as_str()), "{name}: {said:?}");
        if name != "pack.json" {
            let expected = format!("{name}: does not have the hash that it was packed with\n1 fault: do not rely on this pack\n");
            assert_eq!((said.code, said.out), (2, expected), "{}", said.err);
        }
        fs::write(place.path("bad").join(name), bytes).expect("a file");
    }
    for (name, problem) in [("tasks/more.txt", "was not packed"), ("resolved.epo", "is missing")] {
        let path = place.path("bad").join(name);
        if path.exists() {
            fs::remove_file(path).expect("a file");
        } else {
            fs::write(path, "x").expect("a file");
        }
        let said = place.epo(&["verify", "bad"]);
        assert!(said.code == 2 && said.out.contains(&format!("{name}: {problem}\n")), "{said:?}");
    }
}

/// A byte of the archive itself is one that nothing means, or is seen.
#[test]
fn an_archive_of_any_bytes() {
    let place = Place::new(&[("small.epo", SMALL)]);
    files(&place);
    let good = fs::read(place.path("good.zip")).expect("a file");
    let (mut seen, step) = (0, good.len() / 24);
    for at in (0..good.len()).step_by(step.max(1)) {
        let mut bad = good.clone();
        bad[at] = bad[at].wrapping_add(1);
        fs::write(place.path("bad.zip"), &bad).expect("a file");
        let said = place.epo(&["verify", "bad.zip"]);
        assert!([0, 1, 2].contains(&said.code) && !said.err.contains("panicked"), "{at}: {said:?}");
        seen += i32::from(said.code != 0);
    }
    assert!(seen > 14, "{seen}");
}

#[test]
fn what_a_pack_says_of_its_results_is_not_taken_for_a_result() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let mut bad = files(&place);
    let name = bad.keys().find(|name| name.ends_with("small.chance/outputs/results/results.json")).expect("results").clone();
    let invented = String::from_utf8(bad[&name].clone()).expect("a text").replace("\"successes\": 0", "\"successes\": 3");
    forge(&mut bad, &name, invented.as_bytes());
    archive(&place.path("bad.zip"), &bad);
    // Its own words contradict one another: the manifest beside it.
    let said = place.epo(&["verify", "bad.zip"]);
    assert!(said.code == 2 && said.out.contains("results.json: is not what its manifest says"), "{said:?}");
    let said = place.epo(&["--runs", "other", "good.zip"]);
    assert!(said.code == 0 && said.err.contains("3 tasks: 3 to run"), "{said:?}");
    let mut bad = files(&Place::new(&[("small.epo", SMALL)]));
    let mut description: Value = serde_json::from_slice(&bad["pack.json"]).expect("JSON");
    for task in description["tasks"].as_array_mut().expect("tasks").iter_mut().filter(|task| task["name"] == "small.oracle") {
        task["rates"][0]["low"] = json!(2.0);
        task["rates"][0]["high"] = json!(3.0);
        task["logs"]["episodes.jsonl"]["bytes"] = json!(1);
    }
    seal(&mut bad, description);
    archive(&place.path("bad.zip"), &bad);
    let said = place.epo(&["verify", "bad.zip", "--rerun"]);
    assert!(said.code == 2 && said.out.contains("small.oracle: DIFFERS: house.seen "), "{said:?}");
    assert!(
        said.out.contains("DOES NOT AGREE: 2 tasks to the byte, 0 within their intervals, 0 of other bytes, 1 otherwise\n"),
        "{said:?}"
    );
}

#[test]
fn a_pack_names_no_key_no_folder_and_no_machine() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let folder = place.path("").display().to_string();
    let runs = place.path("elsewhere").display().to_string();
    let file = place.path("small.epo").display().to_string();
    let secrets = [("EPO_DATA__SCIENCEWORLD", folder.as_str()), ("EPO_SERVE_KEY", "sk-live-123"), ("OPENAI_API_KEY", "sk-live-123")];
    for args in
        [["--quiet", "--runs", runs.as_str(), file.as_str()].as_slice(), &["--runs", runs.as_str(), "pack", "small", "--output", "a.zip"]]
    {
        let said = place.epo_with(args, "", &secrets);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(|_| String::new(), |host| host.trim().to_owned());
    let short = folder.trim_end_matches('/').rsplit('/').next().expect("a name").to_owned();
    let packed = entries(&place.path("a.zip"));
    for (name, bytes) in &packed {
        let text = format!("{name} {}", String::from_utf8_lossy(bytes));
        for secret in ["sk-live", short.as_str(), host.as_str()].into_iter().filter(|secret| secret.len() > 4) {
            assert!(!text.contains(secret), "`{secret}` is in {text}");
        }
    }
    assert!(packed.len() > 10);
}
