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
}

impl ExecError {
    /// 130 interrupted, 2 everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted { .. } => 130,
            _ => 2,
        }
    }

    /// With the places in the text that asked for what failed.
    ///
    /// Codes: `E0501` a stage failed; `E0502` the run folder; `E0503` interrupted; `E0505` what is missing outside, one each.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Outside(missing) => missing.clone(),
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
            Self::Interrupted { .. } => Diagnostic::bare("E0503", self.to_string()),
        }
    }
}

fn helped(diagnostic: Diagnostic, store: &StoreError) -> Diagnostic {
    match store.help() {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}
