//! Steps per second and memory of ScienceWorld, side by side with the Python package in one run, in turn, medians of the rounds.
//!
//! `cargo bench --bench scienceworld [-- --rounds N --seconds S --warm-up S]`
//!
//! Needs the archive (`EPO_SCIENCEWORLD`, or `target/tmp/scienceworld`), the recordings of the reference data (`EPO_SHARED`), and, to compare,
//! a Python with `scienceworld==1.2.3` (`EPO_PEER_PYTHON`). Times count resets on both sides.

#[path = "../tests/common/reference.rs"]
mod reference;

use epo::env::scienceworld::bench::measure;
use epo::env::scienceworld::check::{Recording, read};
use epo::env::scienceworld::{Limits, Mode, install};
use serde_json::{Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two at most: sixteen environments of the package would take 16 GB.
const PEER_ENVIRONMENTS: [usize; 2] = [1, 4];
const ENVIRONMENTS: [usize; 3] = [1, 4, 16];

struct Row {
    name: &'static str,
    environments: usize,
    steps_per_second: Vec<f64>,
    megabytes: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = argument("--rounds", 3.0) as usize;
    let (warm_up, span) = (argument("--warm-up", 20.0), argument("--seconds", 20.0));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = std::env::var_os("EPO_SCIENCEWORLD").map_or_else(|| root.join("target/tmp/scienceworld"), PathBuf::from);
    install(&data)?;
    let recordings: Vec<Recording> =
        read(&reference::reference("scienceworld/transcripts-public.tar.zst"))?.into_iter().filter_map(walk).collect();
    let folder = tempfile::tempdir()?;
    let episodes = folder.path().join("episodes.json");
    std::fs::write(&episodes, json!(recordings.iter().map(episode).collect::<Vec<_>>()).to_string())?;

    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=rounds {
        for environments in ENVIRONMENTS {
            if let Some(python) = std::env::var_os("EPO_PEER_PYTHON").filter(|_| PEER_ENVIRONMENTS.contains(&environments)) {
                let peer = root.join("benches/scienceworld_peer.py");
                let arguments = [environments.to_string(), warm_up.to_string(), span.to_string()];
                let output = std::process::Command::new(&python).arg(peer).arg(&episodes).args(arguments).output()?;
                let said = String::from_utf8_lossy(&output.stdout);
                let found: Value = serde_json::from_str(said.lines().last().unwrap_or_default())
                    .map_err(|error| format!("the peer failed: {error}: {}", String::from_utf8_lossy(&output.stderr)))?;
                let number = |name: &str| found[name].as_f64().unwrap_or(f64::NAN);
                add(&mut rows, "package", environments, number("steps") / number("seconds"), number("resident"));
            }
            for (name, mode) in [("full", Mode::Full), ("lean", Mode::Lean)] {
                let (warm_up, span) = (Duration::from_secs_f64(warm_up), Duration::from_secs_f64(span));
                let found = measure(&data, &recordings, environments, mode, Limits::default(), warm_up, span)?;
                add(&mut rows, name, environments, found.steps_per_second(), found.resident.map_or(f64::NAN, |bytes| bytes as f64));
            }
            eprintln!("round {round} of {rounds}, {environments} environments: done");
        }
    }
    println!("| environments | what | steps/s | to the package | MB |\n| --- | --- | --- | --- | --- |");
    for row in &rows {
        let speed = median(&row.steps_per_second);
        let peer = rows.iter().find(|peer| peer.name == "package" && peer.environments == row.environments);
        let ratio = peer.map_or(String::new(), |peer| format!("{:.1}", speed / median(&peer.steps_per_second)));
        println!("| {} | {} | {speed:.0} | {ratio} | {:.0} |", row.environments, row.name, median(&row.megabytes));
    }
    Ok(())
}

fn argument(name: &str, default: f64) -> f64 {
    std::env::args().skip_while(|word| word != name).nth(1).and_then(|number| number.parse().ok()).unwrap_or(default)
}

/// The easy walks, without the odd inputs at their end.
fn walk(mut recording: Recording) -> Option<Recording> {
    recording.steps.truncate(26);
    (recording.simplification == "easy" && recording.kind == "walk").then_some(recording)
}

fn episode(recording: &Recording) -> Value {
    let actions: Vec<&String> = recording.steps.iter().filter_map(|step| step.action.as_ref()).collect();
    json!({ "task": recording.task, "variation": recording.variation, "actions": actions })
}

fn add(rows: &mut Vec<Row>, name: &'static str, environments: usize, speed: f64, bytes: f64) {
    let found = rows.iter().position(|row| row.name == name && row.environments == environments);
    let index = found.unwrap_or_else(|| {
        rows.push(Row { name, environments, steps_per_second: Vec::new(), megabytes: Vec::new() });
        rows.len() - 1
    });
    rows[index].steps_per_second.push(speed);
    rows[index].megabytes.push(bytes / 1e6);
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
