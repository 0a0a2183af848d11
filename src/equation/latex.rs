//! Writes terms as LaTeX, for papers.

use crate::lang::term::{Argument, Term, TermKind};

/// A term in mathematical notation; named terms of the loss stand by their names.
pub fn latex(term: &Term) -> String {
    write(term, 0)
}

/// A name as it stands in a formula.
pub fn latex_name(name: &str) -> String {
    let symbol = match name {
        "logp" => r"\log \pi_\theta",
        "old_logp" => r"\log \pi_{\mathrm{old}}",
        "ref_logp" => r"\log \pi_{\mathrm{ref}}",
        "rollout_logp" => r"\log \pi_{\mathrm{rollout}}",
        "entropy" => r"\mathcal{H}",
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

fn precedence(function: &str) -> u8 {
    match function {
        "or" => 1,
        "and" => 2,
        "not" => 3,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 4,
        "+" | "-" => 6,
        "*" => 7,
        "neg" => 8,
        "^" => 9,
        // a fraction binds by its bar, a call by its brackets
        _ => 10,
    }
}

fn write(term: &Term, outer: u8) -> String {
    match &term.kind {
        TermKind::Number(n) if *n < 0.0 && outer > 7 => format!(r"\left({}\right)", number(*n)),
        TermKind::Number(n) => number(*n),
        TermKind::Bool(b) => format!(r"\mathrm{{{b}}}"),
        TermKind::Quantity(name) => {
            let text = latex_name(name);
            if outer > 8 && text.starts_with(r"\log") { format!(r"\left({text}\right)") } else { text }
        }
        TermKind::Named { name, .. } => latex_name(name),
        TermKind::Apply { function, args } => {
            let own = precedence(function);
            let text = apply(function, args, own);
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

fn apply(function: &str, args: &[Argument], own: u8) -> String {
    let terms: Vec<&Term> = args.iter().filter_map(|a| if let Argument::Term(t) = a { Some(t.as_ref()) } else { None }).collect();
    let keys: Vec<&str> = args.iter().filter_map(|a| if let Argument::Key(k, _) = a { Some(k.as_ref()) } else { None }).collect();
    match (function, terms.as_slice()) {
        ("neg", [x]) => format!("-{}", write(x, own)),
        ("not", [x]) => format!(r"\lnot {}", write(x, own)),
        ("+" | "-", [a, b]) => format!("{} {function} {}", write(a, own), write(b, own + 1)),
        ("*", [a, b]) => format!(r"{} \, {}", write(a, own), write(b, own + 1)),
        ("/", [a, b]) => format!(r"\frac{{{}}}{{{}}}", write(a, 0), write(b, 0)),
        ("^", [a, b]) => format!("{}^{{{}}}", write(a, own + 1), write(b, 0)),
        ("or", [a, b]) => format!(r"{} \lor {}", write(a, own), write(b, own + 1)),
        ("and", [a, b]) => format!(r"{} \land {}", write(a, own), write(b, own + 1)),
        ("==" | "!=" | "<" | "<=" | ">" | ">=", [a, b]) => {
            let sign = match function {
                "==" => "=",
                "!=" => r"\neq",
                "<=" => r"\leq",
                ">=" => r"\geq",
                other => other,
            };
            format!("{} {sign} {}", write(a, own + 1), write(b, own + 1))
        }
        ("exp", [x]) => format!("e^{{{}}}", write(x, 0)),
        ("log", [x]) => format!(r"\ln {}", bracketed(x)),
        ("abs", [x]) => format!(r"\left|{}\right|", write(x, 0)),
        ("sqrt", [x]) => format!(r"\sqrt{{{}}}", write(x, 0)),
        ("floor", [x]) => format!(r"\left\lfloor {} \right\rfloor", write(x, 0)),
        ("tanh" | "cos", [x]) => format!(r"\{function} {}", bracketed(x)),
        ("relu", [x]) => format!(r"\left[{}\right]_{{+}}", write(x, 0)),
        ("sigmoid", [x]) => format!(r"\sigma\!{}", bracketed(x)),
        ("min" | "max", [a, b]) => format!(r"\{function}\!\left({},\, {}\right)", write(a, 0), write(b, 0)),
        // a switch of a library function that is set: the other case is never taken
        ("where", [c, a, b]) if constant(c).is_some() => write(if constant(c) == Some(true) { a } else { b }, own),
        ("where", [c, a, b]) => {
            format!(r"\begin{{cases}} {} & \text{{if }} {} \\ {} & \text{{otherwise}} \end{{cases}}", write(a, 0), write(c, 0), write(b, 0))
        }
        ("only", [x, c]) => format!(r"\left.{}\right|_{{{}}}", write(x, 7), write(c, 0)),
        ("binomial", [n, k]) => format!(r"\binom{{{}}}{{{}}}", write(n, 0), write(k, 0)),
        ("mean", [x]) => format!(r"\mathop{{\mathbb{{E}}}}{}{}", subscript(&keys), square(x)),
        ("sum", [x]) => format!(r"\sum{} {}", subscript(&keys), write(x, 7)),
        ("std", [x]) => format!(r"\operatorname{{std}}{}{}", subscript(&keys), bracketed(x)),
        ("stop", [x]) => format!(r"\operatorname{{sg}}\!{}", square(x)),
        _ => {
            let terms: Vec<String> = terms.iter().map(|t| write(t, 0)).collect();
            let name = function.replace('_', r"\_");
            format!(r"\operatorname{{{name}}}{}\!\left({}\right)", subscript(&keys), terms.join(r",\, "))
        }
    }
}

fn subscript(keys: &[&str]) -> String {
    match keys {
        [] => String::new(),
        keys => format!(r"_{{\mathrm{{{}}}}}", keys.join(",").replace('_', r"\_")),
    }
}

fn bracketed(term: &Term) -> String {
    format!(r"\left({}\right)", write(term, 0))
}

fn square(term: &Term) -> String {
    format!(r"\left[{}\right]", write(term, 0))
}

fn constant(term: &Term) -> Option<bool> {
    match term.kind {
        TermKind::Bool(b) => Some(b),
        TermKind::Number(n) => Some(n != 0.0),
        _ => None,
    }
}
