//! One game's objects, first state and goal.

use super::domain::Domain;
use super::error::{Part, PddlError, Text};
use super::formula::{Atom, Formula, PredId, Scope, Term, Vocabulary, typed_items};
use super::sexpr::{self, Node};
use super::types::{OBJECT, TypeId};
use std::collections::HashMap;

/// The number of an object: its place in the order of ids.
pub(crate) type ObjId = u16;
/// The largest official games have some 300.
const MAX_OBJECTS: usize = 20_000;
/// No object.
pub(crate) const NOBODY: ObjId = ObjId::MAX;

#[derive(Debug)]
pub(crate) struct Problem {
    /// In order of ids.
    pub objects: Vec<(String, TypeId)>,
    pub init: Vec<(PredId, Vec<ObjId>)>,
    pub goal: Formula,
    /// Types of the goal's variables. Its names are object numbers already.
    pub goal_vars: Vec<Option<TypeId>>,
}

impl Problem {
    pub(super) fn parse(domain: &Domain, source: &str) -> Result<Problem, PddlError> {
        let lower = source.to_ascii_lowercase();
        let text = Text { part: Part::Problem, text: &lower };
        let root = sexpr::read(text)?;
        let items = root.list().unwrap_or_default();
        let named = items.get(1).is_some_and(|item| item.head() == Some("problem"));
        if root.head() != Some("define") || !named {
            return Err(text.error(root.at, "a problem begins with `(define (problem name)`"));
        }
        let (mut objects, mut init, mut goal) = (None, None, None);
        for item in &items[2..] {
            let slot = match item.head() {
                Some(":objects") => &mut objects,
                Some(":init") => &mut init,
                Some(":goal") => &mut goal,
                Some(":domain") => {
                    let name = item.list().and_then(|l| l.get(1)).and_then(Node::word).unwrap_or_default();
                    if name != domain.name {
                        return Err(text.error(item.at, format!("the problem is for the domain `{name}`, not `{}`", domain.name)));
                    }
                    continue;
                }
                Some(":requirements" | ":metric") => continue,
                Some(other) => return Err(text.error(item.at, format!("`{other}` is not supported"))),
                None => return Err(text.error(item.at, "expected a section such as `(:init …)`")),
            };
            if slot.replace(item).is_some() {
                return Err(text.error(item.at, format!("`{}` is given twice", item.head().unwrap_or_default())));
            }
        }
        let objects = read_objects(text, domain, objects)?;
        let mut words = Words { text, domain, ids: objects.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i as u16)).collect() };
        let init = match init {
            Some(item) => read_init(&mut words, item)?,
            None => return Err(text.error(root.at, "the problem has no `(:init …)`")),
        };
        let mut scope = Scope::default();
        let goal = match goal.and_then(|item| item.list().map(|list| (item, list))) {
            Some((_, [_, condition])) => scope.formula(text, condition, true, &mut words)?,
            Some((item, _)) => return Err(text.error(item.at, "`:goal` takes one condition")),
            None => return Err(text.error(root.at, "the problem has no `(:goal …)`")),
        };
        let goal_vars = scope.types;
        Ok(Problem { objects, init, goal, goal_vars })
    }
}

fn read_objects(text: Text, domain: &Domain, item: Option<&Node>) -> Result<Vec<(String, TypeId)>, PddlError> {
    let mut objects: Vec<(String, TypeId, u32)> = domain.constants.iter().map(|(name, kind)| (name.clone(), *kind, 0)).collect();
    if let Some(item) = item {
        for (name, at, kind) in typed_items(text, &item.list().unwrap_or_default()[1..])? {
            let id = kind.map_or(Some(OBJECT), |(kind, _)| domain.types.id(kind));
            let id = id.ok_or_else(|| text.error(at, format!("the type of `{name}` is not declared in the domain")))?;
            objects.push((name.to_string(), id, at));
        }
    }
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(pair) = objects.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(text.error(pair[0].2.max(pair[1].2), format!("the object `{}` is declared twice", pair[0].0)));
    }
    if objects.len() > MAX_OBJECTS {
        return Err(text.whole(format!("{} objects are too many; at most {MAX_OBJECTS} are supported", objects.len())));
    }
    Ok(objects.into_iter().map(|(name, kind, _)| (name, kind)).collect())
}

fn read_init<'a>(words: &mut Words<'a>, item: &Node<'a>) -> Result<Vec<(PredId, Vec<ObjId>)>, PddlError> {
    let text = words.text;
    let scope = Scope::default();
    let mut init = Vec::new();
    for fact in &item.list().unwrap_or_default()[1..] {
        match fact.head() {
            // Values of functions (costs, distances), and what holds anyway since nothing says otherwise.
            Some("=" | "not") => {}
            Some(_) => {
                let Atom { pred, args } = scope.atom(text, fact, words)?;
                let args = args.into_iter().map(|term| match term {
                    Term::Name(object) => object,
                    Term::Var(_) => NOBODY,
                });
                init.push((pred, args.collect()));
            }
            None => return Err(text.error(fact.at, "expected a fact such as `(predicate object)`")),
        }
    }
    Ok(init)
}

struct Words<'a> {
    text: Text<'a>,
    domain: &'a Domain,
    ids: HashMap<&'a str, u16>,
}

impl Vocabulary for Words<'_> {
    fn predicate(&self, name: &str) -> Option<(PredId, usize)> {
        self.domain.predicate(name).map(|(id, predicate)| (id, predicate.arity))
    }

    fn type_id(&mut self, name: &str, _at: u32) -> Option<TypeId> {
        self.domain.types.id(name)
    }

    fn object(&mut self, name: &str, at: u32) -> Result<u16, PddlError> {
        self.ids.get(name).copied().ok_or_else(|| self.text.error(at, format!("unknown object `{name}`")))
    }
}
