//! Effects, flattened: each is one atom that becomes true or false, under a condition, for all values of some variables.

use super::error::{PddlError, Text};
use super::formula::{Atom, Formula, Scope, VarId, Vocabulary};
use super::sexpr::Node;

#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub vars: Vec<VarId>,
    pub condition: Formula,
    pub add: bool,
    pub atom: Atom,
}

/// Reads an effect into `all`. Costs (`increase`) are read and forgotten: nothing here plans by cost.
pub(crate) fn read<'a>(
    text: Text,
    node: &Node<'a>,
    scope: &mut Scope<'a>,
    words: &mut impl Vocabulary,
    all: &mut Vec<Effect>,
) -> Result<(), PddlError> {
    let mut vars = Vec::new();
    read_under(text, node, scope, words, &mut vars, &Formula::TRUE, all)
}

#[allow(clippy::too_many_arguments)]
fn read_under<'a>(
    text: Text,
    node: &Node<'a>,
    scope: &mut Scope<'a>,
    words: &mut impl Vocabulary,
    vars: &mut Vec<VarId>,
    condition: &Formula,
    all: &mut Vec<Effect>,
) -> Result<(), PddlError> {
    let Some(items) = node.list() else {
        return Err(text.error(node.at, "expected an effect in parentheses"));
    };
    let Some(head) = items.first() else { return Ok(()) };
    let rest = &items[1..];
    let pair = || match rest {
        [a, b] => Ok((a, b)),
        _ => Err(text.error(node.at, format!("`{}` takes 2 parts, not {}", head.word().unwrap_or("effect"), rest.len()))),
    };
    match head.word() {
        Some("and") => rest.iter().try_for_each(|part| read_under(text, part, scope, words, vars, condition, all)),
        Some("forall") => {
            let (list, body) = pair()?;
            let new = scope.enter(text, list, words)?;
            vars.extend(&new);
            read_under(text, body, scope, words, vars, condition, all)?;
            vars.truncate(vars.len() - new.len());
            scope.leave(&new);
            Ok(())
        }
        Some("when") => {
            let (when, body) = pair()?;
            let when = scope.formula(text, when, true, words)?;
            let both = match condition.is_true() {
                true => when,
                false => Formula::And(vec![condition.clone(), when]),
            };
            read_under(text, body, scope, words, vars, &both, all)
        }
        Some("increase") => pair().map(|_| ()),
        Some("not") => {
            let [inner] = rest else {
                return Err(text.error(node.at, format!("`not` takes 1 part, not {}", rest.len())));
            };
            let atom = scope.atom(text, inner, words)?;
            all.push(Effect { vars: vars.clone(), condition: condition.clone(), add: false, atom });
            Ok(())
        }
        _ => {
            let atom = scope.atom(text, node, words)?;
            all.push(Effect { vars: vars.clone(), condition: condition.clone(), add: true, atom });
            Ok(())
        }
    }
}
