//! The verbs of the command.

use crate::common::{alone, data, recordings};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

fn epo(data: &Path, args: &[&str], input: &str, env: &[(&str, &Path)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(args).env("XDG_CONFIG_HOME", "/nowhere").env("EPO_DATA__SCIENCEWORLD", data).envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary");
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn install_says_what_is_there() {
    let data = data();
    let said = epo(data, &["env", "install", "scienceworld"], "", &[]);
    let begin = format!("scienceworld 1.2.3 was there already in `{}`, to be run by Java ", data.display());
    assert!(said.code == Some(0) && said.out.starts_with(&begin), "{}{}", said.out, said.err);
}

#[cfg(unix)]
#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn an_old_java_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let data = data();
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("bin")).expect("a folder");
    let java = home.path().join("bin/java");
    std::fs::write(&java, "#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n").expect("written");
    std::fs::set_permissions(&java, std::fs::Permissions::from_mode(0o755)).expect("executable");
    for args in [&["env", "install", "scienceworld"][..], &["play", "scienceworld"]] {
        let said = epo(data, args, "", &[("JAVA_HOME", home.path())]);
        let wanted = format!(
            "error: `{}` is Java 1.8.0_392, ScienceWorld needs Java 11 or later; install one or point `JAVA_HOME` to it\n",
            java.display()
        );
        assert_eq!((said.code != Some(0), said.err), (true, wanted));
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn play_takes_commands() {
    let data = data();
    let _alone = alone();
    let args = ["play", "scienceworld", "--split", "train", "--task", "lifespan-longest-lived/31"];
    let said = epo(data, &args, &"expert\n".repeat(30), &[]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.out.contains("Your task is to find the animal with the longest life span.") && said.out.contains("\n> focus on "),
        "{}",
        said.out
    );
    assert!(said.out.trim_end().lines().last().is_some_and(|line| line.starts_with("the goal is reached: ")), "{}", said.out);
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn check_replays_recordings() {
    let data = data();
    let _alone = alone();
    let right = recordings().remove(0);
    let mut wrong = right.clone();
    wrong.steps[3].score += 1;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.jsonl");
    let lines = [right, wrong].map(|recording| serde_json::to_string(&recording).expect("JSON") + "\n");
    std::fs::write(&file, lines.concat()).expect("written");
    let said = epo(data, &["env", "check", "scienceworld", "--transcripts", file.to_str().expect("a name")], "", &[]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.out.contains(", step 3: score was "), "{}", said.out);
    assert!(said.out.contains("\n2 episodes, 9 steps: 1 differences, 0 failures\n"), "{}", said.out);
}
