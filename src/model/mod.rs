//! Models: a decoder, its weights, scoring, gradients, generation, tokenizer, optimiser. Tensors and tokens, no pipelines.
//!
//! [`Weights`] hold the parameters once. [`score`] gives the log-probability and entropy of every token a policy chose,
//! [`evaluate`] gives them together with the means to propagate the gradient of any function of them, [`OptimizerState`] applies it,
//! [`Generator`] makes new responses from the same parameters.

#[cfg(test)]
mod among_tests;
mod cached;
mod composite;
mod config;
mod engine;
mod error;
mod fence;
mod figure;
#[cfg(test)]
mod figure_tests;
mod finite;
mod forest;
mod frozen;
mod generate;
mod gradients;
mod lanes;
mod lora;
#[cfg(test)]
mod lora_tests;
mod masks;
mod memory;
mod native;
mod optimizer;
mod parts;
mod passes;
mod pending;
pub mod pretrained;
mod product;
mod prompt;
pub mod reference;
mod rope;
mod row;
mod score;
mod shared;
#[cfg(test)]
mod sharing_tests;
mod slices;
#[cfg(test)]
mod tests;
pub mod threads;
mod tokenizer;
mod tokenizer_file;
mod value_head;
mod weights;

pub use config::{DecoderConfig, Variant};
pub use error::{ModelError, without_frames};
#[cfg(feature = "parquet")]
pub(crate) use fence::guarded;
pub use figure::{Asked, Figure, Other};
pub use forest::Tokens;
pub use generate::{Finish, Generator, Likely, Mode, Request, Response, Sampling, SlotId, Thought, Until};
pub use gradients::{Gradients, norm};
pub use lanes::Compute;
pub(crate) use lanes::gradient_sums_bytes;
pub use lora::{Adapter, LoraConfig, TARGETS};
pub(crate) use memory::{activation_bytes, cache_bytes, host as free_memory, model_bytes, training_bytes};
pub use optimizer::{AdamW, OptimizerState, Parameter, Role, Update};
pub use pretrained::{ChatTemplate, Message, Pretrained, Source};
pub use product::product;
pub use prompt::Prompt;
pub use rope::RopeScaling;
pub use row::{Row, Target};
pub use score::{
    Evaluation, ScoreGradients, Scores, accumulate_gradients, evaluate, evaluate_with_figures, lane_seconds, logits, score,
    score_with_figures,
};
pub use tokenizer::{END, PAD, Tokenizer};
pub use value_head::{Critic, JointEvaluation, ValueEvaluation, ValueHead};
pub use weights::{Head, Weights};
