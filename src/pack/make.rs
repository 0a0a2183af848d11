//! Writing a pack: the same recipe with the same results gives the same bytes.

use super::crate_metadata::{About, metadata};
use super::description::{Command, Description, PackedRate, PackedTask};
use super::readme::readme;
use super::{DESCRIPTION, FORMAT, MACHINE, METADATA, PLAN, README, RESOLVED, Recipe, TASKS, names};
use crate::kind::Artifact;
use crate::plan::{Plan, Task};
use crate::report::wilson;
use crate::spec::Compiled;
use crate::store::{Digest, MANIFEST, Manifest, Mark, State, Status, Store, output_path, plain_name};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// What is packed.
pub(crate) struct Packing<'a> {
    pub recipe: &'a Recipe,
    /// Of this recipe, and its plan.
    pub compiled: &'a Compiled,
    pub plan: &'a Plan,
    /// As a run of it is called.
    pub name: String,
    /// `None`: the recipe alone.
    pub results: Option<Results<'a>>,
    /// The day that catalogues are told, `2026-11-29`.
    pub date: Option<String>,
}

/// Of a finished run.
pub(crate) struct Results<'a> {
    pub store: &'a Store,
    /// `machine.json`: of it, nothing is packed that tells one machine of a kind from another.
    pub machine: Value,
    /// Policies, critics, exported folders and states of trainings too.
    pub weights: bool,
}

/// What was written.
pub(crate) struct Made {
    pub files: usize,
    /// Of the archive.
    pub bytes: u64,
    /// [`Description::digest`].
    pub digest: Digest,
}

/// The bytes of a file, or where they are.
enum Content {
    Text(Vec<u8>),
    Copy(PathBuf),
}

type Files = BTreeMap<String, (Mark, Content)>;

impl Packing<'_> {
    /// Writes it under a name that nothing has yet, whole or not at all.
    ///
    /// # Errors
    /// A sentence: what of the run is not finished or damaged, or why nothing can be written.
    pub(crate) fn write(&self, target: &Path) -> Result<Made, String> {
        let mut files = Files::new();
        for (name, text) in &self.recipe.texts {
            put(&mut files, name, text.clone().into_bytes());
        }
        put(&mut files, RESOLVED, resolved(self.compiled, self.plan).into_bytes());
        put(&mut files, PLAN, pretty(&self.plan.record())?);
        let mut tasks = Vec::new();
        if let Some(results) = &self.results {
            put(&mut files, MACHINE, pretty(&of_its_kind(&results.machine))?);
            let mut folders = BTreeSet::new();
            for task in &self.plan.tasks {
                tasks.push(results.task(self.plan, task, &mut folders, &mut files)?);
            }
        }
        let description = self.description(tasks, &mut files)?;
        if let Some(refusal) = names::refusal_of_all(files.keys().map(String::as_str)) {
            return Err(format!("{refusal}: a pack has to be unpacked on every system"));
        }
        let bytes = archive(target, &files)?;
        Ok(Made { files: files.len(), bytes, digest: description.digest })
    }

    fn description(&self, tasks: Vec<PackedTask>, files: &mut Files) -> Result<Description, String> {
        let Recipe { root, set, only, .. } = self.recipe.clone();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let marks = |files: &Files| files.iter().map(|(name, (mark, _))| (name.clone(), mark.clone())).collect::<BTreeMap<_, _>>();
        let mut description = Description {
            format: FORMAT,
            version,
            name: self.name.clone(),
            plan: self.plan.digest.clone(),
            recipe: Command { root, set, only },
            needs: self.plan.needs(),
            tasks,
            files: BTreeMap::new(),
            digest: Digest::of_bytes(b""),
        };
        put(files, README, readme(&self.name, &description).into_bytes());
        let titles: BTreeSet<&str> =
            self.plan.instances.iter().map(|instance| instance.title.as_str()).filter(|title| !title.is_empty()).collect();
        let about = About {
            title: &self.name,
            description: &titles.into_iter().collect::<Vec<_>>().join("; "),
            date: self.date.as_deref(),
            version: &description.version,
            root: &description.recipe.root,
        };
        let metadata = metadata(&about, &marks(files));
        put(files, METADATA, pretty(&metadata)?);
        description.files = marks(files);
        let description = description.sealed();
        put(files, DESCRIPTION, description.text()?);
        Ok(description)
    }
}

impl Results<'_> {
    /// Adds the files of a finished task.
    fn task(&self, plan: &Plan, task: &Task, folders: &mut BTreeSet<String>, files: &mut Files) -> Result<PackedTask, String> {
        let name = plan.name(task);
        let path = self.store.task_path(&task.digest);
        let again = "the command that made the run finishes and mends it";
        let status = self.store.status(&task.digest).map_err(|error| error.to_string())?;
        let Some(status) = status.filter(|status| status.state == State::Finished) else {
            return Err(format!("`{name}` is not finished; {again}"));
        };
        if let Some(problem) = task.problem(&status, &path) {
            return Err(format!("`{name}` is damaged: {problem}; {again}"));
        }
        let folder = folder(plan, task, folders);
        let mut packed = PackedTask {
            digest: task.digest.clone(),
            name,
            kind: task.stage.kind().to_owned(),
            folder: folder.clone(),
            outputs: status.outputs.clone(),
            logs: status.logs.clone(),
            bytes: status.logs.values().map(|mark| mark.bytes).sum(),
            left_out: Vec::new(),
            rates: rates(&status, &path)?,
        };
        for (log, mark) in &status.logs {
            match log.as_str() {
                METRICS => drop(files.insert(format!("{folder}/{log}"), (mark.clone(), Content::Copy(path.join(log))))),
                _ if mark.bytes > 0 => packed.left_out.push(log.clone()),
                _ => {}
            }
        }
        for output in task.stage.outputs() {
            let place = output_path(&path, output.name);
            let Some(_) = status.outputs.get(output.name) else { continue };
            let manifest = Manifest::read(&place).map_err(|error| error.to_string())?;
            packed.bytes += manifest.files.values().map(|mark| mark.bytes).sum::<u64>();
            if is_large(output.artifact) && !self.weights {
                packed.left_out.push(output.name.to_owned());
                continue;
            }
            let inside = format!("{folder}/outputs/{}", output.name);
            let listed = place.join(MANIFEST);
            let (blake3, bytes) = Digest::of_file(&listed).map_err(|error| error.to_string())?;
            files.insert(format!("{inside}/{MANIFEST}"), (Mark { bytes, blake3 }, Content::Copy(listed)));
            for (file, mark) in manifest.files {
                let from = place.join(&file);
                files.insert(format!("{inside}/{file}"), (mark, Content::Copy(from)));
            }
        }
        Ok(packed)
    }
}

const METRICS: &str = "metrics.jsonl";

/// Weights, and what is as large.
fn is_large(artifact: Artifact) -> bool {
    match artifact {
        Artifact::Policy | Artifact::Critic | Artifact::Folder | Artifact::State => true,
        Artifact::Tokenizer | Artifact::Episodes | Artifact::Metrics | Artifact::Results | Artifact::Page => false,
    }
}

/// A name of its own for a task's files, also where case tells nothing.
fn folder(plan: &Plan, task: &Task, taken: &mut BTreeSet<String>) -> String {
    let name = plain_name(&task.members.first().and_then(|member| plan.link_name(member)).unwrap_or_default());
    let name = if taken.insert(name.to_lowercase()) { name } else { format!("{name}.{}", task.digest.short()) };
    taken.insert(name.to_lowercase());
    format!("{TASKS}{name}")
}

/// How often each split was won, where the task has results.
pub(super) fn rates(status: &Status, path: &Path) -> Result<Vec<PackedRate>, String> {
    #[derive(Deserialize)]
    struct Evaluated {
        splits: Vec<Split>,
    }
    #[derive(Deserialize)]
    struct Split {
        #[serde(rename = "split")]
        name: String,
        panel_hash: String,
        episodes: u64,
        successes: u64,
    }
    if !status.outputs.contains_key("results") {
        return Ok(Vec::new());
    }
    let found: Evaluated =
        crate::store::read_json(&output_path(path, "results").join("results.json")).map_err(|error| error.to_string())?;
    let rate = |Split { name, panel_hash, episodes, successes }| {
        let interval = wilson(successes, episodes)?;
        Some(PackedRate { split: name, panel: panel_hash, successes, episodes, low: interval.low, high: interval.high })
    };
    Ok(found.splits.into_iter().filter_map(rate).collect())
}

/// What may have changed a result, and no name, folder or address.
fn of_its_kind(machine: &Value) -> Value {
    let kept = ["format", "version", "features", "cores", "system"];
    let of = |name: &str| machine.get(name).map(|value| (name.to_owned(), value.clone()));
    let mut all: serde_json::Map<String, Value> = kept.into_iter().filter_map(of).collect();
    if let Some(device) = machine.pointer("/settings/device") {
        all.insert("device".into(), device.clone());
    }
    json!(all)
}

/// As the folder of a run has it.
pub(super) fn resolved(compiled: &Compiled, plan: &Plan) -> String {
    let members = plan.tasks.iter().flat_map(|task| &task.members);
    let used: Vec<&str> = members.filter_map(|member| Some(plan.instances.get(member.instance)?.name.as_str())).collect();
    compiled.resolved.text(&used, true)
}

fn put(files: &mut Files, name: &str, bytes: Vec<u8>) {
    let mark = Mark { bytes: bytes.len() as u64, blake3: Digest::of_bytes(&bytes) };
    files.insert(name.to_owned(), (mark, Content::Text(bytes)));
}

pub(super) fn pretty(value: &Value) -> Result<Vec<u8>, String> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn archive(target: &Path, files: &Files) -> Result<u64, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("cannot write `{}`: {error}", target.display());
    if target.symlink_metadata().is_ok() {
        return Err(format!("`{}` is already there; remove it first, or name another with `--output`", target.display()));
    }
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tmp-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let temporary = builder.tempfile_in(folder).map_err(|error| wrong(&error))?;
    let mut zip = ZipWriter::new(BufWriter::new(temporary.as_file()));
    for (name, (mark, content)) in files {
        zip.start_file(name.as_str(), options(name, mark)).map_err(|error| wrong(&error))?;
        match content {
            Content::Text(bytes) => zip.write_all(bytes).map_err(|error| wrong(&error))?,
            Content::Copy(from) => copy(from, mark, &mut zip)?,
        }
    }
    zip.finish().map_err(|error| wrong(&error))?.flush().map_err(|error| wrong(&error))?;
    let bytes = temporary.as_file().metadata().map_err(|error| wrong(&error))?.len();
    temporary.as_file().sync_all().map_err(|error| wrong(&error))?;
    temporary.persist_noclobber(target).map_err(|error| wrong(&error.error))?;
    Ok(bytes)
}

/// Weights hardly get smaller; what is not compressed cannot unpack to more than it is.
fn options(name: &str, mark: &Mark) -> SimpleFileOptions {
    let method = if name.ends_with(".safetensors") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
    SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644)
        .large_file(mark.bytes > u64::from(u32::MAX) / 2)
}

/// The bytes that the mark is of, or none.
fn copy(from: &Path, mark: &Mark, into: &mut impl Write) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("cannot read `{}`: {error}", from.display());
    let mut hasher = Through { hash: blake3::Hasher::new(), into };
    let bytes = std::io::copy(&mut File::open(from).map_err(wrong)?, &mut hasher).map_err(wrong)?;
    let blake3 = Digest::finish(&hasher.hash);
    if (Mark { bytes, blake3 }) == *mark { Ok(()) } else { Err(format!("`{}` changed while it was packed", from.display())) }
}

struct Through<'a, W> {
    hash: blake3::Hasher,
    into: &'a mut W,
}

impl<W: Write> Write for Through<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.into.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.into.flush()
    }
}
