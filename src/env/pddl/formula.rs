//! Conditions: read into negation normal form, and unfolded into clauses where a join needs them.

use super::error::{PddlError, Text};
use super::sexpr::Node;
use super::types::TypeId;

pub(crate) type PredId = u16;
/// A variable of one scope; every quantifier makes new ones, so names never hide each other.
pub(crate) type VarId = u16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Var(VarId),
    /// A word that names an object: index into the scope's list of such words.
    Name(u16),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Atom {
    pub pred: PredId,
    pub args: Vec<Term>,
}

/// Negation stands only at atoms and equalities.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Atom { positive: bool, atom: Atom },
    Equal { positive: bool, left: Term, right: Term },
    And(Vec<Formula>),
    Or(Vec<Formula>),
    Exists(Vec<VarId>, Box<Formula>),
    Forall(Vec<VarId>, Box<Formula>),
}

impl Formula {
    pub(crate) const TRUE: Formula = Formula::And(Vec::new());

    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Formula::And(parts) if parts.is_empty())
    }

    /// Calls `f` with every predicate that is looked at.
    pub(crate) fn predicates(&self, f: &mut impl FnMut(PredId)) {
        match self {
            Formula::Atom { atom, .. } => f(atom.pred),
            Formula::Equal { .. } => {}
            Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|p| p.predicates(f)),
            Formula::Exists(_, body) | Formula::Forall(_, body) => body.predicates(f),
        }
    }
}

/// A conjunction. Variables of `exists` have become variables of the clause; a `forall` stays whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Clause {
    pub hidden: Vec<VarId>,
    pub positive: Vec<Atom>,
    pub negative: Vec<Atom>,
    pub equal: Vec<(bool, Term, Term)>,
    pub universal: Vec<Formula>,
}

/// What unfolding a condition of a domain may cost, in literals written. More comes from no sensible condition.
pub(crate) const UNFOLDING: u64 = 1_000_000;

/// The disjunction of clauses that a formula stands for; `None` when that costs more than the budget.
pub(crate) fn clauses(formula: &Formula, budget: &mut u64) -> Option<Vec<Clause>> {
    let all = match formula {
        Formula::Atom { positive, atom } => {
            let mut clause = Clause::default();
            if *positive { &mut clause.positive } else { &mut clause.negative }.push(atom.clone());
            vec![clause]
        }
        Formula::Equal { positive, left, right } => vec![Clause { equal: vec![(*positive, *left, *right)], ..Clause::default() }],
        Formula::And(parts) => {
            let mut all = vec![Clause::default()];
            for part in parts {
                let more = clauses(part, budget)?;
                let size = |clauses: &[Clause]| clauses.iter().map(Clause::size).sum::<usize>();
                *budget = budget.checked_sub((size(&all) * more.len() + size(&more) * all.len()) as u64)?;
                all = all.iter().flat_map(|a| more.iter().map(|b| a.and(b))).collect();
            }
            all
        }
        Formula::Or(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(clauses(part, budget)?);
            }
            all
        }
        Formula::Exists(vars, body) => {
            let mut all = clauses(body, budget)?;
            for clause in &mut all {
                clause.hidden.extend(vars);
            }
            all
        }
        Formula::Forall(..) => vec![Clause { universal: vec![formula.clone()], ..Clause::default() }],
    };
    *budget = budget.checked_sub(all.len() as u64)?;
    Some(all)
}

impl Clause {
    fn size(&self) -> usize {
        1 + self.hidden.len() + self.positive.len() + self.negative.len() + self.equal.len() + self.universal.len()
    }

    fn and(&self, other: &Clause) -> Clause {
        fn both<T: Clone>(a: &[T], b: &[T]) -> Vec<T> {
            a.iter().chain(b).cloned().collect()
        }
        Clause {
            hidden: both(&self.hidden, &other.hidden),
            positive: both(&self.positive, &other.positive),
            negative: both(&self.negative, &other.negative),
            equal: both(&self.equal, &other.equal),
            universal: both(&self.universal, &other.universal),
        }
    }
}

/// What a condition may speak of while it is read.
pub(crate) trait Vocabulary {
    fn predicate(&self, name: &str) -> Option<(PredId, usize)>;
    /// `None`: nobody has declared it, so nothing is of that type.
    fn type_id(&mut self, name: &str, at: u32) -> Option<TypeId>;
    /// The number of a word that names an object; an error when there can be no such object.
    fn object(&mut self, name: &str, at: u32) -> Result<u16, PddlError>;
}

/// Variables seen so far, with their types, and those in view by name.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub types: Vec<Option<TypeId>>,
    pub names: Vec<&'a str>,
    in_view: Vec<(&'a str, VarId)>,
}

impl<'a> Scope<'a> {
    /// Reads `?a ?b - type ?c …` and puts the variables in view. The caller gives the view back with `leave`.
    pub(super) fn enter(&mut self, text: Text, list: &Node<'a>, words: &mut impl Vocabulary) -> Result<Vec<VarId>, PddlError> {
        let mut vars = Vec::new();
        for (name, at, kind) in typed(text, list)? {
            if !name.starts_with('?') {
                return Err(text.error(at, format!("expected a variable such as `?{name}`, found `{name}`")));
            }
            let kind = match kind {
                Some((kind, at)) => words.type_id(kind, at),
                None => words.type_id("object", at),
            };
            if self.types.len() >= 250 {
                return Err(text.error(at, "more than 250 variables in one action"));
            }
            let var = self.types.len() as VarId;
            self.types.push(kind);
            self.names.push(name);
            self.in_view.push((name, var));
            vars.push(var);
        }
        Ok(vars)
    }

    pub(super) fn leave(&mut self, vars: &[VarId]) {
        self.in_view.truncate(self.in_view.len().saturating_sub(vars.len()));
    }

    fn term(&self, text: Text, node: &Node<'a>, words: &mut impl Vocabulary) -> Result<Term, PddlError> {
        let name = node.word().ok_or_else(|| text.error(node.at, "expected a variable or the name of an object, found a list"))?;
        if name.starts_with('?') {
            let var = self.in_view.iter().rev().find(|(known, _)| *known == name);
            return var.map(|(_, var)| Term::Var(*var)).ok_or_else(|| text.error(node.at, format!("unknown variable `{name}`")));
        }
        words.object(name, node.at).map(Term::Name)
    }

    pub(super) fn atom(&self, text: Text, node: &Node<'a>, words: &mut impl Vocabulary) -> Result<Atom, PddlError> {
        let name = node.head().ok_or_else(|| text.error(node.at, "expected `(predicate …)`"))?;
        let items = node.list().unwrap_or_default();
        let Some((pred, arity)) = words.predicate(name) else {
            return Err(text.error(node.at, unknown_head(name)));
        };
        if items.len() - 1 != arity {
            return Err(text.error(node.at, format!("`{name}` takes {arity} arguments, not {}", items.len() - 1)));
        }
        let args = items[1..].iter().map(|item| self.term(text, item, words)).collect::<Result<_, _>>()?;
        Ok(Atom { pred, args })
    }

    /// Reads a condition; `positive` is false under an odd number of `not`s.
    pub(super) fn formula(
        &mut self,
        text: Text,
        node: &Node<'a>,
        positive: bool,
        words: &mut impl Vocabulary,
    ) -> Result<Formula, PddlError> {
        let Some(items) = node.list() else {
            return Err(text.error(node.at, "expected a condition in parentheses"));
        };
        let Some(head) = items.first() else {
            return if positive { Ok(Formula::TRUE) } else { Ok(Formula::Or(Vec::new())) };
        };
        let Some(word) = head.word() else {
            return Err(text.error(head.at, "expected a predicate or `and`, `or`, `not`, `imply`, `exists`, `forall`"));
        };
        let rest = &items[1..];
        let takes = |n: usize| match rest.len() == n {
            true => Ok(()),
            false => Err(text.error(node.at, format!("`{word}` takes {n} parts, not {}", rest.len()))),
        };
        match word {
            "not" => {
                takes(1)?;
                self.formula(text, &rest[0], !positive, words)
            }
            "and" | "or" => {
                let parts = rest.iter().map(|part| self.formula(text, part, positive, words)).collect::<Result<_, _>>()?;
                Ok(if (word == "and") == positive { Formula::And(parts) } else { Formula::Or(parts) })
            }
            "imply" => {
                takes(2)?;
                let parts = vec![self.formula(text, &rest[0], !positive, words)?, self.formula(text, &rest[1], positive, words)?];
                Ok(if positive { Formula::Or(parts) } else { Formula::And(parts) })
            }
            "exists" | "forall" => {
                takes(2)?;
                let vars = self.enter(text, &rest[0], words)?;
                let body = Box::new(self.formula(text, &rest[1], positive, words)?);
                self.leave(&vars);
                Ok(if (word == "exists") == positive { Formula::Exists(vars, body) } else { Formula::Forall(vars, body) })
            }
            "=" => {
                takes(2)?;
                let (left, right) = (self.term(text, &rest[0], words)?, self.term(text, &rest[1], words)?);
                Ok(Formula::Equal { positive, left, right })
            }
            _ => Ok(Formula::Atom { positive, atom: self.atom(text, node, words)? }),
        }
    }
}

fn unknown_head(name: &str) -> String {
    match name {
        "<" | ">" | "<=" | ">=" | "assign" | "decrease" | "scale-up" | "scale-down" => format!("numbers (`{name}`) are not supported"),
        "preference" | "always" | "sometime" | "at" | "over" => {
            format!("unknown predicate `{name}` (preferences and time are not supported)")
        }
        _ => format!("unknown predicate `{name}`"),
    }
}

/// A name, where it stands, and its type with the type's place.
pub(crate) type Typed<'a> = (&'a str, u32, Option<(&'a str, u32)>);

/// Reads `a b - type c …`; the type is `None` where none is written.
pub(crate) fn typed<'a>(text: Text, list: &Node<'a>) -> Result<Vec<Typed<'a>>, PddlError> {
    let items = list.list().ok_or_else(|| text.error(list.at, "expected a list of names in parentheses"))?;
    typed_items(text, items)
}

pub(crate) fn typed_items<'a>(text: Text, items: &[Node<'a>]) -> Result<Vec<Typed<'a>>, PddlError> {
    let mut all: Vec<Typed<'a>> = Vec::with_capacity(items.len());
    let mut untyped = 0;
    let mut items = items.iter();
    while let Some(item) = items.next() {
        let Some(word) = item.word() else {
            return Err(text.error(item.at, "expected a name, found a list"));
        };
        if word != "-" {
            all.push((word, item.at, None));
            continue;
        }
        let kind = items.next().ok_or_else(|| text.error(item.at, "expected a type after `-`"))?;
        let Some(name) = kind.word() else {
            return Err(text.error(kind.at, "`either` types are not supported"));
        };
        all[untyped..].iter_mut().for_each(|entry| entry.2 = Some((name, kind.at)));
        untyped = all.len();
    }
    Ok(all)
}
