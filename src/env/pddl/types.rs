//! Types and their order. Every type is a kind of `object`.

use std::collections::HashMap;

pub(crate) type TypeId = u16;

pub(crate) const MAX_TYPES: usize = 1000;

/// The type that all others are kinds of; always present.
pub(crate) const OBJECT: TypeId = 0;

#[derive(Debug)]
pub(crate) struct Types {
    names: Vec<String>,
    ids: HashMap<String, TypeId>,
    /// Direct supertypes as declared.
    parents: Vec<Vec<TypeId>>,
    /// All supertypes and the type itself, sorted; filled by `close`.
    above: Vec<Vec<TypeId>>,
}

impl Types {
    pub(crate) fn new() -> Self {
        let mut types = Types { names: Vec::new(), ids: HashMap::new(), parents: Vec::new(), above: Vec::new() };
        types.declare("object");
        types
    }

    /// `None` when there are more types than can be numbered.
    pub(crate) fn declare(&mut self, name: &str) -> Option<TypeId> {
        if let Some(&id) = self.ids.get(name) {
            return Some(id);
        }
        if self.names.len() >= MAX_TYPES {
            return None;
        }
        let id = self.names.len() as TypeId;
        self.names.push(name.to_string());
        self.ids.insert(name.to_string(), id);
        self.parents.push(Vec::new());
        Some(id)
    }

    pub(crate) fn add_parent(&mut self, child: TypeId, parent: TypeId) {
        if let Some(parents) = self.parents.get_mut(child as usize) {
            parents.push(parent);
        }
    }

    /// Works out the order. A circle of types is harmless: its members are kinds of each other.
    pub(crate) fn close(&mut self) {
        self.above = (0..self.names.len())
            .map(|start| {
                let mut seen = vec![false; self.names.len()];
                seen[OBJECT as usize] = true;
                let mut todo = vec![start];
                while let Some(next) = todo.pop() {
                    if !seen[next] || next == start {
                        seen[next] = true;
                        todo.extend(self.parents[next].iter().map(|&p| p as usize).filter(|&p| !seen[p]));
                    }
                }
                (0..self.names.len()).filter(|&i| seen[i]).map(|i| i as TypeId).collect()
            })
            .collect();
    }

    pub(crate) fn id(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn name(&self, id: TypeId) -> &str {
        self.names.get(id as usize).map_or("object", String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The type itself and all that it is a kind of.
    pub(crate) fn above(&self, id: TypeId) -> &[TypeId] {
        self.above.get(id as usize).map_or(&[], Vec::as_slice)
    }
}
