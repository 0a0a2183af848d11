//! The settings of who runs tasks: `engine`, `jobs.…`, `slurm.…`, `ray.…`.

use super::settings::Given;
use crate::engine::{JobOptions, RayOptions, SlurmOptions};
use crate::env::Server;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The engines that there are.
const ENGINES: [&str; 3] = ["local", "slurm", "ray"];

/// Who runs tasks, and what is asked of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Engines {
    /// `local`: this process, one task after the other.
    pub engine: String,
    pub jobs: JobOptions,
    pub slurm: SlurmOptions,
    pub ray: RayOptions,
}

impl Default for Engines {
    fn default() -> Self {
        Self { engine: "local".into(), jobs: JobOptions::default(), slurm: SlurmOptions::default(), ray: RayOptions::default() }
    }
}

/// What one place says of jobs, whichever engine has them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenJobs {
    program: Option<PathBuf>,
    ranks: Option<usize>,
    cpus: Option<usize>,
    gpus: Option<usize>,
    memory: Option<f64>,
    time: Option<f64>,
    cancel: Option<bool>,
}

/// What one place says of Slurm.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenSlurm {
    options: Option<Vec<String>>,
    setup: Option<Vec<String>>,
    ahead: Option<u64>,
}

/// What one place says of Ray.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenRay {
    url: Option<String>,
    python: Option<String>,
    retries: Option<u32>,
}

impl Engines {
    /// `note` is told the names of what is given.
    pub(super) fn take(
        &mut self,
        engine: Option<String>,
        jobs: GivenJobs,
        (slurm, ray): (GivenSlurm, GivenRay),
        mut note: impl FnMut(&str),
    ) {
        fn put<T>(given: Option<T>, name: &str, into: &mut T, note: &mut dyn FnMut(&str)) {
            if let Some(given) = given {
                note(name);
                *into = given;
            }
        }
        put(engine, "engine", &mut self.engine, &mut note);
        put(jobs.program.map(Some), "jobs.program", &mut self.jobs.program, &mut note);
        put(jobs.ranks, "jobs.ranks", &mut self.jobs.ranks, &mut note);
        put(jobs.cpus, "jobs.cpus", &mut self.jobs.cpus, &mut note);
        put(jobs.gpus, "jobs.gpus", &mut self.jobs.gpus, &mut note);
        put(jobs.memory.map(Some), "jobs.memory", &mut self.jobs.memory, &mut note);
        put(jobs.time.map(Some), "jobs.time", &mut self.jobs.time, &mut note);
        put(jobs.cancel, "jobs.cancel", &mut self.jobs.cancel, &mut note);
        put(slurm.options, "slurm.options", &mut self.slurm.options, &mut note);
        put(slurm.setup, "slurm.setup", &mut self.slurm.setup, &mut note);
        put(slurm.ahead, "slurm.ahead", &mut self.slurm.ahead, &mut note);
        put(ray.url, "ray.url", &mut self.ray.url, &mut note);
        put(ray.python, "ray.python", &mut self.ray.python, &mut note);
        put(ray.retries, "ray.retries", &mut self.ray.retries, &mut note);
    }

    /// The name of a setting that cannot be, what it is, and what it takes.
    pub(super) fn mistake(&self) -> Option<(&'static str, String, &'static str)> {
        let positive =
            |number: Option<f64>| number.filter(|number| !(number.is_finite() && *number > 0.0)).map(|number| number.to_string());
        if !ENGINES.contains(&self.engine.as_str()) {
            return Some(("engine", format!("`{}`", self.engine), "`local`, `slurm` or `ray`"));
        }
        let counts = [("jobs.ranks", self.jobs.ranks), ("jobs.cpus", self.jobs.cpus)];
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| !(1..=65_536).contains(count)) {
            return Some((name, count.to_string(), "a whole number from 1 to 65536"));
        }
        if let Some(memory) = positive(self.jobs.memory) {
            return Some(("jobs.memory", memory, "gibibytes, a number above 0"));
        }
        if let Some(time) = positive(self.jobs.time) {
            return Some(("jobs.time", time, "minutes, a number above 0"));
        }
        if Server::address(&self.ray.url).is_err() {
            // Not what it is: somebody may have put a password there.
            return Some(("ray.url", "none".into(), "the address of a dashboard, such as `http://head:8265`, without names and passwords"));
        }
        (self.slurm.ahead > 65_535).then(|| ("slurm.ahead", self.slurm.ahead.to_string(), "seconds, up to 65535"))
    }

    /// For people, and for the record of a run.
    pub(super) fn rows(&self) -> Vec<(String, Value)> {
        let Self { engine, jobs, slurm, ray } = self;
        let mut rows = vec![("engine".to_owned(), json!(engine))];
        if engine == "local" {
            return rows;
        }
        rows.extend(jobs.program.iter().map(|program| ("jobs.program".to_owned(), json!(program.to_string_lossy()))));
        rows.push(("jobs.ranks".into(), json!(jobs.ranks)));
        rows.push(("jobs.cpus".into(), json!(jobs.cpus)));
        rows.push(("jobs.gpus".into(), json!(jobs.gpus)));
        rows.extend(jobs.memory.map(|memory| ("jobs.memory".into(), json!(memory))));
        rows.extend(jobs.time.map(|time| ("jobs.time".into(), json!(time))));
        rows.push(("jobs.cancel".into(), json!(jobs.cancel)));
        if engine == "slurm" {
            rows.push(("slurm.options".into(), json!(slurm.options)));
            rows.push(("slurm.setup".into(), json!(slurm.setup)));
            rows.push(("slurm.ahead".into(), json!(slurm.ahead)));
        } else {
            rows.push(("ray.url".into(), json!(ray.url)));
            rows.push(("ray.python".into(), json!(ray.python)));
            rows.push(("ray.retries".into(), json!(ray.retries)));
        }
        rows
    }
}

/// Takes `ENGINE`, `JOBS__CPUS` and the like; false where it is none of them. Words are told apart by blanks: what has blanks in it belongs into a file.
pub(super) fn variable(given: &mut Given, variable: &str, value: &str) -> Result<bool, String> {
    fn parsed<T: std::str::FromStr>(variable: &str, value: &str, takes: &str) -> Result<Option<T>, String> {
        let name = variable.to_lowercase().replace("__", ".");
        value.parse().map(Some).map_err(|_| format!("the setting `{name}` (from EPO_{variable}) is `{value}`; it takes {takes}"))
    }
    let words = || Some(value.split_whitespace().map(str::to_owned).collect());
    match variable {
        "ENGINE" => given.engine = Some(value.to_owned()),
        "JOBS__PROGRAM" => given.jobs.program = Some(value.into()),
        "JOBS__RANKS" => given.jobs.ranks = parsed(variable, value, "a whole number")?,
        "JOBS__CPUS" => given.jobs.cpus = parsed(variable, value, "a whole number")?,
        "JOBS__GPUS" => given.jobs.gpus = parsed(variable, value, "a whole number")?,
        "JOBS__MEMORY" => given.jobs.memory = parsed(variable, value, "gibibytes")?,
        "JOBS__TIME" => given.jobs.time = parsed(variable, value, "minutes")?,
        "JOBS__CANCEL" => given.jobs.cancel = parsed(variable, value, "`true` or `false`")?,
        "SLURM__OPTIONS" => given.slurm.options = words(),
        "SLURM__SETUP" => given.slurm.setup = Some(vec![value.to_owned()]),
        "SLURM__AHEAD" => given.slurm.ahead = parsed(variable, value, "seconds")?,
        "RAY__URL" => given.ray.url = Some(value.to_owned()),
        "RAY__PYTHON" => given.ray.python = Some(value.to_owned()),
        "RAY__RETRIES" => given.ray.retries = parsed(variable, value, "a whole number")?,
        _ => return Ok(false),
    }
    Ok(true)
}
