//! Handing a plan to an engine, and watching until all of it is done.

use super::listen::Listener;
use super::{Engine, Job, JobOptions, Site, ranks};
use crate::exec::{ExecError, Options, Outcome, Watch, clear, end, finished, look, look_outside, until_free};
use crate::plan::Plan;
use crate::store::{Event, EventRecord, FORMAT, Jobs, Journal, RunFolder, RunRecord, Store, Tail};
use std::collections::{BTreeMap, BTreeSet};

/// What belongs to an execution elsewhere.
pub(crate) struct Handing<'a> {
    pub engine: &'a mut dyn Engine,
    pub options: &'a JobOptions,
    /// Where jobs run; the run's folder and name are filled in here.
    pub site: Site,
}

/// As [`exec::execute`](crate::exec::execute), by an engine. Tasks that are finished are taken; those that the engine is at work on already are watched;
/// the others are handed over. What fails fails what comes after it, and nothing else.
pub(crate) fn execute(
    plan: &Plan,
    store: &Store,
    record: RunRecord,
    options: &Options,
    handing: Handing<'_>,
    watch: &mut dyn Watch,
) -> Result<Outcome, ExecError> {
    let record = RunRecord { plan: plan.record(), tasks: plan.links(), ..record };
    let mut run = match until_free(watch, options, || store.open_run(&plan.digest, &record)) {
        Err(ExecError::Store(error)) if error.cannot_write() && !options.fresh => return look(plan, store, watch, error),
        other => other?,
    };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    run.event(Event::RunStarted { format: FORMAT, version, pid: std::process::id() })?;
    watch.run_begins(run.path(), plan.tasks.len());
    let Handing { engine, options: jobs, site } = handing;
    let folder = std::path::absolute(run.path()).unwrap_or_else(|_| run.path().to_path_buf());
    let tasks = store.root().join("tasks");
    let tasks = std::path::absolute(&tasks).unwrap_or(tasks);
    let site = Site { run: folder, id: run.id().to_owned(), tasks, ..site };
    let mut listener = Listener::new(plan, store, options, watch);
    let result =
        hand_over(&mut listener, engine, jobs, &site, &mut run).and_then(|()| listener.listen(engine, &site, jobs.cancel, &mut run));
    if let Err(ExecError::Left { cancelled: true, .. }) = &result {
        // An engine takes its time: what is about to end is not to be found again.
        Jobs::none(engine.key()).write(run.path())?;
    }
    let (made, taken) = (std::mem::take(&mut listener.made), std::mem::take(&mut listener.taken));
    let pages = end(plan, store, &mut run, result)?;
    Ok(Outcome { run: run.id().to_owned(), folder: run.path().to_path_buf(), made, taken, pages })
}

fn hand_over(
    listener: &mut Listener<'_>,
    engine: &mut dyn Engine,
    options: &JobOptions,
    site: &Site,
    run: &mut RunFolder,
) -> Result<(), ExecError> {
    let (plan, store) = (listener.plan, listener.store);
    let mut jobs = Jobs::read(run.path(), engine.key());
    if listener.options.fresh {
        let names: Vec<String> = jobs.ids.values().cloned().collect();
        if !names.is_empty() {
            let alive =
                engine.states(site, &names)?.into_iter().filter(|(_, state)| state.is_alive()).map(|(name, _)| name).collect::<Vec<_>>();
            if !alive.is_empty() {
                engine.cancel(site, &alive)?;
            }
        }
        jobs = Jobs::none(engine.key());
        clear(plan, store, listener.options, listener.watch)?;
    }
    let mut open = BTreeSet::new();
    for (index, task) in plan.tasks.iter().enumerate() {
        match finished(store, task)? {
            Some(status) => listener.take(index, &status.by, run)?,
            None => drop(open.insert(index)),
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    engine.look()?;
    Jobs::folder(run.path())?;
    let earlier = earlier(run)?;
    let digest = |index: &usize| plan.tasks.get(*index).map(|task| task.digest.clone());
    jobs.ids.retain(|task, _| open.iter().any(|index| digest(index).as_ref() == Some(task)));
    let names: Vec<String> = jobs.ids.values().cloned().collect();
    let states = if names.is_empty() { BTreeMap::new() } else { engine.states(site, &names)? };
    // A job goes on only if all that it waits for does.
    let mut going: BTreeSet<usize> = BTreeSet::new();
    let mut lost = Vec::new();
    for index in &open {
        let Some((task, name)) = plan.tasks.get(*index).and_then(|task| Some((task, jobs.ids.get(&task.digest)?.clone()))) else {
            continue;
        };
        let alive = states.get(&name).is_some_and(super::JobState::is_alive);
        match alive && task.before.iter().all(|before| !open.contains(before) || going.contains(before)) {
            true => drop(going.insert(*index)),
            false => {
                jobs.ids.remove(&task.digest);
                lost.extend(alive.then_some(name));
            }
        }
    }
    if !lost.is_empty() {
        engine.cancel(site, &lost)?;
    }
    for index in &going {
        let Some(task) = digest(index) else { continue };
        if let Some(job) = jobs.ids.get(&task) {
            listener.open(*index, job.clone(), Tail::new(run.path(), &task));
            listener.catch_up(&earlier, run)?;
        }
    }
    let mut new: Vec<Job> = (open.difference(&going).filter_map(|index| plan.tasks.get(*index)))
        .map(|task| Job::new(plan, task, options, |before| open.contains(&before)))
        .collect();
    ranks::look(engine, options, &mut new, listener.watch)?;
    // What is fetched is then there for all; what is missing here may be there where a job runs, which looks for itself.
    if let Err(ExecError::Outside(missing)) =
        look_outside(plan, |index| open.contains(&index) && !going.contains(&index), listener.options, listener.watch)
    {
        missing
            .iter()
            .for_each(|missing| listener.watch.warn(&format!("here, {}; the job that needs it looks for itself", missing.message)));
    }
    let mut tails = BTreeMap::new();
    for job in &new {
        let mut tail = Tail::new(run.path(), &job.task);
        drain(&mut tail, &earlier, run)?;
        tails.insert(job.task.clone(), tail);
    }
    listener.watch.say(&words(engine.name(), new.len(), going.len()));
    let known = jobs.ids.clone();
    let path = run.path().to_path_buf();
    let result = engine.submit(site, &new, &known, &mut |task, name| {
        jobs.ids.insert(task.clone(), name);
        jobs.write(&path)
    });
    for index in open.difference(&going) {
        let task = digest(index).and_then(|task| Some((jobs.ids.get(&task)?, tails.remove(&task)?)));
        // Without a name the engine did not take it.
        if let Some((job, tail)) = task {
            listener.open(*index, job.clone(), tail);
        }
    }
    result
}

fn words(engine: &str, new: usize, going: usize) -> String {
    let jobs = |n: usize| if n == 1 { "1 job".to_owned() } else { format!("{n} jobs") };
    match (new, going) {
        (0, going) => format!("{engine} is at work on {} already", jobs(going)),
        (new, 0) => format!("{} handed to {engine}", jobs(new)),
        (new, going) => format!("{} handed to {engine}, which is at work on {} already", jobs(new), jobs(going)),
    }
}

/// What the run's events hold already. A watcher that died may have copied a part of what a job wrote.
pub(super) type Earlier = BTreeSet<String>;

pub(super) fn key(record: &EventRecord) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

fn earlier(run: &RunFolder) -> Result<Earlier, ExecError> {
    Ok(crate::store::read_events(run.path())?.iter().map(key).collect())
}

/// Copies what a job of an earlier time wrote when nobody watched: it says nothing of the next one.
fn drain(tail: &mut Tail, earlier: &Earlier, run: &mut RunFolder) -> Result<(), ExecError> {
    for record in tail.next()?.iter().filter(|record| !earlier.contains(&key(record))) {
        run.copy_event(record)?;
    }
    Ok(())
}
