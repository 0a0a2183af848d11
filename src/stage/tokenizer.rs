//! `tokenizer`: a vocabulary from what an environment says.

use super::context::{Context, Progress};
use super::contract::{Figure, Output, Stage};
use super::error::RunError;
use super::outside::Outside;
use super::tasks::{once_each, open, say_failures};
use crate::kind;
use crate::kind::{Artifact, Count, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::Component;
use crate::model::Tokenizer as Bpe;
use crate::play::SplitField;
use crate::policy::TOKENIZER;
use crate::rollout::{Player, Rollout};

kind! {
    /// Trains a byte-level BPE tokenizer on the prompts and actions of episodes played by the expert and at random.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train, vocabulary = 400, episodes = 50 }
    ///     test  = evaluate { policy = decoder { tokenizer = words }, on = house.train }
    ///     page  = report { of = [test] }
    ///   }
    /// }
    /// ```
    pub(crate) struct Tokenizer as "tokenizer" {
        /// The environments to listen to.
        on: Vec<SplitField> [required],
        /// The most tokens of the vocabulary, the 256 bytes and the special tokens included.
        vocabulary: Count<1_000_000> [default Count(512)],
        /// Episodes of the expert, and as many random ones, on each split.
        episodes: Count<1_000_000> [default Count(100)],
    }
}

impl Tokenizer {
    pub(crate) const OUTPUTS: &[Output] = &[Output { name: "tokenizer", artifact: Artifact::Tokenizer }];

    pub(crate) fn read_checked(component: &Component, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let read = Self::read_fields(component, reader)?;
        if read.vocabulary.0 < Bpe::LEAST {
            let place = component.fields.get("vocabulary").map_or(component.kind_span, |f| f.value.span);
            let message = format!("a vocabulary of {} has no room for all bytes and the special tokens", read.vocabulary.0);
            reader.report(Diagnostic::error("E0202", place, message).help(format!("use {} or more", Bpe::LEAST)));
            return None;
        }
        Some(read)
    }
}

impl Stage for Tokenizer {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        Self::OUTPUTS.to_vec()
    }

    fn vocabulary(&self) -> Option<usize> {
        Some(self.vocabulary.0)
    }

    fn draws(&self) -> bool {
        true
    }

    fn arithmetic(&self) -> Vec<Figure> {
        vec![Figure::new(
            "episodes",
            format!("{} = {} splits × 2 actors × {}", self.on.len() * 2 * self.episodes.0, self.on.len(), self.episodes.0),
        )]
    }

    fn outside(&self) -> Vec<Outside<'_>> {
        self.on.iter().filter_map(Outside::games).collect()
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        run(self, context)
    }
}

fn run(stage: &Tokenizer, context: &mut dyn Context) -> Result<(), RunError> {
    let mut texts: Vec<String> = Vec::new();
    let total = (stage.on.len() * 2 * stage.episodes.0) as u64;
    let mut done = 0;
    for (index, split) in stage.on.iter().enumerate() {
        let (world, panel) = open(context, split)?;
        let seed = context.seeds().child("split", index as u64);
        let repeats = stage.episodes.0.div_ceil(panel.tasks.len());
        let mut assignments = once_each(&panel, repeats, seed);
        assignments.truncate(stage.episodes.0);
        for player in [Player::Expert, Player::Random].into_iter().skip(usize::from(!world.has_expert())) {
            let rollout = Rollout {
                environment: &split.environment,
                world: &*world,
                player,
                keep_prompts: true,
                labels: None,
                threads: context.threads(),
            };
            let episodes = rollout.play(&assignments)?;
            say_failures(context, &episodes);
            for episode in episodes {
                texts.extend(episode.conversation.and_then(|conversation| conversation.system));
                for turn in episode.turns {
                    texts.extend(turn.prompt);
                    texts.push(turn.response.unwrap_or(turn.action));
                }
            }
            done += assignments.len() as u64;
            context.progress(Progress { done, total, unit: "episodes", notes: vec![("texts", texts.len().to_string())] });
            if context.interrupted() {
                return Err(RunError::Interrupted);
            }
        }
    }
    let tokenizer = Bpe::train(texts.into_iter(), stage.vocabulary.0, &[])?;
    context.folder().write_output("tokenizer", |folder| Ok(tokenizer.save(&folder.join(TOKENIZER))?))?;
    Ok(())
}
