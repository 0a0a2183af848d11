//! A state as texts see it.

use super::cond::{holds, literal};
use super::game::Game;
use super::table::{NONE, Table};
use crate::env::text::{Attribute, NOBODY, Scene};

pub(crate) struct View<'a> {
    pub game: &'a Game,
    pub bits: &'a [u64],
}

/// Where the facts of a table begin among the bits; [`NONE`] when they hold always (or, denied, never).
fn base(table: &Table, negative: bool) -> u32 {
    if negative { table.negative } else { table.base }
}

impl Scene for View<'_> {
    fn visit(&self, predicate: u16, negative: bool, pattern: &[u16], found: &mut dyn FnMut(&[u16]) -> bool) {
        let Some(table) = self.game.tables.get(predicate as usize) else { return };
        let base = base(table, negative);
        if base == NONE && (negative || self.game.domain.is_fluent(predicate)) {
            return;
        }
        let there = |row: u32| base == NONE || holds(self.bits, literal(base + row, true));
        if pattern.iter().all(|&object| object != NOBODY) {
            if let Some(row) = table.find(pattern).filter(|&row| there(row)) {
                found(table.row(row));
            }
            return;
        }
        let fits = |row: &[u16]| pattern.iter().zip(row).all(|(&wanted, &object)| wanted == NOBODY || wanted == object);
        let bound = pattern.iter().enumerate().filter(|(_, object)| **object != NOBODY);
        let rows = bound.filter_map(|(position, &object)| table.with(position, object)).min_by_key(|rows| rows.len());
        let mut go = |row: u32| !there(row) || !fits(table.row(row)) || found(table.row(row));
        match rows {
            Some(rows) => rows.iter().all(|&row| go(row)),
            None => (0..table.len).all(go),
        };
    }

    fn is_a(&self, object: u16, kind: u16) -> bool {
        self.game.members.get(kind as usize).and_then(|members| members.get(object as usize)).copied().unwrap_or(false)
    }

    fn attribute(&self, object: u16, attribute: Attribute) -> &str {
        let Some(((id, kind), name)) = self.game.objects.get(object as usize).zip(self.game.names.get(object as usize)) else {
            return "";
        };
        match attribute {
            Attribute::Name => &name.name,
            Attribute::Id => id,
            Attribute::Type => self.game.domain.types.name(*kind),
            Attribute::Definite => &name.definite,
            Attribute::Indefinite => &name.indefinite,
        }
    }
}
