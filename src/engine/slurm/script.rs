//! What `sbatch` is given: its words, and the script that a node runs.

use super::super::{Needs, Site};
use super::SlurmOptions;
use super::arrays::Batch;
use std::fmt::Write;
use std::path::Path;

/// By which the jobs of a run are told from those of others, should numbers be used again.
pub(super) fn comment(site: &Site) -> String {
    format!("epo {}", site.id)
}

/// The words of `sbatch`. What settings say comes last, and wins.
pub(super) fn words(site: &Site, batch: &Batch<'_>, options: &SlurmOptions) -> Vec<String> {
    let Some((_, first)) = batch.jobs.first() else { return Vec::new() };
    let name = if batch.is_array() { &first.stage } else { &first.name };
    let needs = &first.needs;
    let mut words = vec![
        "--parsable".to_owned(),
        format!("--job-name={name}"),
        format!("--comment={}", comment(site)),
        format!("--chdir={}", site.folder.display()),
        format!("--output={}", site.jobs().join("slurm.log").display()),
        "--open-mode=append".to_owned(),
        "--requeue".to_owned(),
        format!("--ntasks={}", needs.ranks),
        format!("--cpus-per-task={}", needs.cpus),
    ];
    if needs.ranks == 1 {
        words.push("--nodes=1".to_owned());
    }
    if needs.gpus > 0 {
        words.push(format!("--gpus={}", needs.gpus));
    }
    words.extend(needs.memory.map(|mebibytes| match needs.ranks {
        1 => format!("--mem={mebibytes}M"),
        // `--mem` is that of a node, on which there may be any number of them.
        _ => format!("--mem-per-cpu={}M", mebibytes.div_ceil(needs.cpus as u64)),
    }));
    words.extend(needs.time.map(|seconds| format!("--time={}", seconds.div_ceil(60))));
    // Told at once, a job would come round for ever: half of its time it has.
    let ahead = needs.time.map_or(options.ahead, |seconds| options.ahead.min(seconds.div_ceil(60) * 30));
    words.push(format!("--signal=B:USR1@{ahead}"));
    if batch.is_array() {
        let places: Vec<String> = batch.jobs.iter().map(|(number, _)| number.to_string()).collect();
        words.push(format!("--array={}", places.join(",")));
    }
    if let Some(dependency) = &batch.dependency {
        words.push(format!("--dependency={dependency}"));
        words.push("--kill-on-invalid-dep=yes".to_owned());
    }
    words.extend(options.options.iter().cloned());
    words
}

/// The script. A job that is told of the end of its time ends as one that a user stops, with a checkpoint, and asks for another turn.
pub(super) fn text(site: &Site, batch: &Batch<'_>, options: &SlurmOptions) -> String {
    let Some((_, first)) = batch.jobs.first() else { return String::new() };
    let mut out = String::from("#!/bin/sh\n# Written by epo-run.\n");
    let _ = writeln!(out, "cd {} || exit 72", quoted_path(&site.folder));
    match batch.is_array() {
        false => drop(writeln!(out, "set -- {}", first.task.hex())),
        true => {
            let _ = writeln!(out, "case \"$SLURM_ARRAY_TASK_ID\" in");
            for (number, job) in &batch.jobs {
                let _ = writeln!(out, "    {number}) set -- {} ;;", job.task.hex());
            }
            let _ = writeln!(out, "    *) exit 64 ;;\nesac");
        }
    }
    let _ = writeln!(out, "exec >> {}/\"$1.log\" 2>&1", quoted_path(&site.jobs()));
    let _ = writeln!(
        out,
        "echo \"job ${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}} on ${{SLURM_JOB_NODELIST:-$SLURMD_NODENAME}}, turn ${{SLURM_RESTART_COUNT:-0}}\""
    );
    for line in &options.setup {
        let _ = writeln!(out, "{line}");
    }
    let words: Vec<String> =
        site.words(&first.needs).iter().map(|word| word.as_deref().map_or_else(|| "\"$1\"".to_owned(), quoted)).collect();
    let Start { launch, tell, stopped } = start(&first.needs);
    let _ = write!(
        out,
        r#"# An array and one of its elements have one number.
me=${{SLURM_ARRAY_JOB_ID:+${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID}}
me=${{me:-$SLURM_JOB_ID}}
soon=
trap 'soon=1; {tell} 2> /dev/null' USR1
# Slurm tells all processes of a job that it is to end.
trap : TERM INT
{launch}{} {} &
task=$!
wait "$task"
code=$?
# A signal ends the waiting, not the task.
while [ "$code" -gt 128 ] && kill -0 "$task" 2> /dev/null; do
    wait "$task"
    code=$?
done
if [ -n "$soon" ] && [ "$code" {stopped} ]; then
    echo "another turn is asked for"
    scontrol requeue "$me" && sleep 600
fi
exit "$code"
"#,
        quoted_path(&site.program),
        words.join(" ")
    );
    out
}

/// What depends on how many processes a job is.
struct Start {
    /// Stands before the program.
    launch: String,
    /// Tells it to stop.
    tell: &'static str,
    /// How its exit code is then.
    stopped: &'static str,
}

fn start(needs: &Needs) -> Start {
    if needs.ranks == 1 {
        return Start { launch: String::new(), tell: r#"kill -TERM "$task""#, stopped: "-eq 130" };
    }
    // The batch's cores are not passed on by themselves.
    let cores = format!("--cpus-per-task=\"${{SLURM_CPUS_PER_TASK:-{}}}\"", needs.cpus);
    Start {
        launch: format!("SLURM_MPI_TYPE=\"${{SLURM_MPI_TYPE:-pmix}}\" srun --kill-on-bad-exit=1 {cores} "),
        // `srun` itself would end its ranks at once.
        tell: r#"scancel --signal=INT "$me""#,
        // The first rank ends with 130, and others may be ended with it.
        stopped: "-ge 130",
    }
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::super::super::Job;
    use super::*;
    use crate::store::Digest;

    #[test]
    fn a_word_is_one_word() {
        for (word, written) in [("a-b", "a-b"), ("", "''"), ("a b", "'a b'"), ("it's; $(rm)", "'it'\\''s; $(rm)'")] {
            assert_eq!(quoted(word), written);
        }
    }

    fn job(needs: Needs) -> Job {
        Job { task: Digest::of_bytes(b"a"), name: "a.train".into(), stage: "a.train".into(), instance: 0, needs, after: Vec::new() }
    }

    fn site() -> Site {
        let [run, folder, program] = ["/runs/a/0", "/w", "/bin/epo-run"].map(Into::into);
        let settings = vec!["--runs".into(), "my runs".into()];
        Site { run, id: "a/0".into(), folder, program, tasks: "/runs/tasks".into(), settings, threads: None }
    }

    #[test]
    fn ranks_are_started_by_slurm_wherever_it_has_place() {
        let job = job(Needs { ranks: 3, cpus: 2, gpus: 0, memory: Some(1001), time: None });
        let batch = Batch { jobs: vec![(0, &job)], dependency: None };
        let words = words(&site(), &batch, &SlurmOptions::default());
        for word in ["--ntasks=3", "--cpus-per-task=2", "--mem-per-cpu=501M"] {
            assert!(words.iter().any(|given| given == word), "{word} in {words:?}");
        }
        assert!(!words.iter().any(|word| word.starts_with("--nodes") || word.starts_with("--mem=")), "{words:?}");
        let text = text(&site(), &batch, &SlurmOptions::default());
        let line = "\nSLURM_MPI_TYPE=\"${SLURM_MPI_TYPE:-pmix}\" srun --kill-on-bad-exit=1 --cpus-per-task=\"${SLURM_CPUS_PER_TASK:-2}\" /bin/epo-run task ";
        assert!(text.contains(line) && text.contains("trap 'soon=1; scancel --signal=INT \"$me\" 2> /dev/null' USR1\n"), "{text}");
    }

    #[test]
    fn what_a_stage_asks_for_and_what_settings_say_last() {
        let needs = Needs { ranks: 1, cpus: 4, gpus: 1, memory: Some(1536), time: Some(90) };
        let (job, site) = (job(needs), site());
        let options = SlurmOptions { options: vec!["--cpus-per-task=2".into()], setup: vec!["module load x".into()], ahead: 120 };
        let batch = Batch { jobs: vec![(0, &job)], dependency: Some("afterok:7".into()) };
        let words = words(&site, &batch, &options);
        for word in ["--gpus=1", "--mem=1536M", "--time=2", "--signal=B:USR1@60", "--dependency=afterok:7", "--comment=epo a/0"] {
            assert!(words.iter().any(|given| given == word), "{word} in {words:?}");
        }
        assert_eq!(words.last().map(String::as_str), Some("--cpus-per-task=2"));
        let text = text(&site, &batch, &options);
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("/bin/epo-run task a/0 \"$1\" --submitted-by {version} --runs 'my runs' --threads 4 &\n");
        assert!(text.contains(&line) && text.contains("\nmodule load x\n"), "{text}");
    }
}
