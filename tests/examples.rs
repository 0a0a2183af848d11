//! The programs in `examples/` do what they say. `cargo test` builds them; for this test alone, `cargo build --examples` does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, answer and talk.
fn run(example: &str, folder: &Path, args: &[&str]) -> (i32, String, String) {
    let here = std::env::current_exe().expect("this test's program");
    let built = here.ancestors().nth(2).expect("the target folder").join("examples");
    let program = built.join(format!("{example}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is not built: `cargo build --examples`", program.display());
    let output = Command::new(program).args(args).current_dir(folder).env("HOME", folder).env("NO_COLOR", "1").output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
}

fn place(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let path = folder.path().to_owned();
    (folder, path)
}

#[test]
fn an_environment_of_ones_own_has_the_whole_command_line() {
    let recipe = r#"prompt look = "{task} {observation}"
numbers = guess { limit = 30, max_turns = 10, prompt = windowed { then = look }, test = games { split = "test" } }
pipeline halves {
  stages {
    halved = evaluate { actor = expert, on = numbers.test }
    page   = report { of = [halved] }
  }
}
"#;
    let (_folder, here) = place(&[("numbers.epo", recipe), ("wrong.epo", &recipe.replace("limit", "limmit"))]);
    let (code, out, err) = run("own_environment", &here, &["env", "check", "guess"]);
    assert!(code == 0 && out.contains("train: 50 of 50 games solved by the expert") && out.contains("\npromised: "), "{out}{err}");
    let (code, out, err) = run("own_environment", &here, &["--quiet", "numbers.epo"]);
    assert!(code == 0 && out.contains("100.0 %"), "{out}{err}");
    let (code, out, _) = run("own_environment", &here, &["kinds", "guess"]);
    assert!(code == 0 && out.contains("The greatest number there is."), "{out}");
    let (code, _, err) = run("own_environment", &here, &["check", "wrong.epo"]);
    assert!(code == 1 && err.contains("did you mean `limit`?"), "{err}");
    // Those of the crate are there too.
    let (code, out, err) = run("own_environment", &here, &["env", "install", "household"]);
    assert!(code == 0 && out.contains("compiled in"), "{out}{err}");
}

#[test]
fn functions_of_ones_own_are_imported_like_the_crates() {
    let text = "import \"own/losses.epo\"\npipeline a { loss { minimize = mean(bounded(0.2)) } }\n";
    let batch = r#"{"mask": [[1]], "logp": [[-0.5]], "old_logp": [[-1.0]], "advantage": [[2]]}"#;
    let (_folder, here) = place(&[("a.epo", text), ("batch.json", batch)]);
    let (code, out, err) = run("own_function", &here, &["probe", "a.epo", "--batch", "batch.json"]);
    // exp(0.5) is beyond 1.2.
    assert!(code == 0 && out.contains("-2.4"), "{out}{err}");
}

#[test]
fn an_equation_is_evaluated_from_rust() {
    let (_folder, here) = place(&[]);
    let (code, out, err) = run("evaluate_equation", &here, &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    // -(e^0.1 + 1 - 0.8) / 3: the last ratio is e^-1, below 0.8, and its advantage negative, so the clamped one is less.
    let expected = -(0.1_f64.exp() + 1.0 - 0.8) / 3.0;
    assert!(out.starts_with(&format!("minimize {expected:.6}\n")), "{out}");
    let gradient = -(0.1_f64.exp()) / 3.0;
    assert!(out.contains(&format!("its gradient by logp [[{gradient:.6}, -0.333333], [")), "{out}");
}

#[test]
fn a_pipeline_is_compiled_and_planned_from_rust() {
    let (_folder, here) = place(&[("broken.epo", "pipeline a {")]);
    let (code, out, err) = run("compile_and_plan", &here, &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let lines: Vec<&str> = out.lines().map(|line| &line[8..]).collect();
    assert_eq!(lines, [" a.chance after []", " a.page after [a.chance]"]);
    let (code, _, err) = run("compile_and_plan", &here, &["broken.epo"]);
    assert!(code == 1 && err.contains("error["), "{err}");
}
