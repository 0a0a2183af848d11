//! `flat`: all of it, texts too. `typed`: a hierarchy of types, effects under conditions and for all objects; there the reference's
//! texts go wrong (it finds objects of subtypes twice and takes effects for done whose condition fails), so only what is possible and
//! what is won is compared.

use epo::env::pddl::{Game, Loader, Name, Naming};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Moment {
    action: Option<String>,
    text: Option<String>,
    can: Vec<String>,
    won: bool,
}

/// The reference calls things by their ids.
struct Ids;

impl Naming for Ids {
    fn names(&self, ids: &[&str]) -> Vec<Name> {
        ids.iter().map(|id| Name { name: (*id).to_string(), indefinite: "a".into(), definite: "the".into() }).collect()
    }
}

fn load(name: &str) -> (Game, Vec<Moment>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pddl").join(name);
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let game = Loader::new().load(&read("domain.pddl"), &read("words.twl2"), &read("problem.pddl"), &Ids).unwrap();
    (game, read("play.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn replay(name: &str) {
    let (game, moments) = load(name);
    let mut state = game.initial();
    let mut wins = 0;
    for (line, moment) in moments.iter().enumerate() {
        let text = match &moment.action {
            None => {
                state = game.initial();
                game.opening(&state).unwrap()
            }
            Some(action) => game.act(&mut state, action).unwrap().unwrap_or_else(|| "Nothing happens.".into()),
        };
        let at = format!("{name}, line {}: {:?}", line + 1, moment.action);
        if let Some(wanted) = &moment.text {
            assert_eq!(&text, wanted, "{at}");
        }
        assert_eq!(game.admissible_texts(&state), moment.can, "{at}");
        assert_eq!(game.won(&state), moment.won, "{at}");
        wins += usize::from(moment.won);
    }
    assert!(moments.len() == 160 && wins > 3, "{wins} wins in {}", moments.len());
}

#[test]
fn flat_types_with_all_texts() {
    replay("flat");
}

#[test]
fn typed_with_conditional_effects() {
    replay("typed");
}
