//! `process { … }`: an environment in another program.

use super::environment::WorldKind;
use crate::env::process::Process as Running;
use crate::env::{EnvError, Machine, Program, World};
use crate::kind;
use crate::kind::Reader;
use crate::lang::Diagnostic;
use crate::lang::value::{Component, Value, ValueKind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

kind! {
    /// An environment in another program, in any language, that is spoken with over its standard streams: [how](../process.md). One process plays many
    /// episodes at once.
    ///
    /// Which program that is says the setting `env.NAME.command`; a recipe names no command. Splits and how many games they have are known to the program alone.
    /// The fields of every environment belong to it too (`epo-run kinds process`).
    ///
    /// ```epo
    /// prompt look = """
    /// {task}
    /// {history}{observation}
    /// """
    /// numbers = process {
    ///   name = "guess", version = "1"
    ///   prompt = windowed { then = look, history = 2 }
    ///   train  = games { split = "train" }
    ///   test   = games { split = "test", count = 50 }
    /// }
    /// ```
    pub(crate) struct Process as "process" {
        /// Of the environment: small letters, digits, `_`, `-`. The setting `env.NAME.command` is its program.
        name: String [required],
        /// The version of the environment that the program has to have: another one has other games, and what was made with it is made anew.
        version: String [required],
        /// The program's own texts that prompts may have.
        placeholders: Vec<String> [untouched default Vec::new()],
    }
}

pub(super) fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    let read = Process::read_fields(component, reader)?;
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= 64
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    };
    if !is_name(&read.name) {
        let place = component.fields.get("name").map_or(component.kind_span, |field| field.value.span);
        let message = format!("{:?} cannot be the name of a program", read.name);
        reader.report(Diagnostic::error("E0202", place, message).help("it begins with a small letter; digits, `_` and `-` may follow"));
        return None;
    }
    let taken = ["task", "observation", "history", "earlier", "admissible", "count", "turn"];
    if let Some((place, name)) = read.placeholders.iter().enumerate().find(|(_, name)| taken.contains(&name.as_str())) {
        let field = component.fields.get("placeholders").map(|field| &field.value);
        let span = field.map_or(component.kind_span, |value| match &value.kind {
            ValueKind::List(items) => items.get(place).map_or(value.span, |item| item.span),
            _ => value.span,
        });
        reader.report(Diagnostic::error("E0202", span, format!("every environment has the placeholder `{{{name}}}`")));
        return None;
    }
    Some(Arc::new(read))
}

impl Process {
    fn program(&self, machine: &Machine) -> Result<Program, EnvError> {
        let name = &self.name;
        machine.programs.get(name).filter(|program| !program.command.is_empty()).cloned().ok_or_else(|| {
            EnvError::Task(format!(
                "no setting says which program plays `{name}`\nin `epo.toml`, if you trust that program:\n  [env.{name}]\n  command = [\"python3\", \"./{name}.py\"]"
            ))
        })
    }
}

impl WorldKind for Process {
    fn open(&self, machine: &Machine) -> Result<Arc<dyn World>, EnvError> {
        // Splits of one environment share its process as long as anybody has it.
        type Known = (Process, Program, Weak<Running>);
        static OPEN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
        let program = self.program(machine)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(.., world)| world.strong_count() > 0);
        let same = |known: &Process| (&known.name, &known.version, &known.placeholders) == (&self.name, &self.version, &self.placeholders);
        let known = open.iter().find(|(known, of, _)| same(known) && *of == program);
        if let Some(world) = known.and_then(|(.., world)| world.upgrade()) {
            return Ok(world);
        }
        let world = Arc::new(Running::start(&self.name, &self.version, &self.placeholders, program.clone())?);
        open.push((self.clone(), program, Arc::downgrade(&world)));
        Ok(world)
    }

    fn splits(&self) -> Option<Vec<&str>> {
        None
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn install(&self, machine: &Machine) -> Result<String, EnvError> {
        let world = self.open(machine)?;
        Ok(format!("`{}` answers: it is version {}, with the splits {}", self.name, self.version, world.splits().join(", ")))
    }

    fn placeholders(&self) -> Vec<&str> {
        self.placeholders.iter().map(String::as_str).collect()
    }
}
