use crate::common::{alone, data, played, spec, walks, world};
use epo::env::scienceworld::{Config, Mode, Reward, ScienceWorld, Success};
use epo::env::{EnvError, Environment, Step, Task, World};
use std::collections::BTreeMap;

fn task(id: &str) -> Task {
    Task { id: id.into(), family: String::new() }
}

fn instance(world: &ScienceWorld) -> Box<dyn Environment> {
    world.instance().expect("an instance")
}

fn steps(game: &mut Box<dyn Environment>, id: &str, actions: &[&str]) -> Vec<Step> {
    game.reset(&task(id), 0).expect("set up");
    actions.iter().map(|action| game.step(action).expect("played")).collect()
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn as_an_environment() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config { mode: Mode::Full, ..Config::default() });
    let mut game = instance(&world);
    let observation = game.reset(&task("find-animal/0"), 7).expect("set up");
    assert!(observation.text.starts_with("This room is called the "), "{observation:?}");
    assert!(observation.task.starts_with("Your task is to find a(n) animal."), "{observation:?}");

    let admissible = game.admissible().expect("listed");
    assert!(admissible.len() > 50 && admissible.is_sorted() && admissible.contains(&"look around".to_owned()));
    assert_eq!(game.admissible().expect("listed"), admissible);
    let templates = game.placeholder("templates").expect("filled");
    assert!(templates.starts_with("['activate OBJ', 'close OBJ', ") && templates.ends_with("'wait', 'wait1']"), "{templates}");
    let objects = game.placeholder("objects").expect("filled");
    assert!(objects.starts_with("['agent', 'air', "), "{objects}");
    assert!(game.placeholder("inventory").expect("filled").starts_with("In your inventory, you see:"));
    for name in world.placeholders() {
        assert!(!game.placeholder(name).expect("filled").is_empty(), "{name}");
    }
    assert!(game.placeholder("colour").is_err());

    let nonsense = game.step("dance with the wolves").expect("played");
    assert!(!nonsense.valid && nonsense.reward == 0.0 && !nonsense.terminated && !nonsense.truncated && !nonsense.success);
    assert!(game.step("look around").expect("played").valid);
    let failed = game.step("focus on agent").expect("played");
    assert!(failed.terminated && !failed.success && failed.reward < -1.0, "{failed:?}");
    assert_eq!(game.figures()[0], ("score", -100.0));
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn waiting_is_a_success_of_the_papers_only() {
    let data = data();
    let _alone = alone();
    for (success, reward, is_success, last_reward) in [
        (Success::Paper, Reward::Success, true, 1.0),
        (Success::Strict, Reward::Success, false, 0.0),
        (Success::Paper, Reward::Score, true, 0.0),
    ] {
        let world = world(data, Config { success, reward, ..Config::default() });
        let mut game = instance(&world);
        let all = steps(&mut game, "find-animal/0", &["wait"; 10]);
        let (last, before) = all.split_last().expect("ten");
        assert!(before.iter().all(|step| !step.truncated && !step.success && step.reward == 0.0), "{before:?}");
        assert!(last.truncated && !last.terminated && last.success == is_success && last.reward == last_reward, "{success:?} {last:?}");
        let figures = game.figures();
        assert!(figures.contains(&("success_paper", 1.0)) && figures.contains(&("success_strict", 0.0)), "{figures:?}");
    }
    let world = world(data, Config { move_limit: None, ..Config::default() });
    assert!(steps(&mut instance(&world), "find-animal/0", &["wait"; 11]).iter().all(|step| !step.truncated));
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn the_expert_wins() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config { reward: Reward::Success, ..Config::default() });
    let mut game = instance(&world);
    for id in ["boil/3", "find-plant/200", "power-component/2", "lifespan-longest-lived/5"] {
        game.reset(&task(id), 0).expect("set up");
        let mut total = 0.0;
        let (mut last, mut taken) = (None, Vec::new());
        while let Some(action) = game.expert().expect("asked") {
            let step = game.step(&action).expect("played");
            taken.push(action);
            total += step.reward;
            let ended = step.terminated || step.truncated;
            last = Some(step);
            if ended {
                break;
            }
        }
        let last = last.expect("a path");
        assert!(last.success && last.terminated && total == 1.0, "{id}: {last:?}");
        assert!(taken.len() > 2 && !taken.iter().any(|action| action.starts_with("open door")), "{id}: they stand open: {taken:?}");
        assert_eq!(game.step("look around").expect("played").reward, 0.0, "{id}: it is over");
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn asking_the_expert_changes_nothing() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let (mut asked, mut unasked) = (world.game().expect("set up"), world.game().expect("set up"));
    // Crossing plants draws random numbers throughout.
    for (id, actions) in
        walks(99, 25).iter().filter(|(id, _)| id.starts_with("boil/0") || id.starts_with("mendelian-genetics-known-plant/0"))
    {
        asked.begin(spec(id)).expect("set up");
        unasked.begin(spec(id)).expect("set up");
        for (number, action) in actions.iter().enumerate() {
            if number == 12 {
                let path = asked.gold_path().expect("asked").expect("a path");
                assert!(path.len() > 5);
                assert_eq!(Environment::expert(&mut asked).expect("asked"), None, "the game has left the path");
            }
            assert_eq!(asked.act(action).expect("played"), unasked.act(action).expect("played"), "{id} {number}");
        }
    }
}

/// Not on the games that its simulator has played before.
#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn the_experts_way_depends_on_its_game_alone() {
    let data = data();
    let _alone = alone();
    let ids = [62, 57, 139, 202, 40].map(|variation| format!("test-conductivity-of-unknown-substances/{variation}"));
    let ways = |ids: &[String]| {
        let world = world(data, Config::default());
        let mut game = world.game().expect("set up");
        let mut way = |id: &String| {
            game.begin(spec(id)).expect("set up");
            let path = game.gold_path().expect("asked").expect("a path");
            for action in path.iter() {
                game.act(action).expect("played");
            }
            (id.clone(), path)
        };
        ids.iter().map(&mut way).collect::<BTreeMap<_, _>>()
    };
    let first = ways(&ids);
    let mut other = ids.clone();
    other.reverse();
    assert_eq!(ways(&other), first, "in another order");
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn a_game_depends_on_no_other() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let chosen = walks(99, 20);
    let [first, second] = ["grow-fruit", "find-animal"].map(|name| chosen.iter().find(|(id, _)| id.starts_with(name)).expect("recorded"));
    let mut game = world.game().expect("set up");
    let fresh = played(&mut game, &first.0, &first.1).expect("played");
    played(&mut game, &second.0, &second.1).expect("played");
    assert_eq!(played(&mut game, &first.0, &first.1).expect("played"), fresh);
    // A second game has another simulator, and is stepped in turn with the first.
    let mut other = world.game().expect("set up");
    other.begin(spec(&first.0)).expect("set up");
    game.begin(spec(&second.0)).expect("set up");
    for (number, action) in first.1.iter().enumerate() {
        game.act(&second.1[number]).expect("played");
        assert_eq!(other.act(action).expect("played"), &fresh[number + 1]);
    }
}

#[test]
#[ignore = "needs Java and the simulator: scripts/test.sh"]
fn what_is_not_there() {
    let data = data();
    let _alone = alone();
    let world = world(data, Config::default());
    let mut game = instance(&world);
    let message = |game: &mut Box<dyn Environment>, id: &str| match game.reset(&task(id), 0) {
        Err(EnvError::Task(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(&mut game, "boil/30"), "no game `boil/30` in ScienceWorld: `boil` has the variations 0 to 29");
    assert_eq!(
        message(&mut game, "find-plants/1"),
        "no game `find-plants/1` in ScienceWorld: there is no task `find-plants`; did you mean `find-plant`?"
    );
    assert_eq!(message(&mut game, "boil"), "no game `boil` in ScienceWorld: a game is written as `boil/3`: task and variation");
    assert!(game.step("look around").is_err(), "no game is going on");
    game.reset(&task("boil/0"), 0).expect("still usable");
    assert!(game.admissible().expect("asked").is_empty(), "the lean mode lists none");
    assert!(ScienceWorld::new(data, Config { simplification: "hard".into(), ..Config::default() }).is_err());
}
