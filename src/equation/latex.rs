//! Writes terms as LaTeX, for papers.

use crate::builtin::{Binding, Builtin, Default, Latex};
use crate::lang::term::{Argument, Term, TermKind};

/// A term in mathematical notation; named terms of the loss stand by their names.
pub fn latex(term: &Term) -> String {
    write(term, Binding::Open)
}

/// A name as it stands in a formula.
pub fn latex_name(name: &str) -> String {
    let symbol = match name {
        "logp" => r"\log \pi_\theta",
        "old_logp" => r"\log \pi_{\mathrm{old}}",
        "ref_logp" => r"\log \pi_{\mathrm{ref}}",
        "rollout_logp" => r"\log \pi_{\mathrm{rollout}}",
        "entropy" => r"\mathcal{H}",
        "old_entropy" => r"\mathcal{H}_{\mathrm{old}}",
        "collision" => r"\textstyle\sum \pi^2",
        "confidence" => r"\max \pi",
        "kl_to_reference" => r"D(\pi_\theta \,\|\, \pi_{\mathrm{ref}})",
        "kl_from_reference" => r"D(\pi_{\mathrm{ref}} \,\|\, \pi_\theta)",
        "kl_to_teacher" => r"D(\pi_\theta \,\|\, \pi_{\mathrm{teacher}})",
        "kl_from_teacher" => r"D(\pi_{\mathrm{teacher}} \,\|\, \pi_\theta)",
        "value" => "V",
        "old_value" => r"V_{\mathrm{old}}",
        "advantage" => r"\hat{A}",
        "returns" => r"\hat{R}",
        "reward" => "r",
        "outcome" => "R",
        "uniform" => "u",
        "iteration" => "k",
        "iterations" => "K",
        "minimize" => r"\mathcal{L}",
        _ if name.len() == 1 => return name.to_string(),
        _ => return format!(r"\mathrm{{{}}}", name.replace('_', r"\_")),
    };
    symbol.to_string()
}

fn write(term: &Term, outer: Binding) -> String {
    match &term.kind {
        TermKind::Number(n) if *n < 0.0 && outer > Binding::Product => format!(r"\left({}\right)", number(*n)),
        TermKind::Number(n) => number(*n),
        TermKind::Bool(b) => format!(r"\mathrm{{{b}}}"),
        TermKind::Quantity(name) => {
            let text = latex_name(name);
            if outer > Binding::Negation && text.starts_with(r"\log") { format!(r"\left({text}\right)") } else { text }
        }
        TermKind::Named { name, .. } => latex_name(name),
        TermKind::Apply { builtin, args } => {
            let (text, own) = apply(*builtin, args);
            if own < outer { format!(r"\left({text}\right)") } else { text }
        }
    }
}

fn number(n: f64) -> String {
    let text = crate::lang::value::number_text(n);
    match text.split_once('e') {
        Some(("1", exponent)) => format!("10^{{{exponent}}}"),
        Some((mantissa, exponent)) => format!(r"{mantissa} \cdot 10^{{{exponent}}}"),
        None => text,
    }
}

/// The text, and how tightly it holds together: a fraction by its bar, a call by its brackets.
fn apply(builtin: Builtin, args: &[Argument]) -> (String, Binding) {
    let terms: Vec<&Term> = args.iter().filter_map(|a| if let Argument::Term(t) = a { Some(t.as_ref()) } else { None }).collect();
    let keys = builtin.params().iter().zip(args).filter_map(|(param, arg)| match arg {
        Argument::Key(key, _) => Some((key.as_ref(), matches!(param.default, Default::Required))),
        _ => None,
    });
    // What must be given, such as a text, is an argument.
    let (needed, keys): (Vec<_>, Vec<_>) = keys.partition(|(_, needed)| *needed);
    let [needed, keys]: [Vec<&str>; 2] = [needed, keys].map(|keys| keys.into_iter().map(|(key, _)| key).collect());
    let own = builtin.binding();
    match (builtin.row().latex, terms.as_slice()) {
        (Latex::Prefix(sign), [x]) => (format!("{sign}{}", write(x, own)), own),
        (Latex::Infix(sign), [a, b]) => {
            let (left, right) = own.operands();
            (format!("{} {sign} {}", write(a, left), write(b, right)), own)
        }
        (Latex::Power, [a, b]) => (format!("{}^{{{}}}", write(a, own.tighter()), write(b, Binding::Open)), own),
        // A switch of a library function that is set: the other case is never taken.
        (Latex::Cases, [c, a, b]) if constant(c).is_some() => {
            (write(if constant(c) == Some(true) { a } else { b }, Binding::Call), Binding::Call)
        }
        (Latex::Cases, [c, a, b]) => {
            let [a, c, b] = [a, c, b].map(|term| write(term, Binding::Open));
            (format!(r"\begin{{cases}} {a} & \text{{if }} {c} \\ {b} & \text{{otherwise}} \end{{cases}}"), Binding::Call)
        }
        (Latex::Pattern(pattern), terms) if operands(pattern) == terms.len() => (filled(pattern, terms, &keys), Binding::Call),
        (Latex::Call | Latex::Prefix(_) | Latex::Infix(_) | Latex::Power | Latex::Cases | Latex::Pattern(_), terms) => {
            let terms = terms.iter().map(|t| write(t, Binding::Open)).chain(args.iter().filter_map(string));
            let terms: Vec<String> = needed.into_iter().map(latex_name).chain(terms).collect();
            let name = builtin.name().replace('_', r"\_");
            (format!(r"\operatorname{{{name}}}{}\!\left({}\right)", subscript(&keys), terms.join(r",\, ")), Binding::Call)
        }
    }
}

/// How many operands a pattern shows.
fn operands(pattern: &str) -> usize {
    (1..=9).take_while(|number| pattern.contains(&format!("#{number}"))).count()
}

/// A pattern with its operands in their places; see [`Latex::Pattern`].
fn filled(pattern: &str, terms: &[&Term], keys: &[&str]) -> String {
    let mut out = pattern.replace("#_", &subscript(keys));
    for (term, number) in terms.iter().zip(1..) {
        out =
            out.replace(&format!("#{number}*"), &write(term, Binding::Product)).replace(&format!("#{number}"), &write(term, Binding::Open));
    }
    out
}

/// A string that a function is given.
fn string(arg: &Argument) -> Option<String> {
    let Argument::Text(text, _) = arg else { return None };
    let mut out = String::from(r"\text{“");
    for c in text.chars() {
        match c {
            '\\' => out.push_str(r"\textbackslash{}"),
            '~' => out.push_str(r"\textasciitilde{}"),
            '^' => out.push_str(r"\textasciicircum{}"),
            '{' | '}' | '_' | '%' | '$' | '#' | '&' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    Some(out + "”}")
}

fn subscript(keys: &[&str]) -> String {
    match keys {
        [] => String::new(),
        keys => format!(r"_{{\mathrm{{{}}}}}", keys.join(",").replace('_', r"\_")),
    }
}

fn constant(term: &Term) -> Option<bool> {
    match term.kind {
        TermKind::Bool(b) => Some(b),
        TermKind::Number(n) => Some(n != 0.0),
        _ => None,
    }
}
