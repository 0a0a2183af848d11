//! `probe`: an objective on a batch.

use crate::support::Place;
use std::path::Path;

const FILE: &str = r#"import "std/advantages.epo"
pipeline a { loss { x = mean(logp * advantage), unused = mean(entropy), minimize = -x } }
pipeline b { advantage = 2 * outcome }
pipeline c { loss { minimize = mean(logp) }, lambda = sweep(1, 2), stages { page = nonsense { } } }
pipeline none { title = "No equation" }
"#;
const BATCH: &str = r#"{ "mask": [[1, 1, 0], [1, 0, 0]], "logp": [[-1, -2, 9], [-3, 9, 9]], "entropy": [[1, 1, 1], [4, 1, 1]],
  "advantage": [[1, 1, 1], [2, 2, 2]], "reward": [[0, 1, 0], [5, 0, 0]] }"#;

#[test]
fn all_keys_always() {
    let place = Place::new(&[("p.epo", FILE), ("batch.json", BATCH), ("wrapped.json", &format!("{{\"batch\": {BATCH}}}"))]);
    for batch in ["batch.json", "wrapped.json"] {
        let third = 1.0 / 3.0;
        let said = place.epo(&["probe", "p.epo", "--only", "a", "--batch", batch, "--json"]);
        let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        assert_eq!(value["terms"], serde_json::json!({ "x": -3.0, "unused": 2.0 }));
        assert_eq!(value["minimize"], 3.0);
        assert_eq!(value["gradient"]["logp"], serde_json::json!([[-third, -third, 0.0], [-2.0 * third, 0.0, 0.0]]));
        assert_eq!(value["gradient"]["entropy"], serde_json::json!([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]));
        assert_eq!(value["gradient"]["value"], value["gradient"]["entropy"]);
        assert!(value.as_object().is_some_and(|o| o.contains_key("advantage")) && value["advantage"].is_null());
    }
    let said = place.epo(&["probe", "p.epo", "--only", "b", "--batch", "batch.json", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(value["advantage"], serde_json::json!([[2.0, 2.0, 0.0], [10.0, 0.0, 0.0]]));
    assert!(value["minimize"].is_null() && value["terms"].as_object().is_some_and(|t| t.is_empty()));
}

#[test]
fn for_people() {
    let place = Place::new(&[("p.epo", FILE), ("batch.json", BATCH)]);
    place.epo(&["probe", "p.epo", "--only", "a", "--batch", "batch.json"]).answers(
        "\
a
  x            -3.00000000
  unused        2.00000000
  minimize      3.00000000
norm of the gradient
  logp          0.81649658
  entropy       0.00000000
  value         0.00000000
",
    );
}

#[test]
fn which_pipeline_is_meant() {
    let place = Place::new(&[
        ("p.epo", FILE),
        ("batch.json", BATCH),
        ("one.epo", "pipeline x { loss { minimize = mean(logp) } }\n"),
        ("no.epo", "x = 1\n"),
    ]);
    let probe = |args: &[&str]| place.epo(&[&["probe"], args, &["--batch", "batch.json"]].concat());
    assert_eq!(probe(&["one.epo"]).code, 0);
    probe(&["p.epo"]).refuses(
        "error: several pipelines of p.epo have a `loss` or an `advantage`\n  = help: choose with `--only`: `a`, `b`, `c[lambda=1]`, `c[lambda=2]`\n",
    );
    probe(&["p.epo", "--only", "none"]).refuses(
        "error: no pipeline `none` with a `loss` or an `advantage` is in p.epo\n  = help: these have one: `a`, `b`, `c[lambda=1]`, `c[lambda=2]`\n",
    );
    probe(&["p.epo", "--only", "c"]).refuses("error: `c` unfolds into 2 points\n  = help: name one: `c[lambda=1]`, `c[lambda=2]`\n");
    assert_eq!(probe(&["p.epo", "--only", "c[lambda=2]"]).code, 0);
    probe(&["no.epo"]).refuses(
        "error: no pipeline of no.epo has a `loss` or an `advantage`\n  = help: write one, for example `loss { minimize = mean(logp) }` in a pipeline\n",
    );
}

#[test]
fn mistakes() {
    let place = Place::new(&[
        ("batch.json", BATCH),
        ("bad.json", "{"),
        ("p.epo", "pipeline p { loss { minimize = mean(ref_logp * logp) } }\n"),
        ("level.epo", "pipeline p { loss { minimize = logp } }\n"),
        ("typo.epo", "pipeline p { loss { minimize = mean(logq) } }\n"),
    ]);
    let probe = |file: &str, batch: &str| place.epo(&["probe", file, "--batch", batch]);
    probe("p.epo", "batch.json").refuses(
        "\
error[E0351]: the batch has no `ref_logp`
 --> p.epo:1:37
  |
1 | pipeline p { loss { minimize = mean(ref_logp * logp) } }
  |                                     ^^^^^^^^
  = help: give it, or leave it out of the equation
1 error
",
    );
    for (file, code) in [("level.epo", "E0302"), ("typo.epo", "E0101"), ("nothing.epo", "E0040")] {
        let said = probe(file, "batch.json");
        assert!(said.code == 1 && said.out.is_empty() && said.err.contains(&format!("error[{code}]")), "{said:?}");
    }
    probe("p.epo", "nothing.json").refuses("error: there is no file nothing.json\n");
    let said = probe("p.epo", "bad.json");
    assert!(said.code == 1 && said.err.starts_with("error: bad.json: the batch is no JSON: "), "{said:?}");
}

/// What is wrong with another pipeline does not matter, but a text that could not be read does.
#[test]
fn neighbours() {
    let sound = "pipeline a { loss { minimize = mean(logp) } }\n";
    let broken = "pipeline b { loss { minimize = mean(logq) } }\n";
    let place = Place::new(&[
        ("batch.json", BATCH),
        ("names.epo", &format!("{sound}{broken}")),
        ("syntax.epo", &format!("x = = 1\n{sound}{broken}")),
        ("import.epo", &format!("import \"nothing.epo\"\n{sound}{broken}")),
    ]);
    let probe = |file: &str| place.epo(&["probe", file, "--only", "a", "--batch", "batch.json"]);
    assert_eq!((probe("names.epo").code, probe("names.epo").err.as_str()), (0, ""));
    for (file, code) in [("syntax.epo", "error[E0001]"), ("import.epo", "error[E0041]")] {
        let said = probe(file);
        assert!(said.code == 1 && said.out.is_empty() && said.err.contains(code) && !said.err.contains("logq"), "{said:?}");
    }
}

/// Through the command, from a reference batch to the last key of the answer. All equations are compared in `tests/objective`.
#[test]
fn reference_batch() {
    let text = "import \"std/losses.epo\"\npipeline p { loss { minimize = mean(ppo_clip(0.2, 0.28, dual = 3)) } }\n";
    let place = Place::new(&[("p.epo", text)]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/batch.json");
    let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("the batch")).expect("JSON");
    let said = place.epo(&["probe", "p.epo", "--batch", &file.display().to_string(), "--json"]);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    let losses = golden["losses"].as_array().expect("losses");
    let close = |a: &serde_json::Value, b: &serde_json::Value| (a.as_f64().unwrap_or(f64::NAN) - b.as_f64().unwrap_or(0.0)).abs() < 1e-9;
    assert!(losses.iter().any(|loss| close(&loss["value"], &value["minimize"])), "{}", value["minimize"]);
}
