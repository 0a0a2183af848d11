//! The machine's edges: numbers without measure, endless inputs, full devices, names that are no text.

use crate::support::{Place, SMALL};
use std::fs;
use std::process::{Command, Stdio};

/// The quickest pipeline that has every number of interest.
const TRAINING: &str = r#"import "std/losses.epo"
import "std/advantages.epo"
prompt look = "{observation}"
house = household {
  receptacles = 5, objects = 4, families = [put], max_turns = 4
  prompt = windowed { then = look, history = 2, max_tokens = 200 }
  train = games { split = "train", count = 20 }
}
pipeline a {
  policy    = decoder { tokenizer = words, layers = 1, width = 32, heads = 2, context = 128, decode = sample { max_tokens = 4 } }
  optimizer = adamw { lr = 1e-3 }
  advantage = grpo()
  loss { surrogate = mean(ppo_clip(0.2)), minimize = surrogate }
  stages {
    words = tokenizer { on = house.train, vocabulary = 320, episodes = 2 }
    shown = collect { on = house.train, actor = expert, episodes = 4 }
    warm  = sft { episodes = shown, epochs = 2, minibatch = 32 }
    train = rl { on = house.train, policy = warm, iterations = 1, groups = 2, group_size = 3, epochs = 1 }
    end   = evaluate { policy = train, on = house.train, repeats = 1 }
    page  = report { of = [warm, train, end] }
  }
}
"#;

/// Each with a number that no machine has room for, and what is said of it.
#[test]
fn numbers_without_measure_are_refused_by_check() {
    let numbers = [
        ("count = 20", "count = 1e9", "a whole number from 1 to 1_000_000"),
        ("max_turns = 4", "max_turns = 1e9", "a whole number from 1 to 1_000_000"),
        ("max_tokens = 200", "max_tokens = 1e9", "a whole number from 1 to 16_777_216"),
        ("layers = 1", "layers = 1e9", "a whole number from 1 to 1_024"),
        ("width = 32", "width = 1e9", "a whole number from 1 to 65_536"),
        ("heads = 2", "heads = 1e9", "a whole number from 1 to 1_024"),
        ("context = 128", "context = 1e9", "a whole number from 1 to 16_777_216"),
        ("max_tokens = 4", "max_tokens = 1e9", "a whole number from 1 to 16_777_216"),
        ("vocabulary = 320", "vocabulary = 1e9", "a whole number from 1 to 1_000_000"),
        ("episodes = 2", "episodes = 1e9", "a whole number from 1 to 1_000_000"),
        ("episodes = 4", "episodes = 1e9", "a whole number from 1 to 1_000_000"),
        ("epochs = 2", "epochs = 1e9", "a whole number from 1 to 1_000_000"),
        ("groups = 2", "groups = 1e9", "a whole number from 1 to 1_000_000"),
        ("group_size = 3", "group_size = 1e8", "a whole number from 1 to 1_000_000"),
        ("repeats = 1", "repeats = 1e9", "a whole number from 1 to 1_000_000"),
    ];
    let place = Place::new(&[("a.epo", TRAINING)]);
    place.epo(&["check", "a.epo"]).answers("a.epo: no mistakes\n");
    for (small, large, expected) in numbers {
        assert_eq!(TRAINING.matches(small).count(), 1, "{small}");
        place.write("a.epo", &TRAINING.replace(small, large));
        let said = place.epo(&["check", "a.epo"]);
        let number = if large.ends_with("1e8") { "100000000" } else { "1000000000" };
        let message = format!("error[E0202]: expected {expected}, found {number}");
        assert!(said.code == 1 && said.err.starts_with(&message), "{large}: {}", said.err);
        assert_eq!(place.epo(&["a.epo"]).code, 1, "{large}");
    }
    assert!(!place.path("runs").exists());
}

/// Each number has a measure, and the product has not.
#[test]
fn products_without_measure_are_refused_by_check() {
    let place = Place::new(&[]);
    let check = |from: &str, to: &str| {
        place.write("a.epo", &TRAINING.replace(from, to));
        let said = place.epo(&["check", "a.epo"]);
        assert_eq!(said.code, 1, "{to}");
        said.err
    };
    let said = check("groups = 2, group_size = 3", "groups = 100000, group_size = 100000");
    assert!(said.starts_with("error[E0202]: an iteration of 100000 × 100000 episodes, which are held at once\n"), "{said}");
    let said = check("repeats = 1", "repeats = 100000");
    assert!(said.starts_with("error[E0202]: 20 games × 100000 are too many episodes\n"), "{said}");
    let said = check("layers = 1, width = 32", "layers = 1024, width = 65536");
    assert!(said.starts_with("error[E0202]: this is a model of 5.3e13 parameters\n"), "{said}");
}

#[test]
fn a_name_of_many_letters_is_refused() {
    let name = "x".repeat(70_000);
    for text in [
        format!("pipeline p {{ loss {{ {name} = mean(entropy), minimize = {name} }} }}\n"),
        format!("{name} = 1\n"),
        format!("fn f({name}) = {name}\n"),
        format!("import \"a.epo\" as {name}\n"),
    ] {
        let place = Place::new(&[("a.epo", &text), ("b.json", "{\"logp\":[[-0.5]]}")]);
        for args in [
            ["check", "a.epo"].as_slice(),
            &["plan", "a.epo"],
            &["show", "a.epo", "--as", "ast"],
            &["show", "a.epo"],
            &["show", "a.epo", "--objective"],
            &["probe", "a.epo", "--batch", "b.json"],
            &["fmt", "--check", "a.epo"],
            &["a.epo"],
        ] {
            let said = place.epo(args);
            assert!(said.code == 1 && said.err.contains("error[E0029]: a name of 70000 letters"), "{args:?}: {:.300}", said.err);
            assert!(said.err.len() < 5_000 && !said.err.contains("panicked"), "{args:?}: {:.300}", said.err);
        }
    }
    let name = "x".repeat(128);
    let place = Place::new(&[("a.epo", &format!("pipeline p {{\n  loss {{ {name} = mean(entropy), minimize = {name} }}\n}}\n"))]);
    assert_eq!(place.epo(&["show", "a.epo", "--objective"]).code, 0);
}

/// Paths of names are longer than any name.
#[test]
fn a_table_of_any_width() {
    let path = vec!["x".repeat(120); 300].join(".");
    let place = Place::new(&[("a.epo", &format!("y = {path}\n"))]);
    let said = place.epo(&["show", "a.epo", "--as", "ast"]);
    assert!(said.code == 0 && said.out.contains(&path), "{}", said.err);
    let runs = "r/".repeat(40_000);
    let said = place.epo_with(&["settings"], "", &[("EPO_RUNS", &runs)]);
    assert!(said.code == 0 && said.out.contains(&runs), "{}", said.err);
}

#[test]
fn an_outline_of_many_lines_takes_no_longer_than_its_text() {
    let place = Place::new(&[("a.epo", &"x = 1\n".repeat(20_000))]);
    let began = std::time::Instant::now();
    let said = place.epo(&["show", "a.epo", "--as", "ast"]);
    assert_eq!(said.out.lines().count(), 40_000, "{}", said.err);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn inputs_without_end_are_refused() {
    let place = Place::new(&[("small.epo", SMALL), ("eq.epo", "pipeline p { loss { minimize = mean(logp) } }\n")]);
    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().expect("mkfifo").success());
    let pipe = place.path("pipe").display().to_string();
    for file in ["/dev/zero", &pipe] {
        place.epo(&["fmt", file]).refuses(&format!("error: {file} is no regular file\n"));
        place.epo(&["probe", "eq.epo", "--batch", file]).refuses(&format!("error: {file} is no regular file\n"));
        let said = place.epo(&["check", file]);
        assert!(said.code == 1 && said.err.contains("is no regular file"), "{}", said.err);
    }
    fs::write(place.path("large.epo"), " ".repeat(3 << 20)).expect("written");
    place.epo(&["fmt", "large.epo"]).refuses("error: large.epo has more than 1 MiB\n");
    std::os::unix::fs::symlink("/dev/zero", place.path("epo.toml")).expect("a link");
    place.epo(&["check", "small.epo"]).refuses("error: `epo.toml` is no file of settings\n");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_to_a_full_device_is_no_success() {
    let place = Place::new(&[("small.epo", SMALL)]);
    assert_eq!(place.epo(&["-q", "small.epo"]).code, 0);
    for args in [
        ["check", "small.epo"].as_slice(),
        &["plan", "small.epo"],
        &["plan", "small.epo", "--json"],
        &["show", "small.epo"],
        &["kinds"],
        &["runs"],
        &["report", "small"],
        &["settings"],
        &["--help"],
        &["--version"],
        &["small.epo"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(place.path("")).env_clear().env("HOME", place.path("")).stdin(Stdio::null()).stdout(full);
        let output = command.output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert_eq!(said.matches("error: the answer cannot be written: No space left on device").count(), 1, "{args:?}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn paths_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let strange = std::ffi::OsStr::from_bytes(b"a\xff b");
    let place = Place::new(&[]);
    let home = place.path("").join(strange);
    fs::create_dir(&home).expect("a folder");
    let file = home.join(std::ffi::OsStr::from_bytes(b"x\xfe.epo"));
    fs::write(&file, SMALL).expect("written");
    let run = |args: &[&std::ffi::OsStr]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
        command.args(args).current_dir(&home).env_clear().env("HOME", &home).env("EPO_RUNS", home.join("by-env")).stdin(Stdio::null());
        let output = command.output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let word = std::ffi::OsStr::new;
    let runs = home.join(std::ffi::OsStr::from_bytes(b"runs\xff"));
    run(&[word("check"), file.as_os_str()]);
    run(&[word("fmt"), file.as_os_str()]);
    run(&[word("-q"), file.as_os_str()]);
    run(&[word("-q"), word("--runs"), runs.as_os_str(), file.as_os_str()]);
    for args in [
        ["runs"].as_slice(),
        &["runs", "--json"],
        &["runs", "verify"],
        &["runs", "verify", "--json"],
        &["report", "small"],
        &["settings", "--json"],
    ] {
        for by_flag in [false, true] {
            let mut all: Vec<&std::ffi::OsStr> = if by_flag { vec![word("--runs"), runs.as_os_str()] } else { Vec::new() };
            all.extend(args.iter().map(|a| word(a)));
            assert!(!run(&all).is_empty());
        }
    }
    assert!(runs.join("tasks").is_dir() && home.join("by-env/tasks").is_dir());
}

/// A store that may be read alone, and holds everything.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs the right to mount a file system: scripts/test.sh"]
fn a_complete_store_that_cannot_be_written_is_shown() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let first = place.epo(&["small.epo"]);
    let script = "mount --bind runs runs && mount -o remount,bind,ro runs || exit 97; exec \"$0\" small.epo";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_epo-run")]).current_dir(place.path("")).env("HOME", place.path(""));
    let output = command.output().expect("unshare");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(table(&String::from_utf8_lossy(&output.stdout)), table(&first.out));
}

/// Without where its page lies.
fn table(out: &str) -> String {
    out.lines().filter(|line| !line.ends_with(".html")).collect::<Vec<_>>().join("\n")
}

/// A limit on the size of files is a full disk, and is said so; the same command then goes on.
#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_the_size_of_files_is_said() {
    let place = Place::new(&[("a.epo", TRAINING)]);
    let run = |limit: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -f {limit}; exec \"$0\" -q a.epo"), env!("CARGO_BIN_EXE_epo-run")]);
        command.current_dir(place.path("")).env_clear().env("HOME", place.path("")).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        let output = command.output().expect("the command ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run("100");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("the file would be larger than allowed") && said.contains("raise the limit on the size of files (`ulimit -f`)"),
        "{said}"
    );
    let (code, said) = run("unlimited");
    assert_eq!(code, Some(0), "{said}");
}

/// A limit on threads is no mistake of the program: fewer do the work, or it is said.
#[cfg(target_os = "linux")]
#[test]
fn few_threads_do_the_same_work() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 2000000; exec \"$0\" -q --threads 64 small.epo", env!("CARGO_BIN_EXE_epo-run")]);
    command.current_dir(place.path("")).env_clear().env("HOME", place.path("")).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    let output = command.output().expect("the command ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0..=2)) && !said.contains("panicked") && !said.contains("a mistake in epo-run"), "{said}");
}
