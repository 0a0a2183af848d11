//! Whether a pack holds what was packed, and whether its parts fit together. Nothing is run.

use super::make::{pretty, resolved};
use super::{DESCRIPTION, PLAN, Pack, PackedTask, RESOLVED, names};
use crate::plan::Plan;
use crate::spec::Compiled;
use crate::store::{Digest, MANIFEST, Manifest, Mark};
use serde::Serialize;
use std::collections::BTreeSet;

/// What of a pack is not as it was packed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Fault {
    /// The file, by its name in the pack.
    pub file: String,
    /// In words.
    pub problem: String,
}

const LONGEST_MANIFEST: u64 = 64 << 20;

impl Pack {
    /// Reads every file, and compares it with what it was packed with; then the files of each task with what the task was finished with.
    pub(crate) fn faults(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut found: BTreeSet<String> = self.archive.names().filter(|name| *name != DESCRIPTION).map(str::to_owned).collect();
        let expected = self.description().files.clone();
        for (name, mark) in &expected {
            if !found.remove(name) {
                faults.push(fault(name, "is missing"));
                continue;
            }
            match self.archive.mark(name) {
                Ok(read) if read == *mark => {}
                Ok(read) if read.bytes != mark.bytes => {
                    faults.push(fault(name, format!("has {} bytes instead of {}", read.bytes, mark.bytes)));
                }
                Ok(_) => faults.push(fault(name, "does not have the hash that it was packed with")),
                Err(problem) => faults.push(fault(name, format!("cannot be read: {}", without(name, problem)))),
            }
        }
        faults.extend(found.iter().map(|name| fault(name, "was not packed")));
        if faults.is_empty() {
            for task in self.description().tasks.clone() {
                faults.extend(self.faults_of(&task));
            }
        }
        faults
    }

    /// Whether what is packed of a task is what the description says that it came to.
    fn faults_of(&mut self, task: &PackedTask) -> Vec<Fault> {
        let mut faults = Vec::new();
        let files = self.description().files.clone();
        let left_out = |name: &str| task.left_out.iter().any(|left| left == name);
        for (log, mark) in task.logs.iter().filter(|(log, mark)| !left_out(log) && mark.bytes > 0) {
            let name = format!("{}/{log}", task.folder);
            if files.get(&name) != Some(mark) {
                faults.push(fault(&name, format!("is not what `{}` was finished with", names::shown(&task.name))));
            }
        }
        for (output, digest) in task.outputs.iter().filter(|(output, _)| !left_out(output)) {
            let folder = format!("{}/outputs/{output}", task.folder);
            let name = format!("{folder}/{MANIFEST}");
            let read = self.archive.read(&name, LONGEST_MANIFEST).ok().and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
            match read {
                Some(manifest) if manifest.digest() == *digest => {
                    let differs = |(file, mark): (&String, &Mark)| {
                        let name = format!("{folder}/{file}");
                        (files.get(&name) != Some(mark)).then(|| fault(&name, "is not what its manifest says"))
                    };
                    faults.extend(manifest.files.iter().filter_map(differs));
                }
                _ => faults.push(fault(&name, format!("is not what `{}` was finished with", names::shown(&task.name)))),
            }
        }
        faults
    }

    /// Whether this program makes of the texts what was packed with them.
    pub(crate) fn differences(&mut self, compiled: &Compiled, plan: &Plan) -> Result<Vec<Fault>, String> {
        let mut differences = Vec::new();
        let description = self.description();
        let version = &description.version;
        if description.plan != plan.digest {
            let problem =
                format!("it is the plan {}, and packed was {}, by epo-run {version}", plan.digest.short(), description.plan.short());
            differences.push(fault(PLAN, problem));
        }
        let tasks: BTreeSet<&Digest> = plan.tasks.iter().map(|task| &task.digest).collect();
        let other = description.tasks.iter().filter(|task| !tasks.contains(&task.digest));
        let other: Vec<Fault> =
            other.map(|task| fault(&task.folder, format!("`{}` is no task of these texts", names::shown(&task.name)))).collect();
        differences.extend(other);
        for (name, text) in [(PLAN, pretty(&plan.record())?), (RESOLVED, resolved(compiled, plan).into_bytes())] {
            let mark = Mark { bytes: text.len() as u64, blake3: Digest::of_bytes(&text) };
            if self.description().files.get(name) != Some(&mark) && !differences.iter().any(|known| known.file == name) {
                differences.push(fault(name, "is not what these texts come to"));
            }
        }
        Ok(differences)
    }
}

fn fault(file: &str, problem: impl Into<String>) -> Fault {
    Fault { file: file.to_owned(), problem: problem.into() }
}

/// A message that names its file, without it.
fn without(name: &str, problem: String) -> String {
    let begin = format!("`{}`: ", names::shown(name));
    problem.strip_prefix(&begin).map_or_else(|| problem.clone(), str::to_owned)
}
