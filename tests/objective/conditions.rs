//! Conditions on episodes: which episodes they hold of, and what is none.

use crate::support::compile;
use epo::lang::Diagnostics;
use epo::objective::{Batch, Condition, Rows, Texts};

/// Episodes of one, two and three turns.
fn batch() -> Batch {
    let episode = Some(vec![0, 1, 1, 2, 2, 2]);
    let rows = Rows { lengths: vec![0; 6], episode, turn_index: Some(vec![0, 0, 1, 0, 1, 2]), ..Rows::default() };
    let values: [(&str, &[f64]); 4] = [
        ("success", &[1.0, 0.0, 1.0]),
        ("score", &[1.0, 0.25, 0.5]),
        ("valid", &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0]),
        ("reward", &[1.0, 0.25, 0.0, 0.0, 0.0, 0.5]),
    ];
    values.into_iter().fold(Batch::new(rows).unwrap(), |batch, (name, values)| batch.with(name, values.to_vec()).unwrap())
}

fn check(text: &str) -> (Option<Condition>, Diagnostics) {
    let term = compile(&format!("schedule = {text}")).schedule.unwrap_or_else(|| panic!("`{text}` is an expression"));
    let mut diagnostics = Diagnostics::default();
    (Condition::check(&term, "where", &mut diagnostics), diagnostics)
}

#[test]
fn it_holds_of_each_episode_by_itself() {
    for (text, expected) in [
        ("success", [true, false, true]),
        ("not success", [false, true, false]),
        ("score > 0.3 and turns < 3", [true, false, false]),
        ("mean(valid, by = episode) > 0.6", [true, false, true]),
        ("count(valid, by = episode) > 1", [false, false, true]),
        ("sum(reward, by = episode) == score", [true, true, true]),
    ] {
        let (condition, diagnostics) = check(text);
        let condition = condition.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"));
        assert_eq!(condition.holds(&batch()).unwrap(), expected, "{text}");
    }
}

#[test]
fn what_is_no_condition_of_an_episode() {
    for (text, code, said) in [
        ("score", "E0304", "`where` must be a condition, but `score` is a number"),
        ("score > mean(score)", "E0305", "`mean(score)` is not known here: each episode is looked at by itself"),
        ("valid", "E0311", "`where` takes one value an episode, but `valid` has one value a turn"),
        ("mean(old_logp, by = episode) > 0", "E0305", "`old_logp` is not known here: episodes are looked at as they were played"),
        ("iteration > 3", "E0305", "`iteration` is not known here: episodes are looked at as they were played"),
    ] {
        let (condition, diagnostics) = check(text);
        assert!(condition.is_none(), "{text}");
        assert_eq!((diagnostics.0[0].code, diagnostics.0[0].message.as_str()), (code, said));
    }
}

/// Episodes in which something was said or done.
#[test]
fn it_looks_at_the_texts_of_turns() {
    let texts = |texts: [&str; 6]| Some(texts.map(String::from).to_vec());
    let mut batch = batch();
    batch.set_texts(Texts {
        response: texts(["please open", "take mug", "take mug", "<a>look</a>", "go", "look"]),
        action: texts(["open", "take mug", "take mug", "look", "go", "look"]),
        observation: None,
    });
    for (text, expected) in [
        ("count(contains(response, \"please\"), by = episode) > 0", [true, false, false]),
        ("count(repeats(action), by = episode) == 0", [true, false, false]),
        ("sum(word_count(response), by = episode) > 2", [false, true, true]),
        ("count(matches(response, \"^<a>.*</a>$\"), by = episode) > 0 and turns == 3", [false, false, true]),
    ] {
        let (condition, diagnostics) = check(text);
        let condition = condition.unwrap_or_else(|| panic!("{text}: {diagnostics:?}"));
        assert_eq!(condition.questions().count(), 1);
        assert_eq!(condition.holds(&batch).unwrap(), expected, "{text}");
    }
    let (condition, _) = check("count(repeats(observation), by = episode) > 0");
    let error = condition.unwrap().holds(&batch).unwrap_err();
    assert_eq!(error.to_string(), "the batch has no `observation`");
}
