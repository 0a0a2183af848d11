//! The environment of twin.py in Rust.

use epo::env::{EnvError, Environment, Observation, Panel, Step, Task, World};
use std::sync::Arc;

pub(crate) struct Twin;

#[derive(Default)]
struct Game {
    goal: u64,
    place: u64,
    steps: u32,
    draws: u64,
}

impl World for Twin {
    fn instance(&self) -> Result<Box<dyn Environment>, EnvError> {
        Ok(Box::new(Game::default()))
    }

    fn panel(&self, split: &str, count: Option<usize>) -> Result<Arc<Panel>, EnvError> {
        let there = if split == "train" { 40 } else { 20 };
        let tasks = (0..count.unwrap_or(there)).map(|number| Task { id: format!("{split}/{number}"), family: "twin".into() });
        Ok(Arc::new(Panel { name: split.into(), tasks: tasks.collect(), hash: String::new() }))
    }

    fn splits(&self) -> Vec<&str> {
        vec!["train", "test"]
    }

    fn placeholders(&self) -> Vec<&str> {
        vec!["far"]
    }
}

impl Game {
    fn scene(&mut self) -> String {
        self.draws = self.draws.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        format!("Du stehst auf {}. Wind: {} \u{2013} \u{1f343}", self.place, self.draws >> 60)
    }
}

impl Environment for Game {
    fn reset(&mut self, task: &Task, seed: u64) -> Result<Observation, EnvError> {
        let (split, number) = task.id.split_once('/').expect("an id");
        let (number, seed): (u64, u64) = (number.parse().expect("a number"), seed >> 11);
        let goal = (number * 7 + if split == "train" { 3 } else { 4 }) % 10;
        *self = Self { goal, place: seed % 10, steps: 0, draws: seed };
        Ok(Observation { task: format!("Geh nach {goal}."), text: self.scene() })
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        self.steps += 1;
        let by = match action {
            "left" => Some(9),
            "right" => Some(1),
            "stay" => Some(0),
            _ => None,
        };
        self.place = (self.place + by.unwrap_or(0)) % 10;
        let there = self.place == self.goal;
        Ok(Step {
            observation: self.scene(),
            reward: if there { 1.0 } else { -0.1 * f64::from(self.steps) },
            terminated: there,
            truncated: self.steps >= 15,
            success: there,
            valid: by.is_some(),
        })
    }

    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        Ok(["left", "right", "stay"].map(str::to_owned).to_vec())
    }

    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        let right = (self.goal + 10 - self.place) % 10;
        Ok(Some(
            match right {
                0 => "stay",
                1..=5 => "right",
                _ => "left",
            }
            .into(),
        ))
    }

    fn placeholder(&mut self, _: &str) -> Result<String, EnvError> {
        Ok(self.goal.abs_diff(self.place).to_string())
    }

    fn figures(&self) -> Vec<(&str, f64)> {
        vec![("steps", f64::from(self.steps))]
    }
}
