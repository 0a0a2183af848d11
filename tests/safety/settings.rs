//! Settings that the surroundings give.

use crate::support::{Place, SMALL};
use std::fs;

#[test]
fn a_variable_that_is_no_setting_is_a_warning() {
    let place = Place::new(&[("small.epo", SMALL)]);
    let said = place.epo_with(&["check", "small.epo"], "", &[("EPO_RUN", "x"), ("EPO_FULL", "1"), ("EPO_SHARED", "/nowhere")]);
    said.is(0, "small.epo: no mistakes\n", "warning: `EPO_RUN` is no setting; did you mean `EPO_RUNS`?\n");
    place
        .epo_with(&["check", "small.epo"], "", &[("EPO_THREADS", "many")])
        .refuses("error: the setting `threads` (from EPO_THREADS) is `many`; it takes a whole number\n");
}

#[test]
fn a_folder_may_be_called_like_a_number_or_a_word() {
    for name in ["123", "true", "1e3", "[a]", "{x}"] {
        let place = Place::new(&[("small.epo", SMALL)]);
        let said = place.epo_with(&["-q", "small.epo"], "", &[("EPO_RUNS", name)]);
        assert_eq!(said.code, 0, "{name}: {}", said.err);
        assert!(place.path(name).join("tasks").is_dir(), "{name}");
    }
}

#[test]
fn settings_stand_before_or_behind_a_verb() {
    let place = Place::new(&[("small.epo", SMALL)]);
    for args in
        [["--runs", "there", "check", "small.epo"], ["check", "--runs", "there", "small.epo"], ["check", "small.epo", "--runs", "there"]]
    {
        place.epo(&args).answers("small.epo: no mistakes\n");
    }
    let said = place.epo(&["--runs", "there", "settings"]);
    assert!(said.out.lines().any(|line| line.split_whitespace().eq(["runs", "there", "--runs"])), "{}", said.out);
    let said = place.epo(&["--fresh", "check", "small.epo"]);
    assert!(said.code == 1 && said.err.starts_with("error: `--fresh` cannot stand before a verb\n"), "{}", said.err);
}

/// A file of settings in a folder above belongs to somebody else.
#[test]
fn settings_of_folders_above_do_not_count() {
    let place = Place::new(&[("epo.toml", "runs = \"/nowhere/of/others\"\n"), ("mine/small.epo", SMALL)]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(["-q", "small.epo"]).current_dir(place.path("mine")).env_clear().env("HOME", "");
    let output = command.output().expect("the command ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut made: Vec<_> = fs::read_dir(place.path("mine"))
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("a text"))
        .collect();
    made.sort();
    assert_eq!(made, ["runs", "small.epo"], "an empty `HOME` is no folder");
}
