//! Which named terms of a loss a report draws with the entropy: its past mean, the bounds of its corridor, the phase weight. A name alone says
//! nothing (`low` may be the lower end of a clip); the equation has to use the term as its name says.

use crate::builtin::Builtin;
use crate::lang::term::{Argument, LossBlock, Term, TermKind};
use std::sync::Arc;

/// The name of a term's values, and the metric that they are too.
pub(crate) type EntropyLine = (String, &'static str);

/// The terms that are drawn, as metrics.
pub(crate) fn entropy_lines(loss: &LossBlock) -> Vec<EntropyLine> {
    let equations: Vec<&Arc<Term>> = loss.terms.iter().map(|t| &t.term).chain(&loss.minimize).collect();
    let metric = |name: &str, term: &Arc<Term>| match name {
        "reference" if is_past_entropy(term) => Some("entropy.reference"),
        "low" if equations.iter().any(|e| bounds_entropy(e, name)) => Some("entropy.low"),
        "high" if equations.iter().any(|e| bounds_entropy(e, name)) => Some("entropy.high"),
        "phase" if is_of_the_time(term) => Some("phase"),
        _ => None,
    };
    loss.terms.iter().filter_map(|t| Some((format!("loss/{}", t.name), metric(&t.name, &t.term)?))).collect()
}

/// Functions that compare their arguments.
const COMPARING: [Builtin; 8] =
    [Builtin::Sub, Builtin::Less, Builtin::AtMost, Builtin::Greater, Builtin::AtLeast, Builtin::Min, Builtin::Max, Builtin::Clip];

/// Whether somewhere the entropy is compared with the named term.
fn bounds_entropy(term: &Arc<Term>, name: &str) -> bool {
    match &term.kind {
        TermKind::Apply { builtin, args } => {
            let is_bound = |arg: &Arc<Term>| matches!(&arg.kind, TermKind::Named { name: own, .. } if own.as_ref() == name);
            let compares = COMPARING.contains(builtin) && terms(args).any(is_bound) && terms(args).any(is_entropy);
            compares || terms(args).any(|arg| bounds_entropy(arg, name))
        }
        TermKind::Named { body, .. } => bounds_entropy(body, name),
        TermKind::Number(_) | TermKind::Bool(_) | TermKind::Quantity(_) => false,
    }
}

/// The entropy of a token, or one number made from it: `entropy`, `mean(entropy)`.
fn is_entropy(term: &Arc<Term>) -> bool {
    match &term.kind {
        TermKind::Quantity(name) => name.as_ref() == "entropy",
        TermKind::Named { body, .. } => is_entropy(body),
        TermKind::Apply { builtin, args } => {
            let mut terms = terms(args);
            *builtin != Builtin::History && terms.next().is_some_and(is_entropy) && terms.next().is_none()
        }
        TermKind::Number(_) | TermKind::Bool(_) => false,
    }
}

/// `history(mean(entropy))`
fn is_past_entropy(term: &Arc<Term>) -> bool {
    matches!(&term.kind, TermKind::Apply { builtin: Builtin::History, args } if terms(args).next().is_some_and(is_entropy))
}

/// Whether a term depends on nothing but how far the run is.
fn is_of_the_time(term: &Arc<Term>) -> bool {
    match &term.kind {
        TermKind::Number(_) | TermKind::Bool(_) => true,
        TermKind::Quantity(name) => matches!(name.as_ref(), "iteration" | "iterations" | "progress"),
        TermKind::Named { body, .. } => is_of_the_time(body),
        TermKind::Apply { args, .. } => terms(args).all(is_of_the_time),
    }
}

fn terms(args: &[Argument]) -> impl Iterator<Item = &Arc<Term>> {
    args.iter().filter_map(|arg| if let Argument::Term(term) = arg { Some(term) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::load::Root;
    use crate::spec::{LIBRARY, Request, equations};

    fn metrics(loss: &str) -> Vec<&'static str> {
        let text = format!("import \"std/losses.epo\"\npipeline p {{\n  loss {{\n{loss}\n  }}\n}}\n");
        let (_, found, messages) =
            equations(&Request { root: Root::Text { name: "p.epo", text: &text }, overrides: &[], library: &LIBRARY });
        assert!(!messages.has_errors(), "{messages:?}");
        entropy_lines(found[0].loss.as_ref().unwrap()).into_iter().map(|(_, metric)| metric).collect()
    }

    #[test]
    fn a_corridor_around_the_past_entropy() {
        let all = "reference = history(mean(entropy))
            low = 0.5 * reference
            high = 1.5 * reference
            phase = phase(iteration, iterations)
            minimize = phase * mean(relu(low - entropy) + relu(entropy - high)) - mean(advantage * logp)";
        assert_eq!(metrics(all), ["entropy.reference", "entropy.low", "entropy.high", "phase"]);
        let of_the_mean = "low = 0.3\nminimize = relu(low - mean(entropy)) - mean(advantage * logp)";
        assert_eq!(metrics(of_the_mean), ["entropy.low"]);
        let clipped = "low = 0.3\nhigh = 1\nminimize = mean(abs(entropy - clip(entropy, low, high))) - mean(advantage * logp)";
        assert_eq!(metrics(clipped), ["entropy.low", "entropy.high"]);
    }

    #[test]
    fn terms_of_these_names_that_mean_something_else() {
        let clip = "low = 0.2\nhigh = 0.28\nminimize = mean(ppo_clip(low, high = high))";
        assert_eq!(metrics(clip), [""; 0]);
        let weights = "low = 0.001\nreference = mean(kl_k3())\nphase = mean(logp)\nminimize = reference + phase - low * mean(entropy)";
        assert_eq!(metrics(weights), [""; 0]);
    }
}
