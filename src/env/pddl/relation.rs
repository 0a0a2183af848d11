//! The facts of one predicate, found by any of their arguments, and the search for objects that fit a conjunction.

use super::domain::MAX_ARITY;
use super::formula::{Atom, PredId, Term};
use super::problem::{NOBODY, ObjId};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// The arguments of a fact in one number whose order is the order of the arguments.
pub(crate) fn key(args: &[ObjId]) -> u128 {
    args.iter().take(MAX_ARITY).fold(0, |key, &arg| key << 16 | u128::from(arg))
}

/// A multiplicative hasher for keys that nobody chooses with ill intent that could matter: the tables live while a game is loaded.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &b in bytes {
            self.write_u64(u64::from(b));
        }
    }
    fn write_u64(&mut self, n: u64) {
        let mixed = (self.0.rotate_left(5) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }
}

pub(crate) type KeyMap<V> = HashMap<u128, V, BuildHasherDefault<KeyHasher>>;
pub(crate) type KeySet = HashSet<u128, BuildHasherDefault<KeyHasher>>;

#[derive(Default)]
pub(crate) struct Relation {
    pub arity: usize,
    rows: Vec<ObjId>,
    places: KeyMap<u32>,
    /// By argument and object: the rows with that object there, ascending.
    by: KeyMap<Vec<u32>>,
}

impl Relation {
    pub(crate) fn new(arity: usize) -> Self {
        Relation { arity, ..Relation::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn row(&self, row: u32) -> &[ObjId] {
        self.rows.get(row as usize * self.arity..(row as usize + 1) * self.arity).unwrap_or(&[])
    }

    pub(crate) fn find(&self, args: &[ObjId]) -> Option<u32> {
        self.places.get(&key(args)).copied()
    }

    /// The new row, or `None` when the fact was there.
    pub(crate) fn insert(&mut self, args: &[ObjId]) -> Option<u32> {
        let row = self.places.len() as u32;
        match self.places.entry(key(args)) {
            std::collections::hash_map::Entry::Occupied(_) => return None,
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(row),
        };
        self.rows.extend(args);
        if self.arity > 1 {
            for (position, &arg) in args.iter().enumerate() {
                self.by.entry(key(&[position as ObjId, arg])).or_default().push(row);
            }
        }
        Some(row)
    }

    fn with(&self, position: usize, object: ObjId) -> &[u32] {
        self.by.get(&key(&[position as ObjId, object])).map_or(&[], Vec::as_slice)
    }
}

/// The work of a search ran over its budget.
#[derive(Debug)]
pub(crate) struct OverBudget;

/// A search: relations by predicate, the object that each name stands for, which object fits which variable.
pub(crate) struct Join<'a> {
    pub relations: &'a [Relation],
    pub names: &'a [ObjId],
    /// `fits[variable][object]`.
    pub fits: &'a [&'a [bool]],
}

/// One atom to satisfy, and a row it must not use (`u32::MAX`: none).
#[derive(Clone, Copy)]
pub(crate) struct Goal<'a> {
    pub atom: &'a Atom,
    pub except: u32,
}

impl Join<'_> {
    pub(super) fn value(&self, term: Term, env: &[ObjId]) -> ObjId {
        match term {
            Term::Var(var) => env.get(var as usize).copied().unwrap_or(NOBODY),
            Term::Name(name) => self.names.get(name as usize).copied().unwrap_or(NOBODY),
        }
    }

    /// The arguments of an atom whose variables are all bound.
    pub(super) fn args(&self, atom: &Atom, env: &[ObjId]) -> ([ObjId; MAX_ARITY], usize) {
        let mut args = [NOBODY; MAX_ARITY];
        for (slot, &term) in args.iter_mut().zip(&atom.args) {
            *slot = self.value(term, env);
        }
        (args, atom.args.len().min(MAX_ARITY))
    }

    pub(super) fn relation(&self, pred: PredId) -> &Relation {
        static EMPTY: std::sync::OnceLock<Relation> = std::sync::OnceLock::new();
        self.relations.get(pred as usize).unwrap_or_else(|| EMPTY.get_or_init(Relation::default))
    }

    pub(super) fn fits(&self, var: u16, object: ObjId) -> bool {
        self.fits.get(var as usize).and_then(|fits| fits.get(object as usize)).copied().unwrap_or(false)
    }

    /// Binds the variables of `atom` to the objects of `row`; undoes nothing when it fails, the caller does.
    pub(super) fn bind(&self, atom: &Atom, row: &[ObjId], env: &mut [ObjId]) -> bool {
        atom.args.iter().zip(row).all(|(&term, &object)| match (self.value(term, env), term) {
            (NOBODY, Term::Var(var)) if self.fits(var, object) => {
                if let Some(slot) = env.get_mut(var as usize) {
                    *slot = object;
                }
                true
            }
            (bound, _) => bound == object && bound != NOBODY,
        })
    }

    /// Calls `found` with every binding of the variables that satisfies all goals and gives each of `free` a fitting object.
    /// Takes the goal with the fewest candidates first at every level.
    pub(super) fn solve(
        &self,
        goals: &mut [Goal],
        free: &[u16],
        env: &mut [ObjId],
        budget: &mut u64,
        found: &mut dyn FnMut(&[ObjId]) -> Result<(), OverBudget>,
    ) -> Result<(), OverBudget> {
        *budget = budget.checked_sub(1 + goals.len() as u64).ok_or(OverBudget)?;
        let Some(best) = (0..goals.len()).min_by_key(|&i| self.candidates(&goals[i], env).1) else {
            return self.enumerate(free, env, budget, found);
        };
        goals.swap(0, best);
        let Some((goal, rest)) = goals.split_first_mut() else { return Ok(()) };
        let goal = *goal;
        let (by, count) = self.candidates(&goal, env);
        if count == 0 {
            return Ok(());
        }
        *budget = budget.checked_sub(u64::from(count)).ok_or(OverBudget)?;
        let relation = self.relation(goal.atom.pred);
        let saved: [ObjId; MAX_ARITY] = self.args(goal.atom, env).0;
        let mut try_row = |row: u32, env: &mut [ObjId], budget: &mut u64| -> Result<(), OverBudget> {
            if row != goal.except && self.bind(goal.atom, relation.row(row), env) {
                self.solve(rest, free, env, budget, found)?;
            }
            for (&term, &before) in goal.atom.args.iter().zip(&saved) {
                if let (Term::Var(var), NOBODY) = (term, before)
                    && let Some(slot) = env.get_mut(var as usize)
                {
                    *slot = NOBODY;
                }
            }
            Ok(())
        };
        match by {
            Rows::One(row) => try_row(row, env, budget),
            Rows::Some(rows) => rows.iter().try_for_each(|&row| try_row(row, env, budget)),
            Rows::All => (0..count).try_for_each(|row| try_row(row, env, budget)),
        }
    }

    fn candidates(&self, goal: &Goal, env: &[ObjId]) -> (Rows<'_>, u32) {
        let relation = self.relation(goal.atom.pred);
        let (args, n) = self.args(goal.atom, env);
        let args = &args[..n];
        let mut unbound = 0;
        let mut best = (Rows::All, relation.len() as u32);
        for (position, (&arg, &term)) in args.iter().zip(&goal.atom.args).enumerate() {
            match (arg, term) {
                (NOBODY, Term::Var(_)) => unbound += 1,
                // A name for which this problem has no object.
                (NOBODY, Term::Name(_)) => return (Rows::All, 0),
                _ if relation.arity > 1 => {
                    let rows = relation.with(position, arg);
                    if (rows.len() as u32) < best.1 {
                        best = (Rows::Some(rows), rows.len() as u32);
                    }
                }
                _ => {}
            }
        }
        if unbound > 0 {
            return best;
        }
        match relation.find(args) {
            Some(row) => (Rows::One(row), 1),
            None => (Rows::All, 0),
        }
    }

    fn enumerate(
        &self,
        free: &[u16],
        env: &mut [ObjId],
        budget: &mut u64,
        found: &mut dyn FnMut(&[ObjId]) -> Result<(), OverBudget>,
    ) -> Result<(), OverBudget> {
        let Some((&var, rest)) = free.split_first() else {
            // What is found is written down, so it costs its length.
            *budget = budget.checked_sub(1 + env.len() as u64).ok_or(OverBudget)?;
            return found(env);
        };
        if env.get(var as usize) != Some(&NOBODY) {
            return self.enumerate(rest, env, budget, found);
        }
        let fits = self.fits.get(var as usize).copied().unwrap_or(&[]);
        *budget = budget.checked_sub(fits.len() as u64).ok_or(OverBudget)?;
        for object in (0..fits.len()).filter(|&o| fits[o]) {
            env[var as usize] = object as ObjId;
            self.enumerate(rest, env, budget, found)?;
        }
        env[var as usize] = NOBODY;
        Ok(())
    }
}

enum Rows<'a> {
    One(u32),
    Some(&'a [u32]),
    All,
}
