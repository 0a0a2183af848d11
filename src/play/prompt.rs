//! What the model is shown before each turn.

use super::conversation::{Conversation, Limits};
use super::template::Template;
use crate::kind::{Category, Count, Entry, Identity, Reader};
use crate::lang::value::{Component, Value};
use crate::model::Prompt;
use crate::{kind, words};
use std::fmt;
use std::sync::Arc;

/// The placeholders that a window of turns has in every environment.
pub(super) const PLACEHOLDERS: [&str; 8] = ["task", "observation", "response", "history", "earlier", "admissible", "count", "turn"];

/// What each placeholder stands for, that of an `entry` too.
pub(crate) const EXPLAINED: [(&str, &str); 9] = [
    ("task", "what is to be done"),
    ("observation", "what is seen before this turn; in an `entry`, before the past turn"),
    ("response", "what was answered in the last turn, with what was thought before the action; in an `entry`, in the past turn"),
    ("history", "the last turns, oldest first, each as `entry` says; the field `history` of `windowed` says how many"),
    ("earlier", "the actions of the turns before those of `{history}`, with commas between them"),
    ("admissible", "the possible actions, with commas between them"),
    ("count", "how many turns there were so far"),
    ("turn", "the number of the turn, from 1"),
    ("action", "in an `entry` only: what was done in the past turn"),
];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HistoryEntry {
    pub observation: String,
    /// What the action was read from.
    pub response: String,
    pub action: String,
}

/// Everything a prompt may speak of.
pub(crate) struct Moment<'a> {
    pub task: &'a str,
    pub observation: &'a str,
    /// What was seen and done before, oldest first.
    pub history: &'a [HistoryEntry],
    pub admissible: &'a [String],
    /// The environment's own placeholders, as far as the prompt has them.
    pub own: &'a [(&'a str, String)],
}

impl Moment<'_> {
    /// What a placeholder stands for that speaks of this moment alone.
    pub(super) fn fill(&self, hole: &str) -> Option<Prompt> {
        Some(match hole {
            "task" => Prompt::data(self.task),
            "observation" => Prompt::data(self.observation),
            "admissible" => Prompt::data(self.admissible.join(", ")),
            "count" => Prompt::data(self.history.len().to_string()),
            "turn" => Prompt::data((self.history.len() + 1).to_string()),
            other => return self.own.iter().find(|(name, _)| *name == other).map(|(_, text)| Prompt::data(text.as_str())),
        })
    }
}

/// A way to make a prompt from the moment before a turn.
pub(crate) trait PromptKind: Identity + fmt::Debug + Send + Sync + 'static {
    /// The text of a turn. What the environment says and what was done in it is data there.
    fn render(&self, moment: &Moment<'_>) -> Prompt;
    /// What becomes of the texts.
    fn form(&self) -> Form;
    fn templates(&self) -> Vec<&Template>;

    /// The placeholders that it has in every environment.
    fn placeholders(&self) -> &'static [&'static str] {
        &PLACEHOLDERS
    }

    /// What stands before the text of the first turn.
    fn system(&self, _first: &Moment<'_>) -> Option<Prompt> {
        None
    }
}

/// What a policy is shown of the texts of the turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// That of the turn: the most tokens of it, and from which side the rest is cut.
    Window(usize, Cut),
    /// All of them, each behind the answer to the one before.
    Conversation(Limits),
}

impl Category for dyn PromptKind {
    const WORDS: &'static str = "a prompt kind such as `windowed { … }`";

    fn entries() -> &'static [Entry<Self>] {
        const ENTRIES: &[Entry<dyn PromptKind>] =
            &[Entry { info: &Windowed::INFO, read: read_windowed }, Entry { info: &Conversation::INFO, read: super::conversation::read }];
        ENTRIES
    }
}

words! {
    /// From which side a prompt that is too long is cut.
    pub(crate) enum Cut {
        /// The beginning goes.
        Left = "left",
        /// The end goes.
        Right = "right",
    }
}

kind! {
    /// A prompt with a window of the last turns.
    ///
    /// Placeholders: `{task}`, `{observation}`, `{admissible}` (comma-separated), `{count}` (turns so far), `{turn}` (from 1),
    /// `{history}` (the window, one `entry` a turn, oldest first), `{earlier}` (the actions before the window, comma-separated),
    /// `{response}` (the last answer whole: where policies think before they act, what they noted for themselves).
    ///
    /// ```epo
    /// prompt later = """
    /// Task: {task}
    /// {history}{observation}
    /// """
    /// house = household { prompt = windowed { then = later, history = 2 }, train = games { split = "train" } }
    /// ```
    pub(crate) struct Windowed as "windowed" {
        /// The prompt of the later turns, and of the first one unless `first` is given.
        then: Template [required],
        /// The prompt of the first turn.
        first: Option<Template> [default None],
        /// How many past turns `{history}` shows.
        history: usize [default 2],
        /// How one past turn is shown; placeholders `{observation}`, `{response}` and `{action}`.
        entry: Option<Template> [default None],
        /// The most tokens of a prompt.
        max_tokens: Count<16_777_216> [default Count(2048)],
        /// Where a longer one is cut.
        cut: Cut [default Cut::Left],
    }
}

fn read_windowed(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn PromptKind>> {
    reader.refuse_unknown(component, &[&Windowed::INFO], |_| false);
    let read = Windowed::read_fields(component, reader)?;
    if let Some(entry) = &read.entry {
        entry.check_holes(&["observation", "response", "action"], reader);
    }
    Some(Arc::new(read))
}

impl PromptKind for Windowed {
    fn render(&self, moment: &Moment<'_>) -> Prompt {
        let template = match &self.first {
            Some(first) if moment.history.is_empty() => first,
            _ => &self.then,
        };
        template.render(|hole| match hole {
            "history" => Some(self.window(moment.history)),
            "earlier" => Some(Prompt::data(self.earlier(moment.history))),
            "response" => Some(Prompt::data(moment.history.last().map_or("", |past| past.response.as_str()))),
            other => moment.fill(other),
        })
    }

    fn form(&self) -> Form {
        Form::Window(self.max_tokens.0, self.cut)
    }

    fn templates(&self) -> Vec<&Template> {
        self.first.iter().chain(Some(&self.then)).collect()
    }
}

impl Windowed {
    fn earlier(&self, history: &[HistoryEntry]) -> String {
        let before = &history[..history.len().saturating_sub(self.history)];
        before.iter().map(|past| past.action.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn window(&self, history: &[HistoryEntry]) -> Prompt {
        let mut out = Prompt::default();
        for past in &history[history.len().saturating_sub(self.history)..] {
            match &self.entry {
                Some(entry) => out.append(&entry.render(|hole| match hole {
                    "observation" => Some(Prompt::data(past.observation.as_str())),
                    "response" => Some(Prompt::data(past.response.as_str())),
                    "action" => Some(Prompt::data(past.action.as_str())),
                    _ => None,
                })),
                None => {
                    out.append(&Prompt::data(past.observation.as_str()));
                    out.push_own("\n> ");
                    out.append(&Prompt::data(past.action.as_str()));
                    out.push_own("\n");
                }
            }
        }
        out
    }
}
