//! What may stand on the command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A declarative pipeline engine for reinforcement learning of LLM agents.
#[derive(Debug, Parser)]
#[command(name = "epo-run", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 the input is wrong, 2 the run failed, 130 interrupted (the same command goes on).")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Check a pipeline file without running it.
    Check(CheckArgs),
    /// Show what would be run, and why.
    Plan(PlanArgs),
    /// Show what a file comes to: the resolved pipeline, the syntax tree, the equation.
    Show(super::show::ShowArgs),
    /// Evaluate an objective on a batch, without a model.
    Probe(super::probe::ProbeArgs),
    /// Lay files out in the canonical way.
    Fmt(super::fmt::FmtArgs),
    /// Write a small pipeline to begin with.
    New(super::new::NewArgs),
    /// List what may stand in a pipeline, or describe one kind in full.
    Kinds(super::kinds::KindsArgs),
    /// Explain a message by its code.
    Explain(super::explain::ExplainArgs),
    /// Show every setting with the place it comes from.
    Settings(super::settings_verb::SettingsVerbArgs),
    /// Write a completion script for a shell.
    Completions(super::completions::CompletionsArgs),
    /// Write the manual page, or those of all verbs into a folder.
    Man(super::man::ManArgs),
    /// List the runs, verify them, or remove one.
    Runs(super::runs::RunsArgs),
    /// Write a recipe from the settings of another tool.
    Import(super::import::ImportArgs),
    /// Fetch what a file imports from elsewhere, and write its hashes into `epo.lock`.
    Lock(super::lock::LockArgs),
    /// Put a recipe, or a run of it, into one file that others can check and run.
    Pack(super::pack::PackArgs),
    /// Say whether a pack is what was packed, and whether its results are those of its recipe.
    Verify(super::verify::VerifyArgs),
    /// Show the tables of a run again, and where its pages lie.
    Report(super::report::ReportArgs),
    /// Show the report of a run that goes on to a browser, and what is new in it as it comes.
    Watch(super::watch::WatchArgs),
    /// Show in what two runs or pipelines differ.
    Diff(super::diff::DiffArgs),
    /// Compare methods by their seeds and tasks: intervals, tests, what could have been seen.
    Compare(super::compare::CompareArgs),
    /// Check or measure an environment.
    Env(super::env::EnvArgs),
    /// Play an environment in the terminal.
    Play(super::play::PlayArgs),
    /// Show a pretrained model, or compare it with another implementation.
    Model(super::model::ModelArgs),
    /// Serve an editor: what `check` says while one types, and more.
    Lsp(super::lsp::LspArgs),
    /// Answer requests to a policy or a pretrained model over HTTP, as OpenAI's servers do.
    Serve(super::serve::ServeArgs),
    /// Run one task of a run, as an engine does on another machine.
    Task(super::task::TaskArgs),
}

/// Which pipelines, and with what changed.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    /// Only this pipeline, or this one of its instances: `ppo[seed=0, lambda=0.003]`; or several, with commas between them.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Change a line of a pipeline: `ppo.lambda=0.003`.
    #[arg(long, value_name = "PIPELINE.PATH=VALUE")]
    pub set: Vec<String>,
}

impl Selection {
    /// The names of `--only`, one by one. A comma within brackets is part of a name.
    pub(super) fn names(&self) -> Vec<String> {
        let (mut names, mut name, mut depth) = (Vec::new(), String::new(), 0_usize);
        for c in self.only.join(",").chars() {
            match c {
                ',' if depth == 0 => names.push(std::mem::take(&mut name)),
                _ => name.push(c),
            }
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        names.push(name);
        names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The pipeline file to run, or a pack of one.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
    /// Do everything again, whatever was done before.
    #[arg(long)]
    pub fresh: bool,
    /// Say nothing but errors and the result.
    #[arg(long, short)]
    pub quiet: bool,
}

impl RunArgs {
    /// The first of these that was given: they mean something only where there is no verb.
    pub(super) fn without_a_verb(&self) -> Option<String> {
        let flags = [
            (!self.selection.only.is_empty(), "--only"),
            (!self.selection.set.is_empty(), "--set"),
            (self.fresh, "--fresh"),
            (self.quiet, "--quiet"),
        ];
        let flag = flags.iter().find(|(given, _)| *given).map(|(_, name)| (*name).to_owned());
        self.file.as_ref().map(|file| file.display().to_string()).or(flag)
    }
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[arg(long, value_name = "PIPELINE.PATH=VALUE")]
    pub set: Vec<String>,
    /// One JSON object for each message.
    #[arg(long)]
    pub json: bool,
    /// Exit with 1 if there are warnings.
    #[arg(long)]
    pub deny_warnings: bool,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub selection: Selection,
    /// As JSON.
    #[arg(long, conflicts_with = "dot")]
    pub json: bool,
    /// As a graph for Graphviz.
    #[arg(long)]
    pub dot: bool,
}

/// Where and how fast; never what. See `epo-run settings`.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// The folder of runs.
    #[arg(long, global = true, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    /// Worker threads; changes no result.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// `cpu`, `cuda`, or `auto`.
    #[arg(long, global = true, value_name = "DEVICE")]
    pub device: Option<String>,
    /// Who runs tasks: `local`, `slurm` or `ray`.
    #[arg(long, global = true, value_name = "ENGINE")]
    pub engine: Option<String>,
    /// A folder with `std/` and `lib/` in the place of the compiled-in files.
    #[arg(long, global = true, value_name = "DIR")]
    pub library: Option<PathBuf>,
}
