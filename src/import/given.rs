//! What the source says, by what it means here.

use super::keys::{self, Fate, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// Where settings come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Verl,
    Trl,
}

impl Source {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Verl => "verl",
            Self::Trl => "TRL",
        }
    }
}

/// A key with its value, as the source has them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub key: String,
    pub value: String,
}

/// What found no place, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unplaced {
    /// As it was written: `trainer.window_size = 5`, `--entropy_smooth True`.
    pub what: String,
    pub why: String,
    /// The source ignores it itself.
    pub ignored: bool,
}

/// All of it.
pub(super) struct Given {
    pub source: Source,
    slots: BTreeMap<Slot, Setting>,
    used: BTreeSet<Slot>,
    pub unplaced: Vec<Unplaced>,
}

impl Given {
    pub(super) fn new(source: Source, unplaced: Vec<Unplaced>) -> Self {
        Self { source, slots: BTreeMap::new(), used: BTreeSet::new(), unplaced }
    }

    /// Puts a setting where it belongs. A later one of the same key wins, as it does there.
    pub(super) fn take(&mut self, setting: Setting) {
        let value = setting.value.trim();
        if ["null", "None", "~", ""].contains(&value) {
            return;
        }
        match keys::fate(self.source, &setting.key) {
            Some(Fate::Goes(slot)) => drop(self.slots.insert(slot, setting)),
            Some(Fate::Not(why)) => self.leave(&setting, why),
            Some(Fate::Unread(why)) => self.ignore(&setting, why),
            None => self.leave(&setting, "this key is not known here; look up what it does there"),
        }
    }

    pub(super) fn leave(&mut self, setting: &Setting, why: &str) {
        self.unplaced.push(Unplaced { what: shown(setting), why: why.into(), ignored: false });
    }

    pub(super) fn ignore(&mut self, setting: &Setting, why: &str) {
        self.unplaced.push(Unplaced { what: shown(setting), why: why.into(), ignored: true });
    }

    /// Something that the recipe has to leave open, in words alone.
    pub(super) fn note(&mut self, what: &str, why: &str) {
        self.unplaced.push(Unplaced { what: what.into(), why: why.into(), ignored: false });
    }

    pub(super) fn has(&self, slot: Slot) -> bool {
        self.slots.contains_key(&slot)
    }

    /// The value, which then has found its place; its key for the comment beside it.
    pub(super) fn text(&mut self, slot: Slot) -> Option<(String, String)> {
        let setting = self.slots.get(&slot)?;
        self.used.insert(slot);
        Some((setting.value.trim().to_owned(), setting.key.clone()))
    }

    /// Takes a setting out that means nothing beside the others.
    pub(super) fn withdraw(&mut self, slot: Slot) -> Option<Setting> {
        self.used.remove(&slot);
        self.slots.remove(&slot)
    }

    /// A number, or the default of the source. What is no number is left for a person.
    pub(super) fn number(&mut self, slot: Slot, default: f64) -> (f64, String) {
        match self.text(slot) {
            None => (default, "default".into()),
            Some((text, key)) => match text.replace('_', "").parse::<f64>() {
                Ok(number) if number.is_finite() => (number, key),
                _ => {
                    let setting = Setting { key, value: text };
                    self.withdraw(slot);
                    self.leave(&setting, "this is no number that can be read here");
                    (default, "default".into())
                }
            },
        }
    }

    /// A whole number of 1 or more.
    pub(super) fn count(&mut self, slot: Slot, default: u64) -> (u64, String) {
        let (number, key) = self.number(slot, default as f64);
        if number >= 1.0 && number.fract() == 0.0 && number < 1e12 { (number as u64, key) } else { (default, "default".into()) }
    }

    pub(super) fn is_true(&mut self, slot: Slot, default: bool) -> bool {
        self.text(slot).map_or(default, |(text, _)| ["true", "1", "yes", "on"].contains(&text.to_lowercase().as_str()))
    }

    pub(super) fn placed(&self) -> usize {
        self.used.len()
    }

    /// What was read and means nothing for this recipe.
    pub(super) fn leave_unused(&mut self) {
        let unused: Vec<Setting> =
            self.slots.iter().filter(|(slot, _)| !self.used.contains(slot)).map(|(_, setting)| setting.clone()).collect();
        for setting in unused {
            self.leave(&setting, "means nothing beside the other settings");
        }
    }
}

pub(super) fn shown(setting: &Setting) -> String {
    format!("{} = {}", setting.key, setting.value)
}
