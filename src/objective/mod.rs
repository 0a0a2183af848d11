//! Objectives: typed expressions over a batch of episodes, their analysis before a run and their evaluation on tensors.
//!
//! A closed [`Term`](crate::lang::term::Term) is checked into an [`Objective`], an [`Advantage`] or a [`Schedule`]: levels inferred, types agreed on,
//! gradients followed to where they end. What they need is known then ([`Needs`]). On a [`Batch`] they are evaluated in f64 with candle's automatic differentiation.

mod advantage;
pub mod batch;
mod check;
pub mod context;
pub mod error;
mod eval;
pub mod functions;
pub mod history;
mod layout;
pub mod levels;
mod loss;
mod math;
pub mod needs;
pub mod probe;
mod program;
pub mod quantities;
mod schedule;
pub mod text;

use crate::lang::term::Vocabulary;

pub use advantage::{Advantage, Estimate};
pub use batch::{Batch, BatchError, Rows};
pub use check::flow::Reach;
pub use context::{Place, Scope};
pub use error::ObjectiveError;
pub use history::History;
pub use layout::LayoutError;
pub use levels::Level;
pub use loss::{Detail, Evaluation, Gradient, NamedTerm, Norms, Objective};
pub use needs::{Needs, Whole};
pub use program::HistoryExpr;
pub use schedule::{ASSUMED_ITERATIONS, Now, Schedule, short};

/// What the words of an objective mean besides what the user and the standard library define.
pub static VOCABULARY: Vocabulary = Vocabulary { functions: &functions::SIGNATURES, quantities: &quantities::NAMES, keys: functions::KEYS };
