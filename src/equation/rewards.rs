//! Rewards of a turn that a pipeline writes itself, as fields.

use crate::builtin::Builtin;
use crate::kind::{Field, Identity, KindInfo, Reader};
use crate::lang::print::{by_name, canonical};
use crate::lang::term::{Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use crate::objective::quantities::quantity_info;
use std::sync::Arc;

/// One number for each turn.
#[derive(Clone, Debug)]
pub(crate) struct RewardField(pub Arc<Term>);

impl Identity for RewardField {
    fn identity(&self) -> serde_json::Value {
        canonical(&self.0).into()
    }
}

impl RewardField {
    /// As a reader wants it.
    pub(crate) fn text(&self) -> String {
        by_name(&self.0)
    }
}

impl Field for RewardField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let kind = match &value.kind {
            ValueKind::Term(term) => return Some(Self(term.clone())),
            ValueKind::Number(n) => TermKind::Number(*n),
            ValueKind::Bool(b) => TermKind::Bool(*b),
            _ => {
                reader.mismatch(value, &Self::expects());
                return None;
            }
        };
        Some(Self(Term::new(kind, value.span, None)))
    }

    fn expects() -> String {
        "an expression with one value a turn, such as `contains(response, \"please\")`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

/// What is said of the block to people.
pub(crate) const REWARDS: KindInfo = KindInfo {
    name: "rewards",
    doc: "
 Named rewards of a turn: of its texts `response`, `action` and `observation` (see `contains` and what follows it on the page of functions), of its
 quantities, and of both. Each line is one, a number; its name is free. A stage that is given the block logs
 the mean of each over its own turns as `reward/NAME`. An equation mentions one as a field of the block: each normalised by itself, as below, is GDPO (arXiv:2601.05242).

 ```epo
 import \"std/losses.epo\"
 import \"std/advantages.epo\"
 prompt p = \"{observation}\"
 house = household { prompt = windowed { then = p }, train = games { split = \"train\" } }
 pipeline a {
   policy  = decoder { tokenizer = words }
   rewards = rewards {
     brief = where(word_count(response) < 6, 1, 0)
     again = repeats(action)
   }
   advantage = grpo() + 0.1 * grpo(mean(rewards.brief, by = episode)) - 0.1 * grpo(mean(rewards.again, by = episode))
   loss { surrogate = mean(ppo_clip(0.2)), minimize = surrogate }
   stages {
     words = tokenizer { on = house.train }
     train = rl { on = house.train, iterations = 2, groups = 4, group_size = 4 }
     page  = report { of = [train] }
   }
 }
 ```

 What is added to the environment's own reward is said by the stage's `shaping`.
",
    fields: &[],
};

/// Rewards by name, in the order written.
#[derive(Clone, Debug)]
pub(crate) struct RewardsField(pub Vec<NamedReward>);

#[derive(Clone, Debug)]
pub(crate) struct NamedReward {
    pub name: String,
    pub reward: RewardField,
}

impl Identity for RewardsField {
    fn identity(&self) -> serde_json::Value {
        self.0.iter().map(|named| (named.name.clone(), named.reward.identity())).collect::<serde_json::Map<_, _>>().into()
    }
}

impl Field for RewardsField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let component = match &value.kind {
            ValueKind::Component(component) if component.kind == REWARDS.name => component,
            _ => {
                reader.mismatch(value, &Self::expects());
                return None;
            }
        };
        if component.fields.is_empty() {
            let diagnostic = Diagnostic::error("E0105", value.span, "there is no reward in this block");
            reader.report(diagnostic.help("each line is one: `polite = contains(response, \"please\")`"));
            return None;
        }
        let mut named = Vec::new();
        let mut sound = true;
        for (name, field) in &component.fields {
            sound &= is_free(name, field.name_span, reader);
            match reader.read_at::<RewardField>("rewards", &field.value) {
                Some(reward) => named.push(NamedReward { name: name.clone(), reward }),
                None => sound = false,
            }
        }
        sound.then_some(Self(named))
    }

    fn expects() -> String {
        "a block `rewards { name = expression }`".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

/// Reports a name that already means something.
fn is_free(name: &str, place: Span, reader: &mut Reader<'_, '_>) -> bool {
    let taken = match (quantity_info(name), Builtin::called(name)) {
        (Some(_), _) => "a quantity",
        (_, Some(_)) => "a function",
        _ => return true,
    };
    let message = format!("a reward cannot be called `{name}`: that is {taken}");
    reader.report(Diagnostic::error("E0113", place, message).help("choose another name"));
    false
}
