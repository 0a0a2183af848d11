use super::*;
use crate::env::household::{Config, Household};
use crate::env::{Environment, Observation, Panel, Step, Task};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A world that breaks one promise.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Clock,
    Leak,
    Shared,
    Honest,
}

struct Faulty(Fault, Arc<AtomicU64>);

struct Game {
    fault: Fault,
    shared: Arc<AtomicU64>,
    played: u64,
    seed: u64,
    steps: u64,
}

impl World for Faulty {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Game { fault: self.0, shared: self.1.clone(), played: 0, seed: 0, steps: 0 }))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let tasks = (0..count.unwrap_or(8)).map(|n| Task { id: format!("{split}/{n}"), family: "f".into() }).collect();
        Ok(Arc::new(Panel { name: split.into(), tasks, hash: String::new() }))
    }

    fn splits(&self) -> Vec<&str> {
        vec!["train"]
    }

    fn repeats(&self) -> bool {
        self.0 != Fault::Honest
    }
}

impl Environment for Game {
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        if self.fault == Fault::Shared {
            self.shared.store(0, Ordering::Relaxed);
        }
        (self.seed, self.steps) = (seed, 0);
        let told = if self.fault == Fault::Leak { self.played } else { 0 };
        self.played += 1;
        Ok(Observation { text: format!("{} {told} {}", task.id, seed % 100), task: String::new() })
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        self.steps += 1;
        let told = match self.fault {
            Fault::Clock | Fault::Shared => self.shared.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let observation = format!("{action} {told} {}", self.seed % 7);
        Ok(Step { observation, reward: 0.0, terminated: self.steps == 5, truncated: false, success: false, valid: true })
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        Ok(vec!["a".into(), "b".into()])
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        Ok(None)
    }
}

fn found(fault: Fault) -> Promises {
    promises(&Faulty(fault, Arc::default())).unwrap()
}

#[test]
fn each_broken_promise_is_named() {
    let holds = |p: &Promises| [&p.repeats, &p.nothing_left, &p.side_by_side].map(|verdict| *verdict == Verdict::Holds);
    let sound = found(Fault::None);
    assert!(sound.hold() && sound.threads == Verdict::Holds);
    assert_eq!((sound.episodes, sound.turns, sound.changed_by_seed, sound.openings), (16, 80, 16, 16));
    assert_eq!(holds(&found(Fault::Clock)), [false, false, false]);
    assert_eq!(holds(&found(Fault::Leak)), [true, false, true]);
    assert_eq!(holds(&found(Fault::Shared)), [true, true, false]);
    assert!(!found(Fault::Clock).hold() && !found(Fault::Leak).hold() && !found(Fault::Shared).hold());
    let honest = found(Fault::Honest);
    assert!(!honest.hold() && holds(&honest) == [true; 3]);
    let text = found(Fault::Leak).to_string();
    assert!(text.contains("NO   nothing of an episode is left in the next, in any order: turn 0 of `train/1` was Opening("), "{text}");
    assert!(
        text.ends_with("NOT promised: the same text need not give the same bytes; what runs record stays true of what was played\n"),
        "{text}"
    );
}

#[test]
fn the_household_keeps_all_promises() {
    let world = Household::new(Config::default()).unwrap();
    let found = promises(&world).unwrap();
    assert!(found.hold(), "{found}");
    assert!(found.turns > 100 && found.openings == 16, "{found}");
}
