//! Objectives: typed expressions over a batch of episodes, their analysis before a run and their evaluation on tensors.
//!
//! A closed [`Term`](crate::lang::term::Term) is checked into an [`Objective`], an [`Advantage`] or a [`Schedule`]: levels inferred, types agreed on,
//! gradients followed to where they end. What they need is known then ([`Needs`]). On a [`Batch`] they are evaluated in f64 with candle's automatic differentiation.

mod advantage;
mod batch;
mod check;
mod condition;
mod context;
mod error;
mod eval;
mod gradient;
pub mod history;
mod joint;
mod kept;
mod layout;
mod leveled;
mod levels;
mod loss;
mod mixture;
mod needs;
pub mod probe;
mod program;
pub(crate) mod quantities;
mod record;
mod reward;
mod schedule;
mod sign;
mod text;

use crate::lang::term::Vocabulary;

pub use advantage::{Advantage, Estimate};
pub use batch::{Batch, BatchError, Rows};
pub use check::flow::Reach;
pub use condition::Condition;
pub use context::{Place, Scope};
pub use error::ObjectiveError;
pub use gradient::{Gradient, Norms};
pub use history::History;
pub use joint::Joint;
pub use layout::LayoutError;
pub(crate) use leveled::{Leveled, levels};
pub use levels::Level;
pub use loss::{Detail, Evaluation, NamedTerm, Objective};
pub use mixture::Mixture;
pub(crate) use needs::TEACHER;
pub use needs::{Needs, Whole};
pub use program::HistoryExpr;
pub(crate) use quantities::top_share;
pub use reward::Reward;
pub(crate) use schedule::{ASSUMED_ITERATIONS, short};
pub use schedule::{Now, Schedule};
pub use text::{TextQuestion, Texts};

/// Characters of a text that is meant to be read in full; an expression of shared parts may be far longer.
const FULL: usize = 20_000;

/// What the words of an objective mean besides what the user and the standard library define.
pub static VOCABULARY: Vocabulary = Vocabulary { quantities: &quantities::NAMES, keys: levels::KEYS, counted_keys: levels::COUNTED_KEYS };
