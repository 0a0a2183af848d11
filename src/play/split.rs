//! `house.seen`: some games of an environment.

use super::environment::{EnvironmentSpec, WorldKind, check_split};
use crate::env::{EnvError, Machine, Panel, World};
use crate::kind;
use crate::kind::{Count, Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, ValueKind};
use std::sync::Arc;

kind! {
    /// Some games of an environment, as a field of it under any name; elsewhere it is spoken of as `house.train`.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train", count = 100 } }
    /// ```
    pub(crate) struct Games as "games" {
        /// Which of the environment's splits.
        split: String [required],
        /// Only the first so many of the split's fixed order.
        count: Option<Count<1_000_000>> [default None],
        /// With a `count`: draws that many games of the split by this seed, instead of taking the first.
        seed: Option<u64> [added default None],
    }
}

/// A split with the environment that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct SplitField {
    /// `house.seen`, however the file is called that it comes from: `h.house.seen` is the same.
    pub name: String,
    pub environment: Arc<EnvironmentSpec>,
    pub games: Games,
}

impl Identity for SplitField {
    fn identity(&self) -> serde_json::Value {
        serde_json::json!({ "environment": self.environment.identity(), "games": self.games.identity() })
    }
}

impl Field for SplitField {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let (ValueKind::Component(component), Some(owner)) = (&value.kind, &value.owner) else {
            if let ValueKind::Component(component) = &value.kind
                && component.fields.values().any(|f| matches!(&f.value.kind, ValueKind::Component(c) if c.kind == Games::INFO.name))
            {
                let splits =
                    component.fields.iter().filter(|(_, f)| matches!(&f.value.kind, ValueKind::Component(c) if c.kind == Games::INFO.name));
                let list = splits.map(|(name, _)| format!("`.{name}`")).collect::<Vec<_>>().join(", ");
                reader.report(
                    Diagnostic::error("E0201", value.span, "expected a split of this environment, found the environment itself")
                        .help(format!("its splits are {list}")),
                );
                return None;
            }
            reader.mismatch(value, &Self::expects());
            return None;
        };
        if component.kind != Games::INFO.name {
            reader.mismatch(value, &Self::expects());
            return None;
        }
        reader.refuse_unknown(component, &[&Games::INFO], |_| false);
        let games = Games::read_fields(component, reader);
        let environment = EnvironmentSpec::read(&owner.value, reader);
        let (games, environment) = (games?, environment?);
        let at = component.fields.get("split").map_or(value.span, |f| f.value.span);
        if !check_split(&*environment.world, &games.split, at, reader) {
            return None;
        }
        if let (Some(field), None) = (component.fields.get("seed"), games.count) {
            let message = "a seed draws a `count` of games; without one all of the split are taken";
            reader.report(Diagnostic::error("E0202", field.value.span, message));
            return None;
        }
        if let Some(message) = too_few(&*environment.world, &games) {
            let at = component.fields.get("count").map_or(at, |f| f.value.span);
            reader.report(Diagnostic::error("E0202", at, message));
            return None;
        }
        Some(Self { name: own_name(&owner.path).into(), environment: Arc::new(environment), games })
    }

    fn expects() -> String {
        "a split of an environment, such as `house.train`".into()
    }

    fn shown(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

/// Of a path the environment and the split.
fn own_name(path: &str) -> &str {
    path.rmatch_indices('.').nth(1).map_or(path, |(dot, _)| &path[dot + 1..])
}

/// What is said where an environment has fewer games than are wanted.
fn too_few(world: &dyn WorldKind, games: &Games) -> Option<String> {
    let most = world.most_games(&games.split, games.seed.is_some())?;
    match games.count.map_or(1, |count| count.0) {
        _ if most == 0 => Some(format!("the split \"{}\" has no game of the tasks wanted", games.split)),
        count if count > most => Some(format!("the split \"{}\" has {most} games here, not {count}", games.split)),
        _ => None,
    }
}

impl SplitField {
    /// How many tasks it has, where that is known without opening it.
    pub(crate) fn known_size(&self) -> Option<usize> {
        self.games.count.map(|count| count.0).or_else(|| self.environment.world.most_games(&self.games.split, false))
    }

    /// Looks at what playing needs, in words; with an `expert`, also at whether there is one.
    ///
    /// # Errors
    /// As [`Self::open`], and what else is missing.
    pub(crate) fn look(&self, machine: &Machine, expert: bool) -> Result<String, EnvError> {
        self.environment.world.look(machine)?;
        let (world, panel) = self.open(machine)?;
        if expert && !world.has_expert() {
            return Err(EnvError::Task("its expert is asked, and it has none".into()));
        }
        Ok(format!("{} games", panel.tasks.len()))
    }

    /// # Errors
    /// If the world cannot be opened or has no such tasks.
    pub(crate) fn open(&self, machine: &Machine) -> Result<(Arc<dyn World>, Arc<Panel>), EnvError> {
        let world = self.environment.world.open(machine)?;
        let (split, count) = (&self.games.split, self.games.count.map(|c| c.0));
        let panel = match (self.games.seed, count) {
            (Some(seed), Some(count)) => Arc::new(drawn(&*world.panel(split, None)?, count, seed)?),
            _ => world.panel(split, count)?,
        };
        if panel.tasks.is_empty() {
            return Err(EnvError::Task(format!("`{}` has no tasks", self.name)));
        }
        Ok((world, panel))
    }
}

/// `count` tasks of a panel. A draw of fewer is the beginning of a draw of more.
fn drawn(panel: &Panel, count: usize, seed: u64) -> Result<Panel, EnvError> {
    if count > panel.tasks.len() {
        return Err(EnvError::Task(format!("`{}` has {} games, not {count}", panel.name, panel.tasks.len())));
    }
    let mut tasks = panel.tasks.clone();
    tasks.sort_by_cached_key(|task| *blake3::hash(format!("{seed}/{}", task.id).as_bytes()).as_bytes());
    tasks.truncate(count);
    let mut hash = blake3::Hasher::new_derive_key("epo drawn panel 1");
    hash.update(format!("{}/{seed}/{count}", panel.hash).as_bytes());
    Ok(Panel { name: format!("{} {count} of seed {seed}", panel.name), tasks, hash: hash.finalize().to_hex().to_string() })
}
