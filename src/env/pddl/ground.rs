//! Numbers the reachable facts and writes every reachable action in those numbers.

use super::cond::{Cond, Literal, literal, make};
use super::domain::Schema;
use super::effect::Effect;
use super::explore::{Ground, Reach, each_binding, static_part};
use super::formula::{Atom, Clause, Formula, PredId, clauses};
use super::problem::{NOBODY, ObjId};
use super::relation::{Goal, Join, OverBudget};
use super::table::{NONE, Table};
use super::types::TypeId;
use std::collections::HashSet;

/// One action with its objects. Its objects and literals lie in the lists of [`Actions`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub schema: u16,
    /// Where its objects begin.
    pub args: u32,
    /// Literals `[pre, post)` must hold, `[post, end)` are made to hold.
    pub pre: u32,
    pub post: u32,
    pub end: u32,
    /// Its number in `extras`, or `NONE`.
    pub extra: u32,
}

/// What few actions have: conditions that are no conjunction, effects under a condition.
#[derive(Debug)]
pub(crate) struct Extra {
    pub condition: Cond,
    pub effects: Vec<(Cond, Box<[Literal]>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Actions {
    pub all: Vec<Action>,
    pub args: Vec<ObjId>,
    pub literals: Vec<Literal>,
    pub extras: Vec<Extra>,
}

#[derive(Debug)]
pub(crate) struct Grounding {
    /// By predicate.
    pub tables: Vec<Table>,
    pub actions: Actions,
    pub initial: Box<[u64]>,
    pub goal: Cond,
    /// Reachable facts that can change and that somebody looks at.
    pub facts: u32,
}

struct Writer<'a> {
    ground: &'a Ground<'a>,
    reach: &'a Reach,
    tables: Vec<Table>,
    places: Vec<Vec<u32>>,
    actions: Actions,
    budget: &'a mut u64,
}

/// `looked_at[predicate]`: the grammar asks for its facts; `denied[predicate]`: for its facts that were made false.
pub(crate) fn write(
    ground: &Ground,
    reach: &Reach,
    looked_at: &[bool],
    denied: &[bool],
    budget: &mut u64,
) -> Result<Grounding, OverBudget> {
    let domain = ground.domain;
    let mut relevant = looked_at.to_vec();
    relevant.resize(domain.predicates.len(), false);
    mark_relevant(ground, &mut relevant);
    let (mut tables, mut places) = (Vec::new(), Vec::new());
    let mut facts = 0;
    for (pred, relation) in reach.relations.iter().enumerate() {
        let (mut table, place) = Table::new(relation);
        let asked = |list: &[bool]| list.get(pred).copied().unwrap_or(false);
        if domain.is_fluent(pred as PredId) && (relevant[pred] || asked(denied)) {
            table.base = facts;
            facts += table.len;
        }
        if asked(looked_at) || asked(denied) {
            table.index(ground.problem.objects.len());
        }
        tables.push(table);
        places.push(place);
    }
    let mut bits = facts;
    for (pred, table) in tables.iter_mut().enumerate() {
        if table.base != NONE && denied.get(pred).copied().unwrap_or(false) {
            table.negative = bits;
            bits += table.len;
        }
    }
    let mut writer = Writer { ground, reach, tables, places, actions: Actions::default(), budget };
    let mut initial = vec![0u64; bits.div_ceil(64) as usize].into_boxed_slice();
    for (pred, args) in &ground.problem.init {
        if let Fact::Changes(fact) = writer.fact(*pred, args) {
            make(&mut initial, literal(fact, true));
        }
    }
    for (s, schema) in domain.schemas.iter().enumerate() {
        writer.schema(s, schema)?;
    }
    let goal = writer.goal()?;
    Ok(Grounding { tables: writer.tables, actions: writer.actions, initial, goal, facts })
}

/// Predicates that a condition or the goal looks at.
fn mark_relevant(ground: &Ground, relevant: &mut [bool]) {
    let mut mark = |pred: PredId| {
        if let Some(slot) = relevant.get_mut(pred as usize) {
            *slot = true;
        }
    };
    for schema in &ground.domain.schemas {
        for clause in &schema.precondition {
            clause.positive.iter().chain(&clause.negative).for_each(|atom| mark(atom.pred));
            clause.universal.iter().for_each(|formula| formula.predicates(&mut mark));
        }
        schema.effects.iter().for_each(|effect| effect.condition.predicates(&mut mark));
    }
    ground.problem.goal.predicates(&mut mark);
}

#[derive(Clone, Copy)]
enum Fact {
    Never,
    Always,
    Changes(u32),
    /// It can come about, but nobody looks.
    Ignored,
}

impl Writer<'_> {
    fn fact(&self, pred: PredId, args: &[ObjId]) -> Fact {
        let (Some(relation), Some(table)) = (self.reach.relations.get(pred as usize), self.tables.get(pred as usize)) else {
            return Fact::Never;
        };
        match (relation.find(args), table.base) {
            (None, _) => Fact::Never,
            (Some(_), NONE) if self.ground.domain.is_fluent(pred) => Fact::Ignored,
            (Some(_), NONE) => Fact::Always,
            (Some(row), base) => Fact::Changes(base + self.places[pred as usize][row as usize]),
        }
    }

    fn atom(&self, join: &Join, atom: &Atom, env: &[ObjId]) -> Fact {
        let (args, n) = join.args(atom, env);
        self.fact(atom.pred, &args[..n])
    }

    fn is(&self, join: &Join, atom: &Atom, positive: bool, env: &[ObjId]) -> Cond {
        match (self.atom(join, atom, env), positive) {
            (Fact::Changes(fact), _) => Cond::Is(literal(fact, positive)),
            (Fact::Always, true) | (Fact::Never, false) => Cond::always(),
            _ => Cond::never(),
        }
    }

    fn formula(&mut self, join: &Join, formula: &Formula, env: &mut [ObjId]) -> Result<Cond, OverBudget> {
        *self.budget = self.budget.checked_sub(1).ok_or(OverBudget)?;
        match formula {
            Formula::Atom { positive, atom } => Ok(self.is(join, atom, *positive, env)),
            Formula::Equal { positive, left, right } => match (join.value(*left, env) == join.value(*right, env)) == *positive {
                true => Ok(Cond::always()),
                false => Ok(Cond::never()),
            },
            Formula::And(parts) => Ok(Cond::all(parts.iter().map(|part| self.formula(join, part, env)).collect::<Result<_, _>>()?)),
            Formula::Or(parts) => Ok(Cond::any(parts.iter().map(|part| self.formula(join, part, env)).collect::<Result<_, _>>()?)),
            Formula::Exists(vars, _) => {
                let mut parts = Vec::new();
                for clause in clauses(formula, self.budget).ok_or(OverBudget)? {
                    let mut goals: Vec<Goal> = clause.positive.iter().map(|atom| Goal { atom, except: u32::MAX }).collect();
                    let mut found = Vec::new();
                    join.solve(&mut goals, &clause.hidden, env, self.budget, &mut |env| {
                        found.push(env.to_vec());
                        Ok(())
                    })?;
                    for mut env in found {
                        parts.push(self.clause(join, &clause, &mut env)?);
                    }
                }
                debug_assert!(vars.iter().all(|&var| env[var as usize] == NOBODY));
                Ok(Cond::any(parts))
            }
            Formula::Forall(vars, body) => {
                let mut found = Vec::new();
                join.solve(&mut [], vars, env, self.budget, &mut |env| {
                    found.push(env.to_vec());
                    Ok(())
                })?;
                let parts = found.into_iter().map(|mut env| self.formula(join, body, &mut env)).collect::<Result<_, _>>()?;
                Ok(Cond::all(parts))
            }
        }
    }

    fn clause(&mut self, join: &Join, clause: &Clause, env: &mut [ObjId]) -> Result<Cond, OverBudget> {
        if !self.ground.passes(join, clause, env) {
            return Ok(Cond::never());
        }
        let mut parts: Vec<Cond> = clause.positive.iter().map(|atom| self.is(join, atom, true, env)).collect();
        parts.extend(clause.negative.iter().map(|atom| self.is(join, atom, false, env)));
        for formula in &clause.universal {
            parts.push(self.formula(join, formula, env)?);
        }
        Ok(Cond::all(parts))
    }

    fn goal(&mut self) -> Result<Cond, OverBudget> {
        let ground = self.ground;
        let fits = ground.fits(&ground.problem.goal_vars);
        let join = Join { relations: &self.reach.relations, names: &ground.own_names, fits: &fits };
        let mut env = vec![NOBODY; ground.problem.goal_vars.len()];
        self.formula(&join, &ground.problem.goal, &mut env)
    }

    fn schema(&mut self, s: usize, schema: &Schema) -> Result<(), OverBudget> {
        let (ground, reach) = (self.ground, self.reach);
        let fits: Vec<&[bool]> = ground.fits(&schema.vars as &[Option<TypeId>]);
        let join = Join { relations: &reach.relations, names: &ground.names, fits: &fits };
        let reaches: Vec<Vec<Clause>> = schema.effects.iter().map(|effect| static_part(ground.domain, effect)).collect();
        let params = schema.params.len();
        let repeats = schema.precondition.len() > 1 || schema.precondition.iter().any(|clause| !clause.hidden.is_empty());
        let mut seen: HashSet<(Vec<ObjId>, Vec<Literal>)> = HashSet::new();
        let mut pre: Vec<Literal> = Vec::new();
        for (clause, bindings) in schema.precondition.iter().zip(&reach.instances[s]) {
            for binding in bindings.chunks_exact(schema.width()) {
                *self.budget = self.budget.checked_sub(1).ok_or(OverBudget)?;
                pre.clear();
                for (atom, positive) in clause.positive.iter().map(|a| (a, true)).chain(clause.negative.iter().map(|a| (a, false))) {
                    if let Fact::Changes(fact) = self.atom(&join, atom, binding) {
                        pre.push(literal(fact, positive));
                    }
                }
                let mut condition = Cond::always();
                if !clause.universal.is_empty() {
                    let mut env = binding.to_vec();
                    let parts = clause.universal.iter().map(|f| self.formula(&join, f, &mut env)).collect::<Result<_, _>>()?;
                    condition = Cond::all(parts);
                }
                if let Some(more) = condition.conjunction() {
                    pre.extend(more);
                    condition = Cond::always();
                }
                pre.sort_unstable();
                pre.dedup();
                if condition.is_never() || pre.windows(2).any(|pair| pair[0] >> 1 == pair[1] >> 1) {
                    continue;
                }
                if repeats && condition.is_always() && !seen.insert((binding[..params].to_vec(), pre.clone())) {
                    continue;
                }
                *self.budget = self.budget.checked_sub((pre.len() + schema.effects.len()) as u64).ok_or(OverBudget)?;
                self.action(s, schema, &join, &reaches, binding, &pre, condition)?;
            }
        }
        Ok(())
    }

    /// Writes the effects of one instance and keeps it, unless it can make no difference whatever: planners leave such actions out.
    #[allow(clippy::too_many_arguments)]
    fn action(
        &mut self,
        s: usize,
        schema: &Schema,
        join: &Join,
        reaches: &[Vec<Clause>],
        binding: &[ObjId],
        pre: &[Literal],
        condition: Cond,
    ) -> Result<(), OverBudget> {
        let mut outcome = Outcome::default();
        for (effect, reach) in schema.effects.iter().zip(reaches) {
            if effect.vars.is_empty() && effect.condition.is_true() {
                let fact = self.atom(join, &effect.atom, binding);
                outcome.add(Cond::always(), effect, fact);
                continue;
            }
            for (when, fact) in self.conditional(join, effect, reach, binding)? {
                outcome.add(when, effect, fact);
            }
        }
        let Outcome { mut adds, mut deletes, mut sometimes, ignored } = outcome;
        adds.sort_unstable();
        adds.dedup();
        deletes.retain(|fact| adds.binary_search(fact).is_err());
        sometimes.retain(|(_, add, fact)| *add || adds.binary_search(fact).is_err());
        let implied = |fact: u32, add: bool| pre.binary_search(&literal(fact, add)).is_ok();
        let nothing = !ignored
            && adds.iter().all(|&(_, fact)| implied(fact, true))
            && deletes.iter().all(|&(_, fact)| implied(fact, false))
            && sometimes.iter().all(|(when, add, (_, fact))| {
                implied(*fact, *add) || when.conjunction().is_some_and(|when| when.contains(&literal(*fact, *add)))
            });
        if nothing {
            return Ok(());
        }
        // Deletions first: what an action makes true, it does not make false.
        sometimes.sort_by_key(|(_, add, _)| *add);
        let effects: Vec<_> = sometimes.into_iter().map(|(when, add, fact)| (when, self.made(fact, add).collect())).collect();
        let made: Vec<Literal> =
            deletes.iter().flat_map(|&fact| self.made(fact, false)).chain(adds.iter().flat_map(|&fact| self.made(fact, true))).collect();
        let list = &mut self.actions;
        let (args, start) = (list.args.len() as u32, list.literals.len() as u32);
        list.args.extend(binding.get(..schema.params.len()).unwrap_or(binding));
        list.literals.extend(pre);
        let post = list.literals.len() as u32;
        list.literals.extend(made);
        let mut extra = NONE;
        if !condition.is_always() || !effects.is_empty() {
            extra = list.extras.len() as u32;
            list.extras.push(Extra { condition, effects });
        }
        list.all.push(Action { schema: s as u16, args, pre: start, post, end: list.literals.len() as u32, extra });
        Ok(())
    }

    /// An effect with variables or a condition: each fact that it can change, and when.
    fn conditional(&mut self, join: &Join, effect: &Effect, reach: &[Clause], binding: &[ObjId]) -> Result<Vec<(Cond, Fact)>, OverBudget> {
        let mut bindings: Vec<Vec<ObjId>> = Vec::new();
        let mut env = binding.to_vec();
        each_binding(join, effect, reach, &mut env, self.budget, &mut |env| {
            bindings.push(env.to_vec());
            Ok(())
        })?;
        bindings.sort_unstable();
        bindings.dedup();
        let mut all = Vec::new();
        for mut env in bindings {
            let when = self.formula(join, &effect.condition, &mut env)?;
            if !when.is_never() {
                let fact = self.atom(join, &effect.atom, &env);
                all.push((when, fact));
            }
        }
        Ok(all)
    }

    /// The literals by which a fact becomes true or false: also "it was made false", where somebody asks for that.
    fn made(&self, (pred, fact): (PredId, u32), add: bool) -> impl Iterator<Item = Literal> + use<> {
        let table = self.tables.get(pred as usize);
        let denied = table.filter(|t| t.negative != NONE).map(|t| literal(t.negative + (fact - t.base), !add));
        std::iter::once(literal(fact, add)).chain(denied)
    }
}

#[derive(Default)]
struct Outcome {
    adds: Vec<(PredId, u32)>,
    deletes: Vec<(PredId, u32)>,
    sometimes: Vec<(Cond, bool, (PredId, u32))>,
    /// It changes something that nobody looks at.
    ignored: bool,
}

impl Outcome {
    fn add(&mut self, when: Cond, effect: &Effect, fact: Fact) {
        match fact {
            Fact::Changes(fact) => {
                let fact = (effect.atom.pred, fact);
                match (when.is_always(), effect.add) {
                    (true, true) => self.adds.push(fact),
                    (true, false) => self.deletes.push(fact),
                    (false, add) => self.sometimes.push((when, add, fact)),
                }
            }
            Fact::Ignored => self.ignored = true,
            Fact::Never | Fact::Always => {}
        }
    }
}
