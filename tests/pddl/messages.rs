//! What is said about mistakes: word for word, with places.

use epo::env::pddl::{Loader, PlainNames};

const DOMAIN: &str = "(define (domain lamps)
  (:requirements :typing)
  (:types lamp - object)
  (:predicates (lit ?l - lamp) (near ?a ?b - lamp))
  (:action light
    :parameters (?l - lamp)
    :precondition (not (lit ?l))
    :effect (lit ?l)))";
const PROBLEM: &str = "(define (problem one)
  (:domain lamps)
  (:objects desk_1 desk_2 - lamp)
  (:init (lit desk_1))
  (:goal (lit desk_2)))";
const WORDS: &str = r##"grammar :: """
{
  "intro": [{"rhs": "Lit: [{l.name | lit(l:lamp)}]."}],
  "shine": [{"condition": "lit(l:lamp)", "rhs": "It shines."}, {"rhs": "Dark."}],
  "list_empty": [{"rhs": "none"}], "list_separator": [{"rhs": ", "}], "list_last_separator": [{"rhs": " and "}]
}
""";
action light { template :: "light {l}"; feedback :: "#shine#"; }"##;

fn load(domain: &str, words: &str, problem: &str) -> Result<Vec<String>, String> {
    let game = Loader::new().load(domain, words, problem, &PlainNames).map_err(|error| error.to_string())?;
    Ok(game.warnings().map(str::to_string).collect())
}

fn domain(from: &str, to: &str) -> String {
    assert!(DOMAIN.contains(from), "{from}");
    load(&DOMAIN.replace(from, to), WORDS, PROBLEM).unwrap_err()
}

fn problem(from: &str, to: &str) -> String {
    assert!(PROBLEM.contains(from), "{from}");
    load(DOMAIN, WORDS, &PROBLEM.replace(from, to)).unwrap_err()
}

fn words(from: &str, to: &str) -> String {
    assert!(WORDS.contains(from), "{from}");
    load(DOMAIN, &WORDS.replace(from, to), PROBLEM).unwrap_err()
}

#[test]
fn domains() {
    assert_eq!(load(DOMAIN, WORDS, PROBLEM), Ok(vec![]));
    assert_eq!(domain(":typing", ":fluents"), "domain 2:18: the requirement `:fluents` is not supported");
    assert_eq!(domain("(:types", "(:derived (x) (y)) (:types"), "domain 3:3: `:derived` is not supported");
    assert_eq!(domain("- lamp)\n    :pre", "- (either lamp x))\n    :pre"), "domain 6:23: `either` types are not supported");
    assert_eq!(domain("(not (lit ?l))", "(not (lit ?x))"), "domain 7:29: unknown variable `?x`");
    assert_eq!(domain("(not (lit ?l))", "(not (dark ?l))"), "domain 7:24: unknown predicate `dark`");
    assert_eq!(domain("(not (lit ?l))", "(near ?l)"), "domain 7:19: `near` takes 2 arguments, not 1");
    assert_eq!(domain("(not (lit ?l))", "(not (lit ?l) (lit ?l))"), "domain 7:19: `not` takes 1 parts, not 2");
    assert_eq!(domain("(not (lit ?l))", "(>= (cost) 3)"), "domain 7:19: numbers (`>=`) are not supported");
    assert_eq!(domain("(not (lit ?l))", "lit"), "domain 7:19: expected a condition in parentheses");
    assert_eq!(domain(":effect", ":result"), "domain 8:5: `:result` is not supported in an action");
    assert_eq!(domain("(?l - lamp)\n", "(l - lamp)\n"), "domain 6:18: expected a variable such as `?l`, found `l`");
    assert_eq!(domain("(lit ?l)))", "(lit ?l))"), "domain 1:1: this `(` is never closed");
    assert_eq!(domain("(near ?a ?b", "(near ?a ?b ?c ?d ?e ?f ?g ?h ?i"), "domain 4:32: `near` has 9 arguments; at most 8 are supported");
    let warnings = load(&DOMAIN.replace("(?l - lamp)\n", "(?l - lamp,)\n"), WORDS, PROBLEM).unwrap();
    assert_eq!(warnings[0], "domain 6:23: nobody declares the type `lamp,`, so no object is of it");
}

#[test]
fn problems() {
    assert_eq!(problem("(:domain lamps)", "(:domain lamp)"), "problem 2:3: the problem is for the domain `lamp`, not `lamps`");
    assert_eq!(problem("(lit desk_1)", "(lit desk_3)"), "problem 4:15: unknown object `desk_3`");
    assert_eq!(problem("(lit desk_2)", "(lit ?x)"), "problem 5:15: unknown variable `?x`");
    assert_eq!(problem("- lamp", "- chair"), "problem 3:13: the type of `desk_1` is not declared in the domain");
    assert_eq!(problem("desk_2 - lamp", "desk_1 - lamp"), "problem 3:20: the object `desk_1` is declared twice");
    assert_eq!(problem("(:goal (lit desk_2))", ""), "problem 1:1: the problem has no `(:goal …)`");
    assert_eq!(problem("(:init", "(:init) (:init"), "problem 4:11: `:init` is given twice");
    assert_eq!(problem("(define (problem one)", "(define (domain one)"), "problem 1:1: a problem begins with `(define (problem name)`");
}

#[test]
fn grammars() {
    assert_eq!(words("#shine#", "#shines#"), "grammar 8:1: there is no rule `shines`");
    assert_eq!(
        words("{\"rhs\": \"Dark.\"}", "{\"rhs\": \"#shine#\"}"),
        "grammar 4:3: the action `light`: the rule `shine` contains itself"
    );
    assert_eq!(
        words(", {\"rhs\": \"Dark.\"}", ""),
        "grammar 4:3: the rule `shine`: the last alternative must have no condition, so that there is always a text"
    );
    assert_eq!(words("It shines.", "{k.name}"), "grammar 4:3: the action `light`: the rule `shine`: the variable `k` has no value");
    assert_eq!(
        words("It shines.", "{l.weight}"),
        "grammar 4:3: the rule `shine`: in the value `l.weight`: expected `name`, `id`, `type`, `definite` or `indefinite` after `.`"
    );
    assert_eq!(
        words("lit(l:lamp)\",", "lit(l:lamp, l:lamp)\","),
        "grammar 4:3: the rule `shine`: in the query `lit(l:lamp, l:lamp)`: `lit` takes 1 variables, not 2"
    );
    assert_eq!(words("\"intro\"", "\"opening\""), "grammar: there is no rule `intro` (the opening text)");
    assert_eq!(words("\"list_empty\"", "\"list_nothing\""), "grammar: there is no rule `list_empty`");
    assert_eq!(words("action light", "action lit"), "grammar: nothing says how the action `light` is written");
    assert_eq!(words("[{\"rhs\": \"none\"}]", "[{\"rhs\": \"none\"}"), "grammar 5:51: not readable as JSON: expected `,` or `]`");
    assert_eq!(words("{\"rhs\": \"none\"}", "{\"text\": \"none\"}"), "grammar 5:3: the rule `list_empty` has an alternative without `rhs`");
    assert_eq!(words("feedback ::", "answer ::"), "grammar 8:41: expected `template`, `feedback` or `grammar`, found `answer`");
    assert_eq!(words("\"#shine#\";", "\"#shine#\""), "grammar 8:63: expected `;`");
    assert_eq!(
        words("light {l}", "light {l.name | lit(l:lamp)}"),
        "grammar: the command of `light` depends on `lit`, which changes; this is not supported"
    );
}

#[test]
fn slips_in_grammars_are_warnings() {
    let warnings = |from: &str, to: &str| load(DOMAIN, &WORDS.replace(from, to), PROBLEM).unwrap();
    assert_eq!(warnings("It shines.", "It shines; it is bright."), ["the rule `shine` ends before `; it is bright.`, which fits nowhere"]);
    assert_eq!(warnings("lit(l:lamp)\",", "bright(l:lamp)\","), ["in the query `bright(l:lamp)`: there is no predicate `bright`"]);
    assert_eq!(warnings("lit(l:lamp)\",", "lit(l:lamb)\","), ["in the query `lit(l:lamb)`: there is no type `lamb`"]);
}

#[test]
fn texts_without_end_are_errors_of_play() {
    let doubling: String = (0..60).map(|i| format!("\"r{i}\": [{{\"rhs\": \"#r{}##r{}#\"}}],\n", i + 1, i + 1)).collect();
    let words =
        WORDS.replace("  \"shine\"", &format!("{doubling}\"r60\": [{{\"rhs\": \"x\"}}],\n\"shine\"")).replace("\"#shine#\"", "\"#r0#\"");
    let game = Loader::new().load(DOMAIN, &words, PROBLEM, &PlainNames).unwrap();
    let mut state = game.initial();
    assert_eq!(game.act(&mut state, "light desk_2").unwrap_err().to_string(), "making a text took more than 4000000 steps");
    assert!(
        load(DOMAIN, &words.replace("\"r60\": [{\"rhs\": \"x\"}]", "\"r60\": [{\"rhs\": \"#q0#\"}], \"q9\": [{\"rhs\": \"y\"}]"), PROBLEM)
            .is_err()
    );
}
