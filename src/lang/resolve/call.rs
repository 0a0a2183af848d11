//! Calls: functions of the user and of the library are replaced by their bodies; built-ins become terms; `sweep` is a choice; a kind may be
//! written like a function, its fields in order.

use super::lines::{Body, Lines, ScopedLine};
use super::names::Found;
use super::scope::Context;
use super::{Definition, Resolver};
use crate::builtin::{Accepts, Builtin, Default};
use crate::lang::ast::{Arg, Expr, ExprKind, Function, Ident, Path};
use crate::lang::diagnostic::closest;
use crate::lang::term::{Argument, Term, TermKind};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use indexmap::IndexMap;
use std::rc::Rc;
use std::sync::Arc;

impl<'a> Resolver<'a> {
    pub(super) fn call(&self, path: &Path, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let name = &path.parts[0];
        if path.parts.len() == 1 && name.name == "sweep" {
            return self.sweep(args, span, context);
        }
        let found = match path.parts.as_slice() {
            [name] => self.lookup_function(name, context),
            [alias, name] => match self.lookup(alias, context) {
                Found::File(file) => self.function_in(file, name),
                _ => None,
            },
            _ => None,
        };
        if let Some((function, scope)) = found {
            return self.inline(function, scope, args, span, context);
        }
        if let Some(stage) = self.stage_before_at(path, context) {
            return self.stage_at(stage, args, span, context);
        }
        if path.parts.len() == 1 {
            if let Some(builtin) = Builtin::called(&name.name) {
                return self.builtin(builtin, args, span, context);
            }
            if let Some(key) = self.words.vocabulary.counted_keys.iter().find(|key| **key == name.name) {
                return self.counted_key(key, args, span, context);
            }
            if self.words.kind(&name.name).is_some() {
                return self.positional(&name.name, path.span, args, span, context);
            }
        }
        self.report(self.no_function(path, context));
        args.iter().for_each(|arg| drop(self.eval(&arg.value, context)));
        Value::poison(span)
    }

    /// The function of a name. Only functions can be called, so a pipeline, a line, a stage or a term may share its name.
    fn lookup_function(&self, name: &Ident, context: &Context) -> Option<(&'a Function, Context)> {
        let in_lines = |lines: &Lines<'a>, block: Option<usize>| match lines.get(&name.name) {
            Some(ScopedLine { body: Body::Function(function), context, name_span, .. }) => {
                self.used.borrow_mut().insert(*name_span);
                Some((*function, Context { block, ..context.clone() }))
            }
            _ => None,
        };
        let own = context.block.and_then(|block| in_lines(&self.blocks.borrow()[block].lines, Some(block)));
        own.or_else(|| context.instance.and_then(|i| in_lines(&self.instances[i].lines, None)))
            .or_else(|| self.function_in(context.file, name))
            .or_else(|| {
                let imports = &self.program.files[context.file].imports;
                imports.iter().filter(|i| i.alias.is_none()).find_map(|i| self.function_in(i.file, name))
            })
            .or_else(|| self.prelude.and_then(|file| self.function_in(file, name)))
    }

    fn function_in(&self, file: usize, name: &Ident) -> Option<(&'a Function, Context)> {
        match self.files[file].names.get(&name.name) {
            Some((Definition::Function(function), span)) => {
                self.used.borrow_mut().insert(*span);
                Some((*function, Context { file, ..Context::default() }))
            }
            _ => None,
        }
    }

    fn no_function(&self, path: &Path, context: &Context) -> Diagnostic {
        let first = &path.parts[0];
        if let Found::Value(value) = self.lookup(first, context) {
            let what = if path.parts.len() == 1 && !matches!(value.kind, ValueKind::Poison) {
                format!("{}, ", value.words())
            } else {
                String::new()
            };
            let diagnostic = Diagnostic::error("E0115", path.span, format!("`{path}` is {what}no function"));
            let last = path.parts.last().filter(|_| path.parts.len() > 1).map_or("", |part| part.name.as_str());
            return match (&value.kind, (self.words.foreign)(last)) {
                (_, Some(foreign)) => diagnostic.help(foreign),
                _ if Builtin::called(last).is_some() => {
                    diagnostic.help(format!("a function stands before its value, by its name alone: `{last}({})`", first.name))
                }
                (ValueKind::Component(_), None) => diagnostic.help(format!("to change its fields write `{path} {{ field = value }}`")),
                _ => diagnostic,
            };
        }
        let name = &path.parts.last().unwrap_or(first).name;
        let diagnostic = Diagnostic::error("E0115", path.span, format!("there is no function `{path}`"));
        let import = |file: &str| format!("add `import \"{file}\"` at the top");
        if let Some(file) = self.standard_file(name) {
            return diagnostic.help(format!("it is defined in `{file}`: {}", import(file)));
        }
        let builtin = Builtin::called(name).is_some() || self.words.kind(name).is_some();
        if path.parts.len() > 1 && builtin {
            return diagnostic.help(format!("a function stands before its value, by its name alone: `{name}(x)`"));
        }
        if let Some(foreign) = (self.words.foreign)(name) {
            return diagnostic.help(foreign);
        }
        let own = closest(name, Builtin::functions().map(Builtin::name)).map(str::to_string);
        if let Some(close) = own.or_else(|| self.near(name, context)).or_else(|| self.near_kind(name).map(str::to_string)) {
            return diagnostic.help(format!("did you mean `{close}`?"));
        }
        let standard = self.words.library.iter().flat_map(|(_, names)| names).map(String::as_str);
        match closest(name, standard).and_then(|close| Some((close, self.standard_file(close)?))) {
            Some((close, file)) => diagnostic.help(format!("did you mean `{close}` of `{file}`? then {}", import(file))),
            None => diagnostic,
        }
    }

    /// Which file of the library defines a name, for a suggestion.
    fn standard_file(&self, name: &str) -> Option<&'a str> {
        self.words.library.iter().find(|(_, names)| names.iter().any(|n| n == name)).map(|(file, _)| file.as_str())
    }

    fn sweep(&self, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let choice = context.instance.map(|i| self.instances[i].choices.get(&span).copied());
        if args.is_empty() {
            self.report(Diagnostic::error("E0117", span, "`sweep` needs at least one value"));
            return Value::poison(span);
        }
        if let Some(arg) = args.iter().find(|a| a.name.is_some()) {
            self.report(Diagnostic::error("E0117", arg.value.span, "`sweep` takes values without names"));
            return Value::poison(span);
        }
        if context.instance.is_some_and(|i| self.is_open(i)) {
            return self.open_sweep(args, span, context);
        }
        match choice {
            // before unfolding (`seeds`) there is no choice yet
            Some(index) => self.eval(&args[index.unwrap_or(0).min(args.len() - 1)].value, context),
            None => {
                self.report(
                    Diagnostic::error("E0120", span, "`sweep` stands outside a pipeline")
                        .help("a sweep unfolds a pipeline; move the line into the pipeline"),
                );
                Value::poison(span)
            }
        }
    }

    /// The body of a function with its arguments in place of its parameters.
    fn inline(&self, function: &'a Function, scope: Context, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let name = &function.name.name;
        let names: Vec<&str> = function.params.iter().map(|p| p.name.name.as_str()).collect();
        let given = self.match_args(name, &names, args, span, Some(function.name.span));
        let mut params: IndexMap<String, Arc<Value>> = IndexMap::new();
        let via = context.via.or(Some(span));
        let mut failed = given.is_none();
        for (index, param) in function.params.iter().enumerate() {
            let value = match (given.as_ref().and_then(|g| g[index]), &param.default) {
                (Some(arg), _) => self.eval(&arg.value, context),
                (None, Some(default)) => {
                    let scope = Context { params: Some(Rc::new(params.clone())), via, ..scope.clone() };
                    self.eval(default, &scope)
                }
                (None, None) => {
                    if given.is_some() {
                        let message = format!("`{name}` needs its argument `{}`", param.name.name);
                        self.report(Diagnostic::error("E0117", span, message).also(param.name.span, "the parameter"));
                    }
                    failed = true;
                    Value::poison(span)
                }
            };
            params.insert(param.name.name.clone(), value);
        }
        if failed {
            return Value::poison(span);
        }
        let id: *const Function = function;
        if self.calls.borrow().contains(&id) {
            self.report(
                Diagnostic::error("E0108", function.name.span, format!("the function `{name}` calls itself")).also(span, "in this call"),
            );
            return Value::poison(span);
        }
        self.calls.borrow_mut().push(id);
        let scope = Context { params: Some(Rc::new(params)), via, ..scope };
        let value = self.eval(&function.body, &scope);
        self.calls.borrow_mut().pop();
        match &value.kind {
            // a constant is the caller's: messages about it belong to the call
            ValueKind::Number(_) | ValueKind::Bool(_) => Value::new(value.kind.clone(), span),
            _ => value,
        }
    }

    fn builtin(&self, builtin: Builtin, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let names: Vec<&str> = builtin.params().iter().map(|p| p.name).collect();
        let Some(given) = self.match_args(builtin.name(), &names, args, span, None) else { return Value::poison(span) };
        let mut arguments = Vec::new();
        let mut failed = false;
        for (param, arg) in builtin.params().iter().zip(given) {
            let argument = match (arg, &param.accepts, &param.default) {
                (Some(arg), Accepts::Term, _) => self.as_term(&self.eval(&arg.value, context)).map(Argument::Term),
                // a stage or a term may be called `turn`: here the word is meant
                (Some(arg), Accepts::Key(words), _) if word_of(&arg.value, context).is_some_and(|w| words.contains(&w)) => {
                    word_of(&arg.value, context).map(|word| Argument::Key(Arc::from(word), arg.value.span))
                }
                (Some(arg), Accepts::Key(words), _) => self.key(&self.eval(&arg.value, context), param.name, words, false),
                (Some(arg), Accepts::Keys(words), _) => self.keys(&arg.value, param.name, words, context),
                (Some(arg), Accepts::Text, _) => self.string(&self.eval(&arg.value, context), param.name),
                (None, _, Default::Number(n)) => Some(Argument::Term(Term::new(TermKind::Number(*n), span, context.via))),
                (None, _, Default::Key(word)) => Some(Argument::Key(Arc::from(*word), span)),
                (None, _, Default::Absent) => Some(Argument::Absent),
                (None, _, Default::Required) => {
                    let message = format!("`{}` needs its argument `{}`", builtin.name(), param.name);
                    self.report(Diagnostic::error("E0117", span, message));
                    None
                }
            };
            match argument {
                Some(argument) => arguments.push(argument),
                None => failed = true,
            }
        }
        if failed {
            return Value::poison(span);
        }
        self.apply(builtin, arguments, span, context)
    }

    fn string(&self, value: &Arc<Value>, param: &str) -> Option<Argument> {
        match &value.kind {
            ValueKind::Text(text) => Some(Argument::Text(Arc::from(text.as_str()), value.span)),
            // of an open sweep, the string is not chosen yet
            ValueKind::Term(term) if self.symbol_of(value).is_some() => Some(Argument::Term(term.clone())),
            ValueKind::Poison => None,
            _ => {
                let message = format!("`{param}` takes a string such as `\"please\"`, found {}", value.words());
                self.report(Diagnostic::error("E0117", value.span, message));
                None
            }
        }
    }

    /// `anchors(2)`: a key that takes a number.
    fn counted_key(&self, key: &str, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let Some(given) = self.match_args(key, &["n"], args, span, None) else { return Value::poison(span) };
        let value = given.first().copied().flatten().map(|arg| self.eval(&arg.value, context));
        let count = match value.as_ref().map(|value| &value.kind) {
            Some(ValueKind::Number(n)) if n.fract() == 0.0 && *n >= 1.0 && *n <= 100.0 => n.to_string(),
            Some(ValueKind::Poison) => return Value::poison(span),
            // of an open sweep, the number is not chosen yet
            Some(ValueKind::Term(term))
                if matches!(term.kind, TermKind::Quantity(_)) && value.as_ref().is_some_and(|v| self.symbol_of(v).is_some()) =>
            {
                crate::lang::print::by_name(term)
            }
            _ => {
                let message = format!("`{key}` takes a whole number from 1 to 100, as in `by = {key}(2)`");
                self.report(Diagnostic::error("E0117", span, message));
                return Value::poison(span);
            }
        };
        Value::new(ValueKind::Key(Arc::from(format!("{key}({count})"))), span)
    }

    /// One word or several: `group`, `[group, turn_index]`.
    fn keys(&self, expr: &'a Expr, param: &str, words: &[&str], context: &Context) -> Option<Argument> {
        let one = |expr: &'a Expr| match word_of(expr, context).filter(|word| words.contains(word)) {
            Some(word) => Some(Argument::Key(Arc::from(word), expr.span)),
            None => self.key(&self.eval(expr, context), param, words, true),
        };
        match &expr.kind {
            ExprKind::List(items) => Self::together(items.iter().map(one).collect(), expr.span),
            _ => one(expr),
        }
    }

    /// Several keys as one: `[group, turn_index]`.
    fn together(keys: Vec<Option<Argument>>, span: Span) -> Option<Argument> {
        let words: Option<Vec<Arc<str>>> =
            keys.into_iter().map(|key| if let Some(Argument::Key(word, _)) = key { Some(word) } else { None }).collect();
        words.map(|words| Argument::Key(Arc::from(format!("[{}]", words.join(", "))), span))
    }

    /// A word for `by =` and the like; `several`: a list of them and a key that takes a number are fine too.
    fn key(&self, value: &Arc<Value>, param: &str, words: &[&str], several: bool) -> Option<Argument> {
        let word: Option<Arc<str>> = match &value.kind {
            ValueKind::Key(word) => Some(word.clone()),
            ValueKind::Word { name, .. } => Some(Arc::from(name.as_str())),
            // `turn_index` is a quantity as well
            ValueKind::Term(term) => match &term.kind {
                TermKind::Quantity(name) => Some(name.clone()),
                _ => None,
            },
            ValueKind::List(items) if several => {
                return Self::together(items.iter().map(|item| self.key(item, param, words, true)).collect(), value.span);
            }
            ValueKind::Poison => return None,
            _ => None,
        };
        // the word of an open sweep is not chosen yet; its symbol stands for it
        let open = self.symbol_of(value).is_some();
        let counted = |word: &str| word.split_once('(').is_some_and(|(key, _)| self.words.vocabulary.counted_keys.contains(&key));
        if let Some(word) = word.as_ref().filter(|w| open || words.contains(&w.as_ref()) || several && counted(w)) {
            return Some(Argument::Key(word.clone(), value.span));
        }
        let list = words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        let found = word.map_or_else(|| value.words(), |w| format!("`{w}`"));
        let diagnostic = Diagnostic::error("E0117", value.span, format!("`{param}` takes one of {list}, found {found}"));
        self.report(diagnostic.did_you_mean(found.trim_matches('`'), words.iter().copied()));
        None
    }

    /// Which argument goes to which parameter; `None` after a mistake.
    fn match_args(&self, name: &str, params: &[&str], args: &'a [Arg], span: Span, defined: Option<Span>) -> Option<Vec<Option<&'a Arg>>> {
        let mut given: Vec<Option<&'a Arg>> = vec![None; params.len()];
        let mut sound = true;
        for (position, arg) in args.iter().enumerate() {
            let index = match &arg.name {
                Some(ident) => match params.iter().position(|p| *p == ident.name) {
                    Some(index) => index,
                    None => {
                        let message = format!("`{name}` has no argument `{}`", ident.name);
                        let mut diagnostic =
                            Diagnostic::error("E0117", ident.span, message).did_you_mean(&ident.name, params.iter().copied());
                        if diagnostic.help.is_empty() && !params.is_empty() {
                            let list = params.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(", ");
                            diagnostic = diagnostic.help(format!("its arguments are {list}"));
                        }
                        self.report(diagnostic);
                        sound = false;
                        continue;
                    }
                },
                None if position < params.len() => position,
                None => {
                    let most = match params.len() {
                        0 => "no arguments".to_string(),
                        1 => "1 argument".to_string(),
                        n => format!("{n} arguments"),
                    };
                    let mut diagnostic = Diagnostic::error("E0117", arg.value.span, format!("`{name}` takes {most}, this is one more"));
                    if let Some(defined) = defined {
                        diagnostic = diagnostic.also(defined, "defined here");
                    }
                    self.report(diagnostic);
                    sound = false;
                    continue;
                }
            };
            if let Some(first) = given[index].replace(arg) {
                self.report(
                    Diagnostic::error("E0106", arg.value.span, format!("the argument `{}` of `{name}` is given twice", params[index]))
                        .also(first.value.span, "given here first"),
                );
                sound = false;
            }
        }
        let _ = span;
        sound.then_some(given)
    }

    /// `between("<action>", "</action>")`: a component by position.
    fn positional(&self, kind: &str, kind_span: Span, args: &'a [Arg], span: Span, context: &Context) -> Arc<Value> {
        let Some(fields) = self.words.kind(kind).map(|k| k.fields.clone()) else { return Value::poison(span) };
        let Some(given) = self.match_args(kind, &fields, args, span, None) else { return Value::poison(span) };
        let mut lines = Lines::new();
        for (field, arg) in fields.iter().zip(given) {
            if let Some(arg) = arg {
                let name_span = arg.name.as_ref().map_or(arg.value.span, |n| n.span);
                let line = ScopedLine { name_span, body: Body::Expr(&arg.value), context: context.clone(), written_in: usize::MAX };
                lines.insert(field.to_string(), line);
            }
        }
        self.build(kind.to_string(), kind_span, lines, span)
    }
}

/// A name that no parameter has.
fn word_of<'e>(expr: &'e Expr, context: &Context) -> Option<&'e str> {
    match &expr.kind {
        ExprKind::Path(path) if path.parts.len() == 1 => {
            let name = path.parts.first()?.name.as_str();
            let is_parameter = context.params.as_ref().is_some_and(|p| p.contains_key(name));
            (!is_parameter).then_some(name)
        }
        _ => None,
    }
}
