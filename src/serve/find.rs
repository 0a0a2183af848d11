//! Which policy is meant.

use crate::model::{ModelError, Source};
use crate::policy::{Decode, Loading, Policy};
use crate::store::{Digest, RunSummary, State, Store, StoreError, output_path};
use candle_core::Device;
use std::path::{Path, PathBuf};

/// A policy, what it is called, and how it was declared to decode, where that is token by token.
#[derive(Debug)]
pub(crate) struct Found {
    pub policy: Policy,
    pub name: String,
    pub decode: Option<Decode>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("{message}")]
    Which { message: String, help: String },
}

/// What a stage's policy is called if nothing else is said.
const POLICY: &str = "policy";

/// A policy of a run (`demo/7f3a9c41:demo.train`), a folder with a policy, or a pretrained model. Fetched models are kept in `models`.
///
/// # Errors
/// If there is none, or there are several.
pub(crate) fn find(text: &str, store: &Store, models: &Path, device: &Device, say: &mut dyn FnMut(&str)) -> Result<Found, FindError> {
    let source = Source::parse(text)?;
    if let (Some(path), false) = (source.path(), Path::new(text).exists()) {
        return of_run(&path.to_string_lossy(), store, device);
    }
    let name = match source.path() {
        Some(path) => {
            path.file_stem().filter(|_| path.is_file()).or(path.file_name()).map_or(text.into(), |name| name.to_string_lossy().into())
        }
        None => text.to_owned(),
    };
    let mut hear = |loading: Loading<'_>| {
        if let Loading::Says(line) = loading {
            say(line);
        }
    };
    match source.path().and_then(folder_of_policy) {
        Some(folder) => declared(&folder, name, device),
        None => Ok(Found { policy: Policy::of_source(source, models, device, &mut hear)?, name, decode: None }),
    }
}

fn declared(folder: &Path, name: String, device: &Device) -> Result<Found, FindError> {
    let policy = Policy::load(folder, device)?;
    let decode = Some(policy.decode.clone()).filter(|decode| matches!(decode, Decode::Sample { .. }));
    Ok(Found { policy, name, decode })
}

/// A folder with a policy, or that of a task whose policy it is.
fn folder_of_policy(folder: &Path) -> Option<PathBuf> {
    [folder.to_path_buf(), output_path(folder, POLICY)].into_iter().find(|folder| Policy::is_in(folder))
}

/// Of a finished task: what it is asked for by, and where it lies.
struct Candidate {
    task: String,
    output: String,
    digest: Digest,
    folder: PathBuf,
}

impl Candidate {
    fn name(&self) -> String {
        if self.output == POLICY { self.task.clone() } else { format!("{}.{}", self.task, self.output) }
    }

    /// `demo.train`, `train`, `demo.train.best`, `demo.train.policy`.
    fn is_meant(&self, wanted: &str) -> bool {
        let whole = [self.name(), format!("{}.{}", self.task, self.output)];
        whole.iter().any(|name| name == wanted || name.strip_suffix(wanted).is_some_and(|before| before.ends_with('.')))
    }
}

fn of_run(text: &str, store: &Store, device: &Device) -> Result<Found, FindError> {
    let (run, wanted) = text.rsplit_once(':').map_or((text, None), |(run, wanted)| (run, Some(wanted)));
    let run = store.find_run(run)?;
    let all = candidates(&run, store)?;
    let meant: Vec<&Candidate> = all.iter().filter(|one| wanted.is_none_or(|wanted| one.is_meant(wanted))).collect();
    let exact = |one: &&&Candidate| wanted.is_some_and(|wanted| one.name() == wanted);
    let which = |message: String, help: String| Err(FindError::Which { message, help });
    let names =
        |list: &mut dyn Iterator<Item = &Candidate>| list.map(|one| format!("`{}:{}`", run.id, one.name())).collect::<Vec<_>>().join(", ");
    match (meant.as_slice(), meant.iter().find(exact)) {
        ([one], _) | (_, Some(one)) => {
            if let Some(problem) = store.status(&one.digest)?.and_then(|status| status.problem(&store.task_path(&one.digest))) {
                return which(
                    format!("{}: {problem}", one.folder.display()),
                    "run the pipeline's command again: it makes anew what is damaged".into(),
                );
            }
            declared(&one.folder, text.to_owned(), device)
        }
        ([], _) if all.is_empty() => which(format!("the run `{}` has no finished policy", run.id), "`sft` and `rl` stages give one".into()),
        ([], _) => which(
            format!("no policy of the run `{}` is called `{}`", run.id, wanted.unwrap_or_default()),
            format!("there are {}", names(&mut all.iter())),
        ),
        (several, _) => which(format!("`{text}` may mean several policies"), format!("name one: {}", names(&mut several.iter().copied()))),
    }
}

fn candidates(run: &RunSummary, store: &Store) -> Result<Vec<Candidate>, StoreError> {
    let mut all = Vec::new();
    for task in run.tasks.iter().filter(|task| task.state == Some(State::Finished)) {
        let outputs = store.status(&task.digest)?.map(|status| status.outputs).unwrap_or_default();
        for output in outputs.into_keys() {
            let folder = output_path(&store.task_path(&task.digest), &output);
            if Policy::is_in(&folder) {
                all.push(Candidate { task: task.name.clone(), output, digest: task.digest.clone(), folder });
            }
        }
    }
    Ok(all)
}
