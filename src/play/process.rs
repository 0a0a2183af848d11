//! `process { … }`: an environment in another program.

use super::elsewhere::{check_name, check_placeholders};
use super::environment::WorldKind;
use super::shared::Shared;
use crate::env::process::Process as Running;
use crate::env::{EnvError, Machine, Program, World};
use crate::kind;
use crate::kind::Reader;
use crate::lang::value::{Component, Value};
use std::sync::Arc;

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
    let sound = check_name(&read.name, component, reader) & check_placeholders(&read.placeholders, component, reader);
    sound.then(|| Arc::new(read) as Arc<dyn WorldKind>)
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
        type Key = (String, String, Vec<String>, Program);
        static OPEN: Shared<Key, Running> = Shared::new();
        let key = (self.name.clone(), self.version.clone(), self.placeholders.clone(), self.program(machine)?);
        Ok(OPEN.get(key, |(name, version, placeholders, program)| Running::start(name, version, placeholders, program.clone()))?)
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
