use crate::lang::{Diagnostic, Span};
use crate::stage::RunError;
use crate::store::StoreError;

/// Why an execution ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The run folder or a task's folder cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something outside of the store that tasks need is missing or cannot be used; nothing was run.
    #[error("{} outside cannot be used", if .0.len() == 1 { "something" } else { "several things" })]
    Outside(Vec<Diagnostic>),
    /// A stage ended with an error or a panic; what is finished stays.
    #[error("stage `{task}` failed: {error}")]
    Failed {
        /// Its name in the plan.
        task: String,
        /// Where the stage is declared.
        span: Option<Span>,
        /// What the stage said.
        error: RunError,
    },
    /// By the user, in this task or between two.
    #[error("interrupted; run the same command again{} to go on", if *.fresh { " without `--fresh`" } else { "" })]
    Interrupted {
        /// `None`: between two tasks.
        task: Option<String>,
        /// [`Options::fresh`](super::Options::fresh) was set.
        fresh: bool,
    },
    /// An engine that tasks are handed to is not there, or refuses them.
    #[error("{message}")]
    Engine {
        /// What was tried, and what the engine said.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// A job ended without its task being finished; what is finished stays.
    #[error("stage `{task}` failed: {message}")]
    Job {
        /// The task's name in the plan.
        task: String,
        /// Where the stage is declared.
        span: Option<Span>,
        /// What the stage said, or the engine of the job.
        message: String,
        /// Where more is found.
        help: Option<String>,
    },
    /// Several jobs did.
    #[error("{} stages failed", .0.len())]
    Several(Vec<ExecError>),
    /// By the user, while an engine was at work.
    #[error("{}", left(*.going, engine, *.cancelled))]
    Left {
        /// `Slurm`.
        engine: &'static str,
        /// Jobs that were not done.
        going: usize,
        /// They were taken back; otherwise they go on.
        cancelled: bool,
    },
}

fn left(going: usize, engine: &str, cancelled: bool) -> String {
    let jobs = if going == 1 { "1 job".to_owned() } else { format!("{going} jobs") };
    match cancelled {
        true => format!("interrupted; {jobs} of {engine} were cancelled: run the same command again to go on"),
        false => format!("not watching any more; {jobs} of {engine} go on: run the same command again to watch them"),
    }
}

impl ExecError {
    /// 130 interrupted, 2 everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            error if error.is_a_stop() => 130,
            _ => 2,
        }
    }

    /// Whether the user wanted it to end.
    pub(crate) fn is_a_stop(&self) -> bool {
        matches!(self, Self::Interrupted { .. } | Self::Left { .. })
    }

    /// With the places in the text that asked for what failed.
    ///
    /// Codes: `E0501` a stage failed; `E0502` the run folder; `E0503` interrupted; `E0505` what is missing outside, one each; `E0507` the engine.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Outside(missing) => missing.clone(),
            Self::Several(errors) => errors.iter().flat_map(Self::diagnostics).collect(),
            _ => vec![self.diagnostic()],
        }
    }

    pub(super) fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Outside(missing) => missing.first().cloned().unwrap_or_else(|| Diagnostic::bare("E0505", self.to_string())),
            Self::Failed { task, span, error: RunError::At(diagnostic) } => {
                let diagnostic = (**diagnostic).clone();
                match span {
                    Some(span) => diagnostic.also(*span, format!("while `{task}` was running")),
                    None => diagnostic,
                }
            }
            Self::Failed { span, error, .. } => {
                let diagnostic = super::at(*span, "E0501", self.to_string());
                match error {
                    RunError::Store(store) => helped(diagnostic, store),
                    _ => diagnostic,
                }
            }
            Self::Store(store) => helped(Diagnostic::bare("E0502", self.to_string()), store),
            Self::Interrupted { .. } | Self::Left { .. } => Diagnostic::bare("E0503", self.to_string()),
            Self::Engine { help, .. } => with_help(Diagnostic::bare("E0507", self.to_string()), help.clone()),
            Self::Job { span, help, .. } => with_help(super::at(*span, "E0501", self.to_string()), help.clone()),
            Self::Several(errors) => match errors.first() {
                Some(error) => error.diagnostic(),
                None => Diagnostic::bare("E0501", self.to_string()),
            },
        }
    }
}

fn helped(diagnostic: Diagnostic, store: &StoreError) -> Diagnostic {
    with_help(diagnostic, store.help())
}

fn with_help(diagnostic: Diagnostic, help: Option<String>) -> Diagnostic {
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
