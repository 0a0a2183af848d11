//! `tokenizer`: a vocabulary from what an environment says.

use super::{Artifact, Context, Figure, Output, RunError, Stage};
use crate::kind;
use crate::kind::Count;
use crate::play::SplitField;

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
    pub struct Tokenizer as "tokenizer" {
        /// The environments to listen to.
        on: Vec<SplitField> [required],
        /// The most tokens of the vocabulary, the 256 bytes and the special tokens included.
        vocabulary: Count [default Count(512)],
        /// Episodes of the expert, and as many random ones, on each split.
        episodes: Count [default Count(100)],
    }
}

impl Stage for Tokenizer {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "tokenizer", artifact: Artifact::Tokenizer }]
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
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

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::tokenizer::run(self, context)
    }
}
