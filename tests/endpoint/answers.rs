//! What is sent, what is answered, and what becomes of it.

use crate::place::Place;
use crate::recipe::{lines, place, recipe, results, runs, same, stops, task};
use crate::server::{Server, answer};
use serde_json::Value;

#[test]
fn an_evaluation_runs_through_and_a_second_one_asks_nothing() {
    let server = Server::well_behaved();
    let place = place(&server, "system = \"Play.\"", "");
    let said = runs(&place);
    let asked = server.bodies();
    assert!(
        said.err.contains(&format!("the endpoint `judge`: {} requests sent, 0 answered from the record; ", asked.len())),
        "{}",
        said.err
    );
    let turns: usize = results(&place)["tasks"].as_array().unwrap().iter().map(|task| task["turns"].as_u64().unwrap() as usize).sum();
    assert_eq!((asked.len(), server.requests()), (turns, turns + 1));
    assert!(said.out.contains("tiny (endpoint)"), "{}", said.out);
    let first = &asked[0];
    let fields: Vec<&str> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["model", "messages", "max_tokens", "temperature", "seed"]);
    assert_eq!((&first["model"], &first["max_tokens"], &first["temperature"]), (&"tiny".into(), &20.into(), &0.5.into()));
    assert_eq!((&first["messages"][0]["role"], &first["messages"][0]["content"]), (&"system".into(), &"Play.".into()));
    assert_eq!((&first["messages"][1]["role"], first["messages"].as_array().unwrap().len()), (&"user".into(), 2));
    assert_eq!(asked.iter().map(|body| body["seed"].as_i64().unwrap()).collect::<std::collections::BTreeSet<_>>().len(), turns);
    // Every turn is what its answer says, and every answer is recorded.
    let recorded = lines(&task(&place).join("answers.jsonl"));
    assert_eq!(recorded.len(), turns);
    let text = |line: &Value| line["answer"]["text"].as_str().unwrap().to_owned();
    let texts: Vec<String> = recorded.iter().map(text).collect();
    for episode in lines(&task(&place).join("episodes.jsonl")) {
        for turn in episode["episode"]["turns"].as_array().unwrap() {
            let response = turn["response"].as_str().unwrap().to_owned();
            assert!(texts.contains(&response) && response.contains(&format!("<action>{}</action>", turn["action"].as_str().unwrap())));
        }
    }
    let before = server.requests();
    assert!(runs(&place).err.contains("everything is up to date"));
    assert_eq!(server.requests(), before);
}

/// How many requests are under way, and where the server is, changes no byte.
#[test]
fn requests_at_once_change_nothing() {
    let (one, other) = (Server::well_behaved(), Server::well_behaved());
    let (alone, many) = (place(&one, "", "at_once = 1\n"), place(&other, "", "at_once = 64\n"));
    runs(&alone);
    runs(&many);
    same(&alone, &many);
}

#[test]
fn the_name_of_the_model_and_how_is_asked_make_another_task_and_settings_do_not() {
    let server = Server::well_behaved();
    let place = place(&server, "", "");
    runs(&place);
    let asked = server.requests();
    for change in ["name = \"judge\", model = \"tiny\", requests = 3000, tokens = 900000", "name = \"umpire\", model = \"tiny\""] {
        place.write("far.epo", &recipe("").replace("name = \"judge\", model = \"tiny\"", change));
        runs(&place);
        assert_eq!(server.requests(), asked, "{change}");
    }
    place.write("far.epo", &recipe("logprobs = true"));
    runs(&place);
    assert!(server.requests() > asked);
    place.write("far.epo", &recipe("").replace("model = \"tiny\"", "model = \"small\""));
    stops(&place, "/v1 has no model `small`; it has `other`, `tiny`");
}

#[test]
fn log_probabilities_are_kept_where_they_are_given() {
    let server = Server::well_behaved();
    let place = place(&server, "logprobs = true", "");
    let said = runs(&place);
    assert!(!said.err.contains("no log-probabilities"), "{}", said.err);
    let episodes = lines(&task(&place).join("episodes.jsonl"));
    assert_eq!(episodes[0]["episode"]["turns"][0]["logprobs"], serde_json::json!([-0.25, -1.5]));
    let silent = Server::start(|asked| {
        let body = asked.body.as_object()?.clone().into_iter().filter(|(name, _)| name != "logprobs").collect::<Value>();
        asked.path.ends_with("completions").then(|| crate::server::Reply::Json(answer(&body)))
    });
    let said = runs(&crate::recipe::place(&silent, "logprobs = true", ""));
    let count = silent.bodies().len();
    assert!(said.err.contains(&format!("the endpoint `judge` gave no log-probabilities with {count} answers")), "{}", said.err);
}

const TALK: &str = r#"prompt = conversation { first = "{task} You can: {admissible}", then = "You can: {admissible}", system = "Rules.", max_tokens = MOST }"#;

#[test]
fn a_conversation_is_sent_with_the_texts_that_were_received() {
    let server = Server::well_behaved();
    let place = Place::new(&[("epo.toml", &server.settings("at_once = 1\n"))]);
    place.write("far.epo", &recipe("").replace("prompt = windowed { then = look }", &TALK.replace("MOST", "100000")));
    runs(&place);
    let asked = server.bodies();
    let mut followed = 0;
    for pair in asked.windows(2) {
        let (before, after) = (pair[0]["messages"].as_array().unwrap(), pair[1]["messages"].as_array().unwrap());
        assert_eq!(before[0], serde_json::json!({ "role": "system", "content": "Rules." }));
        if after.len() > before.len() {
            followed += 1;
            assert_eq!(after[..before.len()], before[..]);
            let answered = answer(&pair[0])["choices"][0]["message"]["content"].clone();
            assert_eq!(after[before.len()], serde_json::json!({ "role": "assistant", "content": answered }));
            assert_eq!((after.len(), &after[before.len() + 1]["role"]), (before.len() + 2, &"user".into()));
        }
    }
    assert!(followed > 10, "{followed}");
    // The server counts; 60 of its tokens are soon full.
    place.write("far.epo", &recipe("").replace("prompt = windowed { then = look }", &TALK.replace("MOST", "60")));
    assert!(runs(&place).err.contains("of the episodes ended because their conversation was full"));
}

/// Another policy learns what an endpoint played.
#[test]
fn what_was_collected_can_be_learnt() {
    let server = Server::well_behaved();
    let place = place(&server, "", "");
    let stages = "words = tokenizer { on = house.seen, vocabulary = 300, episodes = 3 }
    far  = collect { on = house.seen, actor = policy, only_successes = false }
    warm = sft { episodes = far, policy = decoder { tokenizer = words, layers = 1, width = 16, heads = 2, context = 2048 } }
    page = report { of = [warm] }";
    let text = recipe("");
    let (head, _) = text.split_once("    end  =").unwrap();
    let endpoint = head.split("policy = ").nth(1).unwrap().lines().next().unwrap();
    let head = head.replace(&format!("  policy = {endpoint}\n"), "");
    place.write("far.epo", &format!("{head}{}\n  }}\n}}\n", stages.replace("actor = policy", &format!("actor = {endpoint}"))));
    runs(&place);
    assert!(server.bodies().len() > 20);
}
