//! Copies of metrics for TensorBoard. `scripts/tensorboard-check.sh` reads them with its own package.

use super::TINY;
use super::runs::{Runs, Said, command};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn run(runs: &Runs, logs: &Path, more: &[&str]) -> Said {
    let mut command = command(&runs.args(TINY, more));
    Said::of(command.env("EPO_TRACK__TENSORBOARD", logs).env("EPO_TRACK__GRADIENTS", "true").output().unwrap())
}

/// Of protocol buffers what scalars need: fields by number, each a number or bytes.
fn fields(mut data: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    fn varint(data: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = data[0];
            *data = &data[1..];
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut found = Vec::new();
    while !data.is_empty() {
        let tag = varint(&mut data);
        let (number, length) = match tag & 7 {
            0 => (varint(&mut data), 0),
            1 => (0, 8),
            2 => (0, varint(&mut data) as usize),
            5 => (0, 4),
            form => panic!("a field of form {form}"),
        };
        found.push((tag >> 3, number, data[..length].to_vec()));
        data = &data[length..];
    }
    found
}

/// What the only file of a folder holds, by name and step.
fn values(folder: &Path) -> BTreeMap<(String, u64), (u64, Vec<u8>)> {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    let data = fs::read(file).unwrap();
    let (mut rest, mut found) = (data.as_slice(), BTreeMap::new());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let event = fields(&rest[12..12 + length]);
        rest = &rest[12 + length + 4..];
        let step = event.iter().find(|field| field.0 == 2).unwrap().1;
        for (_, _, summary) in event.iter().filter(|field| field.0 == 5) {
            for (_, _, value) in fields(summary) {
                let value = fields(&value);
                let name = String::from_utf8(value[0].2.clone()).unwrap();
                found.insert((name, step), (value[1].0, value[1].2.clone()));
            }
        }
    }
    found
}

/// The scalars, but for norms of gradients; as texts, in which one that is no number is itself.
fn scalars(folder: &Path) -> BTreeMap<(String, u64), String> {
    let all = values(folder).into_iter().filter(|((name, _), (form, _))| *form == 2 && !name.starts_with("gradient_norm/"));
    all.map(|(key, (_, bytes))| (key, f32::from_le_bytes(bytes.try_into().unwrap()).to_string())).collect()
}

fn double(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().unwrap())
}

/// The histograms whose names begin so: by name and step how many values, their sum, and that of their squares.
fn histograms(folder: &Path, begin: &str) -> BTreeMap<(String, u64), [f64; 3]> {
    let all = values(folder).into_iter().filter(|((name, _), (form, _))| *form == 5 && name.starts_with(begin));
    let read = |(key, (_, bytes)): (_, (u64, Vec<u8>))| {
        let fields: BTreeMap<u64, Vec<u8>> = fields(&bytes).into_iter().map(|(number, _, bytes)| (number, bytes)).collect();
        let counted: f64 = fields[&7].chunks(8).map(double).sum();
        assert!(counted == double(&fields[&3]) && fields[&6].len() == fields[&7].len());
        (key, [counted, double(&fields[&4]), double(&fields[&5])])
    };
    all.map(read).collect()
}

/// What a task has measured.
fn measured(folder: &Path) -> BTreeMap<(String, u64), String> {
    let lines = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let all = records.flat_map(|record| {
        let step = record["iteration"].as_u64().unwrap();
        let values = record["values"].as_object().unwrap().clone();
        values.into_iter().map(move |(name, value)| ((name, step), value.as_f64().map_or(f32::NAN, |value| value as f32).to_string()))
    });
    all.collect()
}

#[test]
fn tensorboard_gets_every_value_and_no_result_depends_on_it() {
    let (runs, logs) = (Runs::new(), tempfile::tempdir().unwrap());
    run(&runs, logs.path(), &["--set", "tiny.iterations=2"]).exits(0);
    for stage in ["warm", "train"] {
        let expected = measured(&runs.task(stage));
        assert!(expected.len() > 10);
        assert_eq!(scalars(&logs.path().join(format!("tiny.{stage}"))), expected);
    }
    // The mean of the entropies of each turn's tokens is the metric.
    let (folder, measures) = (logs.path().join("tiny.train"), measured(&runs.task("train")));
    let spread = histograms(&folder, "entropy_by_turn/");
    assert!(spread.len() > 2);
    for ((name, step), [count, sum, _]) in &spread {
        let metric = (name.replace("entropy_by_turn", "entropy/turn"), *step);
        assert!((sum / count - measures[&metric].parse::<f64>().unwrap()).abs() < 1e-6, "{name} {step}");
    }
    for (stage, steps) in [("warm", 4), ("train", 2)] {
        let folder = logs.path().join(format!("tiny.{stage}"));
        let gradients = histograms(&folder, "gradient/policy/");
        let norms = values(&folder);
        assert!(gradients.len() >= 5 * steps && gradients.len().is_multiple_of(steps), "{stage} {:?}", gradients.keys());
        for ((name, step), [.., squares]) in &gradients {
            let norm = &norms[&(name.replace("gradient/", "gradient_norm/"), *step)].1;
            assert_eq!(f32::from_le_bytes(norm.clone().try_into().unwrap()), squares.sqrt() as f32);
        }
    }
    assert!(!histograms(&folder, "gradient/critic/").is_empty());
    let alone = Runs::new();
    alone.run(TINY, &["--set", "tiny.iterations=2"]).exits(0);
    assert_eq!(alone.weights("train"), runs.weights("train"));
    assert!(fs::read(runs.task("train").join("metrics.jsonl")).unwrap() == fs::read(alone.task("train").join("metrics.jsonl")).unwrap());

    // Made anew: one file still, with the same.
    run(&runs, logs.path(), &["--set", "tiny.iterations=2", "--fresh"]).exits(0);
    assert_eq!(scalars(&logs.path().join("tiny.train")), measured(&runs.task("train")));
}

#[test]
fn a_copy_that_fails_is_a_warning() {
    let (runs, logs) = (Runs::new(), tempfile::tempdir().unwrap());
    fs::write(logs.path().join("tiny.warm"), "a file").unwrap();
    let said = run(&runs, logs.path(), &["--set", "tiny.iterations=1"]).exits(0);
    let warnings = said.err.lines().filter(|line| line.contains("TensorBoard is told no more of this task")).count();
    assert_eq!(warnings, 1, "{}", said.err);
    assert!(!scalars(&logs.path().join("tiny.train")).is_empty());
}
