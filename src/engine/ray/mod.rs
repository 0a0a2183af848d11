//! Ray, through the Jobs API of a cluster: a driver, which the program brings along, makes each task a task of Ray.

mod client;
mod names;

use super::{Engine, Job, JobState, Note, Site};
use crate::exec::ExecError;
use crate::store::{Digest, StoreError, write_file};
use client::Client;
use names::Name;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What settings say of Ray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RayOptions {
    /// Of the dashboard.
    pub url: String,
    /// What the cluster calls the Python that Ray is in.
    pub python: String,
    /// How often a task is given to another node when its own dies.
    pub retries: u32,
}

impl Default for RayOptions {
    fn default() -> Self {
        Self { url: "http://127.0.0.1:8265".into(), python: "python3".into(), retries: 3 }
    }
}

/// The cluster at an address.
#[derive(Debug)]
pub(crate) struct Ray {
    options: RayOptions,
    client: Client,
}

const DRIVER: &str = include_str!("driver.py");

/// Of a driver, a line of the file in which it says how its tasks end.
#[derive(Debug, Deserialize)]
struct Line {
    task: Digest,
    state: String,
    #[serde(default)]
    why: String,
}

impl Ray {
    pub(crate) fn new(options: RayOptions) -> Self {
        let client = Client::new(&options.url);
        Self { options, client }
    }

    /// Starts a driver with the file that says what it does.
    fn start(&self, site: &Site, plan: &Path) -> Result<String, ExecError> {
        let words = [self.options.python.as_str(), &driver(site).to_string_lossy(), &plan.to_string_lossy()].map(quoted);
        // Settings of the environment; a key is none.
        let variables: BTreeMap<String, String> =
            std::env::vars().filter(|(name, _)| name.starts_with("EPO_") && name != "EPO_SERVE_KEY").collect();
        let body = json!({
            "entrypoint": words.join(" "),
            "runtime_env": { "env_vars": variables },
            "metadata": { "epo": site.id, "version": env!("CARGO_PKG_VERSION") },
        });
        let answer = self.client.post("/api/jobs/", &body)?;
        let id = |value: &Value| Some(value["submission_id"].as_str()?.to_owned());
        answer.as_ref().and_then(id).ok_or_else(|| ExecError::Engine {
            message: format!("Ray at {} takes a job and does not say how it calls it", self.options.url),
            help: None,
        })
    }
}

fn driver(site: &Site) -> PathBuf {
    site.jobs().join("driver.py")
}

/// The file in which a driver says how its tasks end.
fn states_file(site: &Site, number: usize) -> PathBuf {
    site.jobs().join(format!("ray-{number}.jsonl"))
}

fn plan_file(site: &Site, number: usize) -> PathBuf {
    site.jobs().join(format!("ray-{number}.json"))
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What the driver reads.
fn plan(site: &Site, jobs: &[Job], number: usize, known: &BTreeMap<Digest, String>, retries: u32) -> Value {
    let own: BTreeSet<&Digest> = jobs.iter().map(|job| &job.task).collect();
    let task = |job: &Job| {
        let (after, elsewhere): (Vec<&Digest>, Vec<&Digest>) =
            job.after.iter().filter(|task| own.contains(task) || known.contains_key(task)).partition(|task| own.contains(task));
        let mut words = vec![site.program.to_string_lossy().into_owned()];
        words.extend(site.words(&job.needs).into_iter().map(|word| word.unwrap_or_else(|| job.task.hex().to_owned())));
        json!({
            "task": job.task,
            "name": job.name,
            "words": words,
            "cpus": job.needs.cpus,
            "gpus": job.needs.gpus,
            "memory": job.needs.memory.map(|mebibytes| mebibytes << 20),
            "after": after,
            "elsewhere": elsewhere,
            "log": site.log(&job.task).to_string_lossy(),
        })
    };
    json!({
        "tasks": jobs.iter().map(task).collect::<Vec<_>>(),
        "folder": site.folder.to_string_lossy(),
        "store": site.tasks.to_string_lossy(),
        "states": states_file(site, number).to_string_lossy(),
        "retries": retries,
    })
}

impl Engine for Ray {
    fn key(&self) -> &'static str {
        "ray"
    }

    fn name(&self) -> &'static str {
        "Ray"
    }

    fn starts_ranks(&self) -> bool {
        false
    }

    fn look(&mut self) -> Result<(), ExecError> {
        match self.client.get("/api/version")? {
            Some(_) => Ok(()),
            None => Err(ExecError::Engine {
                message: format!("what answers at {} is no Ray", self.options.url),
                help: Some("`ray.url` is the address of a cluster's dashboard: `http://head:8265`".into()),
            }),
        }
    }

    fn submit(&mut self, site: &Site, jobs: &[Job], known: &BTreeMap<Digest, String>, note: &mut Note<'_>) -> Result<(), ExecError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let number = (0..usize::MAX).find(|number| !plan_file(site, *number).exists()).unwrap_or_default();
        let text = plan(site, jobs, number, known, self.options.retries).to_string();
        write_file(&driver(site), DRIVER.as_bytes())?;
        write_file(&plan_file(site, number), text.as_bytes())?;
        let submission = self.start(site, &plan_file(site, number))?;
        for job in jobs {
            note(&job.task, Name { submission: &submission, number, task: job.task.hex() }.text())?;
        }
        Ok(())
    }

    fn states(&mut self, site: &Site, names: &[String]) -> Result<BTreeMap<String, JobState>, ExecError> {
        let mut drivers: BTreeMap<(&str, usize), Vec<(&str, &String)>> = BTreeMap::new();
        for (name, text) in names.iter().filter_map(|text| Some((Name::of(text)?, text))) {
            drivers.entry((name.submission, name.number)).or_default().push((name.task, text));
        }
        let mut found = BTreeMap::new();
        for ((submission, number), tasks) in drivers {
            let Some(job) = self.client.get(&format!("/api/jobs/{submission}"))? else { continue };
            // After the state of the driver, which writes before it ends.
            let ended = ended(&states_file(site, number))?;
            for (task, text) in tasks {
                found.insert(text.clone(), ended.get(task).cloned().unwrap_or_else(|| of_driver(&job)));
            }
        }
        Ok(found)
    }

    fn cancel(&mut self, site: &Site, names: &[String]) -> Result<(), ExecError> {
        let mut drivers: BTreeMap<(&str, usize), BTreeSet<&str>> = BTreeMap::new();
        for name in names.iter().filter_map(|text| Name::of(text)) {
            drivers.entry((name.submission, name.number)).or_default().insert(name.task);
        }
        for ((submission, number), tasks) in drivers {
            let ended = ended(&states_file(site, number))?;
            // One that has other things to do goes on: what cannot be run it leaves out itself.
            let all = tasks_of(&plan_file(site, number));
            if all.iter().all(|task| tasks.contains(task.as_str()) || ended.contains_key(task.as_str())) {
                self.client.post(&format!("/api/jobs/{submission}/stop"), &json!({}))?;
            }
        }
        Ok(())
    }
}

/// Of a task of which its driver has said nothing yet.
fn of_driver(job: &Value) -> JobState {
    let message = job["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default().trim();
    match job["status"].as_str().unwrap_or_default() {
        "PENDING" => JobState::Waiting(None),
        "RUNNING" => JobState::Running,
        "SUCCEEDED" => JobState::Done,
        "STOPPED" => JobState::Cancelled,
        other => JobState::Failed(format!("the driver of the run has ended ({other}): {message}")),
    }
}

/// How the tasks of a driver ended, by their digests.
fn ended(file: &Path) -> Result<BTreeMap<String, JobState>, StoreError> {
    let lines: Vec<Line> = crate::store::read_lines(file)?;
    let state = |line: &Line| if line.state == "done" { JobState::Done } else { JobState::Failed(line.why.clone()) };
    Ok(lines.iter().map(|line| (line.task.hex().to_owned(), state(line))).collect())
}

fn tasks_of(plan: &Path) -> Vec<String> {
    let plan: Value = crate::store::read_json(plan).unwrap_or_default();
    let tasks = plan["tasks"].as_array().cloned().unwrap_or_default();
    tasks.iter().filter_map(|task| Some(task["task"].as_str()?.to_owned())).collect()
}
