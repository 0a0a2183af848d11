//! Finds commands by their text, the actions that a command can mean, and the few actions that can be possible in a state.

use super::cond::Literal;
use super::ground::{Action, Actions};
use super::table::{NONE, Table};
use std::ops::Range;

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// All commands, sorted, one after the other.
    texts: String,
    ends: Vec<u32>,
    /// By command: where its actions begin; one more at the end.
    starts: Vec<u32>,
    /// Facts by which actions are found: each action stands under one fact that it needs.
    pivots: Box<[u64]>,
    /// By fact: where its actions begin in `under`.
    under_starts: Box<[u32]>,
    /// Actions with their commands.
    under: Box<[(u32, u32)]>,
    /// Actions that need no fact to hold.
    always: Box<[(u32, u32)]>,
}

impl Index {
    /// Sorts the actions by the texts of their commands (`texts[written[action]]`) and indexes them.
    pub(crate) fn new(actions: &mut Actions, texts: &[String], written: &[u32], tables: &[Table], initial: &[u64], facts: u32) -> Index {
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| texts[a as usize].cmp(&texts[b as usize]));
        let mut index = Index::default();
        let mut ranks = vec![0; texts.len()];
        let mut last: Option<&str> = None;
        for &text in &order {
            let words = texts[text as usize].as_str();
            if last != Some(words) {
                index.texts.push_str(words);
                index.ends.push(index.texts.len() as u32);
                last = Some(words);
            }
            ranks[text as usize] = index.ends.len() as u32 - 1;
        }
        index.sort(actions, &|action| ranks[written[action as usize] as usize]);
        index.choose_pivots(actions, tables, initial, facts);
        index
    }

    /// Puts the actions of one command together, in their old order.
    fn sort(&mut self, actions: &mut Actions, rank: &dyn Fn(u32) -> u32) {
        let mut starts = vec![0u32; self.ends.len() + 1];
        for action in 0..actions.all.len() as u32 {
            starts[rank(action) as usize + 1] += 1;
        }
        for command in 0..self.ends.len() {
            starts[command + 1] += starts[command];
        }
        let mut next = starts.clone();
        let mut sorted = actions.all.clone();
        for (action, entry) in actions.all.iter().enumerate() {
            let slot = &mut next[rank(action as u32) as usize];
            sorted[*slot as usize] = *entry;
            *slot += 1;
        }
        actions.all = sorted;
        self.starts = starts;
    }

    /// For every action, of the facts that must hold the one by which the fewest others will be looked at in vain.
    fn choose_pivots(&mut self, actions: &Actions, tables: &[Table], initial: &[u64], facts: u32) {
        let preds = predicates(tables, facts);
        let true_now: Vec<u32> = tables
            .iter()
            .map(|table| {
                (0..table.len).filter(|row| table.base != NONE && super::cond::holds(initial, (table.base + row) << 1 | 1)).count() as u32
            })
            .collect();
        // How many actions of a schema stand under one fact of a predicate, on average.
        let schemas = actions.all.iter().map(|action| action.schema as usize + 1).max().unwrap_or(0);
        let mut distinct = vec![vec![0u32; tables.len()]; schemas];
        let mut needing = distinct.clone();
        let mut seen = vec![(u16::MAX, 0u32); facts as usize];
        let mut by_schema: Vec<&Action> = actions.all.iter().collect();
        by_schema.sort_by_key(|action| action.schema);
        for action in by_schema {
            for fact in needed(actions, action) {
                let pred = preds[fact as usize] as usize;
                needing[action.schema as usize][pred] += 1;
                if seen[fact as usize].0 != action.schema {
                    seen[fact as usize].0 = action.schema;
                    distinct[action.schema as usize][pred] += 1;
                }
            }
        }
        let cost = |schema: u16, fact: u32| {
            let pred = preds[fact as usize] as usize;
            let per_fact = f64::from(needing[schema as usize][pred]) / f64::from(distinct[schema as usize][pred].max(1));
            per_fact * f64::from(true_now[pred].max(1))
        };
        let mut pairs: Vec<(u32, (u32, u32))> = Vec::with_capacity(actions.all.len());
        let mut always = Vec::new();
        for command in 0..self.ends.len() as u32 {
            for id in self.meanings(command) {
                let action = &actions.all[id as usize];
                let best = needed(actions, action).min_by(|&a, &b| cost(action.schema, a).total_cmp(&cost(action.schema, b)));
                match best {
                    Some(fact) => pairs.push((fact, (id, command))),
                    None => always.push((id, command)),
                }
            }
        }
        pairs.sort_by_key(|(fact, _)| *fact);
        let mut pivots = vec![0u64; facts.div_ceil(64) as usize];
        let mut starts = vec![0u32; facts as usize + 1];
        for (fact, _) in &pairs {
            pivots[(fact >> 6) as usize] |= 1 << (fact & 63);
            starts[*fact as usize + 1] += 1;
        }
        for fact in 0..facts as usize {
            starts[fact + 1] += starts[fact];
        }
        self.pivots = pivots.into();
        self.under_starts = starts.into();
        self.under = pairs.into_iter().map(|(_, entry)| entry).collect();
        self.always = always.into();
    }

    /// Number of commands.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self, command: u32) -> &str {
        let end = self.ends.get(command as usize).copied().unwrap_or(0) as usize;
        let start = command.checked_sub(1).and_then(|before| self.ends.get(before as usize)).copied().unwrap_or(0) as usize;
        self.texts.get(start..end).unwrap_or("")
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.text(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The actions that a command can mean.
    pub(crate) fn meanings(&self, command: u32) -> Range<u32> {
        let command = command as usize;
        match (self.starts.get(command), self.starts.get(command + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }

    /// Calls `f` with lists of (action, command) in which all actions possible in a state are found.
    #[inline]
    pub(crate) fn candidates(&self, bits: &[u64], mut f: impl FnMut(&[(u32, u32)])) {
        f(&self.always);
        for (i, (&pivots, &bits)) in self.pivots.iter().zip(bits).enumerate() {
            let mut facts = pivots & bits;
            while facts != 0 {
                let fact = i * 64 + facts.trailing_zeros() as usize;
                facts &= facts - 1;
                if let (Some(&start), Some(&end)) = (self.under_starts.get(fact), self.under_starts.get(fact + 1)) {
                    f(self.under.get(start as usize..end as usize).unwrap_or(&[]));
                }
            }
        }
    }
}

/// The predicate of every fact.
fn predicates(tables: &[Table], facts: u32) -> Vec<u16> {
    let mut preds = vec![0; facts as usize];
    for (pred, table) in tables.iter().enumerate().filter(|(_, table)| table.base != NONE) {
        preds[table.base as usize..(table.base + table.len) as usize].fill(pred as u16);
    }
    preds
}

/// The facts that must hold for an action.
fn needed<'a>(actions: &'a Actions, action: &Action) -> impl Iterator<Item = u32> + use<'a> {
    let pre: &[Literal] = &actions.literals[action.pre as usize..action.post as usize];
    pre.iter().filter(|&&literal| literal & 1 == 1).map(|&literal| literal >> 1)
}
