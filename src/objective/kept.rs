//! What an expression came to on the whole collected batch, for the minibatches that are made of it.

use super::eval::Presence;
use super::levels::Level;

/// One value for each element of a level.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub level: Level,
    /// Conditions are 0 and 1.
    pub condition: bool,
    pub values: Vec<(f64, Presence)>,
}
