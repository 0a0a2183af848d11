//! Objectives: typed expressions over a batch of episodes, their analysis before a run and their evaluation on tensors.

pub mod functions;
pub mod levels;
pub mod quantities;

use crate::lang::term::Vocabulary;

/// What the words of an objective mean besides what the user and the standard library define.
pub static VOCABULARY: Vocabulary = Vocabulary { functions: &functions::SIGNATURES, quantities: &quantities::NAMES, keys: functions::KEYS };
