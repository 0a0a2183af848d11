//! Everything outside is looked at once, before the first stage runs.

use crate::place::Place;

const LATE: &str = r#"
rooms = alfworld { prompt = windowed { then = look }, seen = games { split = "valid_seen" } }

pipeline a {
  stages {
    words  = tokenizer { on = house.train, vocabulary = 300, episodes = 2 }
    shown  = collect { on = house.train, actor = expert, episodes = 2 }
    warm   = sft { episodes = shown, policy = decoder { tokenizer = words, layers = 1, width = 16, heads = 2 } }
    other  = evaluate { policy = causal_lm { weights = "not/there", context = 300, decode = choose {} }, on = house.seen, after = [warm] }
    again  = evaluate { policy = causal_lm { weights = "not/there", context = 300, decode = choose {} }, on = house.seen, repeats = 2 }
    plain  = evaluate { policy = causal_lm { weights = "untemplated", context = 300, decode = choose {} }, on = house.seen }
    far    = evaluate { policy = warm, on = rooms.seen }
    page   = report { of = [warm, other, again, plain, far] }
  }
}
"#;

#[test]
fn what_is_missing_is_said_in_one_go_and_nothing_runs() {
    let place = Place::new();
    place.put_model("untemplated", &Place::shape());
    std::fs::write(place.path("untemplated/tokenizer_config.json"), r#"{ "eos_token": "<end>", "pad_token": "<pad>" }"#).expect("a file");
    place.write(LATE);
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert_eq!(said.err.matches("error[E0505]").count(), 3, "{}", said.err);
    for words in [
        "the model `not/there` cannot be used: not/there: there is no such folder or file",
        "needed by `a.other`, `a.again`; nothing was run",
        "the model `untemplated` cannot be used: untemplated: has no chat template; set `chat = false`",
        "the games of `rooms.seen` (alfworld) cannot be used: ",
        "3 errors",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!said.err.contains("[1/") && !place.path("runs").join("tasks").exists(), "{}", said.err);

    let plan = place.epo(&["plan", "a.epo"]);
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert!(plan.out.contains("\noutside\n"), "{}", plan.out);
    assert!(
        plan.out.contains("the model `not/there`: MISSING: not/there: there is no such folder or file (needed by `a.other`, `a.again`)"),
        "{}",
        plan.out
    );
    let json: serde_json::Value = serde_json::from_str(&place.epo(&["plan", "a.epo", "--json"]).out).expect("JSON");
    assert_eq!(json["outside"].as_array().map(Vec::len), Some(3));
}

/// A file that is not asked for and a task that is up to date are not looked for.
#[test]
fn only_what_would_run_is_looked_at() {
    let place = Place::new();
    place.write(
        r#"
pipeline a {
  policy = causal_lm { weights = "model", context = 380, decode = choose {} }
  stages { end = evaluate { on = house.seen }, page = report { of = [end] } }
}
"#,
    );
    let plan = place.epo(&["plan", "a.epo"]).out;
    assert!(plan.contains("\noutside\n  the model `model`: is there\n"), "{plan}");
    place.run();
    std::fs::remove_dir_all(place.path("model")).expect("a folder");
    let plan = place.epo(&["plan", "a.epo"]).out;
    assert!(!plan.contains("outside"), "{plan}");
    place.run();
}
