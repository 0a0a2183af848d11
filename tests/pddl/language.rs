//! What the language means, on the smallest games that show it.

use epo::env::pddl::{Game, Loader, PlainNames, State};
use proptest::prelude::*;
use std::collections::HashSet;

/// A game with these predicates, actions, first facts and goal; each action is written as its name and the names of its parameters.
fn game(predicates: &str, actions: &[&str], objects: &str, init: &str, goal: &str) -> Game {
    let domain =
        format!("(define (domain d) (:types thing place) (:constants home - place) (:predicates {predicates}) {})", actions.concat());
    let problem = format!("(define (problem p) (:domain d) (:objects {objects}) (:init {init}) (:goal {goal}))");
    let mut words = String::from("grammar :: \"\"\" {\"intro\": [{\"rhs\": \"Go.\"}], \"list_empty\": [{\"rhs\": \"none\"}], ");
    words += "\"list_separator\": [{\"rhs\": \",\"}], \"list_last_separator\": [{\"rhs\": \" and \"}]} \"\"\";\n";
    for action in actions {
        let name = action.split_whitespace().nth(1).unwrap();
        let params = action.split_once(":parameters (").map_or("", |(_, rest)| rest.split_once(')').unwrap().0);
        let holes: String = params.split_whitespace().filter_map(|word| word.strip_prefix('?')).map(|v| format!(" {{{v}}}")).collect();
        words += &format!("action {name} {{ template :: \"{name}{holes}\"; feedback :: \"ok\"; }}\n");
    }
    Loader::new().load(&domain, &words, &problem, &PlainNames).unwrap()
}

fn can(game: &Game, state: &State) -> Vec<String> {
    game.admissible_texts(state).into_iter().map(str::to_string).collect()
}

#[test]
fn an_action_that_changes_nothing_is_none() {
    let walk = "(:action walk :parameters (?a ?b - place) :precondition (at ?a) :effect (and (not (at ?a)) (at ?b)))";
    let pray = "(:action pray :precondition (at home) :effect (at home))";
    let sleep = "(:action sleep :effect (and))";
    let game = game("(at ?p)", &[walk, pray, sleep], "inn - place", "(at home)", "(at inn)");
    assert_eq!(can(&game, &game.initial()), ["walk home inn"]);
}

#[test]
fn making_true_wins_over_making_false() {
    let renew =
        "(:action renew :parameters (?t - thing) :precondition (or (old ?t) (new ?t)) :effect (and (old ?t) (not (old ?t)) (new ?t)))";
    let game = game("(old ?t) (new ?t)", &[renew], "hat - thing", "(new hat)", "(old hat)");
    let mut state = game.initial();
    assert!(game.act(&mut state, "renew hat").unwrap().is_some() && game.won(&state));
}

#[test]
fn conditions_of_effects_see_the_state_before() {
    let swap = "(:action swap :parameters () :precondition () :effect (and (when (p) (and (not (p)) (q))) (when (q) (and (not (q)) (p)))))";
    let game = game("(p) (q)", &[swap], "", "(p)", "(and (q) (not (p)))");
    let mut state = game.initial();
    assert!(game.act(&mut state, "swap").unwrap().is_some() && game.won(&state));
    assert!(game.act(&mut state, "swap").unwrap().is_some() && !game.won(&state) && state == game.initial());
}

#[test]
fn quantifiers_run_over_types() {
    let all = "(:action shout :parameters () :precondition (forall (?t - thing) (imply (here ?t) (ready ?t))) :effect (forall (?t - thing) (when (here ?t) (done ?t))))";
    let ready = "(:action prepare :parameters (?t - thing) :precondition (not (ready ?t)) :effect (ready ?t))";
    let objects = "a b c - thing inn - place";
    let game = game("(here ?t) (ready ?t) (done ?t)", &[all, ready], objects, "(here a) (here b)", "(exists (?t - thing) (done ?t))");
    let mut state = game.initial();
    assert_eq!(can(&game, &state), ["prepare a", "prepare b", "prepare c"]);
    game.act(&mut state, "prepare a").unwrap().unwrap();
    assert!(!can(&game, &state).contains(&"shout".to_string()));
    game.act(&mut state, "prepare b").unwrap().unwrap();
    game.act(&mut state, "shout").unwrap().unwrap();
    assert_eq!(game.facts(&state, "done"), [["a"], ["b"]]);
    assert!(game.won(&state) && game.holds(&state, "done", &["a"]) && !game.holds(&state, "done", &["c"]));
    assert!(!game.holds(&state, "done", &["nobody"]) && game.facts(&state, "gone").is_empty());
}

#[test]
fn commands_are_compared_exactly_but_for_white_space_around() {
    let take = "(:action take :parameters (?t - thing) :precondition (not (had ?t)) :effect (had ?t))";
    let game = game("(had ?t)", &[take], "red_hat - thing", "(had home)", "(had red_hat)");
    let mut state = game.initial();
    for refused in ["Take red_hat", "take  red_hat", "take red_hat.", "take", "", "take blue_hat", "take red_hat \u{e9}"] {
        assert_eq!(game.act(&mut state, refused).unwrap(), None, "{refused:?}");
        assert_eq!(state, game.initial());
    }
    assert!(game.act(&mut state, "\u{2003}\t\u{1c}take red_hat\r\n").unwrap().is_some());
    assert_eq!(game.act(&mut state, "take red_hat").unwrap(), None, "not possible twice");
}

#[test]
fn names_come_from_ids() {
    let take = "(:action take :parameters (?t - thing) :precondition (there ?t) :effect (not (there ?t)))";
    let game = game("(there ?t)", &[take], "red_hat - thing", "(there red_hat)", "(there red_hat)");
    assert_eq!(can(&game, &game.initial()), ["take red hat"]);
    assert_eq!(game.names().collect::<Vec<_>>(), [("home", "home"), ("red_hat", "red hat")]);
}

#[test]
fn of_two_meanings_the_first_possible_one_counts() {
    let domain = "(define (domain d) (:predicates (p ?x) (q)) (:action one :parameters (?x) :precondition (p ?x) :effect (and (not (p ?x)))) \
                  (:action two :effect (q)))";
    let problem = "(define (problem p) (:domain d) (:objects a b) (:init (p a) (p b)) (:goal (q)))";
    let words = "grammar :: \"\"\"{\"intro\": [{\"rhs\": \"x\"}]}\"\"\"; action one { template :: \"do\"; feedback :: \"{x.name}\"; } \
                 action two { template :: \"do\"; feedback :: \"two\"; }";
    let game = Loader::new().load(domain, words, problem, &PlainNames).unwrap();
    let mut state = game.initial();
    let said: Vec<_> = (0..4).map(|_| game.act(&mut state, "do").unwrap().unwrap()).collect();
    assert_eq!(said, ["a", "b", "two", "two"]);
}

/// Towers of blocks: enough structure for random play to be worth something.
fn blocks() -> Game {
    let up = "(:action up :parameters (?x ?y - thing) :precondition (and (free) (on ?x ?y) (not (exists (?z - thing) (on ?z ?x)))) \
              :effect (and (not (free)) (held ?x) (not (on ?x ?y))))";
    let down = "(:action down :parameters (?x ?y - thing) :precondition (and (held ?x) (not (= ?x ?y)) (or (table ?y) (forall (?z - thing) (not (on ?z ?y))))) \
                :effect (and (free) (not (held ?x)) (on ?x ?y)))";
    let init = "(free) (table t) (on a t) (on b t) (on c b) (on d c)";
    game("(free) (held ?x) (on ?x ?y) (table ?x)", &[up, down], "t a b c d - thing", init, "(and (on b a) (on c b))")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// The list of what can be done (found by index) and what each command does (asked one by one) agree, and searching with
    /// `advance` goes where playing with words goes.
    #[test]
    fn the_list_and_the_commands_agree(choices in prop::collection::vec(any::<u16>(), 1..40)) {
        let game = blocks();
        let mut state = game.initial();
        for choice in choices {
            let mut listed = Vec::new();
            game.admissible(&state, &mut listed);
            let possible: Vec<u32> = (0..game.commands() as u32).filter(|&command| game.advance(&mut state.clone(), command)).collect();
            prop_assert_eq!(&listed, &possible);
            prop_assert!(listed.windows(2).all(|pair| game.command(pair[0]) < game.command(pair[1])));
            let command = listed[usize::from(choice) % listed.len()];
            let mut other = state.clone();
            prop_assert!(game.advance(&mut other, command));
            let text = game.command(command).to_string();
            prop_assert!(game.act(&mut state, &text).unwrap().is_some());
            prop_assert_eq!(&state, &other);
        }
    }
}

#[test]
fn states_can_be_searched() {
    let game = blocks();
    let (mut layer, mut seen, mut depth) = (vec![game.initial()], HashSet::from([game.initial()]), 0);
    while !layer.iter().any(|state| game.won(state)) {
        let mut next = Vec::new();
        for state in &layer {
            let mut commands = Vec::new();
            game.admissible(state, &mut commands);
            for command in commands {
                let mut state = state.clone();
                assert!(game.advance(&mut state, command));
                if seen.insert(state.clone()) {
                    next.push(state);
                }
            }
        }
        (layer, depth) = (next, depth + 1);
    }
    // d and c to the table, b onto a, c onto b: four moves of two commands each.
    assert_eq!(depth, 8);
}
