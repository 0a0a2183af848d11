//! A game ready to be played.

use super::cond::{Cond, holds};
use super::domain::Domain;
use super::error::PlayError;
use super::ground::{Action, Actions};
use super::index::Index;
use super::names::Name;
use super::problem::ObjId;
use super::state::State;
use super::table::{NONE, Table};
use super::types::TypeId;
use super::view::View;
use crate::env::text::{Scene, Script};
use std::sync::Arc;

/// The number of a command of one game: its place in the sorted list of all commands.
pub type CommandId = u32;

/// One game: immutable, to be shared by all who play it.
#[derive(Debug)]
pub struct Game {
    pub(crate) domain: Arc<Domain>,
    pub(crate) script: Arc<Script>,
    /// In order of ids.
    pub(crate) objects: Vec<(String, TypeId)>,
    pub(crate) names: Vec<Name>,
    /// By type, then object.
    pub(crate) members: Vec<Vec<bool>>,
    pub(crate) tables: Vec<Table>,
    pub(crate) initial: State,
    pub(crate) goal: Cond,
    /// Sorted by command.
    pub(crate) actions: Actions,
    pub(crate) index: Index,
}

impl Game {
    /// The state that the problem describes.
    pub fn initial(&self) -> State {
        self.initial.clone()
    }

    /// The text with which a game begins.
    ///
    /// # Errors
    /// When the grammar makes a text without end.
    pub fn opening(&self, state: &State) -> Result<String, PlayError> {
        Ok(self.script.opening(&View { game: self, bits: state.bits() })?)
    }

    /// What can be done now, as numbers of commands: ascending, which is the order of the texts.
    pub fn admissible(&self, state: &State, commands: &mut Vec<CommandId>) {
        commands.clear();
        let bits = state.bits();
        let mut marks = vec![0u64; self.index.len().div_ceil(64)];
        self.index.candidates(bits, |candidates| {
            for &(action, command) in candidates {
                if let Some(mark) = marks.get_mut((command >> 6) as usize)
                    && *mark >> (command & 63) & 1 == 0
                    && self.is_applicable(bits, action)
                {
                    *mark |= 1 << (command & 63);
                }
            }
        });
        for (i, mut mark) in marks.into_iter().enumerate() {
            while mark != 0 {
                commands.push(i as u32 * 64 + mark.trailing_zeros());
                mark &= mark - 1;
            }
        }
    }

    /// What can be done now, in order of the texts.
    pub fn admissible_texts(&self, state: &State) -> Vec<&str> {
        let mut commands = Vec::new();
        self.admissible(state, &mut commands);
        commands.into_iter().map(|command| self.command(command)).collect()
    }

    /// How a command is written.
    pub fn command(&self, command: CommandId) -> &str {
        self.index.text(command)
    }

    /// The command that is written so, whether it is possible or not. White space at both ends does not count, anything else does.
    pub fn command_id(&self, text: &str) -> Option<CommandId> {
        self.index.find(strip(text))
    }

    /// Carries out a command given in words. `None`: not understood, or not possible now; the state is as before.
    ///
    /// # Errors
    /// When the grammar makes a text without end.
    pub fn act(&self, state: &mut State, command: &str) -> Result<Option<String>, PlayError> {
        let Some(command) = self.command_id(command) else { return Ok(None) };
        self.play(state, command)
    }

    /// As [`Game::act`], by number.
    ///
    /// # Errors
    /// When the grammar makes a text without end.
    pub fn play(&self, state: &mut State, command: CommandId) -> Result<Option<String>, PlayError> {
        let Some(action) = self.applicable(state, command) else { return Ok(None) };
        self.apply(state, action);
        let view = View { game: self, bits: state.bits() };
        let args = self.args(&action);
        Ok(Some(self.script.feedback(action.schema as usize, args, &view)?))
    }

    /// Carries out a command without making a text, for search; false when it is not possible now.
    pub fn advance(&self, state: &mut State, command: CommandId) -> bool {
        match self.applicable(state, command) {
            Some(action) => {
                self.apply(state, action);
                true
            }
            None => false,
        }
    }

    /// Whether the goal holds.
    pub fn won(&self, state: &State) -> bool {
        self.goal.holds(state.bits())
    }

    /// The facts of a predicate in a state, as ids of objects, in order. Facts that no condition, goal or text looks at are not kept.
    pub fn facts(&self, state: &State, predicate: &str) -> Vec<Vec<&str>> {
        let mut facts = Vec::new();
        if let Some((pred, predicate)) = self.domain.predicate(predicate) {
            let pattern = vec![crate::env::text::NOBODY; predicate.arity];
            View { game: self, bits: state.bits() }.visit(pred, false, &pattern, &mut |row| {
                facts.push(row.iter().map(|&object| self.id(object)).collect());
                true
            });
        }
        facts
    }

    /// Whether one fact holds; the objects by id.
    pub fn holds(&self, state: &State, predicate: &str, objects: &[&str]) -> bool {
        let Some((pred, predicate)) = self.domain.predicate(predicate) else { return false };
        let find = |id: &&str| self.objects.binary_search_by(|(known, _)| known.as_str().cmp(id)).ok().map(|i| i as u16);
        let Some(pattern) = objects.iter().map(find).collect::<Option<Vec<_>>>() else { return false };
        let mut any = false;
        if pattern.len() == predicate.arity {
            View { game: self, bits: state.bits() }.visit(pred, false, &pattern, &mut |_| {
                any = true;
                false
            });
        }
        any
    }

    /// Every object's id and name, in order of ids.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.objects.iter().zip(&self.names).map(|((id, _), name)| (id.as_str(), name.name.as_str()))
    }

    /// What is legal in the domain or the grammar but looks like a slip.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.domain.warnings().iter().chain(self.script.warnings()).map(String::as_str)
    }

    /// How many commands there are in all states together.
    pub fn commands(&self) -> usize {
        self.index.len()
    }

    fn id(&self, object: ObjId) -> &str {
        self.objects.get(object as usize).map_or("", |(id, _)| id)
    }

    pub(crate) fn args(&self, action: &Action) -> &[ObjId] {
        let count = self.domain.schemas.get(action.schema as usize).map_or(0, |schema| schema.params.len());
        self.actions.args.get(action.args as usize..action.args as usize + count).unwrap_or(&[])
    }

    #[inline]
    fn is_applicable(&self, bits: &[u64], action: u32) -> bool {
        let Some(action) = self.actions.all.get(action as usize) else { return false };
        let pre = self.actions.literals.get(action.pre as usize..action.post as usize).unwrap_or(&[]);
        pre.iter().all(|&literal| holds(bits, literal))
            && (action.extra == NONE || self.actions.extras.get(action.extra as usize).is_some_and(|extra| extra.condition.holds(bits)))
    }

    /// The first action that a command can mean now.
    fn applicable(&self, state: &State, command: CommandId) -> Option<Action> {
        let action = self.index.meanings(command).find(|&action| self.is_applicable(state.bits(), action))?;
        self.actions.all.get(action as usize).copied()
    }

    fn apply(&self, state: &mut State, action: Action) {
        let extra = self.actions.extras.get(action.extra as usize);
        let effects = extra.map_or(&[][..], |extra| &extra.effects);
        // All conditions are asked of the state before any effect.
        let fired: Vec<&Box<[u32]>> = effects.iter().filter(|(when, _)| when.holds(state.bits())).map(|(_, made)| made).collect();
        let made = self.actions.literals.get(action.post as usize..action.end as usize).unwrap_or(&[]);
        made.iter().chain(fired.into_iter().flatten()).for_each(|&literal| state.make(literal));
    }
}

/// Takes white space off both ends, and the separators U+001C to U+001F, which the reference counts in.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}
