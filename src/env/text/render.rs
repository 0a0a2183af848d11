//! Makes texts: runs a script over a state.

use super::link::{Linked, LinkedItem, Query, Script, Value};
use super::{NOBODY, TextError};

/// What a value can ask of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Name,
    Id,
    Type,
    Definite,
    Indefinite,
}

impl Attribute {
    pub(super) fn parse(name: &str) -> Option<Attribute> {
        Some(match name {
            "name" => Attribute::Name,
            "id" => Attribute::Id,
            "type" => Attribute::Type,
            "definite" => Attribute::Definite,
            "indefinite" => Attribute::Indefinite,
            _ => return None,
        })
    }
}

/// A state of a world, as far as texts need it.
pub(crate) trait Scene {
    /// Calls `found` with the objects of every fact of a predicate that fits the pattern (`NOBODY` fits all), in order of
    /// the objects' ids, until it returns false. `negative`: facts that were made false.
    fn visit(&self, predicate: u16, negative: bool, pattern: &[u16], found: &mut dyn FnMut(&[u16]) -> bool);
    fn is_a(&self, object: u16, kind: u16) -> bool;
    fn attribute(&self, object: u16, attribute: Attribute) -> &str;
}

/// Facts looked at, rules replaced and bytes written for one text. The largest official games need some thousands.
const BUDGET: u32 = 4_000_000;

impl Script {
    /// The rule `intro`.
    ///
    /// # Errors
    /// When the text or the search for it gets out of hand.
    pub(crate) fn opening(&self, scene: &impl Scene) -> Result<String, TextError> {
        let mut renderer = Renderer::new(self, scene, &[], &[]);
        renderer.rule(self.intro);
        renderer.finish()
    }

    /// How an action with these objects is commanded.
    ///
    /// # Errors
    /// As for [`Script::opening`].
    pub(crate) fn command(&self, action: usize, objects: &[u16], scene: &impl Scene) -> Result<String, TextError> {
        let Some(action) = self.actions.get(action) else { return Ok(String::new()) };
        let mut renderer = Renderer::new(self, scene, &action.params, objects);
        renderer.pieces(&action.command);
        renderer.finish()
    }

    /// What is said after an action with these objects; `scene` is the state after it.
    ///
    /// # Errors
    /// As for [`Script::opening`].
    pub(crate) fn feedback(&self, action: usize, objects: &[u16], scene: &impl Scene) -> Result<String, TextError> {
        let Some(action) = self.actions.get(action) else { return Ok(String::new()) };
        let mut renderer = Renderer::new(self, scene, &action.params, objects);
        renderer.pieces(&action.feedback);
        renderer.finish()
    }
}

struct Renderer<'a, S> {
    script: &'a Script,
    scene: &'a S,
    /// By slot.
    values: Vec<u16>,
    /// Slots in the order in which they were bound.
    bound: Vec<u16>,
    /// Objects that are taken: one more than the bound slots tell, the parameters that nobody mentions.
    used: Vec<u16>,
    out: String,
    left: u32,
}

impl<'a, S: Scene> Renderer<'a, S> {
    fn new(script: &'a Script, scene: &'a S, slots: &[u16], objects: &[u16]) -> Self {
        let mut values = vec![NOBODY; script.slots.len()];
        for (&slot, &object) in slots.iter().zip(objects) {
            if let Some(value) = values.get_mut(slot as usize) {
                *value = object;
            }
        }
        let out = String::with_capacity(128);
        Renderer { script, scene, values, bound: slots.to_vec(), used: objects.to_vec(), out, left: BUDGET }
    }

    fn finish(self) -> Result<String, TextError> {
        match self.left {
            0 => Err(TextError::new(format!("making a text took more than {BUDGET} steps"))),
            _ => Ok(self.out),
        }
    }

    /// False when the budget is used up.
    fn spend(&mut self, steps: usize) -> bool {
        self.left = self.left.saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX));
        self.left > 0
    }

    fn write(&mut self, text: &str) {
        if self.spend(text.len()) {
            self.out.push_str(text);
        }
    }

    fn rule(&mut self, rule: u16) {
        if !self.spend(1) {
            return;
        }
        let script = self.script;
        for alternative in script.rules.get(rule as usize).into_iter().flatten() {
            let holds = match &alternative.condition {
                None => true,
                Some(query) => {
                    let mut any = false;
                    self.solve(query, 0, &mut |_| {
                        any = true;
                        false
                    });
                    any
                }
            };
            if holds {
                return self.pieces(&alternative.pieces);
            }
        }
    }

    fn pieces(&mut self, pieces: &'a [Linked]) {
        for piece in pieces {
            match piece {
                Linked::Text(text) => self.write(text),
                Linked::Rule(rule) => self.rule(*rule),
                Linked::Each { item, query: None, .. } => self.item(item),
                Linked::Each { item, query: Some(query), list } => self.each(item, query, *list),
            }
        }
    }

    fn each(&mut self, item: &'a LinkedItem, query: &'a Query, list: bool) {
        let new: Vec<u16> = query.slots.iter().copied().filter(|&slot| self.values[slot as usize] == NOBODY).collect();
        let mut answers: Vec<u16> = Vec::new();
        let mut count = 0;
        self.solve(query, 0, &mut |values| {
            answers.extend(new.iter().map(|&slot| values[slot as usize]));
            count += 1;
            true
        });
        let rules = self.script.list;
        if list && count == 0 {
            return self.rule(rules.empty);
        }
        for index in 0..count {
            if !self.spend(1) {
                return;
            }
            if list && index > 0 {
                self.rule(if index + 1 == count { rules.last } else { rules.separator });
            }
            let (bound, used) = (self.bound.len(), self.used.len());
            for (i, &slot) in new.iter().enumerate() {
                self.bind(slot, answers[index * new.len() + i]);
            }
            self.item(item);
            self.unbind(bound, used);
        }
    }

    fn item(&mut self, item: &'a LinkedItem) {
        match item {
            LinkedItem::Rule(rule) => self.rule(*rule),
            LinkedItem::Value(value) => self.value(value),
        }
    }

    fn value(&mut self, value: &'a Value) {
        match value {
            Value::Text(text) => self.write(text),
            Value::Attribute(name, attribute) => {
                let object = self.named(*name);
                let scene = self.scene;
                self.write(scene.attribute(object, *attribute));
            }
            Value::Join(parts) => parts.iter().for_each(|part| self.value(part)),
            Value::Or(parts) => {
                let before = self.out.len();
                for part in parts {
                    self.value(part);
                    if self.out.len() > before {
                        return;
                    }
                }
            }
        }
    }

    /// The object that a name stands for: of variables that differ only in type, the one bound last.
    fn named(&self, name: u16) -> u16 {
        match self.script.names.get(name as usize).map_or(&[][..], Vec::as_slice) {
            [slot] => self.values.get(*slot as usize).copied().unwrap_or(NOBODY),
            slots => {
                let last = self.bound.iter().rev().find(|slot| slots.contains(slot));
                last.and_then(|&slot| self.values.get(slot as usize)).copied().unwrap_or(NOBODY)
            }
        }
    }

    fn bind(&mut self, slot: u16, object: u16) {
        self.values[slot as usize] = object;
        self.bound.push(slot);
        self.used.push(object);
    }

    fn unbind(&mut self, bound: usize, used: usize) {
        for slot in self.bound.drain(bound..) {
            self.values[slot as usize] = NOBODY;
        }
        self.used.truncate(used);
    }

    /// Calls `found` with every way to satisfy the parts from `part` on; stops when it returns false.
    fn solve(&mut self, query: &Query, part: usize, found: &mut dyn FnMut(&[u16]) -> bool) -> bool {
        let Some(this) = query.parts.get(part) else { return found(&self.values) };
        let Some(predicate) = this.predicate else { return true };
        let mut pattern = [NOBODY; 8];
        for (place, &slot) in pattern.iter_mut().zip(&this.slots) {
            *place = self.values[slot as usize];
        }
        let scene = self.scene;
        let mut go_on = true;
        scene.visit(predicate, this.negative, &pattern[..this.slots.len().min(8)], &mut |row| {
            if !self.spend(1) {
                go_on = false;
                return false;
            }
            let (bound, used) = (self.bound.len(), self.used.len());
            let fits = this.slots.iter().zip(row).all(|(&slot, &object)| {
                if self.values[slot as usize] != NOBODY {
                    return self.values[slot as usize] == object;
                }
                let kind = self.script.slots[slot as usize].kind;
                let free = !self.used.contains(&object) && self.scene.is_a(object, kind);
                if free {
                    self.bind(slot, object);
                }
                free
            });
            go_on = !fits || self.solve(query, part + 1, found);
            self.unbind(bound, used);
            go_on
        });
        go_on
    }
}
