//! Files of the older release (2.1.1), whose texts differ: everything is in the files, so they are played as they are.

use crate::data::games;
use epo::env::alfworld::GameFile;
use epo::env::pddl::Loader;
use std::path::Path;

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn older_words_are_played_too() {
    let games = games();
    let folder = games.join("valid_seen/look_at_obj_in_light-AlarmClock-None-DeskLamp-323/trial_T20190909_044715_250790");
    let mut file = GameFile::read(&folder.join("game.tw-pddl")).unwrap();
    // What `patch_tw-pddl.py` of the reference does, backwards.
    file.grammar = file.grammar.replace("You arrive at {r.name}.", "You arrive at {lend.name}.");
    file.grammar = file.grammar.replace("template :: \"move {o} to {r}\"", "template :: \"put {o} in/on {r}\"");
    file.grammar = file.grammar.replace("You move the {o.name} to the {r.name}.", "You put the {o.name} in/on the {r.name}.");
    let (grammar, help) = file.grammar.split_at(file.grammar.find("action help").unwrap());
    assert!(help.contains("Available commands"));
    file.grammar = grammar.to_string();
    let at = file.pddl_domain.find("(:action help").unwrap();
    file.pddl_domain = format!("{})", &file.pddl_domain[..at]);
    file.walkthrough.clear();

    let game = file.game(Path::new("game.tw-pddl"), &Loader::new()).unwrap();
    let mut state = game.initial();
    assert!(!game.admissible_texts(&state).contains(&"help"));
    let arrival = game.act(&mut state, "go to desk 1").unwrap().unwrap();
    assert!(arrival.starts_with("You arrive at loc ") && arrival.contains(". On the desk 1, you see"), "{arrival}");
    game.act(&mut state, "take alarmclock 2 from desk 1").unwrap().unwrap();
    assert_eq!(game.act(&mut state, "move alarmclock 2 to desk 1").unwrap(), None);
    let put = game.act(&mut state, "put alarmclock 2 in/on desk 1").unwrap();
    assert_eq!(put.as_deref(), Some("You put the alarmclock 2 in/on the desk 1."));
}
