//! `diff`: two pipelines, line by line.

use crate::support::{Place, SMALL};

#[test]
fn settings_equations_and_prompts() {
    let equations = "pipeline a { lambda = 0.1, loss { x = mean(logp), minimize = lambda * x }, advantage = outcome }\n\
                     pipeline b from a { lambda = 0.2, loss.y = mean(entropy), without advantage }\n";
    let changed =
        SMALL.replace("receptacles = 5", "receptacles = 6").replace("{observation}", "{task}").replace("actor = expert", "actor = random");
    let place = Place::new(&[("small.epo", SMALL), ("other.epo", &changed), ("e.epo", equations)]);
    place.epo(&["diff", "small.epo", "small.epo"]).answers("no differences\n");
    place.epo(&["diff", "small.epo:small", "other.epo"]).is(
        1,
        "\
--- small.epo:small
+++ other.epo

settings
- prompt look = \"{observation}\"
+ prompt look = \"{task}\"
- house.receptacles = 5
+ house.receptacles = 6
- oracle.actor = expert
+ oracle.actor = random
",
        "",
    );
    place.epo(&["diff", "e.epo:a", "e.epo:b"]).is(
        1,
        "\
--- e.epo:a
+++ e.epo:b

equations
- loss.minimize = 0.1 * x
+ loss.minimize = 0.2 * x
- advantage = outcome
+ loss.y = mean(entropy)
",
        "",
    );
    place.epo(&["diff", "e.epo:c", "e.epo:b"]).refuses("error: there is no pipeline `c` in e.epo\n  = help: did you mean `a`?\n");
    place.epo(&["diff", "nothing/1234", "e.epo"]).refuses("error: there are no runs in `runs`\n");
}

const METHODS: &str = r#"import "std/losses.epo"
import "std/advantages.epo"
prompt look = "{observation}"
house = household { prompt = windowed { then = look }, train = games { split = "train" } }
pipeline ppo {
  policy    = decoder { tokenizer = words }
  critic    = value_head { optimizer = adamw { lr = 3e-3 } }
  advantage = gae_within_turns()
  loss {
    surrogate = mean(-advantage * ratio())
    fit       = mean((value - returns) ^ 2)
    minimize  = surrogate + 0.5 * fit
  }
  stages {
    words = tokenizer { on = house.train }
    train = rl { on = house.train, groups = 8 }
    out   = export { policy = train }
  }
}
pipeline grpo from ppo {
  advantage = dr_grpo()
  without critic
  without loss.fit
  loss.minimize = surrogate + 0.01 * drift
  loss.drift = mean(kl_k2())
  train.groups = 2
  train.group_size = 4
}
pipeline both { stages { page = report { of = [ppo.train, grpo.train] } } }
"#;

/// What is only on one side is named whole, without what its kind does by itself; equations come first.
#[test]
fn two_methods() {
    let place = Place::new(&[("m.epo", METHODS)]);
    let expected = "\
--- m.epo:ppo
+++ m.epo:grpo

equations
- advantage = whiten(gae(outcome, value, 1, 1, by = turn, per = token))
+ advantage = (score - where(count(score + 0, by = group) > 1, mean(score, by = group), 0)) / 1
- loss.fit = mean((value - returns) ^ 2)
- loss.minimize = surrogate + 0.5 * fit
+ loss.minimize = surrogate + 0.01 * drift
+ loss.drift = mean((logp - ref_logp) ^ 2 / 2)

settings
- critic = value_head { optimizer = adamw { lr = 0.003 } }
- train.groups = 8
+ train.groups = 2
- train.group_size = 1
+ train.group_size = 4
";
    place.epo(&["diff", "m.epo:ppo", "m.epo:grpo"]).is(1, expected, "");
    let said = place.epo(&["diff", "m.epo:ppo", "m.epo:grpo", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((said.code, value["equations"].as_array().map(Vec::len), value["settings"].as_array().map(Vec::len)), (1, Some(4), Some(3)));
    assert_eq!(value["equations"][1], serde_json::json!({ "path": "loss.fit", "a": "mean((value - returns) ^ 2)", "b": null }));
    assert_eq!(value["settings"][1], serde_json::json!({ "path": "train.groups", "a": "8", "b": "2" }));
    let said = place.epo(&["diff", "m.epo:ppo", "m.epo:ppo", "--json"]);
    assert_eq!((said.code, said.out.as_str()), (0, "{\n  \"equations\": [],\n  \"settings\": []\n}\n"));
    // several pipelines: by their names
    let other = METHODS.replace("groups = 8", "groups = 9").replace("pipeline both", "pipeline all");
    place.write("other.epo", &other);
    let said = place.epo(&["diff", "m.epo", "other.epo"]);
    assert!(said.code == 1 && said.out.contains("- ppo: train.groups = 8\n+ ppo: train.groups = 9\n"), "{said:?}");
    assert!(said.out.contains("- both: page = report { of = [ppo.train, grpo.train] }\n"), "{said:?}");
}
