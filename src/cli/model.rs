//! `epo-run model`

use super::{DONE, Settings, WRONG_INPUT, answer, complain};
use crate::model::pretrained::{Outline, adapter, cache_folder, look};
use crate::model::reference::{Finding, Reference};
use crate::model::{ModelError, Pretrained, Source};
use candle_core::Device;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    #[command(subcommand)]
    pub verb: ModelVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelVerb {
    /// Show a pretrained model's shape, tokenizer and hash.
    Info(InfoArgs),
    /// Compare a pretrained model with the outputs of another implementation.
    Check(CheckArgs),
    /// Read a model's description, tokenizer and template, and say nothing: what this program has a process of its own do first.
    #[command(hide = true)]
    Look { path: PathBuf },
}

/// The command line of [`ModelVerb::Look`], before the path.
pub(super) const LOOK: &[&str] = &["model", "look"];

#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    /// A folder, a GGUF file, `hub:NAME@REVISION`, or `pip:PACKAGE`.
    #[arg(value_name = "SOURCE")]
    pub source: String,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// A folder, a GGUF file, `hub:NAME@REVISION`, or `pip:PACKAGE`.
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The outputs to compare with, instead of the `reference.json` beside the model.
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &ModelArgs, settings: &Settings) -> u8 {
    crate::model::threads::configure();
    let done = match &args.verb {
        ModelVerb::Info(args) => info(args, settings),
        ModelVerb::Check(args) => check(args, settings),
        ModelVerb::Look { path } => {
            look(path);
            Ok(DONE)
        }
    };
    done.unwrap_or_else(|error| complain(&error.to_string()))
}

fn fetch(source: &str, settings: &Settings) -> Result<PathBuf, ModelError> {
    let cache = settings.values.machine.data.get("models").cloned().unwrap_or_else(cache_folder);
    Source::parse(source)?.fetch(&cache, &mut |line| super::tell(line))
}

/// With a bar, on a terminal.
fn load(outline: Outline, path: &Path) -> Result<Pretrained, ModelError> {
    let style = ProgressStyle::with_template("reading the model {bar:20} {pos}/{len} tensors");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
    let loaded = Pretrained::of(outline, path, None, &Device::Cpu, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    loaded
}

fn info(args: &InfoArgs, settings: &Settings) -> Result<u8, ModelError> {
    let path = fetch(&args.source, settings)?;
    let mut outline = Outline::read(&path)?;
    let notes = std::mem::take(&mut outline.notes);
    let model = load(outline, &path)?;
    let hash = model.weights.hash()?;
    let (config, tokenizer) = (model.weights.config(), model.tokenizer.as_ref());
    let bytes = 4 * config.parameters() as u64;
    let adapter = if adapter::is_in(&path) { Some(adapter::Saved::read(&path, config)?.config) } else { None };
    if args.json {
        let info = serde_json::json!({
            "source": args.source,
            "path": path,
            "family": model.family,
            "parameters": config.parameters(),
            "bytes": bytes,
            "config": config,
            "vocabulary": tokenizer.map(crate::model::Tokenizer::vocab),
            "ends": tokenizer.map(crate::model::Tokenizer::stops),
            "chat_template": model.chat.is_some(),
            "notes": notes,
            "adapter": adapter,
            "hash": hash,
        });
        answer(&format!("{info:#}\n"));
        return Ok(DONE);
    }
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "{name:<14}{value}");
    };
    line("path", path.display().to_string());
    line("family", model.family.clone());
    line("parameters", format!("{} ({:.2} GiB as 32-bit floats)", config.parameters(), bytes as f64 / f64::from(1u32 << 30)));
    line("layers", config.layers.to_string());
    line("width", format!("{}, {} in the feed-forward part", config.width, config.ffn));
    line("heads", format!("{} of width {}, {} of keys and values", config.heads, config.head_width(), config.kv_heads));
    line("vocabulary", format!("{}{}", config.vocab, if config.tied { ", output tied to the embedding" } else { "" }));
    line("context", config.context.to_string());
    line("tokenizer", tokenizer.map_or("none".into(), |t| format!("{} tokens, responses end with {:?}", t.vocab(), t.stops())));
    line("chat template", if model.chat.is_some() { "yes" } else { "none" }.into());
    if let Some(adapter) = adapter {
        line("adapter", format!("of rank {} on {}, merged", adapter.rank, adapter.targets.join(", ")));
    }
    line("hash", hash);
    for note in notes {
        line("note", note);
    }
    answer(&out);
    Ok(DONE)
}

fn check(args: &CheckArgs, settings: &Settings) -> Result<u8, ModelError> {
    let path = fetch(&args.source, settings)?;
    let beside = if path.is_dir() { path.join("reference.json") } else { path.with_file_name("reference.json") };
    let reference = Reference::read(args.reference.as_ref().unwrap_or(&beside))?;
    let model = load(Outline::read(&path)?, &path)?;
    let findings = reference.compare(&model, settings.threads())?;
    let ok = findings.iter().all(|finding| finding.ok);
    if args.json {
        answer(&format!("{:#}\n", serde_json::json!({ "source": args.source, "ok": ok, "findings": findings })));
    } else {
        answer(&table(&findings));
    }
    Ok(if ok { DONE } else { WRONG_INPUT })
}

fn table(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let mark = if finding.ok { "ok" } else { "DIFFERS" };
        let numbers = match (finding.worst, finding.allowed) {
            (Some(worst), Some(allowed)) => format!(", at most {worst:.1e} apart, allowed {allowed:.0e}"),
            _ => String::new(),
        };
        let _ = writeln!(out, "{mark:<9}{:<29}{} compared{numbers}", finding.what, finding.compared);
        for difference in &finding.differences {
            let _ = writeln!(out, "           {difference}");
        }
    }
    out
}
