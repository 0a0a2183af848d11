use super::super::rehearsal::expert_turns;
use super::*;
use std::collections::BTreeMap;

#[test]
fn solves_every_task_of_every_split_in_time() {
    for (name, config) in configs() {
        // Setting up a large house takes its time.
        let count = if config.rooms == 1 { 300 } else { 60 };
        let world = Household::new(config).unwrap();
        let mut game = world.instance().unwrap();
        for task in world.splits().iter().flat_map(|split| tasks(&world, split, count)) {
            game.reset(&task, 0).unwrap();
            let mut turns = 0;
            while let Some(command) = game.expert().unwrap() {
                let step = game.step(&command).unwrap();
                turns += 1;
                assert!(step.valid, "{name}, {}: `{command}`: {}", task.id, step.observation);
                assert_eq!(step.reward, if step.success { 1.0 } else { 0.0 });
                assert!(step.success || turns < EXPERT_TURNS, "{name}, {}: not there after {turns} turns", task.id);
            }
            let layout = world.layout(&task.id).unwrap();
            assert_eq!(expert_turns(&layout, EXPERT_TURNS), Some(turns), "{name}, {}: rehearsed differently", task.id);
            assert_eq!(expert_turns(&layout, turns - 1), None);
        }
    }
}

#[test]
fn takes_five_to_twelve_turns_in_the_small_house() {
    let world = Household::new(Config::quickstart()).unwrap();
    let mut game = world.instance().unwrap();
    let mut lengths = Vec::new();
    for task in tasks(&world, "train", 600) {
        game.reset(&task, 0).unwrap();
        let mut turns = 0;
        while let Some(command) = game.expert().unwrap() {
            game.step(&command).unwrap();
            turns += 1;
        }
        lengths.push(turns);
    }
    lengths.sort_unstable();
    let typical = lengths.iter().filter(|turns| (5..=12).contains(*turns)).count();
    assert!(typical > 480, "{typical} of 600");
    assert!((7..=10).contains(&lengths[300]), "median {}", lengths[300]);
}

/// Whoever sees the task, the last observation and the admissible commands can do what the expert does, and think what it thinks: those three determine
/// it, on the expert's own way and off it.
#[test]
fn is_a_function_of_what_the_player_sees() {
    for (name, config) in configs() {
        let world = Household::new(config).unwrap();
        let mut game = world.instance().unwrap();
        let mut dice = Dice::new("test", &[]);
        let mut rule: BTreeMap<(String, String, Vec<String>), (String, String)> = BTreeMap::new();
        let mut repeated = 0;
        for task in tasks(&world, "train", 30) {
            for astray in [0, 2, 4] {
                let first = game.reset(&task, 0).unwrap();
                let mut seen = first.text;
                for _ in 0..60 {
                    let Some(advice) = game.expert().unwrap() else { break };
                    let thought = game.thought().unwrap().unwrap();
                    let own = ["want", "none", "not", "have", "to", "it", "clean", "heat", "cool", ""];
                    for word in thought.split([':', ',', ' ']).filter(|word| !own.contains(word)) {
                        assert!(first.task.contains(word) || seen.contains(word), "{thought}: {word} in {} {seen}", first.task);
                    }
                    let commands = game.admissible().unwrap();
                    let key = (first.task.clone(), seen, commands.clone());
                    match rule.get(&key) {
                        Some(known) => {
                            assert_eq!(*known, (advice.clone(), thought), "{name}, {}: {key:?}", task.id);
                            repeated += 1;
                        }
                        None => drop(rule.insert(key, (advice.clone(), thought))),
                    }
                    let command = if dice.below(10) < astray { commands[dice.below(commands.len())].clone() } else { advice };
                    seen = game.step(&command).unwrap().observation;
                }
            }
        }
        assert!(repeated > 50, "{name}: only {repeated} situations came twice");
    }
}

#[test]
fn finds_its_way_from_wherever_a_random_player_has_gone() {
    for (name, config) in configs() {
        let world = Household::new(config).unwrap();
        let mut game = world.instance().unwrap();
        let mut dice = Dice::new("lost", &[]);
        for task in tasks(&world, "train", 30) {
            game.reset(&task, 0).unwrap();
            if play_randomly(&mut *game, &mut dice, 40) {
                continue;
            }
            let mut turns = 0;
            while let Some(command) = game.expert().unwrap() {
                let step = game.step(&command).unwrap();
                turns += 1;
                assert!(step.valid && turns <= 150, "{name}, {}: turn {turns}, `{command}`: {}", task.id, step.observation);
            }
        }
    }
}
