//! An environment of one's own in one file, with the whole command line for it: `cargo run --example own_environment -- env check guess`.

use epo::env::{EnvError, Environment, Machine, Observation, Panel, Step, Task, World};
use epo::extend::{Additions, Count, Entry, WorldKind};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Arc;

epo::kind! {
    /// A number to be guessed: told of every guess whether it is higher or lower. Splits: `train` (odd numbers) and `test` (even ones).
    pub struct Guess as "guess" {
        /// The greatest number there is.
        limit: Count<1_000_000> [default Count(100)],
    }
}

/// One line for each environment.
static ADDED: Additions = Additions {
    environments: &[Entry { info: &Guess::INFO, read: |_, component, reader| Some(Arc::new(Guess::read_fields(component, reader)?)) }],
    ..Additions::NONE
};

fn main() -> ExitCode {
    epo::cli::main_with(&ADDED)
}

impl WorldKind for Guess {
    fn open(&self, _: &Machine) -> Result<Arc<dyn World>, EnvError> {
        Ok(Arc::new(Numbers { limit: self.limit.0 }))
    }

    fn splits(&self) -> Option<Vec<&str>> {
        Some(vec!["train", "test"])
    }
}

struct Numbers {
    limit: usize,
}

struct Game {
    limit: usize,
    number: usize,
    /// What may still be the number.
    left: RangeInclusive<usize>,
}

impl World for Numbers {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Game { limit: self.limit, number: 0, left: 1..=self.limit }))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let first = if split == "train" { 1 } else { 2 };
        let numbers = (first..=self.limit).step_by(2).take(count.unwrap_or(usize::MAX));
        let tasks = numbers.map(|n| Task { id: format!("{split}/{n}"), family: "guess".into() }).collect();
        Ok(Arc::new(Panel { name: split.into(), tasks, hash: format!("guess 1 {split} {count:?} of {}", self.limit) }))
    }

    fn splits(&self) -> Vec<&str> {
        vec!["train", "test"]
    }
}

impl Environment for Game {
    fn reset(&mut self, task: &Task, _seed: u64) -> Result<Observation, EnvError> {
        let number = task.id.split_once('/').and_then(|(_, number)| number.parse().ok());
        self.number = number.ok_or_else(|| EnvError::Task(format!("there is no task `{}`; ids are like `train/17`", task.id)))?;
        self.left = 1..=self.limit;
        let task = format!("Guess a number from 1 to {}.", self.limit);
        Ok(Observation { text: format!("{task} Say, for example: guess 1"), task })
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        let guess = action.strip_prefix("guess ").and_then(|number| number.parse().ok()).filter(|n| self.left.contains(n));
        let observation = match guess {
            None => "That is not possible.",
            Some(guess) if guess < self.number => {
                self.left = guess + 1..=*self.left.end();
                "It is higher."
            }
            Some(guess) if guess > self.number => {
                self.left = *self.left.start()..=guess - 1;
                "It is lower."
            }
            Some(_) => "That is it!",
        };
        let success = guess == Some(self.number);
        let reward = if success { 1.0 } else { 0.0 };
        Ok(Step { observation: observation.into(), reward, terminated: success, truncated: false, success, valid: guess.is_some() })
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        let mut all: Vec<String> = self.left.clone().map(|n| format!("guess {n}")).collect();
        all.sort();
        Ok(all)
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        Ok(Some(format!("guess {}", self.left.start().midpoint(*self.left.end()))))
    }
}
