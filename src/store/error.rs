use super::lock::Holder;
use std::io;
use std::path::{Path, PathBuf};

/// What a closure that fills a folder may fail with: any error, by `?`.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Why the store cannot be read or written. The message names the path; [`help`](Self::help) says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused to do `action` (`open`, `write`, `sync`, …).
    #[error("cannot {action} `{}`: {}", .path.display(), reason(.source))]
    Io {
        /// What was tried: `open`, `write`, `sync`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// As the system says it.
        source: io::Error,
    },

    /// The closure that fills a checkpoint or an output failed.
    #[error("cannot write `{}`: {}", .path.display(), reason_of_any(.source.as_ref()))]
    Fill {
        /// The checkpoint or output.
        path: PathBuf,
        /// What the closure said.
        source: Failure,
    },

    /// Another process, or another part of this one, writes into the folder.
    #[error("another epo-run{} is at work on `{}`", who(.holder.as_deref()), .path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// `None` where the lock does not tell.
        holder: Option<Box<Holder>>,
    },

    /// Another machine took this process for dead, since its claim on the folder did not change for too long: it stood still, or could not write.
    #[error("`{}` was taken over by another epo-run{}, which saw no sign of life of this one", .path.display(), who(.holder.as_deref()))]
    Lost {
        /// The folder.
        path: PathBuf,
        /// Who has it now; `None` where nobody does, or the lock does not tell.
        holder: Option<Box<Holder>>,
    },

    /// The file is left as it is.
    #[error("`{}` has format {found}, written by a newer epo-run; this one knows formats up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this program reads.
        known: u32,
    },

    /// A file that is not what it should be.
    #[error("`{}` is damaged: {problem}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A link, a pipe or a device where the program's own files lie. What a link leads to is left as it is.
    #[error("`{}` is {what}; in a run folder there are none but a run's links to its tasks", .path.display())]
    Foreign {
        /// Where it lies.
        path: PathBuf,
        /// `a link`, or `no regular file`.
        what: &'static str,
    },

    /// What was asked for makes no sense here, in words.
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
        move |source| StoreError::Io { action, path: path.to_path_buf(), source }
    }

    pub(crate) fn fill(path: &Path, source: Failure) -> StoreError {
        match source.downcast::<StoreError>() {
            Ok(error) => *error,
            Err(source) => StoreError::Fill { path: path.to_path_buf(), source },
        }
    }

    /// Whether the store's folder may be read and not written.
    pub(crate) fn cannot_write(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem))
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        use io::ErrorKind::*;
        let kind = match self {
            Self::Io { source, .. } => source.kind(),
            Self::Fill { source, .. } => io_kind(source.as_ref())?,
            Self::Locked { holder: Some(holder), .. } if holder.host.is_some() => {
                return Some("wait until it is done, or stop it; if that machine is gone, the next run takes over after a minute".into());
            }
            Self::Locked { .. } => return Some("wait until it is done, or stop it".into()),
            Self::Lost { .. } => return Some("run the same command again: it waits for the other, or goes on from what that left".into()),
            Self::Newer { .. } => return Some("use the newer epo-run, or another run folder (`--runs DIR`); nothing was changed".into()),
            Self::Damaged { .. } => return Some("run with `--fresh` to make it again".into()),
            Self::Foreign { .. } => {
                return Some("remove it, or use another run folder (`--runs DIR`); what it leads to was not touched".into());
            }
            Self::Refused(_) => return None,
        };
        Some(match kind {
            StorageFull | QuotaExceeded => {
                "free some space (`epo-run runs` lists what is kept) and run the same command again: it goes on from the last checkpoint"
                    .into()
            }
            FileTooLarge => "raise the limit on the size of files (`ulimit -f`) and run the same command again".into(),
            PermissionDenied | ReadOnlyFilesystem | NotADirectory => "choose a folder that can be written with `--runs DIR`".into(),
            _ => return None,
        })
    }
}

fn who(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder { pid: 0, .. }) => String::new(),
        Some(Holder { pid, since, host: None }) => format!(" (pid {pid}, since {since})"),
        Some(Holder { pid, since, host: Some(host) }) => format!(" (pid {pid} on {host}, since {since})"),
        None => String::new(),
    }
}

/// The usual causes in words; the rest as the system says it.
fn reason(error: &io::Error) -> String {
    use io::ErrorKind::*;
    match error.kind() {
        StorageFull => "the disk is full".into(),
        QuotaExceeded => "the disk quota is used up".into(),
        FileTooLarge => "the file would be larger than allowed".into(),
        PermissionDenied => "permission denied".into(),
        ReadOnlyFilesystem => "the file system is read-only".into(),
        NotADirectory => "a part of this path is a file, not a folder".into(),
        NotFound => "no such file or folder".into(),
        _ => error.to_string(),
    }
}

fn reason_of_any(error: &(dyn std::error::Error + 'static)) -> String {
    match find_io(error) {
        Some(io) => reason(io),
        None => error.to_string(),
    }
}

fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    find_io(error).map(io::Error::kind)
}

/// Libraries wrap the system's error; the cause decides what can be done.
fn find_io<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}
