//! A grammar tied to a world: names become numbers, and everything that could go wrong while playing is looked for.

use super::expression::{self, Expression};
use super::grammar::Grammar;
use super::query;
use super::render::Attribute;
use super::template::{self, Item, Piece};
use super::{NOBODY, TextError};
use indexmap::{IndexMap, IndexSet};
use std::collections::BTreeSet;

/// The predicates and types of a world.
pub(crate) trait Vocabulary {
    /// Number and arity.
    fn predicate(&self, name: &str) -> Option<(u16, usize)>;
    fn type_id(&self, name: &str) -> Option<u16>;
}

/// An action of the world: its name in lower case, and the names and types of its parameters.
pub(crate) struct Signature<'a> {
    pub name: &'a str,
    pub params: Vec<(&'a str, &'a str)>,
}

/// A grammar ready to speak of one kind of world.
#[derive(Debug)]
pub(crate) struct Script {
    pub(super) slots: Vec<Slot>,
    /// The slots of each name that a value may mention.
    pub(super) names: Vec<Vec<u16>>,
    pub(super) rules: Vec<Vec<Alternative>>,
    pub(super) intro: u16,
    pub(super) list: ListRules,
    pub(super) actions: Vec<ActionScript>,
    looked_at: BTreeSet<u16>,
    denied: BTreeSet<u16>,
    warnings: Vec<String>,
}

/// A variable: its type, `NOBODY` when the world has no such type.
#[derive(Debug)]
pub(super) struct Slot {
    pub kind: u16,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ListRules {
    pub empty: u16,
    pub separator: u16,
    pub last: u16,
}

#[derive(Debug)]
pub(super) struct ActionScript {
    pub params: Vec<u16>,
    pub command: Vec<Linked>,
    pub feedback: Vec<Linked>,
    pub command_predicates: BTreeSet<u16>,
}

#[derive(Debug)]
pub(super) struct Alternative {
    pub condition: Option<Query>,
    pub pieces: Vec<Linked>,
}

#[derive(Debug)]
pub(super) enum Linked {
    Text(Box<str>),
    Rule(u16),
    Each { item: LinkedItem, query: Option<Query>, list: bool },
}

#[derive(Debug)]
pub(super) enum LinkedItem {
    Rule(u16),
    Value(Value),
}

#[derive(Debug)]
pub(super) enum Value {
    /// By number of the name.
    Attribute(u16, Attribute),
    Text(String),
    Join(Vec<Value>),
    Or(Vec<Value>),
}

#[derive(Debug)]
pub(super) struct Query {
    pub parts: Vec<QueryPart>,
    /// All its variables, in the order in which they are first named.
    pub slots: Vec<u16>,
}

#[derive(Debug)]
pub(super) struct QueryPart {
    /// `None`: the world has no such predicate, so nothing is found.
    pub predicate: Option<u16>,
    pub negative: bool,
    pub slots: Vec<u16>,
}

/// Rules within rules beyond this depth are refused.
const MAX_DEPTH: usize = 64;
/// Variables of a whole grammar: what fits into one set.
const MAX_SLOTS: usize = 128;

impl Script {
    /// Ties `grammar` to a world with these actions. Only rules that some action (or `intro`) can reach are looked at.
    ///
    /// # Errors
    /// Says which rule has a mistake: unknown rules and types, variables without a value, rules that contain themselves, …
    pub(crate) fn link(grammar: &Grammar, world: &impl Vocabulary, actions: &[Signature]) -> Result<Script, TextError> {
        let mut linker = Linker {
            grammar,
            world,
            slots: IndexMap::new(),
            names: IndexSet::new(),
            rules: IndexMap::new(),
            looked_at: BTreeSet::new(),
            denied: BTreeSet::new(),
            warnings: Vec::new(),
        };
        let intro = linker.rule("intro").map_err(|e| TextError { message: format!("{} (the opening text)", e.message), ..e })?;
        let mut linked = Vec::new();
        for action in actions {
            let text = grammar
                .actions
                .get(action.name)
                .ok_or_else(|| TextError::new(format!("nothing says how the action `{}` is written", action.name)))?;
            let params = action.params.iter().map(|(name, kind)| linker.slot(name, kind)).collect::<Result<Vec<_>, _>>()?;
            let of = |e: TextError| TextError { place: e.place.or(Some(text.place)), ..e };
            let command = linker.pieces(&text.template, &format!("the template of `{}`", action.name)).map_err(of)?;
            let feedback = linker.pieces(&text.feedback, &format!("the feedback of `{}`", action.name)).map_err(of)?;
            linked.push(ActionScript { params, command, feedback, command_predicates: BTreeSet::new() });
        }
        let mut list = ListRules::default();
        if linker.makes_lists(&linked) {
            list = ListRules {
                empty: linker.rule("list_empty")?,
                separator: linker.rule("list_separator")?,
                last: linker.rule("list_last_separator")?,
            };
        }
        linker.finish(grammar, actions, intro, list, linked)
    }

    /// What is legal but looks like a slip.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Predicates whose facts the texts depend on.
    pub(crate) fn looked_at(&self) -> impl Iterator<Item = u16> + '_ {
        self.looked_at.iter().copied()
    }

    /// Predicates of which the texts ask what was made false (`not_…`).
    pub(crate) fn denied(&self) -> impl Iterator<Item = u16> + '_ {
        self.denied.iter().copied()
    }

    /// Predicates on which the wording of an action's command depends.
    pub(crate) fn command_predicates(&self, action: usize) -> impl Iterator<Item = u16> + '_ {
        self.actions.get(action).into_iter().flat_map(|action| action.command_predicates.iter().copied())
    }

    /// Whether the wording of an action's command depends on anything but the named parameters; the parameters by place.
    pub(crate) fn command_params(&self, action: usize) -> Option<Vec<usize>> {
        let action = self.actions.get(action)?;
        let mut used = vec![false; action.params.len()];
        for piece in &action.command {
            match piece {
                Linked::Text(_) => {}
                Linked::Each { item: LinkedItem::Value(value), query, .. } => {
                    let mut names = Vec::new();
                    value.names(&mut names);
                    let by_name = names.iter().filter_map(|&n| self.names.get(n as usize)).flatten();
                    for slot in by_name.chain(query.iter().flat_map(|query| &query.slots)) {
                        used[action.params.iter().position(|param| param == slot)?] = true;
                    }
                }
                Linked::Rule(_) | Linked::Each { .. } => return None,
            }
        }
        Some((0..used.len()).filter(|&i| used[i]).collect())
    }
}

struct Linker<'a, W> {
    grammar: &'a Grammar,
    world: &'a W,
    /// By name and type; the value is the number of the type.
    slots: IndexMap<(String, String), u16>,
    names: IndexSet<String>,
    rules: IndexMap<String, Option<Vec<Alternative>>>,
    looked_at: BTreeSet<u16>,
    denied: BTreeSet<u16>,
    warnings: Vec<String>,
}

impl<W: Vocabulary> Linker<'_, W> {
    fn slot(&mut self, name: &str, kind: &str) -> Result<u16, TextError> {
        let id = self.world.type_id(kind).unwrap_or(NOBODY);
        let (slot, _) = self.slots.insert_full((name.to_string(), kind.to_string()), id);
        if slot >= MAX_SLOTS {
            return Err(TextError::new(format!("more than {MAX_SLOTS} different variables")));
        }
        Ok(slot as u16)
    }

    fn rule(&mut self, name: &str) -> Result<u16, TextError> {
        if let Some(index) = self.rules.get_index_of(name) {
            return Ok(index as u16);
        }
        let Some(alternatives) = self.grammar.rules.get(name) else {
            return Err(TextError::new(format!("there is no rule `{name}`")));
        };
        let at = self.grammar.place(name);
        let of = |e: TextError| TextError { place: e.place.or(at), message: format!("the rule `{name}`: {}", e.message) };
        if alternatives.last().is_none_or(|last| !last.condition.is_empty()) {
            return Err(of(TextError::new("the last alternative must have no condition, so that there is always a text")));
        }
        if self.rules.len() >= 10_000 {
            return Err(of(TextError::new("too many rules")));
        }
        let (index, _) = self.rules.insert_full(name.to_string(), None);
        if index > 0 && self.rules.values().filter(|rule| rule.is_none()).count() > MAX_DEPTH {
            return Err(of(TextError::new(format!("rules stand within rules more than {MAX_DEPTH} deep"))));
        }
        let mut linked = Vec::new();
        for alternative in alternatives {
            let condition = match alternative.condition.as_str() {
                "" => None,
                condition => Some(self.query(condition).map_err(of)?),
            };
            let pieces = self.pieces(&alternative.text, &format!("the rule `{name}`")).map_err(|e| match e.place {
                Some(_) => e,
                None => of(e),
            })?;
            linked.push(Alternative { condition, pieces });
        }
        if let Some(slot) = self.rules.get_mut(name) {
            *slot = Some(linked);
        }
        Ok(index as u16)
    }

    fn pieces(&mut self, text: &str, what: &str) -> Result<Vec<Linked>, TextError> {
        let (pieces, end) = template::pieces(text);
        if let Some(end) = end {
            let rest: String = text.get(end..).unwrap_or("").chars().take(20).collect();
            self.warnings.push(format!("{what} ends before `{rest}`, which fits nowhere"));
        }
        pieces
            .into_iter()
            .map(|piece| {
                Ok(match piece {
                    Piece::Text(text) => Linked::Text(text.into()),
                    Piece::Rule(name) => Linked::Rule(self.rule(&name)?),
                    Piece::Each { item, query, list } => {
                        let query = query.map(|query| self.query(&query)).transpose()?;
                        let item = match item {
                            Item::Rule(name) => LinkedItem::Rule(self.rule(&name)?),
                            Item::Value(text) => LinkedItem::Value(self.value(expression::parse(&text)?)),
                        };
                        Linked::Each { item, query, list }
                    }
                })
            })
            .collect()
    }

    fn value(&mut self, value: Expression) -> Value {
        match value {
            Expression::Attribute(name, attribute) => Value::Attribute(self.names.insert_full(name).0 as u16, attribute),
            Expression::Text(text) => Value::Text(text),
            Expression::Join(parts) => Value::Join(parts.into_iter().map(|part| self.value(part)).collect()),
            Expression::Or(parts) => Value::Or(parts.into_iter().map(|part| self.value(part)).collect()),
        }
    }

    fn query(&mut self, text: &str) -> Result<Query, TextError> {
        let mut query = Query { parts: Vec::new(), slots: Vec::new() };
        for part in query::parse(text)? {
            let positive = self.world.predicate(&part.predicate).map(|found| (found, false));
            let found = positive.or_else(|| self.world.predicate(part.predicate.strip_prefix("not_")?).map(|found| (found, true)));
            if found.is_none() {
                self.warnings.push(format!("in the query `{}`: there is no predicate `{}`", text.trim(), part.predicate));
            }
            let mut slots = Vec::new();
            for (name, kind) in &part.variables {
                let slot = self.slot(name, kind)?;
                if self.slots.get_index(slot as usize).is_some_and(|(_, id)| *id == NOBODY) {
                    self.warnings.push(format!("in the query `{}`: there is no type `{kind}`", text.trim()));
                }
                if !query.slots.contains(&slot) {
                    query.slots.push(slot);
                }
                slots.push(slot);
            }
            if let Some(((id, arity), negative)) = found {
                if arity != slots.len() {
                    let message =
                        format!("in the query `{}`: `{}` takes {arity} variables, not {}", text.trim(), part.predicate, slots.len());
                    return Err(TextError::new(message));
                }
                if negative { &mut self.denied } else { &mut self.looked_at }.insert(id);
            }
            query.parts.push(QueryPart { predicate: found.map(|((id, _), _)| id), negative: found.is_some_and(|(_, n)| n), slots });
        }
        Ok(query)
    }

    fn makes_lists(&self, actions: &[ActionScript]) -> bool {
        let rules = self.rules.values().flatten().flatten().flat_map(|alternative| &alternative.pieces);
        let actions = actions.iter().flat_map(|action| action.command.iter().chain(&action.feedback));
        rules.chain(actions).any(|piece| matches!(piece, Linked::Each { list: true, .. }))
    }

    fn finish(
        self,
        grammar: &Grammar,
        signatures: &[Signature],
        intro: u16,
        list: ListRules,
        actions: Vec<ActionScript>,
    ) -> Result<Script, TextError> {
        let slots: Vec<Slot> = self.slots.values().map(|&kind| Slot { kind }).collect();
        let of_name = |name: &String| self.slots.keys().enumerate().filter(|(_, (n, _))| n == name).map(|(i, _)| i as u16).collect();
        let names = self.names.iter().map(of_name).collect();
        let rule_names: Vec<String> = self.rules.keys().cloned().collect();
        let rules = self.rules.into_values().map(Option::unwrap_or_default).collect();
        let (looked_at, denied, warnings) = (self.looked_at, self.denied, self.warnings);
        let mut script = Script { slots, names, rules, intro, list, actions, looked_at, denied, warnings };
        let mut check =
            Check { script: &script, grammar, rule_names: &rule_names, variables: &self.names, seen: BTreeSet::new(), stack: Vec::new() };
        check.rule(intro, 0)?;
        for (action, signature) in script.actions.iter().zip(signatures) {
            let bound = action.params.iter().fold(0u128, |set, &slot| set | 1 << slot);
            let of = |e: TextError| {
                let place = grammar.actions.get(signature.name).map(|text| text.place);
                TextError { place: e.place.or(place), message: format!("the action `{}`: {}", signature.name, e.message) }
            };
            check.pieces(&action.command, bound).and_then(|()| check.pieces(&action.feedback, bound)).map_err(of)?;
        }
        let predicates: Vec<BTreeSet<u16>> = script.actions.iter().map(|action| script.predicates(&action.command)).collect();
        for (action, predicates) in script.actions.iter_mut().zip(predicates) {
            action.command_predicates = predicates;
        }
        Ok(script)
    }
}

/// Walks all rules in every context in which they can be reached: no circle, and every value's variable is bound.
struct Check<'a> {
    script: &'a Script,
    grammar: &'a Grammar,
    rule_names: &'a [String],
    variables: &'a IndexSet<String>,
    seen: BTreeSet<(u16, u128)>,
    stack: Vec<u16>,
}

impl Check<'_> {
    fn rule(&mut self, rule: u16, bound: u128) -> Result<(), TextError> {
        let name = self.rule_names.get(rule as usize).map_or("", String::as_str);
        let place = self.grammar.place(name);
        let of = |message: &str| TextError { place, message: format!("the rule `{name}`{message}") };
        if self.stack.contains(&rule) {
            return Err(of(" contains itself"));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(of(&format!(" stands within other rules more than {MAX_DEPTH} deep")));
        }
        if !self.seen.insert((rule, bound)) {
            return Ok(());
        }
        if self.seen.len() > 100_000 {
            return Err(of(" is reached in too many ways"));
        }
        self.stack.push(rule);
        let script = self.script;
        for alternative in script.rules.get(rule as usize).into_iter().flatten() {
            self.pieces(&alternative.pieces, bound).map_err(|e| match e.place {
                Some(_) => e,
                None => of(&format!(": {}", e.message)),
            })?;
        }
        self.stack.pop();
        Ok(())
    }

    fn pieces(&mut self, pieces: &[Linked], bound: u128) -> Result<(), TextError> {
        for piece in pieces {
            match piece {
                Linked::Text(_) => {}
                Linked::Rule(rule) => self.rule(*rule, bound)?,
                Linked::Each { item, query, .. } => {
                    let bound = query.iter().flat_map(|query| &query.slots).fold(bound, |set, &slot| set | 1 << slot);
                    match item {
                        LinkedItem::Rule(rule) => self.rule(*rule, bound)?,
                        LinkedItem::Value(value) => {
                            let mut names = Vec::new();
                            value.names(&mut names);
                            for name in names {
                                let slots = self.script.names.get(name as usize).map_or(&[][..], Vec::as_slice);
                                if !slots.iter().any(|&slot| bound >> slot & 1 == 1) {
                                    let name = self.variables.get_index(name as usize).map_or("", String::as_str);
                                    return Err(TextError::new(format!("the variable `{name}` has no value")));
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Script {
    /// Every predicate that making these pieces may look at.
    fn predicates(&self, pieces: &[Linked]) -> BTreeSet<u16> {
        let mut found = BTreeSet::new();
        let mut seen = vec![false; self.rules.len()];
        let mut todo: Vec<&Linked> = pieces.iter().collect();
        while let Some(piece) = todo.pop() {
            let (rule, query) = match piece {
                Linked::Text(_) => (None, None),
                Linked::Rule(rule) => (Some(*rule), None),
                Linked::Each { item: LinkedItem::Rule(rule), query, .. } => (Some(*rule), query.as_ref()),
                Linked::Each { query, .. } => (None, query.as_ref()),
            };
            let mut look = |query: &Query| found.extend(query.parts.iter().filter_map(|part| part.predicate));
            query.into_iter().for_each(&mut look);
            if let Some(rule) = rule.map(usize::from).filter(|&rule| !seen[rule]) {
                seen[rule] = true;
                for alternative in &self.rules[rule] {
                    alternative.condition.iter().for_each(&mut look);
                    todo.extend(&alternative.pieces);
                }
            }
        }
        found
    }
}

impl Value {
    fn names(&self, all: &mut Vec<u16>) {
        match self {
            Value::Attribute(name, _) => all.push(*name),
            Value::Text(_) => {}
            Value::Join(parts) | Value::Or(parts) => parts.iter().for_each(|part| part.names(all)),
        }
    }
}
