//! What was cut of prompts and responses can be seen.

use crate::place::{Place, lines};

fn pipeline(most: usize, decode: &str) -> String {
    format!(
        r#"
short = household {{
  kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put]
  max_turns = 3
  prompt = windowed {{ then = look, history = 1, max_tokens = {most} }}
  train  = games {{ split = "train", count = 4 }}
}}

pipeline a {{
  policy    = causal_lm {{ weights = "model", context = 390, chat = false, decode = {decode} }}
  advantage = grpo(score + mean(uniform, by = episode))
  loss {{ seen = mean(where(prompt_cut, 1, 0)), told = mean(where(response_cut, 1, 0)), minimize = mean(ppo_clip(0.2)) + 0.001 * (seen + told) }}
  stages {{
    train = rl {{ on = short.train, groups = 2, group_size = 2, iterations = 1 }}
    end   = evaluate {{ policy = train, on = short.train }}
    shown = collect {{ on = short.train, actor = train, only_successes = false }}
    warm  = sft {{ episodes = shown, policy = train }}
    page  = report {{ of = [train, end, warm] }}
  }}
}}
"#
    )
}

#[test]
fn all_is_cut_and_all_say_so() {
    let place = Place::new();
    place.write(&pipeline(40, "sample { max_tokens = 2 }"));
    let said = place.run().err;
    for stage in ["train", "end", "shown"] {
        assert!(said.contains(&format!("warning: a.{stage}: 100 % of the prompts were cut")), "{said}");
        let told = said.lines().filter(|line| line.starts_with(&format!("warning: a.{stage}: ")));
        assert!(told.clone().any(|line| line.contains("% of the responses were cut: they had the most tokens")), "{said}");
    }
    assert!(said.contains("warning: a.warm: 100 % of the prompts were cut"), "{said}");
    let metrics = &lines(&place.task("a.train").join("metrics.jsonl"))[0]["values"];
    assert_eq!((&metrics["prompt_cut"], &metrics["loss/seen"]), (&1.0.into(), &1.0.into()));
    let (share, turns) = (metrics["response_cut"].as_f64().expect("a share"), metrics["rows"].as_f64().expect("rows"));
    let episodes = std::fs::read_to_string(place.task("a.train").join("episodes.jsonl")).expect("episodes");
    assert_eq!(episodes.matches("\"prompt_cut\":true").count() as f64, turns);
    assert_eq!(episodes.matches("\"response_cut\":true").count() as f64, share * turns);
    assert!(share > 0.5 && metrics["loss/told"].as_f64().expect("a mean") > 0.5, "{metrics}");
    assert_eq!(lines(&place.task("a.warm").join("metrics.jsonl"))[0]["values"]["prompt_cut"], 1.0);
    let page = std::fs::read_to_string(place.task("a.page").join("outputs/page/report.html")).expect("a page");
    assert!(
        page.contains("a.train: 100 % of the prompts were cut") && page.contains("a.end on short.train: 100 % of the responses were cut")
    );
    let events = std::fs::read_to_string(place.task("").parent().expect("a run").join("events.jsonl")).expect("events");
    assert!(events.contains("\"event\":\"warning\",\"task\":\"a.train\",\"line\":\"100 % of the prompts were cut"), "{events}");
}

#[test]
fn nothing_is_cut_and_nothing_is_said() {
    let place = Place::new();
    place.write(&pipeline(380, "choose {}"));
    let said = place.run().err;
    assert!(!said.contains("were cut"), "{said}");
    let metrics = &lines(&place.task("a.train").join("metrics.jsonl"))[0]["values"];
    for name in ["prompt_cut", "response_cut", "loss/seen", "loss/told"] {
        assert_eq!(metrics[name], 0.0, "{name}");
    }
    let episodes = std::fs::read_to_string(place.task("a.train").join("episodes.jsonl")).expect("episodes");
    assert!(!episodes.contains("_cut"));
}

#[test]
fn a_response_longer_than_the_models_own_context() {
    let place = Place::new();
    place.write(&pipeline(40, "sample { max_tokens = 400 }").replace("context = 390", "context = 4096"));
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let message =
        "a response of 400 tokens leaves no room for a prompt in the model's own context of 400 tokens; lower `max_tokens` of `sample`";
    assert!(said.err.contains(message), "{}", said.err);
    // What stands in the file is seen in the file.
    place.write(&pipeline(40, "sample { max_tokens = 400 }"));
    let said = place.epo(&["check", "a.epo"]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(
        said.err.contains("error[E0202]: responses of up to 400 tokens leave no room for a prompt in a context of 390"),
        "{}",
        said.err
    );
    assert_eq!(said.err.matches("error[").count(), 1, "{}", said.err);
    place.write(&pipeline(40, "choose { thought = 390 }"));
    let said = place.epo(&["check", "a.epo"]).err;
    assert!(said.contains("error[E0202]: thoughts of up to 390 tokens leave no room for a prompt in a context of 390"), "{said}");
}
