//! Stages that several ranks of MPI share: what Slurm is asked for, and what cannot be. `scripts/slurm-check.sh` has real ranks.

use crate::place::Place;
use crate::ray::dashboard;
use crate::slurm::AT_ONCE;

const RECIPE: &str = r#"prompt p = "{task}\n{observation}\n>"
house = household {
  kinds = [study], receptacles = 5, objects = 3, families = [put], max_turns = 4
  prompt = windowed { then = p, max_tokens = 100 }, train = games { split = "train", count = 4 }
}
pipeline shared {
  policy    = decoder { tokenizer = words, layers = 1, width = 16, heads = 2, context = 192 }
  optimizer = adamw { lr = 1e-3 }
  needs     = resources { ranks = 2, cpus = 3, memory = 2 }
  stages {
    words = tokenizer { on = house.train, vocabulary = 300, episodes = 2 }
    shown = collect   { on = house.train, actor = expert, episodes = 2 }
    warm  = sft       { episodes = shown, epochs = 1, minibatch = 16 }
    page  = report    { of = [warm] }
  }
}
"#;

/// Starts one process of what would be several, which a program without the feature `mpi` can be.
const ONE: &str =
    r#"printf '%s ' "$SLURM_MPI_TYPE" "$@" >> started; while case "$1" in --*) true ;; *) false ;; esac; do shift; done; exec "$@""#;

#[test]
fn ranks_of_a_stage_that_can_be_shared() {
    let place = Place::new();
    place.write("shared.epo", RECIPE);
    place.program("sbatch", AT_ONCE);
    place.program("squeue", "exit 0");
    place.program("srun", ONE);
    let path = format!("PATH={}:$PATH", place.path("bin").display());
    let env = [("EPO_JOBS__PROGRAM", env!("CARGO_BIN_EXE_epo-run")), ("EPO_SLURM__SETUP", &path)];
    let said = place.epo(&["shared.epo", "--engine", "slurm"], &env);
    assert_eq!(said.code, 0, "{}", said.err);
    let asked = place.read("asked");
    let jobs: Vec<&str> = asked.split("--\n").filter(|job| !job.is_empty()).collect();
    assert_eq!(jobs.len(), 4, "{asked}");
    for job in jobs {
        let has = |word: &str| job.lines().any(|line| line == word);
        let ranked = has("--job-name=shared.warm");
        let words = if ranked { ["--ntasks=2", "--mem-per-cpu=683M"] } else { ["--ntasks=1", "--mem=2048M"] };
        assert!(words.into_iter().all(has) && has("--cpus-per-task=3") && has("--nodes=1") != ranked, "{job}");
    }
    let started = place.read("started");
    assert!(started.starts_with("pmix --kill-on-bad-exit=1 --cpus-per-task=3 ") && started.matches("pmix").count() == 1, "{started}");
}

#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_that_has_no_ranks_says_so_before_anything_is_handed_over() {
    let place = Place::new();
    place.write("shared.epo", RECIPE);
    place.program("sbatch", "[ \"$1\" = --version ] && exit\necho handed > handed; exit 1");
    place.program("squeue", "exit 0");
    let said = place.epo(&["shared.epo", "--engine", "slurm"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("`shared.warm` asks for 2 ranks, and this epo-run was built without them"), "{}", said.err);
    assert!(said.err.contains("--features mpi") && !place.path("handed").exists(), "{}", said.err);
}

#[test]
fn ray_starts_one_process_and_that_is_said() {
    let place = Place::new();
    place.write("shared.epo", RECIPE);
    let (url, _) = dashboard(vec![
        ("GET /api/version", 200, r#"{"ray_version":"2"}"#),
        ("POST /api/jobs/ ", 200, r#"{"submission_id":"raysubmit_x"}"#),
        ("GET /api/jobs/raysubmit_x", 200, r#"{"status":"FAILED","message":"gone"}"#),
        ("POST /api/jobs/raysubmit_x/stop", 200, r#"{"stopped":true}"#),
    ]);
    let said = place.epo(&["shared.epo", "--engine", "ray"], &[("EPO_RAY__URL", &url)]);
    let words = "`shared.warm` asks for 2 ranks, and Ray starts one process for a task: each is done by one";
    assert!(said.code == 2 && said.err.matches(words).count() == 1 && said.err.contains("4 jobs handed to Ray"), "{}", said.err);
}
