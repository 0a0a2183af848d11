//! `epo-run probe`: an objective on a batch, without a model.

use super::{DONE, Settings, WRONG_INPUT, answer, compiled, complain, complain_with};
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::lang::{Diagnostic, Diagnostics, SourceMap, pad};
use crate::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use crate::spec::{Equations, Request, equations};
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The pipeline (`ppo`), the point of its sweep (`ppo[lambda=0.003]`) or the stage (`ppo.train`) whose equations are meant.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// A batch as JSON; its quantities are fields at the top or under `batch`.
    #[arg(long, value_name = "FILE")]
    pub batch: PathBuf,
    /// Change a line of a pipeline first: `ppo.lambda=0.003`.
    #[arg(long, value_name = "PIPELINE.PATH=VALUE")]
    pub set: Vec<String>,
    /// Everything, as JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &ProbeArgs, settings: &Settings) -> u8 {
    let library = match super::elsewhere::library(&args.file, settings) {
        Ok(library) => library,
        Err(code) => return code,
    };
    let (sources, all, messages) = equations(&Request { root: Root::File(&args.file), overrides: &args.set, library: &library });
    let found = match chosen(args, &all) {
        Ok(found) => found,
        // without equations because of mistakes in the text: these say more
        Err(_) if messages.has_errors() => {
            compiled::show(&sources, &messages);
            return WRONG_INPUT;
        }
        Err((message, help)) => return complain_with(&message, help.as_deref()),
    };
    let mut diagnostics = about(found, &all, messages);
    let (loss, advantage) = found.check(&mut diagnostics);
    compiled::show(&sources, &diagnostics);
    if diagnostics.has_errors() || found.broken {
        return WRONG_INPUT;
    }
    let batch = match read(args, found) {
        Ok(batch) => batch,
        Err(message) => return complain(&message),
    };
    match probe(loss.as_ref(), advantage.as_ref(), &batch) {
        Ok(result) => {
            let text = if args.json { serde_json::to_string(&result).unwrap_or_default() + "\n" } else { text(&result, found) };
            answer(&text);
            DONE
        }
        Err(error) => failed(&sources, error.diagnostic()),
    }
}

fn failed(sources: &SourceMap, diagnostic: Diagnostic) -> u8 {
    compiled::show(sources, &Diagnostics(vec![diagnostic]));
    WRONG_INPUT
}

/// Mistakes of other pipelines do not matter here; those of the text do, since it was not read as it was meant.
fn about(found: &Equations, all: &[Equations], messages: Diagnostics) -> Diagnostics {
    let others_are_broken = all.iter().any(|e| e.broken && e.name() != found.name());
    match others_are_broken && !found.broken {
        true => Diagnostics(messages.0.into_iter().filter(|d| d.code.starts_with("E00")).collect()),
        false => messages,
    }
}

/// Of a batch.
const MOST_BYTES: usize = 64 << 20;

fn read(args: &ProbeArgs, found: &Equations) -> Result<ProbeBatch, String> {
    let shown = args.batch.display();
    let text = super::input::read(&args.batch, MOST_BYTES)?;
    let mut batch = ProbeBatch::from_json(&text).map_err(|error| format!("{shown}: {error}"))?;
    if let Some(iterations) = found.iterations {
        batch.iterations_if_missing(iterations).map_err(|error| format!("{shown}: {error}"))?;
    }
    Ok(batch)
}

/// The equations that are meant, or why none.
fn chosen<'e>(args: &ProbeArgs, all: &'e [Equations]) -> Result<&'e Equations, (String, Option<String>)> {
    let names: Vec<String> = all.iter().map(Equations::name).collect();
    let list = || format!("`{}`", names.join("`, `"));
    let shown = args.file.display();
    match &args.only {
        Some(wanted) => {
            if let Some(found) = all.iter().find(|e| e.name() == *wanted) {
                return Ok(found);
            }
            // without its point: fine where there is but one
            match all.iter().filter(|e| e.pipeline == *wanted && e.stage.is_none()).collect::<Vec<_>>().as_slice() {
                [one] => return Ok(one),
                [] => {}
                several => {
                    let points: Vec<String> = several.iter().map(|e| e.name()).collect();
                    let help = format!("name one: `{}`", points.join("`, `"));
                    return Err((format!("`{wanted}` unfolds into {} points", several.len()), Some(help)));
                }
            }
            match all.iter().filter(|e| e.pipeline == *wanted).collect::<Vec<_>>().as_slice() {
                [one] => Ok(one),
                [] => {
                    let near = closest(wanted, names.iter().map(String::as_str)).map(|n| format!("did you mean `{n}`?"));
                    let help = near.or_else(|| (!names.is_empty()).then(|| format!("these have one: {}", list())));
                    Err((format!("no pipeline `{wanted}` with a `loss` or an `advantage` is in {shown}"), help))
                }
                _ => Err((format!("stages of `{wanted}` have equations of their own"), Some(format!("name one: {}", list())))),
            }
        }
        None => match all {
            [one] => Ok(one),
            [] => {
                let help = "write one, for example `loss { minimize = mean(logp) }` in a pipeline";
                Err((format!("no pipeline of {shown} has a `loss` or an `advantage`"), Some(help.into())))
            }
            _ => Err((
                format!("several pipelines of {shown} have a `loss` or an `advantage`"),
                Some(format!("choose with `--only`: {}", list())),
            )),
        },
    }
}

fn text(result: &ProbeAnswer, found: &Equations) -> String {
    let mut out = format!("{}\n", found.name());
    let rows = result.terms.iter().map(|(name, value)| (name.as_str(), *value)).chain(result.minimize.map(|m| ("minimize", m)));
    let rows: Vec<(&str, f64)> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("minimize".len());
    for (name, value) in rows {
        let _ = writeln!(out, "  {}  {value:>14.8}", pad(name, width));
    }
    let norm = |rows: &[Vec<f64>]| rows.iter().flatten().map(|x| x * x).sum::<f64>().sqrt();
    if result.minimize.is_some() {
        let gradients = [("logp", &result.gradient.logp), ("entropy", &result.gradient.entropy), ("value", &result.gradient.value)];
        let figures = result.gradient.figures.iter().map(|(name, rows)| (*name, rows));
        let _ = writeln!(out, "norm of the gradient");
        for (name, rows) in gradients.into_iter().chain(figures) {
            let _ = writeln!(out, "  {}  {:>14.8}", pad(name, width), norm(rows));
        }
    }
    if !result.carried.is_empty() {
        let _ = writeln!(out, "carried to the next iteration");
        for (name, number) in &result.carried {
            let _ = writeln!(out, "  {}  {number:>14.8}", pad(name, width));
        }
    }
    if let Some(rows) = &result.advantage {
        let values: Vec<f64> = rows.iter().flatten().flatten().copied().collect();
        let left_out = rows.iter().flatten().filter(|value| value.is_none()).count();
        let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        let _ = writeln!(out, "advantage");
        let _ = writeln!(out, "  {}  {low:>14.8}", pad("lowest", width));
        let _ = writeln!(out, "  {}  {high:>14.8}", pad("highest", width));
        if left_out > 0 {
            let _ = writeln!(out, "  {}  {left_out:>14} tokens", pad("left out", width));
        }
    }
    out
}
