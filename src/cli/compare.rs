//! `epo-run compare`: methods beside each other, by their seeds and tasks.

use super::args::Selection;
use super::compiled::Planned;
use super::{DONE, Settings, WRONG_INPUT, answer, answer_json, compiled, complain, complain_with, input, tell};
use crate::exec::{Recorded, of_plan, of_results, of_run};
use crate::pack::{Pack, is_pack};
use crate::report::{Against, Compared, Measure, ReportData, ResultRow, comparisons, comparisons_text, from_json};
use crate::store::Store;
use clap::{Args, ValueEnum};
use std::path::Path;

/// A report of this many bytes is no report.
const MOST_BYTES: usize = 256 << 20;

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Runs (`ppo_epo/7f3a9c41`), packs, pipeline files (`pipelines/epo.epo`; what of them is in the folder of runs), or reports (`report.json`); with
    /// `:NAME` only that pipeline.
    #[arg(value_name = "WHAT", required = true)]
    pub what: Vec<String>,
    /// Compare each with this method, by its name in the table or its pipeline's; otherwise with the highest.
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub against: Option<String>,
    /// Compare each with each.
    #[arg(long)]
    pub all: bool,
    /// What is compared.
    #[arg(long, value_enum, default_value = "success")]
    pub measure: Number,
    /// As JSON: a list with one object for each split, with every number in full.
    #[arg(long)]
    pub json: bool,
}

/// As [`Measure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Number {
    /// The share of episodes that reach the goal.
    Success,
    /// The sum of the environment's rewards.
    Score,
}

pub(super) fn run(args: &CompareArgs, settings: &Settings) -> u8 {
    let store = Store::new(&settings.values.runs);
    let mut data = ReportData::default();
    for given in &args.what {
        match source(given, &store, settings) {
            Ok(Recorded { data: found, missing }) => {
                if !missing.is_empty() {
                    let few = missing.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                    let more = if missing.len() > 3 { format!(" and {} more", missing.len() - 3) } else { String::new() };
                    tell(&format!("warning: {given}: not finished, and left out: {few}{more}"));
                }
                add(&mut data, found, given);
            }
            Err(code) => return code,
        }
    }
    if data.results.is_empty() {
        return complain("there is nothing to compare: no evaluation of these is finished");
    }
    let against = match (&args.against, args.all) {
        (Some(name), _) => Against::Named(name.clone()),
        (None, true) => Against::All,
        (None, false) => Against::Highest,
    };
    let measure = match args.measure {
        Number::Success => Measure::Success,
        Number::Score => Measure::Score,
    };
    let found = match comparisons(&data, measure, &against) {
        Ok(found) => found,
        Err(error) => return complain(&error.to_string()),
    };
    if args.json {
        match serde_json::to_value(&found) {
            Ok(value) => answer_json(&value),
            Err(error) => return complain(&format!("the answer has no form in JSON: {error}")),
        }
        return DONE;
    }
    let something: Vec<Compared> = found.into_iter().filter(|c| !c.methods.is_empty() || !c.left_out.is_empty()).collect();
    if something.is_empty() {
        return complain("there is nothing to compare: nothing that was trained was evaluated");
    }
    answer(&comparisons_text(&something));
    DONE
}

/// The results that a word means.
///
/// # Errors
/// The exit code.
fn source(given: &str, store: &Store, settings: &Settings) -> Result<Recorded, u8> {
    let (place, name) = match given.rsplit_once(':') {
        Some((place, name)) if !Path::new(given).exists() => (place, Some(name)),
        _ => (given, None),
    };
    let file = Path::new(place);
    let found = match file.extension().and_then(|ending| ending.to_str()) {
        Some("epo") => {
            let selection = Selection { only: name.map(str::to_string).into_iter().collect(), ..Selection::default() };
            let Planned { plan, .. } = compiled::plan(file, &selection, settings)?;
            of_plan(store, &plan, name)
        }
        Some("json") => return report(file, name),
        _ if is_pack(file) => {
            let results = Pack::open(file).and_then(|mut pack| pack.results());
            results.map_err(|message| complain(&message)).map(|(plan, results)| of_results(&plan, &results, name))?
        }
        _ => store.find_run(place).and_then(|run| of_run(store, &run, name)),
    };
    let found = found.map_err(|error| super::runs::wrong(&error))?;
    if let Some(name) = name.filter(|_| found.data.results.is_empty() && found.missing.is_empty()) {
        return Err(complain(&format!("there is no evaluation of a pipeline `{name}` in {place}")));
    }
    Ok(found)
}

/// What a report was made of.
fn report(file: &Path, name: Option<&str>) -> Result<Recorded, u8> {
    let text = input::read(file, MOST_BYTES).map_err(|message| complain(&message))?;
    let mut data = from_json(&text).map_err(|error| complain(&format!("{}: {error}", file.display())))?;
    if let Some(name) = name {
        data.results.retain(|row| row.pipeline == name);
    }
    if data.results.iter().all(|row| row.tasks.success.is_empty()) {
        let help = "it was written before they were; the command that made it makes it anew";
        complain_with(&format!("{} does not say what each task came to", file.display()), Some(help));
        return Err(WRONG_INPUT);
    }
    Ok(Recorded { data, missing: Vec::new() })
}

/// Adds results. What has the name and the seed of something that is there, and other numbers, is another method.
fn add(data: &mut ReportData, found: ReportData, given: &str) {
    fn key(row: &ResultRow) -> [&String; 5] {
        [&row.actor, &row.pipeline, &row.label, &row.stage, &row.split]
    }
    let clashes = |row: &&ResultRow| data.results.iter().any(|other| key(other) == key(row) && other != *row);
    let others: Vec<(String, String)> = found.results.iter().filter(clashes).map(|row| (row.actor.clone(), row.pipeline.clone())).collect();
    for mut row in found.results {
        if others.contains(&(row.actor.clone(), row.pipeline.clone())) {
            row.actor = format!("{} ({given})", row.actor);
            row.pipeline = format!("{given}:{}", row.pipeline);
        }
        if !data.results.contains(&row) {
            data.results.push(row);
        }
    }
}
