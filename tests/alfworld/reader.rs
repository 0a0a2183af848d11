//! Damaged files: an error that says what and where, never a panic, never without end.

use crate::data::games;
use epo::env::alfworld::{ClassNames, GameFile};
use epo::env::pddl::{Game, Loader};
use proptest::prelude::*;
use std::path::Path;
use std::sync::OnceLock;

const NAME: &str = "game.tw-pddl";

fn sample() -> &'static GameFile {
    static FILE: OnceLock<GameFile> = OnceLock::new();
    let folder = || games().join("valid_seen/look_at_obj_in_light-AlarmClock-None-DeskLamp-323/trial_T20190909_044715_250790");
    FILE.get_or_init(|| GameFile::read(&folder().join(NAME)).unwrap())
}

fn message(file: &GameFile) -> String {
    file.game(Path::new(NAME), &Loader::new()).unwrap_err().to_string()
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn mistakes_are_told_with_their_place() {
    let sample = sample();
    let with = |change: &dyn Fn(&mut GameFile)| {
        let mut file = sample.clone();
        change(&mut file);
        message(&file)
    };
    assert_eq!(with(&|f| f.solvable = false), "`game.tw-pddl` is marked as unsolvable");
    assert_eq!(
        with(&|f| f.pddl_domain = f.pddl_domain.replace(":action-costs", ":durative-actions")),
        "`game.tw-pddl`, domain 7:5: the requirement `:durative-actions` is not supported"
    );
    assert_eq!(
        with(&|f| f.pddl_domain = f.pddl_domain.replacen("(atLocation ?a ?l)\n", "(> (total-cost) 3)\n", 1)),
        "`game.tw-pddl`, domain 68:13: numbers (`>`) are not supported"
    );
    assert_eq!(
        with(&|f| f.pddl_problem = f.pddl_problem.replacen("(pickupable ", "(pickable ", 1)),
        "`game.tw-pddl`, problem 476:9: unknown predicate `pickable`"
    );
    assert_eq!(
        with(&|f| f.pddl_problem = f.pddl_problem.replacen("(holds ?a ?o)", "(holds ?a ?x)", 1)),
        "`game.tw-pddl`, problem 654:36: unknown variable `?x`"
    );
    assert_eq!(
        with(&|f| f.grammar = f.grammar.replace("#task#", "#tasks#")),
        "`game.tw-pddl`, grammar 3:9: the rule `intro`: there is no rule `tasks` (the opening text)"
    );
    assert_eq!(
        with(&|f| f.grammar = f.grammar.replace("action help", "action helper")),
        "`game.tw-pddl`, grammar: nothing says how the action `help` is written"
    );
    let json = GameFile::parse(Path::new(NAME), b"{\"pddl_domain\": 1").unwrap_err().to_string();
    assert_eq!(
        json,
        "`game.tw-pddl` is damaged: invalid type: integer `1`, expected a string at line 1 column 17; `epo-run env install alfworld` says how to get it again"
    );
}

/// An action over all objects with nothing to hold it back must be refused, not tried.
#[test]
fn a_game_that_explodes_is_refused() {
    let objects: String = (0..400).map(|i| format!("o{i} ")).collect();
    let variables: String = (0..6).map(|i| format!("?v{i} ")).collect();
    let domain = format!("(define (domain d) (:predicates (p) (q ?x)) (:action a :parameters ({variables}) :effect (p)))");
    let problem = format!("(define (problem p) (:domain d) (:objects {objects}) (:init (q o1)) (:goal (p)))");
    let grammar = "grammar :: \"\"\"{\"intro\": [{\"rhs\": \"x\"}]}\"\"\"; action a { template :: \"a\"; feedback :: \"b\"; }";
    let error = Loader::new().load(&domain, grammar, &problem, &ClassNames).unwrap_err().to_string();
    assert_eq!(error, "problem: the game is too large: working out its actions takes more than 40000000 steps");
}

fn play_a_little(game: &Game) {
    let mut state = game.initial();
    let _ = game.opening(&state);
    for round in 0..5 {
        let commands = game.admissible_texts(&state);
        let Some(command) = commands.get(commands.len() * round / 5).map(|text| (*text).to_string()) else { return };
        let _ = game.act(&mut state, &command);
        let _ = game.won(&state);
    }
}

/// Cuts, doubles, moves or overwrites pieces of a text.
fn damaged(text: &str, changes: &[(u8, u16, u16, char)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for &(kind, at, length, new) in changes {
        let at = usize::from(at) * chars.len() / 65_536;
        let end = (at + usize::from(length % 200)).min(chars.len());
        match kind % 5 {
            0 => {
                chars.drain(at..end);
            }
            1 => {
                let piece: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, piece);
            }
            2 => chars.insert(at, new),
            3 => chars.truncate(end),
            _ => {
                if let Some(slot) = chars.get_mut(at) {
                    *slot = new;
                }
            }
        }
    }
    chars.into_iter().collect()
}

fn change() -> impl Strategy<Value = (u8, u16, u16, char)> {
    let sign = prop::sample::select("()?-;:\"#{}[]|&,.\n a0\u{e9}\u{1f600}".chars().collect::<Vec<_>>());
    (any::<u8>(), any::<u16>(), any::<u16>(), sign)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "needs the reference data: scripts/test.sh"]
    fn damaged_games_are_read_or_refused(part in 0..3usize, changes in prop::collection::vec(change(), 1..4)) {
        let sample = sample();
        let mut file = sample.clone();
        let text = [&mut file.pddl_domain, &mut file.grammar, &mut file.pddl_problem].into_iter().nth(part).unwrap();
        *text = damaged(text, &changes);
        if let Ok(game) = file.game(Path::new(NAME), &Loader::new()) {
            play_a_little(&game);
        }
    }

    /// Types, conditions in effects and rules that the official games do not have.
    #[test]
    fn damaged_small_games_are_read_or_refused(which in 0..2usize, part in 0..3usize, changes in prop::collection::vec(change(), 1..5)) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pddl").join(["flat", "typed"][which]);
        let mut texts = ["domain.pddl", "words.twl2", "problem.pddl"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap());
        texts[part] = damaged(&texts[part], &changes);
        if let Ok(game) = Loader::new().load(&texts[0], &texts[1], &texts[2], &ClassNames) {
            play_a_little(&game);
        }
    }

    /// The file as it lies on the disk, its quotes and escapes too.
    #[test]
    #[ignore = "needs the reference data: scripts/test.sh"]
    fn damaged_files_are_read_or_refused(changes in prop::collection::vec(change(), 1..4)) {
        let sample = sample();
        let whole = serde_json::json!({
            "pddl_domain": sample.pddl_domain, "grammar": sample.grammar, "pddl_problem": sample.pddl_problem, "solvable": true,
            "walkthrough": sample.walkthrough,
        });
        if let Ok(file) = GameFile::parse(Path::new(NAME), damaged(&whole.to_string(), &changes).as_bytes())
            && let Ok(game) = file.game(Path::new(NAME), &Loader::new())
        {
            play_a_little(&game);
        }
    }

    #[test]
    fn damaged_json_is_read_or_refused(changes in prop::collection::vec(change(), 1..4)) {
        let text = r#"{"pddl_domain": "(define\n", "grammar": "", "pddl_problem": "", "solvable": true, "walkthrough": ["look"]}"#;
        if let Ok(file) = GameFile::parse(Path::new(NAME), damaged(text, &changes).as_bytes()) {
            prop_assert!(file.game(Path::new(NAME), &Loader::new()).is_err());
        }
    }
}
