//! What is not finite is refused where it arises.

use crate::place::Place;

const EVALUATED: &str = r#"
pipeline a {
  policy = causal_lm { weights = "model", context = 380, decode = DECODE }
  stages { end = evaluate { on = house.seen }, page = report { of = [end] } }
}
"#;

const TRAINED: &str = r#"
pipeline a {
  policy    = causal_lm { weights = "model", context = 380, decode = choose {} }
  optimizer = adamw { lr = RATE }
  advantage = grpo(score + mean(uniform, by = episode))
  loss { minimize = mean(ppo_clip(0.2)) }
  stages {
    train = rl { on = house.train, groups = 2, group_size = 2, iterations = 1 }
    end   = evaluate { policy = train, on = house.seen }
    out   = export { policy = train }
    page  = report { of = [train, end] }
  }
}
"#;

#[test]
fn weights_as_they_are_read() {
    for bad in [f32::NAN, f32::INFINITY] {
        let place = Place::new();
        place.poke("model.norm.weight", bad);
        place.write(&EVALUATED.replace("DECODE", "choose {}"));
        let said = place.epo(&["a.epo"]);
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains("stage `a.end` failed: model: `model.norm.weight` holds numbers that are not finite"), "{}", said.err);
        let said = place.epo(&["model", "info", "model"]);
        assert_eq!((said.code, said.err.as_str()), (Some(1), "error: model: `model.norm.weight` holds numbers that are not finite\n"));
    }
}

#[test]
fn weights_after_a_step_before_anything_is_saved() {
    let place = Place::new();
    place.write(&TRAINED.replace("RATE", "1e38"));
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let message = "error[E0504]: `model.embed_tokens.weight` of the policy is not finite after iteration 0, update 1 (learning rate 1e38)";
    assert!(said.err.contains(message), "{}", said.err);
    assert!(said.err.contains("optimizer = adamw { lr = 1e38 }\n") && said.err.contains("lower the learning rate"), "{}", said.err);
    assert!(!place.task("a.train").join("outputs").exists() && !place.task("a.train").join("checkpoints").exists());
}

#[test]
fn supervised_weights_too() {
    let place = Place::new();
    place.write(
        r#"
pipeline a {
  policy = causal_lm { weights = "model", context = 380, decode = choose {} }
  stages {
    shown = collect { on = house.train, actor = expert, only_successes = false }
    warm  = sft { episodes = shown, optimizer = adamw { lr = 1e38 } }
    page  = report { of = [warm] }
  }
}
"#,
    );
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("error[E0504]: `model.embed_tokens.weight` is not finite after update 1 of 1"), "{}", said.err);
}

/// The weights are numbers, and so large that what is computed of them is none.
#[test]
fn probabilities_at_the_draw() {
    for decode in
        ["choose {}", "choose { temperature = 0 }", "sample { max_tokens = 4 }", "sample { max_tokens = 4, temperature = 0, top_p = 0.9 }"]
    {
        let place = Place::new();
        place.poke("model.norm.weight", f32::MAX);
        place.poke("model.layers.1.mlp.down_proj.weight", f32::MAX);
        place.write(&EVALUATED.replace("DECODE", decode));
        let said = place.epo(&["a.epo"]);
        assert_eq!(said.code, Some(2), "{decode}: {}", said.err);
        assert!(said.err.contains("stage `a.end` failed: in turn 1 of task `"), "{decode}: {}", said.err);
        assert!(said.err.contains("the probabilities of the first token of a response are not finite"), "{decode}: {}", said.err);
    }
}
