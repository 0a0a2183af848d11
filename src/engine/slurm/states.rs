//! How jobs stand: `squeue` while Slurm's controller remembers them, then `sacct`, where a site keeps accounts.

use super::super::JobState;
use super::AT_ONCE;
use super::command::run;
use crate::exec::ExecError;
use std::collections::{BTreeMap, BTreeSet};

/// Of the jobs with these names and this comment.
pub(super) fn of(comment: &str, names: &[String]) -> Result<BTreeMap<String, JobState>, ExecError> {
    let said = run("squeue", &["--noheader", "--array", "--me", "--states=all", "--format=%i|%T|%r|%k"], None)?;
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut found: BTreeMap<String, JobState> =
        said.lines().filter_map(|line| queued(line, comment)).filter(|(name, _)| wanted.contains(name.as_str())).collect();
    let gone: Vec<&str> = wanted.into_iter().filter(|name| !found.contains_key(*name)).collect();
    for some in gone.chunks(AT_ONCE) {
        let jobs = format!("--jobs={}", some.join(","));
        // Without accounts nothing is known of them: what is finished is seen in the run folder.
        let words = ["--noheader", "--parsable2", "--allocations", "--array", "--format=JobID,State,ExitCode,Comment", &jobs];
        if let Ok(said) = run("sacct", &words, None) {
            found.extend(said.lines().filter_map(|line| accounted(line, comment)));
        }
    }
    Ok(found)
}

/// `17_3|PENDING|Dependency|epo a/01234567`
fn queued(line: &str, comment: &str) -> Option<(String, JobState)> {
    let mut parts = line.trim().splitn(4, '|');
    let (name, state, reason, of) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (of == comment).then(|| (name.to_owned(), meaning(state, reason)))
}

/// `17_3|TIMEOUT|0:0|epo a/01234567`; not every site keeps comments.
fn accounted(line: &str, comment: &str) -> Option<(String, JobState)> {
    let mut parts = line.trim().splitn(4, '|');
    let (name, state, code, of) = (parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let code = code.split(':').next().filter(|code| *code != "0").map(|code| format!("exit code {code}")).unwrap_or_default();
    (of.is_empty() || of == comment).then(|| (name.to_owned(), meaning(state, &code)))
}

fn meaning(state: &str, reason: &str) -> JobState {
    let words = |text: &str| match reason {
        "" | "None" => JobState::Failed(text.to_owned()),
        reason => JobState::Failed(format!("{text} ({reason})")),
    };
    // `CANCELLED by 1000`
    match state.split_whitespace().next().unwrap_or_default() {
        "PENDING" if reason == "DependencyNeverSatisfied" => JobState::Cancelled,
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "SPECIAL_EXIT" | "RESV_DEL_HOLD" => {
            JobState::Waiting(of_interest(reason))
        }
        "RUNNING" | "COMPLETING" | "STAGE_OUT" | "SIGNALING" | "SUSPENDED" | "STOPPED" | "RESIZING" => JobState::Running,
        "COMPLETED" => JobState::Done,
        "CANCELLED" | "REVOKED" => JobState::Cancelled,
        "TIMEOUT" | "DEADLINE" => JobState::Failed(
            "its time was over before a checkpoint was written: give it more (`time` in `needs`), or a longer warning (`slurm.ahead`)"
                .into(),
        ),
        "OUT_OF_MEMORY" => JobState::Failed("it used more memory than it asked for (`memory` in `needs`)".into()),
        "NODE_FAIL" => JobState::Failed("its machine died".into()),
        "BOOT_FAIL" => JobState::Failed("its machine did not start".into()),
        "PREEMPTED" => JobState::Failed("it had to make room for another job".into()),
        "FAILED" => words("it failed"),
        other => JobState::Failed(format!("Slurm says {other}")),
    }
}

/// A reason that passes by itself is not told.
fn of_interest(reason: &str) -> Option<String> {
    let usual =
        ["", "None", "Priority", "Resources", "Dependency", "BeginTime", "Cleaning", "JobArrayTaskLimit", "Prolog", "WaitingForScheduling"];
    (!usual.contains(&reason)).then(|| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_squeue_says() {
        let of = |line| queued(line, "epo a/01234567");
        let state = |line| of(line).map(|(_, state)| state);
        assert_eq!(of("17_3|RUNNING|None|epo a/01234567"), Some(("17_3".into(), JobState::Running)));
        assert_eq!(of("17|RUNNING|None|epo b/01234567"), None, "a number that was used again");
        assert_eq!(state("17|PENDING|Resources|epo a/01234567"), Some(JobState::Waiting(None)));
        assert_eq!(state("17|PENDING|JobHeldUser|epo a/01234567"), Some(JobState::Waiting(Some("JobHeldUser".into()))));
        assert_eq!(state("17|PENDING|DependencyNeverSatisfied|epo a/01234567"), Some(JobState::Cancelled));
        assert_eq!(state("17|COMPLETED|None|epo a/01234567"), Some(JobState::Done));
        assert_eq!(state("17|FAILED|NonZeroExitCode|epo a/01234567"), Some(JobState::Failed("it failed (NonZeroExitCode)".into())));
        assert_eq!(of("17|PENDING"), None);
    }

    #[test]
    fn what_sacct_says() {
        let of = |line| accounted(line, "epo a/01234567");
        assert_eq!(of("17_3|CANCELLED by 1000|0:0|"), Some(("17_3".into(), JobState::Cancelled)));
        assert_eq!(of("17|FAILED|2:0|epo a/01234567"), Some(("17".into(), JobState::Failed("it failed (exit code 2)".into()))));
        assert_eq!(of("17|COMPLETED|0:0|epo b/01234567"), None);
    }
}
