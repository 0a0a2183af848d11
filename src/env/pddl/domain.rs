//! The rules of a world, read once and shared by all of its games.

use super::effect::{self, Effect};
use super::error::{Part, PddlError, Text};
use super::formula::{self, Clause, Formula, PredId, Scope, UNFOLDING, Vocabulary, typed_items};
use super::sexpr::{self, Node};
use super::types::{MAX_TYPES, OBJECT, TypeId, Types};
use indexmap::{IndexMap, IndexSet};

/// Arguments an atom can have: eight object numbers fit into one key.
pub(crate) const MAX_ARITY: usize = 8;
/// Limits far above any domain that people write, so that a damaged or malicious one cannot use up the memory.
const MAX_PREDICATES: usize = 500;
const MAX_SCHEMAS: usize = 1000;

#[derive(Debug)]
pub(crate) struct Predicate {
    pub arity: usize,
    /// Some action changes it.
    pub fluent: bool,
}

/// An action before it is filled with objects.
#[derive(Debug)]
pub(crate) struct Schema {
    pub name: String,
    /// Names of the parameters without `?`; they are the first variables.
    pub params: Vec<String>,
    /// The type of every variable; `None`: of a type that nobody declared, so no object fits.
    pub vars: Vec<Option<TypeId>>,
    pub precondition: Vec<Clause>,
    pub effects: Vec<Effect>,
}

impl Schema {
    /// How many places a binding of the variables takes; never 0, so that bindings can lie one after the other.
    pub(crate) fn width(&self) -> usize {
        self.vars.len().max(1)
    }
}

#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) name: String,
    pub(crate) types: Types,
    pub(crate) constants: Vec<(String, TypeId)>,
    pub(crate) predicates: IndexMap<String, Predicate>,
    pub(crate) schemas: Vec<Schema>,
    /// Words in the actions that name objects; a problem says which.
    pub(crate) names: IndexSet<String>,
    warnings: Vec<String>,
}

impl Domain {
    /// Reads a domain. Letter case does not count in PDDL, so everything becomes lower case.
    ///
    /// # Errors
    /// Says line and column of what is malformed or not supported.
    pub(crate) fn parse(source: &str) -> Result<Domain, PddlError> {
        let lower = source.to_ascii_lowercase();
        let text = Text { part: Part::Domain, text: &lower };
        let root = sexpr::read(text)?;
        let mut reader = Reader {
            text,
            domain: Domain {
                name: String::new(),
                types: Types::new(),
                constants: Vec::new(),
                predicates: IndexMap::new(),
                schemas: Vec::new(),
                names: IndexSet::new(),
                warnings: Vec::new(),
            },
        };
        reader.domain(&root)?;
        Ok(reader.domain)
    }

    /// What is legal but looks like a slip: for authors of domains.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn predicate(&self, name: &str) -> Option<(PredId, &Predicate)> {
        self.predicates.get_full(name).map(|(id, _, predicate)| (id as PredId, predicate))
    }

    pub(crate) fn is_fluent(&self, pred: PredId) -> bool {
        self.predicates.get_index(pred as usize).is_some_and(|(_, p)| p.fluent)
    }
}

struct Reader<'t> {
    text: Text<'t>,
    domain: Domain,
}

impl Vocabulary for Reader<'_> {
    fn predicate(&self, name: &str) -> Option<(PredId, usize)> {
        self.domain.predicate(name).map(|(id, predicate)| (id, predicate.arity))
    }

    fn type_id(&mut self, name: &str, at: u32) -> Option<TypeId> {
        let id = self.domain.types.id(name);
        if id.is_none() {
            let warning = self.text.error(at, format!("nobody declares the type `{name}`, so no object is of it"));
            self.domain.warnings.push(warning.to_string());
        }
        id
    }

    fn object(&mut self, name: &str, at: u32) -> Result<u16, PddlError> {
        let (index, _) = self.domain.names.insert_full(name.to_string());
        u16::try_from(index).map_err(|_| self.text.error(at, "too many names of objects"))
    }
}

/// Requirements that are met, or that change nothing here.
const SUPPORTED: &[&str] = &[
    ":strips",
    ":adl",
    ":typing",
    ":equality",
    ":negative-preconditions",
    ":disjunctive-preconditions",
    ":existential-preconditions",
    ":universal-preconditions",
    ":quantified-preconditions",
    ":conditional-effects",
    ":action-costs",
];

impl<'t> Reader<'t> {
    fn domain(&mut self, root: &Node<'t>) -> Result<(), PddlError> {
        let text = self.text;
        let items = root.list().unwrap_or_default();
        if root.head() != Some("define") {
            return Err(text.error(root.at, "a domain begins with `(define (domain name)`"));
        }
        match items.get(1).and_then(Node::list) {
            Some([word, name]) if word.word() == Some("domain") => self.domain.name = name.word().unwrap_or_default().to_string(),
            _ => return Err(text.error(root.at, "a domain begins with `(define (domain name)`")),
        }
        // Actions may speak of anything that is declared, wherever it is declared.
        let mut actions = Vec::new();
        for item in &items[2..] {
            match item.head() {
                Some(":requirements") => self.requirements(item)?,
                Some(":types") => self.types(item)?,
                Some(":predicates") => self.predicates(item)?,
                Some(":action") => actions.push(item),
                Some(":constants" | ":functions") => {}
                Some(other) => return Err(text.error(item.at, format!("`{other}` is not supported"))),
                None => return Err(text.error(item.at, "expected a section such as `(:action …)`")),
            }
        }
        self.domain.types.close();
        for item in &items[2..] {
            if item.head() == Some(":constants") {
                for (name, at, kind) in typed_items(text, &item.list().unwrap_or_default()[1..])? {
                    let id = kind.map_or(Some(OBJECT), |(kind, _)| self.domain.types.id(kind));
                    let id = id.ok_or_else(|| text.error(at, format!("the type of `{name}` is not declared")))?;
                    self.domain.constants.push((name.to_string(), id));
                }
            }
        }
        for action in actions {
            self.action(action)?;
        }
        Ok(())
    }

    fn requirements(&mut self, item: &Node<'t>) -> Result<(), PddlError> {
        for word in &item.list().unwrap_or_default()[1..] {
            let name = word.word().unwrap_or("(");
            if !SUPPORTED.contains(&name) {
                return Err(self.text.error(word.at, format!("the requirement `{name}` is not supported")));
            }
        }
        Ok(())
    }

    fn types(&mut self, item: &Node<'t>) -> Result<(), PddlError> {
        let text = self.text;
        let too_many = |at| text.error(at, format!("more than {MAX_TYPES} types"));
        for (name, at, parent) in typed_items(text, &item.list().unwrap_or_default()[1..])? {
            let id = self.domain.types.declare(name).ok_or_else(|| too_many(at))?;
            if let Some((parent, at)) = parent {
                let parent = self.domain.types.declare(parent).ok_or_else(|| too_many(at))?;
                self.domain.types.add_parent(id, parent);
            }
        }
        Ok(())
    }

    fn predicates(&mut self, item: &Node<'t>) -> Result<(), PddlError> {
        for declared in &item.list().unwrap_or_default()[1..] {
            let Some(name) = declared.head() else {
                return Err(self.text.error(declared.at, "expected `(predicate ?a - type …)`"));
            };
            let arity = typed_items(self.text, &declared.list().unwrap_or_default()[1..])?.len();
            if arity > MAX_ARITY {
                return Err(self.text.error(declared.at, format!("`{name}` has {arity} arguments; at most {MAX_ARITY} are supported")));
            }
            if self.domain.predicates.len() >= MAX_PREDICATES {
                return Err(self.text.error(declared.at, format!("more than {MAX_PREDICATES} predicates")));
            }
            if self.domain.predicates.insert(name.to_string(), Predicate { arity, fluent: false }).is_some() {
                return Err(self.text.error(declared.at, format!("the predicate `{name}` is declared twice")));
            }
        }
        Ok(())
    }

    fn action(&mut self, item: &Node<'t>) -> Result<(), PddlError> {
        let text = self.text;
        let items = item.list().unwrap_or_default();
        let name = items.get(1).and_then(Node::word).ok_or_else(|| text.error(item.at, "expected the name of the action"))?;
        if self.domain.schemas.iter().any(|schema| schema.name == name) {
            return Err(text.error(item.at, format!("the action `{name}` is declared twice")));
        }
        if self.domain.schemas.len() >= MAX_SCHEMAS {
            return Err(text.error(item.at, format!("more than {MAX_SCHEMAS} actions")));
        }
        let mut scope = Scope::default();
        let mut params = Vec::new();
        let (mut precondition, mut effects) = (Formula::TRUE, Vec::new());
        // The parts may only use the parameters once those are read; the standard has them first.
        for pair in items[2..].chunks(2) {
            let [key, value] = pair else {
                return Err(text.error(pair[0].at, "expected a value after this word"));
            };
            match key.word() {
                Some(":parameters") => params = scope.enter(text, value, self)?,
                Some(":precondition") => precondition = scope.formula(text, value, true, self)?,
                Some(":effect") => effect::read(text, value, &mut scope, self, &mut effects)?,
                Some(other) => return Err(text.error(key.at, format!("`{other}` is not supported in an action"))),
                None => return Err(text.error(key.at, "expected `:parameters`, `:precondition` or `:effect`")),
            }
        }
        let precondition = formula::clauses(&precondition, &mut { UNFOLDING })
            .ok_or_else(|| text.error(item.at, format!("the precondition of `{name}` unfolds into too many cases")))?;
        for effect in &effects {
            if let Some((_, predicate)) = self.domain.predicates.get_index_mut(effect.atom.pred as usize) {
                predicate.fluent = true;
            }
            if formula::clauses(&effect.condition, &mut { UNFOLDING }).is_none() {
                return Err(text.error(item.at, format!("a condition in the effect of `{name}` unfolds into too many cases")));
            }
        }
        let params = params.iter().map(|&var| scope.names[var as usize].trim_start_matches('?').to_string()).collect();
        self.domain.schemas.push(Schema { name: name.to_string(), params, vars: scope.types, precondition, effects });
        Ok(())
    }
}
