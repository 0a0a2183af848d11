//! Verbs that read and write pipeline files.

use crate::support::{Place, SMALL};

#[test]
fn new_writes_a_pipeline_that_checks_and_is_laid_out() {
    let place = Place::new(&[]);
    place.epo(&["new", "mine"]).is(0, "mine.epo\n", "check it with `epo-run check mine.epo`, run it with `epo-run mine.epo`\n");
    assert!(place.read("mine.epo").contains("\npipeline mine {\n"));
    place.epo(&["check", "mine.epo", "--deny-warnings"]).answers("mine.epo: no mistakes\n");
    place.epo(&["fmt", "mine.epo", "--check"]).answers("");
    let before = place.read("mine.epo");
    place.epo(&["new", "mine"]).refuses("error: mine.epo is already there\n  = help: choose another name, or remove it first\n");
    place.epo(&["new", "mine.epo"]).refuses("error: mine.epo is already there\n  = help: choose another name, or remove it first\n");
    assert_eq!(place.read("mine.epo"), before);
    place
        .epo(&["new", "my-run"])
        .refuses("error: `my-run` cannot be the name of a pipeline\n  = help: letters, digits and `_` can, such as `my_run`\n");
    place
        .epo(&["new", "house"])
        .refuses("error: `house` cannot be the name of a pipeline\n  = help: letters, digits and `_` can, such as `my_house`\n");
    place.epo(&["new", "nowhere/x"]).refuses("error: cannot write nowhere/x.epo: No such file or directory (os error 2)\n");
}

#[test]
fn fmt_lays_files_out() {
    let place = Place::new(&[("a.epo", "x   =  1 # one\n"), ("b.epo", "y = 2\n"), ("wrong.epo", "x = = 1\n")]);
    place.epo(&["fmt", "a.epo", "b.epo", "--check"]).is(1, "a.epo\n", "");
    assert_eq!(place.read("a.epo"), "x   =  1 # one\n");
    place.epo(&["fmt", "a.epo", "b.epo"]).answers("a.epo\n");
    assert_eq!(place.read("a.epo"), "x = 1    # one\n");
    place.epo(&["fmt", "a.epo", "b.epo"]).answers("");
    place.epo(&["fmt", "a.epo", "b.epo", "--check"]).answers("");
    let said = place.epo(&["fmt", "wrong.epo", "nothing.epo", "b.epo"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("wrong.epo:1:5") && said.err.ends_with("error: there is no file nothing.epo\n"), "{}", said.err);
    std::fs::write(place.path("binary.epo"), [0xff, 0xfe, 0x00]).expect("a file");
    place.epo(&["fmt", "binary.epo"]).refuses("error: binary.epo is no text in UTF-8\n");
}

#[test]
fn check_and_plan_say_what_is_wrong() {
    let place = Place::new(&[("small.epo", SMALL), ("typo.epo", &SMALL.replace("max_turns", "max_turn"))]);
    place.epo(&["check", "small.epo"]).answers("small.epo: no mistakes\n");
    place.epo(&["check", "small.epo", "typo.epo"]).is(
        1,
        "small.epo: no mistakes\n",
        "\
error[E0104]: unknown field `max_turn`
 --> typo.epo:5:3
  |
5 |   max_turn = 4, success_reward = 1
  |   ^^^^^^^^
  = help: did you mean `max_turns`?
1 error
",
    );
    let json = place.epo(&["check", "typo.epo", "--json"]);
    let message: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((json.code, message["code"].as_str()), (1, Some("E0104")));
    let plan = place.epo(&["plan", "small.epo"]);
    assert!(plan.code == 0 && plan.err.is_empty() && plan.out.contains("3 tasks, all to run"), "{plan:?}");
    place.epo(&["plan", "small.epo", "--only", "smal"]).refuses("error: there is no pipeline `smal` in small.epo; there are `small`\n");
    place
        .epo(&["nothing.epo"])
        .refuses("error[E0040]: there is no file `nothing.epo`\n  = help: the path is taken from the current folder\n1 error\n");
}

#[test]
fn an_instance_with_two_labels_is_chosen_by_its_name() {
    let text = SMALL.replace("title = \"Small\"", "seeds = [0, 1]").replace("actor = random", "actor = sweep(random, expert)");
    let place = Place::new(&[("small.epo", &text), ("other.epo", &text.replace("pipeline small", "pipeline other"))]);
    let tasks = |only: &[&str]| {
        let mut words = vec!["plan", "small.epo", "--json"];
        only.iter().for_each(|name| words.extend(["--only", name]));
        let said = place.epo(&words);
        assert_eq!(said.code, 0, "{said:?}");
        let plan: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        let stages = plan["tasks"].as_array().expect("tasks").iter().flat_map(|task| task["stages"].as_array().expect("stages"));
        let instance =
            |stage: &serde_json::Value| stage.as_str().and_then(|name| Some(name.rsplit_once('.')?.0.to_owned())).expect("a name");
        stages.map(instance).collect::<std::collections::BTreeSet<_>>()
    };
    let (one, other) = ("small[seed=0, chance.actor=random]", "small[seed=1, chance.actor=random]");
    assert_eq!(Vec::from_iter(tasks(&[one])), [one]);
    assert_eq!(Vec::from_iter(tasks(&["small[seed=0,chance.actor=random]"])), [one]);
    assert_eq!(Vec::from_iter(tasks(&[&format!("{one},{other}")])), [one, other]);
    assert_eq!(Vec::from_iter(tasks(&[other, one])), [one, other]);
    assert_eq!(tasks(&["small"]).len(), 4);
    place
        .epo(&["plan", "small.epo", "--only", "small[seed=2, chance.actor=random]"])
        .refuses("error: there is no pipeline `small[seed=2, chance.actor=random]` in small.epo; there are `small`\n");
}
