//! The thread that asks the server.

use super::Message;
use super::client::{Client, Known};
use super::params::{name, params};
use crate::exec::End;
use crate::store::{Growing, METRICS, MetricRecord, read_json};
use serde_json::Value;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Not more often is something sent.
const PAUSE: Duration = Duration::from_secs(2);
/// A server that had no answer is left alone for so long.
const REST: Duration = Duration::from_mins(1);
/// In one request.
const METRICS_AT_ONCE: usize = 1000;
const PARAMS_AT_ONCE: usize = 100;
/// The task of the run that stands for the whole.
const WHOLE: &str = "-";

pub(super) struct Worker {
    client: Client,
    warn: Sender<String>,
    run: String,
    experiment: Option<String>,
    whole: Option<Known>,
    task: Option<Task>,
    sent: Option<Instant>,
    failed: Option<Instant>,
}

struct Task {
    name: String,
    folder: PathBuf,
    metrics: Growing,
    /// Read and not yet sent.
    waiting: VecDeque<MetricRecord>,
    known: Option<Known>,
    warned: bool,
}

impl Worker {
    pub(super) fn new(url: String, warn: Sender<String>) -> Self {
        let client = Client::new(url);
        Self { client, warn, run: String::new(), experiment: None, whole: None, task: None, sent: None, failed: None }
    }

    pub(super) fn run(mut self, heard: &Receiver<Message>) {
        loop {
            match heard.recv_timeout(PAUSE) {
                Ok(Message::Run { id }) => self.run = id,
                Ok(Message::Begins { name, folder }) => self.task = Some(Task::new(name, folder)),
                Ok(Message::Progress) if self.sent.is_some_and(|at| at.elapsed() < PAUSE) => {}
                Ok(Message::Progress) | Err(RecvTimeoutError::Timeout) => self.try_to_send(),
                Ok(Message::Ends(end)) => self.end_task(end),
                Ok(Message::Over(end, pages)) => return self.over(end, &pages),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn warn(&self, words: &str) {
        let _ = self.warn.send(words.to_owned());
    }

    fn try_to_send(&mut self) {
        if self.failed.is_some_and(|at| at.elapsed() < REST) {
            return;
        }
        if let Err(message) = self.send() {
            self.failed = Some(Instant::now());
            if let Some(task) = self.task.as_mut().filter(|task| !task.warned) {
                task.warned = true;
                let words = format!("MLflow is told nothing of {} for now; it is tried again: {message}", task.name);
                self.warn(&words);
            }
        }
    }

    /// All that the task has measured and that the server does not have.
    fn send(&mut self) -> Result<(), String> {
        self.sent = Some(Instant::now());
        let Some(mut task) = self.task.take() else { return Ok(()) };
        let sent = self.send_of(&mut task);
        self.task = Some(task);
        sent?;
        self.failed = None;
        Ok(())
    }

    fn send_of(&mut self, task: &mut Task) -> Result<(), String> {
        task.waiting.extend(task.metrics.more::<MetricRecord>().map_err(|error| error.to_string())?);
        if task.waiting.is_empty() {
            return Ok(());
        }
        let known = match &task.known {
            Some(known) => known.clone(),
            None => self.begin(task)?,
        };
        task.known = Some(known.clone());
        // What goes on from a checkpoint measures some steps again, and the same.
        while task.waiting.front().is_some_and(|record| known.step.is_some_and(|step| record.iteration <= step)) {
            task.waiting.pop_front();
        }
        while !task.waiting.is_empty() {
            let mut metrics: Vec<(String, f64, u64)> = Vec::new();
            let mut records = 0;
            for record in &task.waiting {
                if records > 0 && metrics.len() + record.values.len() > METRICS_AT_ONCE {
                    break;
                }
                metrics.extend(record.values.iter().map(|(key, value)| (name(key), *value, record.iteration)));
                records += 1;
            }
            metrics.chunks(METRICS_AT_ONCE).try_for_each(|part| self.client.log_metrics(&known.id, part))?;
            task.waiting.drain(..records);
        }
        Ok(())
    }

    fn experiment(&mut self) -> Result<String, String> {
        if let Some(experiment) = &self.experiment {
            return Ok(experiment.clone());
        }
        let experiment = self.client.experiment(self.run.split('/').next().unwrap_or_default())?;
        self.experiment = Some(experiment.clone());
        Ok(experiment)
    }

    /// The run of an earlier execution, or a new one.
    fn found_or_made(&mut self, of: &str, shown: &str, more: &[(&str, &str)]) -> Result<Known, String> {
        let experiment = self.experiment()?;
        let tags = [("epo_run", self.run.as_str()), ("epo_task", of)];
        if let Some(known) = self.client.find(&experiment, &tags)? {
            self.client.set_status(&known.id, "RUNNING")?;
            return Ok(known);
        }
        self.client.create(&experiment, shown, &[&tags[..], more].concat())
    }

    fn whole(&mut self) -> Result<Known, String> {
        if let Some(whole) = &self.whole {
            return Ok(whole.clone());
        }
        let run = self.run.clone();
        let whole = self.found_or_made(WHOLE, &run, &[("epo_version", env!("CARGO_PKG_VERSION"))])?;
        self.whole = Some(whole.clone());
        Ok(whole)
    }

    fn begin(&mut self, task: &Task) -> Result<Known, String> {
        let parent = self.whole()?.id;
        let digest = task.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let known = self.found_or_made(&digest, &task.name, &[("mlflow.parentRunId", &parent)])?;
        // The same again where they are there.
        let status: Value = read_json(&task.folder.join("status.json")).map_err(|error| error.to_string())?;
        params(&status["key"]).chunks(PARAMS_AT_ONCE).try_for_each(|part| self.client.log_params(&known.id, part))?;
        Ok(known)
    }

    fn end_task(&mut self, end: End) {
        let sent = self.send();
        let Some(task) = self.task.take() else { return };
        let ended = sent.and_then(|()| task.known.as_ref().map_or(Ok(()), |known| self.client.set_status(&known.id, word(end))));
        if let Err(message) = ended {
            self.warn(&format!("MLflow is not told all of {}: {message}", task.name));
        }
    }

    fn over(&mut self, end: End, pages: &[PathBuf]) {
        // Where nothing was measured there is no run to end.
        if self.whole.is_none() && pages.is_empty() {
            return;
        }
        if let Err(message) = self.end_run(end, pages) {
            self.warn(&format!("MLflow is not told all of the run's end: {message}"));
        }
    }

    fn end_run(&mut self, end: End, pages: &[PathBuf]) -> Result<(), String> {
        let whole = self.whole()?;
        let put = pages.iter().try_for_each(|page| self.put(&whole, page));
        self.client.set_status(&whole.id, word(end))?;
        put
    }

    fn put(&self, whole: &Known, page: &Path) -> Result<(), String> {
        let bytes = std::fs::read(page).map_err(|error| format!("`{}`: {error}", page.display()))?;
        let name = page.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.client.put(&whole.artifacts, &name, &bytes)
    }
}

impl Task {
    fn new(name: String, folder: PathBuf) -> Self {
        let metrics = Growing::new(folder.join(METRICS));
        Self { name, folder, metrics, waiting: VecDeque::new(), known: None, warned: false }
    }
}

fn word(end: End) -> &'static str {
    match end {
        End::Finished => "FINISHED",
        End::Failed => "FAILED",
        End::Interrupted => "KILLED",
    }
}
