//! A game, as a server plays it and as it is played without one.

use serde_json::{Value, json};

pub(crate) const MOVES: [&str; 3] = ["stay", "right", "left"];
/// Steps after which an episode is done.
const LIMIT: u64 = 15;

/// Somebody walks on a ring of ten places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walk {
    pub number: u64,
    pub steps: u64,
    place: u64,
    goal: u64,
    draws: u64,
}

impl Walk {
    pub(crate) fn new(number: u64) -> Self {
        Self { number, steps: 0, place: number % 10, goal: (number * 7 + 3) % 10, draws: number }
    }

    fn scene(&mut self) -> Value {
        self.draws = self.draws.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let said = format!("Du stehst auf {}. Wind: {} \u{2013} \u{1f343}", self.place, self.draws >> 60);
        json!({ "said": said, "goal": format!("Geh nach {}.", self.goal), "map": { "far": self.goal.abs_diff(self.place) }, "moves": MOVES })
    }

    /// `data` of the answer.
    pub(crate) fn begin(&mut self) -> Value {
        json!({ "observation": self.scene(), "reward": null, "done": false })
    }

    /// `data` of the answer.
    pub(crate) fn step(&mut self, action: &str) -> Value {
        self.steps += 1;
        match action {
            "left" => self.place = (self.place + 9) % 10,
            "right" => self.place = (self.place + 1) % 10,
            _ => {}
        }
        let there = self.place == self.goal;
        json!({ "observation": self.scene(), "reward": if there { 1.0 } else { 0.0 }, "done": there || self.steps >= LIMIT })
    }
}
