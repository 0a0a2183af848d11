use super::super::game::Rules;
use super::*;
use proptest::prelude::*;

#[test]
fn the_words_of_a_game() {
    let config = Config { rooms: 2, receptacles: 8, families: vec![Family::Clean], ..Config::quickstart() };
    let world = Household::new(config).unwrap();
    let mut game = world.instance().unwrap();
    let first = game.reset(&tasks(&world, "train", 1)[0], 0).unwrap();
    let mut said = format!("{}\n{}\n", first.task, first.text);
    let mut say = |game: &mut dyn Environment, command: &str| {
        let step = game.step(command).unwrap();
        said.push_str(&format!("> {command}\n{}\n", step.observation));
    };
    for command in ["look", "go to bookcase 2", "look", "go to nowhere"] {
        say(&mut *game, command);
    }
    while let Some(command) = game.expert().unwrap() {
        say(&mut *game, &command);
    }
    assert_eq!(said, WORDS);
}

const WORDS: &str = "\
put a clean egg in a microwave of the kitchen.
in study: bookcase 1, bookcase 2, floorlamp 1. near: kitchen. holding nothing.
> look
in study: bookcase 1, bookcase 2, floorlamp 1. near: kitchen. holding nothing.
> go to bookcase 2
in study at bookcase 2: candle 1. holding nothing.
> look
in study: bookcase 1, bookcase 2, floorlamp 1. near: kitchen. in study at bookcase 2: candle 1. holding nothing.
> go to nowhere
not possible. in study at bookcase 2: candle 1. holding nothing.
> go to kitchen
in kitchen: counter 1, counter 2, fridge 1, microwave 1, sink 1. near: study. holding nothing.
> go to counter 1
in kitchen at counter 1: key 1. holding nothing.
> go to counter 2
in kitchen at counter 2: comb 1, knife 1. holding nothing.
> go to fridge 1
in kitchen at fridge 1: closed. holding nothing.
> open fridge 1
in kitchen at fridge 1: nothing. holding nothing.
> go to microwave 1
in kitchen at microwave 1: closed. holding nothing.
> open microwave 1
in kitchen at microwave 1: nothing. holding nothing.
> go to sink 1
in kitchen at sink 1: egg 1. holding nothing.
> take egg 1 from sink 1
in kitchen at sink 1: nothing. holding egg 1.
> clean egg 1 with sink 1
in kitchen at sink 1: nothing. holding clean egg 1.
> go to microwave 1
in kitchen at microwave 1: nothing. holding clean egg 1.
> put egg 1 in microwave 1
in kitchen at microwave 1: clean egg 1. holding nothing. done.
";

#[test]
fn the_rules_and_the_words_have_no_slips() {
    let world = Household::new(Config { rooms: 5, receptacles: 24, objects: 30, ..Config::default() }).unwrap();
    let game = Rules::default().load(&world.layout("train/0000").unwrap()).unwrap();
    assert_eq!(game.warnings().collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn reward_comes_once_and_then_the_game_is_over() {
    let world = Household::new(Config::quickstart()).unwrap();
    let mut game = world.instance().unwrap();
    for task in tasks(&world, "seen", 30) {
        game.reset(&task, 0).unwrap();
        let mut last = None;
        while let Some(command) = game.expert().unwrap() {
            assert!(last.is_none_or(|step: crate::env::Step| step.reward == 0.0 && !step.terminated && !step.success));
            last = Some(game.step(&command).unwrap());
        }
        let last = last.unwrap();
        assert!(last.reward == 1.0 && last.terminated && last.success && last.valid && !last.truncated);
        assert!(last.observation.ends_with(" done."));
        assert!(game.admissible().unwrap().is_empty());
        let after = game.step("look").unwrap();
        assert!(after.reward == 0.0 && after.terminated && after.success && !after.valid, "{after:?}");
    }
}

#[test]
fn what_is_not_possible_changes_nothing_and_says_so() {
    let world = Household::new(Config { rooms: 2, receptacles: 10, ..Config::default() }).unwrap();
    let mut game = world.instance().unwrap();
    let mut dice = Dice::new("invalid", &[]);
    for task in tasks(&world, "train", 12) {
        game.reset(&task, 0).unwrap();
        for _ in 0..20 {
            let commands = game.admissible().unwrap();
            let here = game.step("inventory").unwrap();
            assert!(here.valid);
            let advice = game.expert().unwrap();
            for wrong in
                ["", "go", "GO TO SINK 1", "go to sink 99", "take moon 1 from shelf 1", "look  ", "\u{0}", "inventory.", "open open"]
            {
                let step = game.step(wrong).unwrap();
                if wrong.trim() == "look" {
                    assert!(step.valid, "white space at the ends does not count");
                    continue;
                }
                assert!(!step.valid && !step.success && step.reward == 0.0, "{wrong:?}");
                assert_eq!(step.observation, format!("not possible. {}", here.observation));
                assert_eq!((game.admissible().unwrap(), game.expert().unwrap()), (commands.clone(), advice.clone()));
            }
            if play_randomly(&mut *game, &mut dice, 1) {
                break;
            }
        }
    }
}

#[test]
fn every_admissible_command_is_valid_and_the_list_is_sorted() {
    for (name, config) in configs() {
        let world = Household::new(config).unwrap();
        let mut game = world.instance().unwrap();
        for (seed, task) in tasks(&world, "unseen", 3).into_iter().enumerate() {
            for depth in [0, 5, 25] {
                // The same random way again for every command: playing has no way back.
                let replay = |game: &mut dyn Environment| {
                    game.reset(&task, 0).unwrap();
                    play_randomly(game, &mut Dice::new("depth", &[seed as u64, depth]), depth as usize);
                    game.admissible().unwrap()
                };
                let commands = replay(&mut *game);
                assert!(commands.is_sorted() && commands.windows(2).all(|pair| pair[0] != pair[1]), "{commands:?}");
                assert_eq!(game.admissible().unwrap(), commands);
                for command in &commands {
                    assert_eq!(replay(&mut *game), commands);
                    let step = game.step(command).unwrap();
                    assert!(step.valid && !step.observation.starts_with("not possible"), "{name}: `{command}`: {}", step.observation);
                }
            }
        }
    }
}

#[test]
fn lists_are_short_and_so_are_texts() {
    let world = Household::new(Config::default()).unwrap();
    let mut game = world.instance().unwrap();
    let mut dice = Dice::new("short", &[]);
    let (mut commands, mut words, mut turns) = (0, 0, 0);
    for task in tasks(&world, "train", 60) {
        game.reset(&task, 0).unwrap();
        for _ in 0..30 {
            let list = game.admissible().unwrap();
            let command = list[dice.below(list.len())].clone();
            commands += list.len();
            turns += 1;
            let step = game.step(&command).unwrap();
            // As a tokenizer of this small world may split it: words, numbers, signs.
            let cut = step.observation.replace([',', '.', ':'], " , ");
            words += if command == "look" { 0 } else { cut.split_whitespace().count() };
            if step.success {
                break;
            }
        }
    }
    assert!(commands / turns <= 11, "{} commands on average", commands / turns);
    assert!(words / turns <= 16, "{} words on average", words / turns);
}

#[test]
fn random_play_succeeds_rarely_but_sometimes() {
    let world = Household::new(Config::quickstart()).unwrap();
    let mut game = world.instance().unwrap();
    let mut dice = Dice::new("random", &[]);
    let mut won = 0;
    for task in tasks(&world, "train", 600) {
        game.reset(&task, 0).unwrap();
        won += usize::from(play_randomly(&mut *game, &mut dice, 50));
    }
    assert!((12..=90).contains(&won), "{won} of 600");
}

#[test]
fn what_is_measured_counts() {
    let world = Household::new(Config::quickstart()).unwrap();
    let found = crate::env::measure(&world, std::time::Duration::from_millis(50)).unwrap();
    assert!(found.steps > found.resets && found.resets > 0 && found.loads == 128 && found.resets_per_second > 0.0, "{found:?}");
    let [least, median, most] = found.by_game;
    assert!(0.0 < least && least <= median && median <= most, "{found:?}");
    assert!(least <= found.steps_per_second && found.steps_per_second <= most, "{found:?}");
}

fn any_config() -> impl Strategy<Value = Config> {
    let families = proptest::sample::subsequence(Family::ALL.to_vec(), 1..=6);
    (1usize..=5, 0.0..=1.0f64, families, any::<u64>(), 0usize..100, 0usize..100).prop_map(|(rooms, openable, families, seed, r, o)| {
        let (fewest, most) = ((4 * rooms).max(5), (10 * rooms).min(24));
        let receptacles = fewest + r % (most - fewest + 1);
        let objects = 2 + o % (2 * receptacles - 1);
        Config { rooms, receptacles, openable, objects, families, seed, ..Config::default() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Any configuration that is accepted gives its games, and they can be played in any way.
    #[test]
    fn nothing_breaks_a_game(config in any_config(), seed in any::<u64>(), noise in "\\PC{0,40}") {
        let world = Household::new(config).unwrap();
        let mut game = world.instance().unwrap();
        let mut dice = Dice::new("any", &[seed]);
        for task in world.splits().iter().flat_map(|split| tasks(&world, split, 7)) {
            let first = game.reset(&task, seed).unwrap();
            play_randomly(&mut *game, &mut dice, 30);
            game.step(&noise).unwrap();
            game.expert().unwrap();
            prop_assert_eq!(&first, &game.reset(&task, seed + 1).unwrap(), "the seed of the episode makes no difference");
        }
    }
}
