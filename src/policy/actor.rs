//! Who plays: a policy, a model behind a server, the environment's expert, or chance.

use super::decode::Decode;
use super::endpoint::Endpoint;
use super::input::{PolicyInput, StageInput};
use super::kinds::PolicyKind;
use crate::kind;
use crate::kind::{Artifact, Category, Entry, Field, Identity, Part, Reader};
use crate::lang::Span;
use crate::lang::value::{Component, Value, ValueKind};
use std::sync::Arc;

kind! {
    /// The environment's own expert.
    pub(crate) struct Expert as "expert" {}
}

kind! {
    /// Draws uniformly from the admissible actions.
    pub(crate) struct Random as "random" {}
}

/// An actor that needs no model of this machine.
#[derive(Clone, Debug)]
pub(crate) enum Actor {
    Expert,
    Random,
    Endpoint(Endpoint),
}

impl Identity for Actor {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::Expert | Self::Random => serde_json::Value::Null,
            Self::Endpoint(endpoint) => endpoint.identity(),
        }
    }
}

impl Category for Actor {
    const WORDS: &'static str = "an actor: `expert`, `random`, `endpoint { … }`, or a policy";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<Actor>] = &[
            Entry { info: &Expert::INFO, read: |_, c, r| Some(read(c, r, &Expert::INFO, Actor::Expert)) },
            Entry { info: &Random::INFO, read: |_, c, r| Some(read(c, r, &Random::INFO, Actor::Random)) },
            Entry { info: &Endpoint::INFO, read: |_, c, r| read_endpoint(c, r) },
        ];
        ENTRIES
    }
}

fn read(component: &Component, reader: &mut Reader<'_, '_>, info: &'static kind::KindInfo, actor: Actor) -> Arc<Actor> {
    reader.refuse_unknown(component, &[info], |_| false);
    Arc::new(actor)
}

fn read_endpoint(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<Actor>> {
    reader.refuse_unknown(component, &[&Endpoint::INFO], |_| false);
    Some(Arc::new(Actor::Endpoint(Endpoint::read_checked(component, reader)?)))
}

/// An actor as a field.
#[derive(Clone, Debug)]
pub(crate) enum ActorInput {
    Plain(Part<Actor>),
    Policy(PolicyInput),
}

impl ActorInput {
    /// Whether it chooses at random.
    pub(crate) fn draws(&self) -> bool {
        !self.is_expert()
    }

    pub(crate) fn is_expert(&self) -> bool {
        matches!(self, Self::Plain(part) if matches!(**part, Actor::Expert))
    }

    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Self::Plain(part) => match &**part {
                Actor::Endpoint(endpoint) => Some(endpoint),
                _ => None,
            },
            Self::Policy(_) => None,
        }
    }

    /// The policy that plays, if it is one.
    pub(crate) fn policy(&self) -> Option<&PolicyInput> {
        match self {
            Self::Plain(_) => None,
            Self::Policy(policy) => Some(policy),
        }
    }

    /// Where it chooses among the possible actions, as far as that is written here; `decode`: if not as the policy says.
    pub(crate) fn choice(&self, decode: Option<&Part<Decode>>) -> Option<(&'static str, Span)> {
        match self {
            Self::Plain(part) => matches!(**part, Actor::Random).then_some(("random", part.span)),
            Self::Policy(policy) => policy.choice(decode),
        }
    }

    /// Reports what a stage asks of an endpoint in vain. `system`: whether a prompt has a system message of its own.
    pub(crate) fn suits(&self, decode: Option<&Part<Decode>>, system: bool, reader: &mut Reader<'_, '_>) -> bool {
        match self {
            Self::Plain(part) => self.endpoint().is_none_or(|endpoint| endpoint.suits(part.span, decode, system, reader)),
            Self::Policy(_) => true,
        }
    }
}

impl Identity for ActorInput {
    fn identity(&self) -> serde_json::Value {
        match self {
            Self::Plain(part) => part.identity(),
            Self::Policy(input) => input.identity(),
        }
    }
}

impl Field for ActorInput {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        if let ValueKind::Stage(stage) = &value.kind
            && let Some(entry) = Actor::entries().iter().find(|e| e.info.name == stage.stage)
            && !reader.may_give(stage, Artifact::Policy)
        {
            // `expert = evaluate { actor = expert, … }`: the stage shares its name with the actor, and gives no policy
            let component = Component::bare(entry.info.name, value.span);
            let actor = (entry.read)(value, &component, reader)?;
            return Some(Self::Plain(Part { kind: entry.info.name, value: actor, span: value.span }));
        }
        if let Some(input) = StageInput::read(value, reader, &[Artifact::Policy], false) {
            return Some(Self::Policy(PolicyInput::Stage(input)));
        }
        match &value.kind {
            ValueKind::Component(c) if <dyn PolicyKind as Category>::entries().iter().any(|e| e.info.name == c.kind) => {
                PolicyInput::read(value, reader).map(Self::Policy)
            }
            ValueKind::Component(_) => Part::read(value, reader).map(Self::Plain),
            _ => {
                reader.mismatch(value, &Self::expects());
                None
            }
        }
    }

    fn expects() -> String {
        "an actor: `expert`, `random`, `endpoint { … }`, or a policy".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}
