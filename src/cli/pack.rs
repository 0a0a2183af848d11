//! `epo-run pack`

use super::args::Selection;
use super::compiled::{self, Planned};
use super::{DONE, FAILED, Settings, answer, complain, complain_with, tell};
use crate::model::pretrained::is_day;
use crate::pack::{Packing, Recipe, Results, stem};
use crate::plan::Plan;
use crate::store::{RunSummary, Store};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct PackArgs {
    /// A run (`ppo_epo/7f3a9c41`, or as `epo-run report` takes it): the recipe and its results. Or a pipeline file: the recipe alone.
    #[arg(value_name = "RUN|FILE")]
    pub what: String,
    #[command(flatten)]
    pub selection: Selection,
    /// Policies, critics, exported folders and states of trainings too.
    #[arg(long)]
    pub weights: bool,
    /// The file to write, instead of NAME-DIGEST.zip in the current folder.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The day of publication that catalogues are told, such as 2026-11-29.
    #[arg(long, value_name = "DAY")]
    pub date: Option<String>,
}

pub(super) fn run(args: &PackArgs, settings: &Settings) -> u8 {
    if let Some(date) = args.date.as_ref().filter(|date| date.len() != 10 || !is_day(date)) {
        return complain_with(&format!("`{date}` is no day"), Some("a day is written 2026-11-29"));
    }
    let done = if Path::new(&args.what).is_file() { of_file(args, settings) } else { of_run(args, settings) };
    done.unwrap_or_else(|code| code)
}

fn of_file(args: &PackArgs, settings: &Settings) -> Result<u8, u8> {
    if args.weights {
        return Err(complain_with("of a file the recipe alone is packed", Some("name a run, to pack its weights too")));
    }
    let read = compiled::plan(Path::new(&args.what), &args.selection, settings)?;
    let planned = alone(&read.recipe, settings)?;
    write(args, &planned, None)
}

fn of_run(args: &PackArgs, settings: &Settings) -> Result<u8, u8> {
    if !args.selection.only.is_empty() || !args.selection.set.is_empty() {
        return Err(complain_with("a run is packed as it was", Some("`--only` and `--set` belong to a file")));
    }
    let store = Store::new(&settings.values.runs);
    let run = store.find_run(&args.what).map_err(|error| {
        let message = format!("there is no file `{}`, and no such run: {error}", args.what);
        complain_with(&message, error.help().as_deref())
    })?;
    let planned = alone(&recipe(&run)?, settings)?;
    same_plan(&planned.plan, &run)?;
    let machine = run.machine().map_err(|error| complain(&error.to_string()))?;
    write(args, &planned, Some(Results { store: &store, machine, weights: args.weights }))
}

/// The texts that a run was made from.
fn recipe(run: &RunSummary) -> Result<Recipe, u8> {
    let read = |error| super::runs::wrong(&error);
    match run.recipe().map_err(read)? {
        Some(recorded) => Recipe::found(recorded, run.sources().map_err(read)?).map_err(|message| complain(&message)),
        None => Err(complain_with(
            &format!("the run {} does not say which of its texts is the first", run.id),
            Some("an earlier epo-run made it: run the same file again, which takes what is finished, and then pack it"),
        )),
    }
}

/// Compiled from its texts alone: what is packed has to run where nothing else is.
fn alone(recipe: &Recipe, settings: &Settings) -> Result<Planned, u8> {
    compiled::plan_of(recipe, &Selection::default(), settings).inspect_err(|_| {
        tell(
            "  = help: from a pack, a file is imported by its path from the importing file, never through a folder above the first file's",
        );
    })
}

fn same_plan(plan: &Plan, run: &RunSummary) -> Result<(), u8> {
    let recorded = run.plan().map_err(|error| super::runs::wrong(&error))?;
    if recorded["digest"] == plan.digest.hex() {
        return Ok(());
    }
    Err(complain_with(
        &format!("the texts of {} come to another plan now, {}", run.id, plan.digest.short()),
        Some("another epo-run made the run, or a model that it names by a folder was replaced: run the file again, and then pack it"),
    ))
}

fn write(args: &PackArgs, planned: &Planned, results: Option<Results<'_>>) -> Result<u8, u8> {
    let Planned { compiled, plan, recipe } = planned;
    let name = plan.run_name(&stem(&compiled.sources));
    for path in plan.needs().iter().flat_map(|need| need.contents.keys()).filter(|path| Path::new(path).is_absolute()) {
        tell(&format!("warning: the recipe names `{path}`: who runs the pack needs it in that place"));
    }
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}-{}.zip", plan.digest.short())));
    let packing = Packing { recipe, compiled, plan, name, results, date: args.date.clone() };
    match packing.write(&target) {
        Ok(made) => {
            answer(&format!("{}\n", target.display()));
            tell(&format!("{} files, {} bytes, digest {}", made.files, made.bytes, made.digest));
            Ok(DONE)
        }
        Err(message) => {
            complain(&message);
            Err(FAILED)
        }
    }
}
