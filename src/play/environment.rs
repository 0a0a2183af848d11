//! An environment as a pipeline declares it: a world, and how a model plays in it.

use super::action::{Case, Reading, WellFormed, Whole};
use super::prompt::PromptKind;
use super::template::Template;
use crate::env::{EnvError, Machine, Replay, World};
use crate::kind;
use crate::kind::{Category, Count, Field, Identity, NonNegative, Part, Reader};
use crate::lang::value::{Value, ValueKind};
use crate::lang::{Diagnostic, Span};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A kind of environment: declared without touching the disk, opened when a task runs. Its identity is the declared one: generator and its
/// parameters, or release and panel of the data.
pub trait WorldKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// `machine`: what settings say of it, such as the folder of the kind's data.
    ///
    /// # Errors
    /// If data or a program is absent or damaged: where they were looked for, how to get them.
    fn open(&self, machine: &Machine) -> Result<Arc<dyn World>, EnvError>;

    /// `None`: only the opened world knows them.
    fn splits(&self) -> Option<Vec<&str>>;

    /// Whether it needs data or programs of the machine.
    fn is_outside(&self) -> bool {
        false
    }

    /// Bytes that its games take in programs of their own, all together, about.
    fn beside(&self) -> u64 {
        0
    }

    /// Looks at the data and programs that it needs, beyond what [`Self::open`] does.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    fn look(&self, _machine: &Machine) -> Result<(), EnvError> {
        Ok(())
    }

    /// The most games of a split, as far as that is known without the data; `drawn` by a seed from all that it has, or not.
    fn most_games(&self, _split: &str, _drawn: bool) -> Option<usize> {
        None
    }

    /// Whether there is an expert who can be asked in any turn.
    fn has_expert(&self) -> bool {
        true
    }

    /// If it does not say which actions are possible: how it is made to.
    fn unlisted(&self) -> Option<&'static str> {
        None
    }

    /// Placeholders of its own.
    fn placeholders(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Gets what the kind needs from elsewhere, or says what is there; a sentence that follows the name of the kind.
    ///
    /// # Errors
    /// What is missing, and how to get it.
    fn install(&self, _machine: &Machine) -> Result<String, EnvError> {
        Ok("needs nothing: it is compiled in".into())
    }

    /// Plays recordings of the environment that this kind stands for, and compares. `None`: there are no recordings of this kind.
    ///
    /// # Errors
    /// What prevents all replaying; what goes wrong in one recording is in the [`Replay`].
    fn replay(&self, _machine: &Machine, _recordings: &Path) -> Option<Result<Replay, EnvError>> {
        None
    }
}

kind! {
    /// How a model plays in an environment; these fields belong to every environment kind.
    pub(crate) struct Interaction as "environment" {
        /// What the model is shown before each turn.
        prompt: Part<dyn PromptKind> [required],
        /// What of a response the environment is told.
        action: Part<dyn Reading> [default Part { kind: "whole", value: Arc::new(Whole {}), span: Span::NONE }],
        /// Whether the action is put into lower case.
        case: Case [default Case::Keep],
        /// What counts as a well-formed response; left out, every response does whose action was possible.
        valid: Option<Part<dyn WellFormed>> [default None],
        /// Taken off the reward and the outcome of a row whose response is not valid.
        invalid_penalty: NonNegative [default NonNegative(0.0)],
        /// The turns after which an episode is truncated.
        max_turns: Count<1_000_000> [default Count(50)],
        /// The score of an episode that reaches its goal.
        success_reward: f64 [default 10.0],
    }
}

/// An environment of a pipeline.
#[derive(Clone, Debug)]
pub(crate) struct EnvironmentSpec {
    pub world: Part<dyn WorldKind>,
    pub play: Interaction,
}

impl Identity for EnvironmentSpec {
    fn identity(&self) -> serde_json::Value {
        serde_json::json!({ "world": self.world.identity(), "play": self.play.identity() })
    }
}

impl Field for EnvironmentSpec {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let world = Part::<dyn WorldKind>::read(value, reader);
        let ValueKind::Component(component) = &value.kind else { return None };
        let info = <dyn WorldKind as Category>::all().find(|e| e.info.name == component.kind)?.info;
        reader.refuse_unknown(
            component,
            &[info, &Interaction::INFO],
            |field| matches!(&field.value.kind, ValueKind::Component(c) if c.kind == super::Games::INFO.name),
        );
        let play = Interaction::read_fields(component, reader);
        let (world, play) = (world?, play?);
        let known: Vec<&str> = play.prompt.placeholders().iter().copied().chain(world.placeholders()).collect();
        for template in play.prompt.templates() {
            Template::check_holes(template, &known, reader);
            if let Some(help) = world.unlisted() {
                template.refuse_holes(&["admissible"], NOT_LISTED, help, reader);
            }
        }
        Some(Self { world, play })
    }

    fn expects() -> String {
        "an environment".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

const NOT_LISTED: &str = "needs the possible actions, and this environment does not list them";

impl EnvironmentSpec {
    /// Reports what would choose among its actions, if it lists none: `choice` is a word and its place.
    pub(crate) fn refuse_choice(&self, choice: Option<(&str, Span)>, reader: &mut Reader<'_, '_>) {
        if let (Some((word, span)), Some(help)) = (choice, self.world.unlisted()) {
            reader.report(Diagnostic::error("E0202", span, format!("`{word}` {NOT_LISTED}")).help(help));
        }
    }

    /// The action of a response, as the environment is told it.
    pub(crate) fn action(&self, response: &str) -> String {
        let action = self.play.action.read(response);
        match self.play.case {
            Case::Keep => action.to_string(),
            Case::Lower => action.to_lowercase(),
        }
    }
}

/// Reports a split that the environment does not have.
pub(super) fn check_split(world: &dyn WorldKind, split: &str, span: Span, reader: &mut Reader<'_, '_>) -> bool {
    let Some(splits) = world.splits().filter(|splits| !splits.contains(&split)) else { return true };
    let list = splits.iter().map(|s| format!("\"{s}\"")).collect::<Vec<_>>().join(", ");
    reader.report(
        Diagnostic::error("E0202", span, format!("there is no split \"{split}\" here"))
            .did_you_mean(split, splits.iter().copied())
            .help(format!("the splits are {list}")),
    );
    false
}

impl Category for dyn WorldKind {
    const WORDS: &'static str = "an environment";

    fn entries() -> &'static [crate::kind::Entry<Self>] {
        super::worlds::ENTRIES
    }

    fn added() -> &'static [crate::kind::Entry<Self>] {
        super::worlds::added()
    }
}
