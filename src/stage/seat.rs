//! Who plays.

use super::context::Context;
use super::error::RunError;
use super::policies::policy;
use super::tasks::PORTION;
use crate::env::{Machine, Server};
use crate::play::{EnvironmentSpec, Form};
use crate::policy::{Actor, ActorInput, Decode, Endpoint, Policy};
use crate::remote::{Asker, Budget, Manner};
use crate::rollout::Player;

/// A player with what it needs kept alive.
pub(crate) enum Seat {
    Expert,
    Random,
    Policy(Box<Policy>, Decode),
    /// With its own system message.
    Endpoint(Box<Asker>, Option<String>),
}

impl Seat {
    /// `decode`: if not as the player says.
    pub(crate) fn new(context: &mut dyn Context, actor: &ActorInput, decode: Option<&Decode>) -> Result<Self, RunError> {
        Ok(match actor {
            ActorInput::Plain(part) => match &**part {
                Actor::Expert => Self::Expert,
                Actor::Random => Self::Random,
                Actor::Endpoint(endpoint) => Self::Endpoint(Box::new(asker(context, endpoint, decode)?), endpoint.system.clone()),
            },
            ActorInput::Policy(given) => {
                let policy = policy(context, given)?;
                let decode = decode.unwrap_or(&policy.decode).clone();
                Self::Policy(Box::new(policy), decode)
            }
        })
    }

    pub(crate) fn player(&self) -> Player<'_> {
        match self {
            Self::Expert => Player::Expert,
            Self::Random => Player::Random,
            Self::Policy(policy, decode) => Player::Policy { policy, decode },
            Self::Endpoint(asker, system) => Player::Endpoint { asker, system: system.as_deref() },
        }
    }

    /// Episodes between two looks at the user's wish to stop: fewer where each takes long. With a server no episode depends on another.
    pub(crate) fn portion(&self) -> usize {
        match self {
            Self::Endpoint(asker, _) => (4 * asker.at_once()).min(PORTION),
            _ => PORTION,
        }
    }

    /// Says what was asked of a server.
    pub(crate) fn say(&self, context: &mut dyn Context) {
        if let Self::Endpoint(asker, _) = self {
            asker.summary().iter().for_each(|line| context.say(line));
        }
    }
}

/// Whether prompts have a system message of their own.
pub(super) fn has_system(environment: &EnvironmentSpec) -> bool {
    matches!(environment.play.prompt.form(), Form::Conversation(limits) if limits.system)
}

/// What settings say of the server of an endpoint.
///
/// # Errors
/// How to name one; the further lines are a help.
pub(super) fn server<'m>(machine: &'m Machine, endpoint: &Endpoint) -> Result<&'m Server, String> {
    let name = &endpoint.name;
    machine.servers.get(name).filter(|server| !server.url.is_empty()).ok_or_else(|| {
        let file = format!("[endpoint.{name}]\n  url = \"http://127.0.0.1:8000/v1\"");
        format!("no setting says which server `{name}` is\nin `epo.toml`, if you trust that server with what the prompts say:\n  {file}")
    })
}

fn asker(context: &mut dyn Context, endpoint: &Endpoint, decode: Option<&Decode>) -> Result<Asker, RunError> {
    let Decode::Sample { temperature, top_k, top_p, min_p, max_tokens, stop } = decode.unwrap_or(&endpoint.decode).clone() else {
        return Err(RunError::Failed("an endpoint answers in text, and nothing can be chosen by its probabilities".into()));
    };
    let Endpoint { name, model, logprobs, requests, tokens, .. } = endpoint;
    let manner = Manner { model: model.clone(), temperature, top_p, top_k, min_p, max_tokens, stop, logprobs: *logprobs };
    let budget = Budget { requests: requests.map(|most| most.0 as u64), tokens: tokens.map(|most| most.0 as u64) };
    let server = server(context.machine(), endpoint).map_err(RunError::Failed)?.clone();
    Asker::new((name, &server), manner, budget, |hear| context.folder().answers(hear)).map_err(RunError::Failed)
}
