//! What Slurm is asked, and what is told of its answers.

use crate::place::Place;
use std::fs;

/// `sbatch` gives numbers and runs what it is given at once, element by element; `squeue` knows of nothing that is left to do.
pub(crate) const AT_ONCE: &str = r#"[ "$1" = --version ] && echo slurm 22.05.8 && exit
n=$(($(cat number 2> /dev/null || echo 6) + 1)); echo $n > number
printf '%s\n' "$@" '--' >> asked
cat > "script.$n"
array=
for word; do case $word in --array=*) array=${word#--array=} ;; esac; done
export SLURM_JOB_ID=$n SLURMD_NODENAME=one
if [ -n "$array" ]; then
    for i in $(echo "$array" | tr , ' '); do SLURM_ARRAY_JOB_ID=$n SLURM_ARRAY_TASK_ID=$i sh "script.$n"; done
else sh "script.$n"
fi
echo "$n;tiny""#;

#[test]
fn tasks_are_handed_over_once_with_what_they_ask_for() {
    let place = Place::new();
    place.program("sbatch", AT_ONCE);
    place.program("squeue", "exit 0");
    let engine = [("EPO_ENGINE", "slurm"), ("EPO_SLURM__OPTIONS", "--partition=main")];
    let said = place.epo(&["small.epo"], &engine);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("3 jobs handed to Slurm") && said.err.contains("page: done"), "{}", said.err);
    let asked = place.read("asked");
    let mut jobs = asked.split("--\n");
    let (first, second) = (jobs.next().unwrap_or_default(), jobs.next().unwrap_or_default());
    for word in
        ["--job-name=small.chance", "--array=0,1", "--cpus-per-task=3", "--time=90", "--signal=B:USR1@120", "--requeue", "--partition=main"]
    {
        assert!(first.lines().any(|line| line == word), "{word} in {first}");
    }
    for word in ["--cpus-per-task=2", "--mem=1536M", "--dependency=afterok:7_0:7_1", "--kill-on-invalid-dep=yes"] {
        assert!(second.lines().any(|line| line == word), "{word} in {second}");
    }
    assert!(!second.contains("--time=") && !second.contains("--array="), "{second}");
    // as a run here
    let here = place.epo(&["small.epo", "--runs", "here"], &[]);
    assert_eq!(here.code, 0, "{}", here.err);
    for task in fs::read_dir(place.path("here/tasks")).expect("tasks").filter_map(Result::ok) {
        let name = task.file_name();
        let read = |runs: &str| fs::read_to_string(place.path(runs).join("tasks").join(&name).join("status.json")).expect("a status");
        assert_eq!(read("here"), read("runs"));
    }
    // again: there is nothing to do, so Slurm need not even be there
    fs::remove_file(place.path("bin/sbatch")).expect("a program");
    let again = place.epo(&["small.epo"], &engine);
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(again.err.contains("everything is up to date") && !again.err.contains("handed"), "{}", again.err);
}

#[test]
fn a_cluster_without_arrays_gets_jobs() {
    let place = Place::new();
    let refuses = "case \" $* \" in *\" --array=\"*) echo 'sbatch: error: Batch job submission failed: Invalid job array specification' >&2; exit 1 ;; esac\n";
    place.program("sbatch", &format!("{refuses}{AT_ONCE}"));
    place.program("squeue", "exit 0");
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(place.read("asked").contains("--dependency=afterok:7:8\n"), "{}", place.read("asked"));
}

#[test]
fn a_job_that_ends_early_says_why_and_what_waits_for_it_is_left_out() {
    let place = Place::new();
    place.program("sbatch", "[ \"$1\" = --version ] && exit\nn=$(($(cat number 2> /dev/null || echo 6) + 1)); echo $n > number; echo $n");
    let (comment, run) = ("$(cd runs && echo small/*)", "runs/small/*/jobs");
    // one element is over its time, the other never begins; the first has said something
    let over = format!(
        "[ -f number ] || exit 0\nfor f in {run}; do grep -o '\"[0-9a-f]\\{{64\\}}\": \"7_0\"' {run}/../jobs.json | cut -c2-65 | while read -r d; do echo 'the last words' > $f/$d.log; done; done\n\
         for i in 7_0 7_1; do echo \"$i|TIMEOUT|TimeLimit|epo {comment}\"; done\necho \"8|PENDING|Dependency|epo {comment}\""
    );
    place.program("squeue", &over);
    place.program("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1");
    place.program("scancel", "echo \"$@\" >> cancelled");
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("stage `small[seed=0].chance` failed: its job 7_0 of Slurm ended early: its time was over"), "{}", said.err);
    assert!(said.err.contains("the last words") && said.err.contains("its job said nothing"), "{}", said.err);
    assert!(said.err.contains("page: not run: `small[seed=") && place.read("cancelled").contains('8'), "{}", said.err);
    assert!(said.err.contains("2 errors"), "{}", said.err);
}

#[test]
fn no_slurm_or_one_that_refuses() {
    let place = Place::new();
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("there is no Slurm here: no `sbatch` on the `PATH`") && said.err.contains("--engine local"), "{}", said.err);
    place.program("sbatch", "[ \"$1\" = --version ] && exit\necho 'sbatch: error: invalid partition specified: none' >&2; exit 1");
    place.program("squeue", "exit 0");
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("error[E0507]: Slurm refuses: sbatch: error: invalid partition") && said.err.contains("slurm.options"),
        "{}",
        said.err
    );
    place.program("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1");
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[]);
    assert!(said.code == 2 && said.err.contains("scontrol ping"), "{}", said.err);
}

/// A program of that name beside the recipe is not Slurm's.
#[test]
fn nothing_beside_a_recipe_is_slurm() {
    let place = Place::new();
    for name in ["sbatch", "squeue"] {
        place.program(name, "echo > PWNED");
        fs::rename(place.path("bin").join(name), place.path(name)).expect("moved");
    }
    let said = place.epo(&["small.epo", "--engine", "slurm"], &[("PATH", ".::bin")]);
    assert!(said.code == 2 && said.err.contains("no `sbatch`") && !place.path("PWNED").exists(), "{}", said.err);
}

#[test]
fn settings_that_cannot_be() {
    let place = Place::new();
    for (name, value, words) in [
        ("EPO_ENGINE", "cloud", "the setting `engine` (from EPO_ENGINE) is `cloud`; it takes `local`, `slurm` or `ray`"),
        ("EPO_JOBS__CPUS", "0", "the setting `jobs.cpus` (from EPO_JOBS__CPUS) is 0; it takes a whole number from 1"),
        ("EPO_JOBS__RANKS", "0", "the setting `jobs.ranks` (from EPO_JOBS__RANKS) is 0; it takes a whole number from 1"),
        ("EPO_JOBS__TIME", "soon", "the setting `jobs.time` (from EPO_JOBS__TIME) is `soon`; it takes minutes"),
        ("EPO_JOBS__MEMORY", "-1", "the setting `jobs.memory` (from EPO_JOBS__MEMORY) is -1; it takes gibibytes"),
        ("EPO_SLURM__AHEAD", "1000000", "the setting `slurm.ahead` (from EPO_SLURM__AHEAD) is 1000000; it takes seconds"),
    ] {
        let said = place.epo(&["settings"], &[(name, value)]);
        assert!(said.code == 1 && said.err.contains(words), "{}", said.err);
    }
}
