//! `epo-run show`

use super::{DONE, Settings, WRONG_INPUT, answer, answer_json, compiled};
use crate::equation::{latex, latex_name, readable};
use crate::lang::diagnostic::closest;
use crate::lang::load::Root;
use crate::lang::print::by_name;
use crate::lang::{Diagnostic, Diagnostics, SourceMap, outline, pad, parser};
use crate::objective::Reach;
use crate::plan::{self, Plan};
use crate::spec::{Compiled, Equations, PipelineSpec, Request, compile, equations};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Only this pipeline, and what it needs.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// In which form.
    #[arg(long = "as", value_enum, default_value_t = View::Resolved, value_name = "FORM", conflicts_with_all = ["objective", "latex"])]
    pub view: View,
    /// The equations in full: named terms, then what is minimised.
    #[arg(long)]
    pub objective: bool,
    /// The equations as LaTeX.
    #[arg(long)]
    pub latex: bool,
    /// Which model the gradient of each term reaches, and through what.
    #[arg(long, conflicts_with_all = ["view", "latex"])]
    pub gradients: bool,
    /// Change a line of a pipeline first: `ppo.lambda=0.003`.
    #[arg(long, value_name = "PIPELINE.PATH=VALUE")]
    pub set: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum View {
    /// The syntax tree of the file.
    Ast,
    /// A text without imports, inheritance and functions that runs alone, with the place where each value was written.
    Resolved,
    /// What the engine reads from it, as JSON.
    Spec,
    /// The tasks.
    Plan,
}

pub(super) fn run(args: &ShowArgs, settings: &Settings) -> u8 {
    let library = match super::elsewhere::library(&args.file, settings) {
        Ok(library) => library,
        Err(code) => return code,
    };
    let request = Request { root: Root::File(&args.file), overrides: &args.set, library: &library };
    if args.objective || args.latex || args.gradients {
        return objective(args, &request);
    }
    if args.view == View::Ast {
        return tree(args, &request);
    }
    let compiled = compile(&request);
    compiled::show(&compiled.sources, &compiled.diagnostics);
    if compiled.diagnostics.has_errors() {
        return WRONG_INPUT;
    }
    let names = match chosen(args, &compiled) {
        Ok(names) => names,
        Err(code) => return code,
    };
    match args.view {
        View::Spec => {
            let wanted = compiled.pipelines.iter().filter(|p| names.is_empty() || names.iter().any(|n| p.is_called(n)));
            let specs: Vec<Value> = wanted.map(|p| spec(p, &compiled)).collect();
            answer_json(&Value::from(specs));
        }
        View::Plan => match Plan::with_contents(&compiled.pipelines, &names, &mut compiled::contents(settings)) {
            Ok(plan) => answer(&plan::text(&plan, None, &[])),
            Err(diagnostics) => {
                compiled::show(&compiled.sources, &diagnostics);
                return WRONG_INPUT;
            }
        },
        View::Ast | View::Resolved => {
            let names: Vec<&str> = names.iter().map(|n| n.split('[').next().unwrap_or(n)).collect();
            answer(&compiled.resolved.text(&names, true));
        }
    }
    DONE
}

/// The pipeline that was asked for; none means all.
fn chosen(args: &ShowArgs, compiled: &Compiled) -> Result<Vec<String>, u8> {
    let Some(name) = &args.name else { return Ok(Vec::new()) };
    if compiled.pipelines.iter().any(|p| p.is_called(name)) {
        return Ok(vec![name.clone()]);
    }
    let known: Vec<&str> = compiled.resolved.names().collect();
    Err(unknown(name, &known, args))
}

fn unknown(name: &str, known: &[&str], args: &ShowArgs) -> u8 {
    let help = match closest(name, known.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() => None,
        None => Some(format!("there are `{}`", known.join("`, `"))),
    };
    super::complain_with(&format!("there is no pipeline `{name}` in {}", args.file.display()), help.as_deref())
}

fn tree(args: &ShowArgs, request: &Request<'_>) -> u8 {
    let mut sources = SourceMap::default();
    let (program, _) = crate::lang::load::load(request.root, &crate::lang::load::Library::EMPTY, &mut sources);
    let Some(file) = program.and_then(|p| Some(p.files.get(p.root)?.source)) else {
        return compiled_errors(request);
    };
    let (tree, diagnostics) = parser::parse(&sources, file);
    compiled::show(&sources, &diagnostics);
    let Some(mut tree) = tree else { return WRONG_INPUT };
    if let Some(name) = &args.name {
        use crate::lang::ast::LineKind;
        tree.lines.retain(|line| matches!(&line.kind, LineKind::Pipeline { name: own, .. } if own.name == *name));
        if tree.lines.is_empty() {
            return unknown(name, &[], args);
        }
    }
    answer(&outline::outline(&tree, &sources));
    if diagnostics.has_errors() { WRONG_INPUT } else { DONE }
}

/// A file that cannot be read: the same words as everywhere.
fn compiled_errors(request: &Request<'_>) -> u8 {
    let compiled = compile(request);
    compiled::show(&compiled.sources, &compiled.diagnostics);
    WRONG_INPUT
}

/// A checked pipeline for programs.
fn spec(pipeline: &PipelineSpec, compiled: &Compiled) -> Value {
    let name = |index: usize| compiled.pipelines.get(index).map(PipelineSpec::display_name).unwrap_or_default();
    let stages = pipeline.stages.iter().map(|stage| {
        let edge = |input: &crate::spec::Input| {
            let from = format!("{}.{}.{}", name(input.pipeline), input.stage, input.output);
            json!({ "field": input.field, "from": from, "artifact": input.artifact })
        };
        json!({
            "name": stage.name,
            "kind": stage.stage.kind(),
            "seed": stage.seed,
            "draws": stage.stage.draws(),
            "values": stage.stage.identity(),
            "inputs": stage.inputs.iter().map(edge).collect::<Vec<_>>(),
            "after": stage.after.iter().map(edge).collect::<Vec<_>>(),
            "outputs": stage.stage.outputs(),
        })
    });
    let equation: Vec<Value> = pipeline.equation.iter().map(|(name, text)| json!([name, text])).collect();
    json!({
        "name": pipeline.name,
        "label": pipeline.label_text(),
        "title": pipeline.title,
        "seed": pipeline.seed,
        "equation": equation,
        "stages": stages.collect::<Vec<_>>(),
    })
}

fn objective(args: &ShowArgs, request: &Request<'_>) -> u8 {
    let (sources, all, mut diagnostics) = equations(request);
    let wanted = |e: &&Equations| args.name.as_ref().is_none_or(|n| e.pipeline == *n || e.name() == *n);
    let found: Vec<&Equations> = all.iter().filter(wanted).collect();
    if found.is_empty() && !diagnostics.has_errors() {
        match &args.name {
            Some(name) if all.iter().all(|e| e.pipeline != *name) => {
                let compiled = compile(request);
                let known: Vec<&str> = compiled.roots.iter().map(String::as_str).collect();
                if !known.contains(&name.as_str()) {
                    return unknown(name, &known, args);
                }
                diagnostics.push(Diagnostic::bare("E0301", format!("the pipeline `{name}` has neither a `loss` nor an `advantage`")));
            }
            _ => diagnostics.push(Diagnostic::bare("E0301", "no pipeline of this file has a `loss` or an `advantage`")),
        }
    }
    let relevant: Vec<Diagnostic> = diagnostics.0;
    let diagnostics = Diagnostics(relevant);
    compiled::show(&sources, &diagnostics);
    let part = |e: &&Equations| match (args.latex, args.gradients) {
        (true, _) => as_latex(e),
        (false, false) => as_text(e),
        (false, true) if args.objective => as_text(e) + &gradients(e),
        (false, true) => format!("{}\n{}", e.name(), gradients(e)),
    };
    answer(&found.iter().map(part).collect::<Vec<_>>().join("\n"));
    if diagnostics.has_errors() { WRONG_INPUT } else { DONE }
}

fn as_text(equations: &Equations) -> String {
    let lines = readable(&equations.lines());
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut out = format!("{}\n", equations.name());
    for (name, term) in lines {
        let _ = writeln!(out, "  {} = {}", pad(&name, width), by_name(&term));
    }
    out
}

/// Of the terms as they are written; what is wrong with them is for `check` to say.
fn gradients(equations: &Equations) -> String {
    let (Some(loss), _) = equations.check(&mut Diagnostics::default()) else { return String::new() };
    let terms = loss.terms().iter().filter(|term| term.reached).map(|term| (term.name.as_str(), term.reach));
    let lines: Vec<_> = terms.chain([("minimize", loss.reach())]).collect();
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, reach): (&str, Reach)| format!("  {} -> {}\n", pad(name, width), reach.words());
    lines.into_iter().map(line).collect()
}

fn as_latex(equations: &Equations) -> String {
    let mut out = format!("% {}\n\\begin{{align}}\n", equations.name());
    let lines = readable(&equations.lines());
    for (index, (name, term)) in lines.iter().enumerate() {
        let end = if index + 1 < lines.len() { r" \\" } else { "" };
        let _ = writeln!(out, "  {} &= {}{end}", latex_name(name), latex(term));
    }
    out.push_str("\\end{align}\n");
    out
}
