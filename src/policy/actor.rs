//! Who plays: a policy, the environment's expert, or chance.

use super::input::{PolicyInput, StageInput};
use super::kinds::PolicyKind;
use crate::kind;
use crate::kind::{Artifact, Category, Entry, Field, Identity, Part, Reader};
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

/// An actor that needs no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    Expert,
    Random,
}

impl Identity for Actor {
    fn identity(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

impl Category for Actor {
    const WORDS: &'static str = "an actor: `expert`, `random`, or a policy";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<Actor>] = &[
            Entry { info: &Expert::INFO, read: |_, c, r| Some(read(c, r, &Expert::INFO, Actor::Expert)) },
            Entry { info: &Random::INFO, read: |_, c, r| Some(read(c, r, &Random::INFO, Actor::Random)) },
        ];
        ENTRIES
    }
}

fn read(component: &Component, reader: &mut Reader<'_, '_>, info: &'static kind::KindInfo, actor: Actor) -> Arc<Actor> {
    reader.refuse_unknown(component, &[info], |_| false);
    Arc::new(actor)
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
        matches!(self, Self::Plain(part) if **part == Actor::Expert)
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
        if reader.refer(value, &[Artifact::Policy], false) {
            return Some(Self::Policy(PolicyInput::Stage(StageInput { field: reader.field(), span: value.span })));
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
        "an actor: `expert`, `random`, or a policy".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}
