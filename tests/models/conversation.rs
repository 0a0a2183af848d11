//! Conversations with pretrained models, from the outside.

use crate::place::{Place, lines};
use epo::model::DecoderConfig;

const APPENDS: &str = "{% for m in messages %}<|user|>{{ m.content }}<end>{% endfor %}<|user|>";

fn place(template: &str) -> Place {
    let place = Place::new();
    place.put_model("model", &DecoderConfig { context: 2000, ..Place::shape() });
    let about = serde_json::json!({ "eos_token": "<end>", "pad_token": "<pad>", "chat_template": template });
    std::fs::write(place.path("model/tokenizer_config.json"), about.to_string()).expect("a file");
    place
}

fn pipeline(conversation: &str, model: &str) -> String {
    format!(
        r#"
talk = house {{ prompt = conversation {{ first = "{{task}} {{observation}}", {conversation} }} }}

pipeline a {{
  policy    = causal_lm {{ weights = "model", context = 1900, decode = choose {{}}, {model} }}
  advantage = grpo(score + mean(uniform, by = episode))
  loss {{ minimize = mean(ppo_clip(0.2)) }}
  stages {{
    shown = collect {{ on = talk.train, actor = expert, only_successes = false }}
    warm  = sft {{ episodes = shown }}
    train = rl {{ on = talk.train, policy = warm, groups = 2, group_size = 2, iterations = 1 }}
    end   = evaluate {{ policy = train, on = talk.seen }}
    other = evaluate {{ on = talk.seen }}
    page  = report {{ of = [train, end, other, warm] }}
  }}
}}
"#
    )
}

#[test]
fn through_all_stages() {
    let place = place(APPENDS);
    place.write(&pipeline("system = \"Play.\"", ""));
    let said = place.run().err;
    assert!(!said.contains("were cut") && !said.contains("was full"), "{said}");
    let metrics = &lines(&place.task("a.train").join("metrics.jsonl"))[0]["values"];
    assert_eq!((&metrics["conversation_full"], &metrics["prompt_cut"]), (&0.0.into(), &0.0.into()));
    let shown = &lines(&place.task("a.shown").join("episodes.jsonl"))[0];
    assert_eq!(shown["conversation"]["system"], "Play.");
    assert_eq!(shown["conversation"]["limits"]["full"], "truncate");
    assert_eq!(shown["turns"][1]["prompt"], shown["turns"][1]["observation"]);
}

#[test]
fn most_are_full_and_all_say_so() {
    let place = place(APPENDS);
    place.write(&pipeline("max_tokens = 300", "").replace("talk = house {", "talk = house { max_turns = 12,"));
    let said = place.run().err;
    for stage in ["train", "end"] {
        let note = format!("warning: a.{stage}: 100 % of the episodes ended because their conversation was full; raise its `max_tokens`");
        assert!(said.contains(&note), "{stage}: {said}");
    }
    let metrics = &lines(&place.task("a.train").join("metrics.jsonl"))[0]["values"];
    assert_eq!(metrics["conversation_full"], 1.0);
    assert!(lines(&place.task("a.warm").join("metrics.jsonl"))[0]["values"]["conversation_full"].is_number());
    for episode in lines(&place.task("a.train").join("episodes.jsonl")) {
        assert_eq!((&episode["episode"]["full"], &episode["episode"]["ending"]), (&true.into(), &"truncated".into()));
    }
    let page = std::fs::read_to_string(place.task("a.page").join("outputs/page/report.html")).expect("a page");
    assert!(page.contains("a.train: 100 % of the episodes ended because their conversation was full"));
    assert!(page.contains("Conversations full"));
}

/// A template that writes what is past otherwise is found before anything is played, and goes with `past = template`.
#[test]
fn a_template_that_changes_what_is_past() {
    let place = place("{% for m in messages %}<|user|>{{ m.content.strip() }}<end>{% endfor %}<|user|>");
    place.write(&pipeline("max_tokens = 1500", ""));
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    for words in [
        "error[E0505]: the model `model` cannot be used: the chat template does not leave an answer as it was given",
        "of \" \\n go \\n \" it later writes \"go\"",
        "`past = template` in `conversation` makes every prompt anew from the template; or use a template that appends, or `windowed`",
        "needed by `a.other`; nothing was run",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(!said.err.contains("[1/"), "{}", said.err);
    place.write(&pipeline("past = template", ""));
    place.run();
}

#[test]
fn one_system_message() {
    let place = place(APPENDS);
    place.write(&pipeline("system = \"Play.\"", "system = \"Be brief.\""));
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    let message = "the model and its conversation both have a text for the system message; leave out one of the two `system`";
    assert!(said.err.contains("error[E0505]") && said.err.contains(message), "{}", said.err);
}

#[test]
fn a_first_prompt_that_is_too_long() {
    let place = place(APPENDS);
    place.write(&pipeline("max_tokens = 40", ""));
    let said = place.epo(&["a.epo"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("the first prompt of a conversation has "), "{}", said.err);
    assert!(said.err.contains("`max_tokens` of the conversation is 40; raise it, or say less in `system` and `first`"), "{}", said.err);
}
