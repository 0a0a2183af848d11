//! Who plays.

use super::context::Context;
use super::error::RunError;
use super::policies::policy;
use crate::policy::{Actor, ActorInput, Decode, Policy};
use crate::rollout::Player;

/// A player with what it needs kept alive.
pub(crate) enum Seat {
    Plain(Actor),
    Policy(Box<Policy>, Decode),
}

impl Seat {
    pub(crate) fn new(context: &mut dyn Context, actor: &ActorInput) -> Result<Self, RunError> {
        Ok(match actor {
            ActorInput::Plain(part) => Self::Plain(**part),
            ActorInput::Policy(given) => {
                let policy = policy(context, given)?;
                let decode = policy.decode.clone();
                Self::Policy(Box::new(policy), decode)
            }
        })
    }

    pub(crate) fn player(&self) -> Player<'_> {
        match self {
            Self::Plain(Actor::Expert) => Player::Expert,
            Self::Plain(Actor::Random) => Player::Random,
            Self::Policy(policy, decode) => Player::Policy { policy, decode },
        }
    }
}
