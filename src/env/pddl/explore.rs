//! Which facts and actions can ever come about, when nothing that has become true is ever undone (the relaxation of Hoffmann
//! and Nebel, 2001). Facts are taken up one by one; each finds the action instances for which it is the last missing piece.

use super::domain::{Domain, Schema};
use super::effect::Effect;
use super::formula::{Clause, Formula, PredId, Term, UNFOLDING, clauses};
use super::problem::{NOBODY, ObjId, Problem};
use super::relation::{Goal, Join, KeySet, OverBudget, Relation, key};
use super::types::TypeId;
use std::collections::VecDeque;

pub(crate) struct Reach {
    pub relations: Vec<Relation>,
    /// By schema, then by clause of its precondition: bindings of the schema's variables, one after the other.
    pub instances: Vec<Vec<Vec<ObjId>>>,
}

/// What every search over one problem needs.
pub(crate) struct Ground<'a> {
    pub domain: &'a Domain,
    pub problem: &'a Problem,
    /// By type: which objects are of it.
    pub members: Vec<Vec<bool>>,
    /// The domain's names for objects, as object numbers.
    pub names: Vec<ObjId>,
    /// The goal's names are object numbers already: the identity.
    pub own_names: Vec<ObjId>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(domain: &'a Domain, problem: &'a Problem) -> Self {
        let mut members = vec![vec![false; problem.objects.len()]; domain.types.len()];
        for (object, (_, kind)) in problem.objects.iter().enumerate() {
            for &above in domain.types.above(*kind) {
                members[above as usize][object] = true;
            }
        }
        let find = |name: &String| problem.objects.binary_search_by(|(id, _)| id.cmp(name)).map_or(NOBODY, |i| i as ObjId);
        let names = domain.names.iter().map(find).collect();
        Ground { domain, problem, members, names, own_names: (0..problem.objects.len() as ObjId).collect() }
    }

    pub(super) fn fits(&self, vars: &[Option<TypeId>]) -> Vec<&[bool]> {
        vars.iter().map(|kind| kind.and_then(|kind| self.members.get(kind as usize)).map_or(&[][..], Vec::as_slice)).collect()
    }
}

struct Explorer<'a> {
    ground: &'a Ground<'a>,
    relations: Vec<Relation>,
    known: Vec<KeySet>,
    queue: VecDeque<(PredId, Vec<ObjId>)>,
    instances: Vec<Vec<Vec<ObjId>>>,
    budget: &'a mut u64,
}

/// What a new fact costs of the budget: it takes memory and sets off searches.
const FACT_COST: u64 = 16;

/// Finds everything reachable; `budget` is the number of steps the search may take.
pub(crate) fn explore(ground: &Ground, budget: &mut u64) -> Result<Reach, OverBudget> {
    let domain = ground.domain;
    let schemas = &domain.schemas;
    let mut explorer = Explorer {
        ground,
        relations: domain.predicates.values().map(|p| Relation::new(p.arity)).collect(),
        known: domain.predicates.iter().map(|_| KeySet::default()).collect(),
        queue: VecDeque::new(),
        instances: schemas.iter().map(|schema| vec![Vec::new(); schema.precondition.len()]).collect(),
        budget,
    };
    for (pred, args) in &ground.problem.init {
        if domain.is_fluent(*pred) {
            explorer.add(*pred, args)?;
        } else if let Some(relation) = explorer.relations.get_mut(*pred as usize) {
            relation.insert(args);
        }
    }
    let fits: Vec<Vec<&[bool]>> = schemas.iter().map(|schema| ground.fits(&schema.vars)).collect();
    let reaches: Vec<Vec<Vec<Clause>>> = schemas.iter().map(|s| s.effects.iter().map(|e| static_part(domain, e)).collect()).collect();
    let mut triggers: Vec<Vec<(usize, usize, usize)>> = vec![Vec::new(); domain.predicates.len()];
    for (s, schema) in schemas.iter().enumerate() {
        for (c, clause) in schema.precondition.iter().enumerate() {
            let mut any = false;
            for (position, atom) in clause.positive.iter().enumerate() {
                if domain.is_fluent(atom.pred) {
                    triggers[atom.pred as usize].push((s, c, position));
                    any = true;
                }
            }
            if !any {
                explorer.instantiate(schema, (s, c), &fits[s], &reaches[s], None)?;
            }
        }
    }
    while let Some((pred, args)) = explorer.queue.pop_front() {
        let Some(row) = explorer.relations[pred as usize].insert(&args) else { continue };
        for &(s, c, position) in &triggers[pred as usize] {
            explorer.instantiate(&schemas[s], (s, c), &fits[s], &reaches[s], Some((position, row)))?;
        }
    }
    Ok(Reach { relations: explorer.relations, instances: explorer.instances })
}

impl Explorer<'_> {
    fn add(&mut self, pred: PredId, args: &[ObjId]) -> Result<(), OverBudget> {
        if let Some(known) = self.known.get_mut(pred as usize)
            && known.insert(key(args))
        {
            *self.budget = self.budget.checked_sub(FACT_COST).ok_or(OverBudget)?;
            self.queue.push_back((pred, args.to_vec()));
        }
        Ok(())
    }

    /// All instances of a clause, or those for which the given fact stands at the given position and at no earlier one.
    fn instantiate(
        &mut self,
        schema: &Schema,
        (s, c): (usize, usize),
        fits: &[&[bool]],
        reaches: &[Vec<Clause>],
        with: Option<(usize, u32)>,
    ) -> Result<(), OverBudget> {
        let clause = &schema.precondition[c];
        let join = Join { relations: &self.relations, names: &self.ground.names, fits };
        let mut env = vec![NOBODY; schema.width()];
        let mut goals: Vec<Goal> = clause.positive.iter().map(|atom| Goal { atom, except: u32::MAX }).collect();
        if let Some((position, row)) = with {
            let atom = &clause.positive[position];
            if !join.bind(atom, join.relation(atom.pred).row(row), &mut env) {
                return Ok(());
            }
            for goal in &mut goals[..position] {
                if goal.atom.pred == atom.pred {
                    goal.except = row;
                }
            }
            goals.remove(position);
        }
        let free: Vec<u16> = (0..schema.params.len() as u16).chain(clause.hidden.iter().copied()).collect();
        let mut found = Vec::new();
        join.solve(&mut goals, &free, &mut env, self.budget, &mut |env| {
            if self.ground.passes(&join, clause, env) {
                found.extend(env);
            }
            Ok(())
        })?;
        if found.is_empty() {
            return Ok(());
        }
        let mut new = Vec::new();
        for env in found.chunks_exact(schema.width()) {
            *self.budget = self.budget.checked_sub(schema.effects.len() as u64).ok_or(OverBudget)?;
            for (effect, reach) in schema.effects.iter().zip(reaches).filter(|(effect, _)| effect.add) {
                let mut env = env.to_vec();
                each_binding(&join, effect, reach, &mut env, self.budget, &mut |env| {
                    let (args, n) = join.args(&effect.atom, env);
                    if args[..n].iter().all(|&arg| arg != NOBODY) {
                        new.push((effect.atom.pred, args, n));
                    }
                    Ok(())
                })?;
            }
        }
        self.instances[s][c].extend(found);
        for (pred, args, n) in new {
            self.add(pred, &args[..n])?;
        }
        Ok(())
    }
}

impl Ground<'_> {
    /// What never changes and is not looked up by the join: absent static facts, equality.
    pub(super) fn passes(&self, join: &Join, clause: &Clause, env: &[ObjId]) -> bool {
        let equal = |&(wanted, left, right): &(bool, _, _)| (join.value(left, env) == join.value(right, env)) == wanted;
        let absent = |atom: &super::formula::Atom| {
            self.domain.is_fluent(atom.pred) || {
                let (args, n) = join.args(atom, env);
                join.relation(atom.pred).find(&args[..n]).is_none()
            }
        };
        clause.equal.iter().all(equal) && clause.negative.iter().all(absent)
    }
}

/// The static facts among an effect's conditions, by which the objects of its `forall` are found.
pub(crate) fn static_part(domain: &Domain, effect: &Effect) -> Vec<Clause> {
    if effect.vars.is_empty() {
        return Vec::new();
    }
    let mut all = match &effect.condition {
        Formula::And(parts) if parts.is_empty() => vec![Clause::default()],
        condition => clauses(condition, &mut { UNFOLDING }).unwrap_or_else(|| vec![Clause::default()]),
    };
    for clause in &mut all {
        let hidden = |term: &Term| matches!(term, Term::Var(var) if clause.hidden.contains(var));
        clause.positive.retain(|atom| !domain.is_fluent(atom.pred) && !atom.args.iter().any(hidden));
    }
    all
}

/// Calls `found` for every binding of the effect's own variables that its static conditions leave possible; some may come twice.
pub(crate) fn each_binding(
    join: &Join,
    effect: &Effect,
    reach: &[Clause],
    env: &mut [ObjId],
    budget: &mut u64,
    found: &mut dyn FnMut(&[ObjId]) -> Result<(), OverBudget>,
) -> Result<(), OverBudget> {
    if effect.vars.is_empty() {
        return found(env);
    }
    for clause in reach {
        let mut goals: Vec<Goal> = clause.positive.iter().map(|atom| Goal { atom, except: u32::MAX }).collect();
        join.solve(&mut goals, &effect.vars, env, budget, found)?;
    }
    Ok(())
}
