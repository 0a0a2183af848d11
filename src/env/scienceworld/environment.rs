//! A game as an environment: turns into steps.

use super::config::{Reward, Success};
use super::episode::{Spec, Turn};
use super::game::Game;
use crate::env::{EnvError, Environment, Observation, Step, Task};

/// `templates` and `objects` are lists as Python prints them (the form of the papers' prompts); the others are plain.
pub const PLACEHOLDERS: &[&str] = &["templates", "objects", "look", "inventory", "score", "moves"];

impl Game {
    fn success(&self, turn: &Turn) -> bool {
        match self.config().success {
            Success::Strict => strict_success(turn),
            Success::Paper => paper_success(turn, self.config().move_limit),
        }
    }
}

fn strict_success(turn: &Turn) -> bool {
    turn.score >= 100
}

fn paper_success(turn: &Turn, move_limit: Option<u32>) -> bool {
    turn.score > 0 && (turn.terminated() || turn.truncated(move_limit))
}

impl Environment for Game {
    /// The seed is not used: the simulator seeds itself with the variation.
    fn reset(&mut self, task: &Task, _seed: u64) -> Result<Observation, EnvError> {
        let spec = Spec::new(&task.id, &self.config().simplification)?;
        let text = self.begin(spec)?.observation.clone();
        Ok(Observation { text, task: self.goal()?.to_owned() })
    }

    fn step(&mut self, action: &str) -> Result<Step, EnvError> {
        self.act(action)?;
        let (before, turn) = (self.before()?, self.turn()?);
        let limit = self.config().move_limit;
        let had_ended = before.terminated() || before.truncated(limit);
        let (terminated, truncated, success) = (turn.terminated(), turn.truncated(limit), self.success(turn));
        let reward = match self.config().reward {
            Reward::Score => f64::from(self.gain()) / 100.0,
            Reward::Success => f64::from(u8::from(success && (terminated || truncated) && !had_ended)),
        };
        Ok(Step { observation: turn.observation.clone(), reward, terminated, truncated, success, valid: turn.understood() })
    }

    /// In the lean mode they are not listed: an empty list. Use the placeholders `templates` and `objects`.
    fn admissible(&mut self) -> Result<Vec<String>, EnvError> {
        let mut actions = self.turn()?.valid_actions.clone().unwrap_or_default();
        actions.sort_unstable();
        Ok(actions)
    }

    /// The next action of the simulator's own solution, as long as the game has followed it.
    fn expert(&mut self) -> Result<Option<String>, EnvError> {
        let path = self.gold_path()?;
        let taken = self.actions();
        Ok(path.filter(|path| path.starts_with(taken)).and_then(|path| path.get(taken.len()).cloned()))
    }

    fn placeholder(&mut self, name: &str) -> Result<String, EnvError> {
        match name {
            "templates" => Ok(python_list(self.templates()?)),
            "objects" => Ok(python_list(&self.turn()?.objects)),
            "look" => self.look(),
            "inventory" => self.inventory(),
            "score" => Ok(self.turn()?.score.to_string()),
            "moves" => Ok(self.turn()?.moves.to_string()),
            other => Err(EnvError::Broken(format!("ScienceWorld fills no placeholder `{other}`"))),
        }
    }

    fn figures(&self) -> Vec<(&str, f64)> {
        let Ok(turn) = self.turn() else { return Vec::new() };
        let flag = |holds: bool| f64::from(u8::from(holds));
        vec![
            ("score", f64::from(turn.score)),
            ("success_strict", flag(strict_success(turn))),
            ("success_paper", flag(paper_success(turn, self.config().move_limit))),
        ]
    }
}

fn python_list(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let quote = if word.contains('\'') && !word.contains('"') { '"' } else { '\'' };
        let mut out = String::from(quote);
        for c in word.chars() {
            if c == quote || c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
        out.push(quote);
        out
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(score: i32, moves: u32, completed: bool) -> Turn {
        Turn { score, moves, completed, ..Turn::default() }
    }

    #[test]
    fn lists_as_python_prints_them() {
        let words = ["door to kitchen", "baker's oven", "a \"b\" c", "both ' and \""].map(str::to_owned);
        assert_eq!(python_list(&words), r#"['door to kitchen', "baker's oven", 'a "b" c', 'both \' and "']"#);
        assert_eq!(python_list(&[]), "[]");
    }

    #[test]
    fn waiting_for_the_limit_is_a_success_of_the_papers_only() {
        let waited = turn(8, 110, false);
        assert!(paper_success(&waited, Some(100)) && !strict_success(&waited));
        assert!(waited.truncated(Some(100)) && !waited.terminated());
        assert!(!paper_success(&waited, None), "without a limit the game goes on");
        assert!(!waited.truncated(Some(110)));
    }

    #[test]
    fn completed_and_failed_games() {
        let won = turn(100, 30, true);
        assert!(paper_success(&won, Some(100)) && strict_success(&won) && won.terminated());
        let late = turn(100, 104, true);
        assert!(late.terminated() && !late.truncated(Some(100)), "an end is not a limit");
        let failed = turn(-100, 3, false);
        assert!(failed.terminated() && !paper_success(&failed, Some(100)) && !strict_success(&failed));
        assert!(!paper_success(&turn(40, 20, false), Some(100)));
    }
}
