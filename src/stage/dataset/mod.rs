//! `dataset`: episodes from files.

mod lines;
mod messages;
mod records;
#[cfg(feature = "parquet")]
mod table;

use self::lines::Lines;
use self::messages::Form;
use super::context::{Context, Progress};
use super::contract::{Figure, Output, Stage};
use super::data::{DataFile, Pin, Source};
use super::error::RunError;
use super::outside::Outside;
use super::tasks::PORTION;
use super::wanted::Wanted;
use crate::equation::ConditionField;
use crate::kind::{Artifact, Count, Reader};
use crate::lang::value::Component;
use crate::lang::{Diagnostic, Diagnostics};
use crate::objective::{Condition, Place, Scope};
use crate::play::Past;
use crate::rollout::Episode;
use crate::{kind, words};
use std::io::Read;
use std::path::Path;

/// What a table of Parquet begins with.
const TABLE: &[u8] = b"PAR1";

/// Bytes of a file whose episodes are held at once.
const HELD: usize = 64 << 20;

/// Quantities that a chat does not have.
const UNKNOWN_OF_CHATS: [&str; 6] = ["score", "success", "reward", "valid", "prompt_cut", "response_cut"];

words! {
    /// What a line of a file is.
    pub(crate) enum Records {
        /// An episode as `collect` writes it.
        Episodes = "episodes",
        /// A chat: its `messages`.
        Messages = "messages",
    }
}

kind! {
    /// Episodes from files: what somebody else collected, or wrote. The files hold a JSON object a line, and may be packed by gzip or zstd, or are tables of Parquet; [their
    /// formats](../episodes.md) have a page. A line that is damaged ends the stage with its place: nothing is learned from half a file.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = dataset { from = "data:shown", hash = "blake3:?", form = episodes, where = success and turns < 20 }
    ///     warm  = sft { episodes = shown, policy = decoder { tokenizer = words }, epochs = 2 }
    ///     page  = report { of = [warm] }
    ///   }
    /// }
    /// ```
    ///
    /// A chat becomes the episode of a conversation, in which each answer of the assistant's is a turn to learn, written as the policy's own template
    /// writes it.
    ///
    /// ```epo
    /// pipeline b {
    ///   policy = causal_lm { weights = "models/small", decode = sample { max_tokens = 200 } }
    ///   stages {
    ///     talks = dataset { from = "data:talks/train.jsonl.gz", hash = "blake3:?", form = messages, limit = 1000 }
    ///     warm  = sft { episodes = talks }
    ///     files = export { policy = warm }
    ///   }
    /// }
    /// ```
    pub(crate) struct Dataset as "dataset" {
        /// Where the files lie: `data:NAME` is what the setting `data.NAME` says, a file or a folder, whose files are read in the order of their names;
        /// `data:NAME/PATH` is a file in it. `hub:OWNER/NAME@REVISION/PATH` is a file of a dataset of the Hugging Face hub.
        from: Source [untouched required],
        /// Which bytes are meant; others are refused. With `blake3:?` the stage cannot run, and `plan` says what the hash is. Of a folder it is the hash of
        /// what `b3sum` prints of its files.
        hash: Pin [required],
        /// What a line is: an episode as `collect` writes it, or an object with `messages`.
        form: Records [required],
        /// Only the first so many that are kept.
        limit: Option<Count> [default None],
        /// Which episodes are kept: a condition as in `collect`; `reward` is as it was recorded. Of `messages`, `turns`, `turn_index` and the texts are known.
        r#where: Option<ConditionField> [default None],
        /// Of `messages`: the most tokens of a prompt, as in `conversation`. What follows on a conversation that has more is not learned.
        max_tokens: Count<16_777_216> [default Count(2048)],
        /// Of `messages`: what stands in a prompt of earlier turns, as in `conversation`.
        past: Past [default Past::Sampled],
    }
}

impl Dataset {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "episodes", artifact: Artifact::Episodes }];

    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if read.form == Records::Episodes {
            for name in ["max_tokens", "past"] {
                if let Some(field) = component.fields.get(name) {
                    let message = format!("`{name}` is of chats: `form = episodes` has its own");
                    reader.report(Diagnostic::error("E0202", field.name_span, message));
                    return None;
                }
            }
        }
        let mut diagnostics = Diagnostics::default();
        let condition = read.r#where.as_ref().map(|field| read.checked(field, &mut diagnostics));
        diagnostics.0.into_iter().for_each(|diagnostic| reader.report(diagnostic));
        (!matches!(condition, Some(None))).then_some(read)
    }

    fn checked(&self, field: &ConditionField, diagnostics: &mut Diagnostics) -> Option<Condition> {
        let whole = Scope::new(Place::Condition);
        let scope = match self.form {
            Records::Episodes => whole,
            Records::Messages => UNKNOWN_OF_CHATS.into_iter().fold(whole, |scope, name| {
                scope.lacking(name, "a chat does not say it", "what is known of chats: `turns`, `turn_index`, and their texts")
            }),
        };
        Condition::check_in(&scope, &field.0, "where", diagnostics)
    }

    /// The checked condition.
    fn condition(&self) -> Option<Condition> {
        self.r#where.as_ref().and_then(|field| self.checked(field, &mut Diagnostics::default()))
    }

    /// `number`: how many lines there were before. `place`: the line's, on every machine the same.
    fn episode(&self, line: &[u8], number: u64, place: String) -> Result<Episode, String> {
        match self.form {
            Records::Episodes => records::own(line),
            Records::Messages => records::chat(line, number, place, Form { max_tokens: self.max_tokens.0, past: self.past }),
        }
    }
}

impl Stage for Dataset {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn draws(&self) -> bool {
        false
    }

    fn arithmetic(&self) -> Vec<Figure> {
        let from = Figure::new("from", self.from.written());
        let limit = self.limit.map(|most| Figure::new("episodes at most", most.0.to_string()));
        let condition = self.condition().map(|condition| Figure::new("kept where", condition.text()));
        [Some(from), limit, condition].into_iter().flatten().collect()
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        vec![Outside::data(&self.from, &self.hash)]
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        let mut said = Vec::new();
        let data = |name: &str| context.data(name);
        let files = self.from.files(data, true, &mut |line| said.push(line.to_string())).map_err(RunError::Failed)?.unwrap_or_default();
        said.iter().for_each(|line| context.say(line));
        let wanted = Wanted { only_successes: false, condition: self.condition() };
        let mut reading = Reading { stage: self, wanted, read: 0, kept: 0, turns: 0, portion: Vec::new(), bytes: 0 };
        let mut hashes = Vec::new();
        for file in &files {
            hashes.push((file.name.clone(), reading.file(file, context)?));
        }
        let found = Pin::of(&hashes);
        if let Some(problem) = self.hash.refusal(&found) {
            return Err(RunError::Failed(format!("`{}` changed while it was read: {problem}", self.from.written())));
        }
        let Reading { read, kept, turns, wanted, .. } = reading;
        if kept == 0 {
            return Err(RunError::Failed(match read {
                0 => format!("`{}` has no line", self.from.written()),
                _ => format!("{read} episodes were read and {}", wanted.why_none()),
            }));
        }
        let summary = serde_json::json!({ "episodes": read, "kept": kept, "turns": turns, "hash": found.text() });
        context.folder().write_json_output("episodes", &summary)?;
        Ok(())
    }
}

/// How far the files are read.
struct Reading<'s> {
    stage: &'s Dataset,
    wanted: Wanted,
    read: u64,
    kept: usize,
    turns: usize,
    /// Episodes that were read and not yet looked at, and the bytes that they were read from.
    portion: Vec<Episode>,
    bytes: usize,
}

impl Reading<'_> {
    /// Keeps what is wanted of a file; gives the hash of all of it.
    fn file(&mut self, file: &DataFile, context: &mut dyn Context) -> Result<blake3::Hash, RunError> {
        let io = |source| RunError::Io { context: format!("`{}`", file.path.display()), source };
        match begins_with(&file.path, TABLE).map_err(io)? {
            true => self.table(file, context),
            false => self.lines(file, context),
        }
    }

    fn lines(&mut self, file: &DataFile, context: &mut dyn Context) -> Result<blake3::Hash, RunError> {
        let shown = file.path.display();
        let io = |source| RunError::Io { context: format!("`{shown}`"), source };
        let mut lines = Lines::open(&file.path).map_err(io)?;
        let mut number = 0_u64;
        while !self.full() {
            number += 1;
            let wrong = |problem: String| RunError::Failed(format!("{shown}:{number}: {problem}"));
            let Some(line) = lines.next().map_err(|error| wrong(error.to_string()))? else { break };
            let episode = self.stage.episode(line, self.read, self.place(file, number)).map_err(wrong)?;
            let bytes = line.len();
            self.add(episode, bytes, context)?;
        }
        self.keep(context)?;
        lines.hash().map_err(io)
    }

    #[cfg(feature = "parquet")]
    fn table(&mut self, file: &DataFile, context: &mut dyn Context) -> Result<blake3::Hash, RunError> {
        let shown = file.path.display();
        let wrong = |problem: String| RunError::Failed(format!("{shown}: {problem}"));
        if self.stage.form != Records::Messages {
            return Err(wrong("this is a table of Parquet, which holds chats: `form = messages`".into()));
        }
        let mut table = table::Table::open(&file.path).map_err(wrong)?;
        let mut number = 0_u64;
        while !self.full() {
            let (chat, place) = table.next().map_err(wrong)?.unzip();
            let (Some(chat), Some(place)) = (chat, place) else { break };
            number += 1;
            let bytes = chat.bytes();
            let form = Form { max_tokens: self.stage.max_tokens.0, past: self.stage.past };
            let episode = records::of_chat(chat, self.read, self.place(file, number), form);
            self.add(episode.map_err(|problem| wrong(format!("{place}: {problem}")))?, bytes, context)?;
        }
        self.keep(context)?;
        let mut hasher = blake3::Hasher::new();
        let io = |source| RunError::Io { context: format!("`{shown}`"), source };
        std::fs::File::open(&file.path).and_then(|mut whole| std::io::copy(&mut whole, &mut hasher)).map_err(io)?;
        Ok(hasher.finalize())
    }

    #[cfg(not(feature = "parquet"))]
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as it is with the feature")]
    fn table(&mut self, file: &DataFile, _context: &mut dyn Context) -> Result<blake3::Hash, RunError> {
        let message = "this is a table of Parquet, and the program was built without the feature `parquet`; the page about the files of `dataset` says how \
                       to make lines of it";
        Err(RunError::Failed(format!("{}: {message}", file.path.display())))
    }

    /// Where a record stands, on every machine the same.
    fn place(&self, file: &DataFile, number: u64) -> String {
        let within = file.name.as_ref().map_or(String::new(), |name| format!("{name}:"));
        format!("{}:{within}{number}", self.stage.hash.short())
    }

    fn full(&self) -> bool {
        self.stage.limit.is_some_and(|most| self.kept >= most.0)
    }

    fn add(&mut self, episode: Episode, bytes: usize, context: &mut dyn Context) -> Result<(), RunError> {
        self.portion.push(episode);
        self.read += 1;
        self.bytes += bytes;
        match self.portion.len() < PORTION && self.bytes < HELD {
            true => Ok(()),
            false => self.keep(context),
        }
    }

    /// Keeps what is wanted of the portion.
    fn keep(&mut self, context: &mut dyn Context) -> Result<(), RunError> {
        let portion = std::mem::take(&mut self.portion);
        self.bytes = 0;
        for episode in self.wanted.among(&portion, 0.0)? {
            if self.full() {
                break;
            }
            self.kept += 1;
            self.turns += episode.turns.len();
            context.folder().episode(episode)?;
        }
        let notes = vec![("kept", self.kept.to_string()), ("turns", self.turns.to_string())];
        context.progress(Progress { done: self.read, total: 0, unit: "episodes", notes });
        if context.interrupted() { Err(RunError::Interrupted) } else { Ok(()) }
    }
}

fn begins_with(path: &Path, magic: &[u8]) -> std::io::Result<bool> {
    let mut first = Vec::new();
    std::fs::File::open(path)?.take(magic.len() as u64).read_to_end(&mut first)?;
    Ok(first == magic)
}
