//! From three texts to a game. Domains and grammars that were read once are kept: thousands of games share them.

use super::domain::Domain;
use super::error::{Part, PddlError};
use super::explore::{Ground, explore};
use super::game::Game;
use super::ground;
use super::index::Index;
use super::names::{Name, Naming};
use super::problem::Problem;
use super::relation::{KeyMap, key};
use super::state::State;
use super::view::View;
use crate::env::text::{Grammar, Script, Signature, TextError, Vocabulary};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads games, and keeps what they share. To be shared itself, by all threads.
#[derive(Debug, Default)]
pub struct Loader {
    domains: Mutex<Vec<(blake3::Hash, Arc<Domain>)>>,
    scripts: Mutex<Vec<(blake3::Hash, Arc<Script>)>>,
}

/// How many parsed domains and grammars are kept.
const KEPT: usize = 32;
/// Steps that working out a game may take. The largest official games need less than one million.
const BUDGET: u64 = 40_000_000;
/// Bytes that the commands of a game may take together. The largest official games need some hundred thousand.
const MAX_COMMANDS: usize = 100 << 20;
/// Actions a game may have. The largest official games have some ten thousand.
const MAX_ACTIONS: usize = 1_000_000;

impl Loader {
    /// Nothing is kept yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a game.
    ///
    /// # Errors
    /// Says which text is at fault and where, what is not supported, or that the game is too large to be worked out.
    pub fn load(&self, domain: &str, grammar: &str, problem: &str, naming: &dyn Naming) -> Result<Game, PddlError> {
        let domain_hash = blake3::hash(domain.as_bytes());
        let domain = kept(&self.domains, domain_hash, || Domain::parse(domain))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(domain_hash.as_bytes()).update(grammar.as_bytes());
        let script = kept(&self.scripts, hasher.finalize(), || link(&domain, grammar))?;
        let problem = Problem::parse(&domain, problem)?;
        build(domain, script, problem, naming)
    }
}

fn kept<T>(
    list: &Mutex<Vec<(blake3::Hash, Arc<T>)>>,
    hash: blake3::Hash,
    make: impl FnOnce() -> Result<T, PddlError>,
) -> Result<Arc<T>, PddlError> {
    let find = |list: &Vec<(blake3::Hash, Arc<T>)>| list.iter().find(|(known, _)| *known == hash).map(|(_, found)| found.clone());
    if let Some(found) = find(&list.lock().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(found);
    }
    let made = Arc::new(make()?);
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.len() >= KEPT {
        list.remove(0);
    }
    list.push((hash, made.clone()));
    Ok(made)
}

struct Words<'a>(&'a Domain);

impl Vocabulary for Words<'_> {
    fn predicate(&self, name: &str) -> Option<(u16, usize)> {
        self.0.predicate(name).map(|(id, predicate)| (id, predicate.arity))
    }

    fn type_id(&self, name: &str) -> Option<u16> {
        self.0.types.id(name)
    }
}

fn grammar_error(error: TextError) -> PddlError {
    PddlError { part: Part::Grammar, place: error.place, message: error.message }
}

fn link(domain: &Domain, grammar: &str) -> Result<Script, PddlError> {
    let grammar = Grammar::parse(grammar).map_err(grammar_error)?;
    let kind = |kind: Option<u16>| kind.map_or("", |kind| domain.types.name(kind));
    let signatures: Vec<Signature> = domain
        .schemas
        .iter()
        .map(|schema| {
            let params = schema.params.iter().zip(&schema.vars).map(|(name, var)| (name.as_str(), kind(*var))).collect();
            Signature { name: &schema.name, params }
        })
        .collect();
    let script = Script::link(&grammar, &Words(domain), &signatures).map_err(grammar_error)?;
    for (action, schema) in domain.schemas.iter().enumerate() {
        if let Some(pred) = script.command_predicates(action).find(|&pred| domain.is_fluent(pred)) {
            let name = domain.predicates.get_index(pred as usize).map_or("", |(name, _)| name);
            return Err(PddlError {
                part: Part::Grammar,
                place: None,
                message: format!("the command of `{}` depends on `{name}`, which changes; this is not supported", schema.name),
            });
        }
    }
    Ok(script)
}

fn build(domain: Arc<Domain>, script: Arc<Script>, problem: Problem, naming: &dyn Naming) -> Result<Game, PddlError> {
    let too_large = |what: &str| PddlError { part: Part::Problem, place: None, message: format!("the game is too large: {what}") };
    let over = |_| too_large(&format!("working out its actions takes more than {BUDGET} steps"));
    let mut budget = BUDGET;
    let ground = Ground::new(&domain, &problem);
    let reach = explore(&ground, &mut budget).map_err(over)?;
    let mut looked_at = vec![false; domain.predicates.len()];
    let mut denied = looked_at.clone();
    script.looked_at().for_each(|pred| looked_at[pred as usize] = true);
    script.denied().for_each(|pred| denied[pred as usize] = true);
    let grounding = ground::write(&ground, &reach, &looked_at, &denied, &mut budget).map_err(over)?;
    if grounding.actions.all.len() > MAX_ACTIONS {
        return Err(too_large(&format!("it has more than {MAX_ACTIONS} actions")));
    }
    let names = names(&problem, naming);
    let members = ground.members;
    let mut game = Game {
        domain,
        script,
        objects: problem.objects,
        names,
        members,
        tables: grounding.tables,
        initial: State::new(grounding.initial),
        goal: grounding.goal,
        actions: grounding.actions,
        index: Index::default(),
    };
    let (texts, written) = commands(&game).map_err(grammar_error)?;
    let mut actions = std::mem::take(&mut game.actions);
    game.index = Index::new(&mut actions, &texts, &written, &game.tables, game.initial.bits(), grounding.facts);
    game.actions = actions;
    Ok(game)
}

/// Names for the objects in the first state; others have none but their id.
fn names(problem: &Problem, naming: &dyn Naming) -> Vec<Name> {
    let mut there = vec![false; problem.objects.len()];
    for object in problem.init.iter().flat_map(|(_, args)| args) {
        if let Some(slot) = there.get_mut(*object as usize) {
            *slot = true;
        }
    }
    let ids: Vec<&str> = problem.objects.iter().zip(&there).filter(|(_, there)| **there).map(|((id, _), _)| id.as_str()).collect();
    let mut named = naming.names(&ids).into_iter();
    let plain = |id: &str| Name { name: id.to_string(), indefinite: "a".into(), definite: "the".into() };
    let name = |((id, _), there): (&(String, u16), bool)| there.then(|| named.next()).flatten().unwrap_or_else(|| plain(id));
    problem.objects.iter().zip(there).map(name).collect()
}

/// The different texts of all actions, and which of them each action has.
fn commands(game: &Game) -> Result<(Vec<String>, Vec<u32>), TextError> {
    let view = View { game, bits: game.initial.bits() };
    let params: Vec<Option<Vec<usize>>> = (0..game.domain.schemas.len()).map(|action| game.script.command_params(action)).collect();
    let mut texts = Vec::new();
    let mut written = Vec::with_capacity(game.actions.all.len());
    let mut known: Vec<KeyMap<u32>> = params.iter().map(|_| KeyMap::default()).collect();
    let mut length = 0;
    for action in &game.actions.all {
        let args = game.args(action);
        let schema = action.schema as usize;
        let chosen: Vec<u16> = match &params[schema] {
            Some(places) => places.iter().map(|&place| args[place]).collect(),
            None => args.to_vec(),
        };
        let mut make = || {
            let text = game.script.command(schema, args, &view)?;
            length += text.len();
            match length > MAX_COMMANDS {
                true => Err(TextError { place: None, message: format!("the commands of all actions take more than {MAX_COMMANDS} bytes") }),
                false => Ok(text),
            }
        };
        let text = if chosen.len() > super::domain::MAX_ARITY {
            texts.push(make()?);
            texts.len() as u32 - 1
        } else {
            match known[schema].entry(key(&chosen)) {
                std::collections::hash_map::Entry::Occupied(entry) => *entry.get(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    texts.push(make()?);
                    *entry.insert(texts.len() as u32 - 1)
                }
            }
        };
        written.push(text);
    }
    Ok((texts, written))
}
