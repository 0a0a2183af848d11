//! Fields that every stage has.

use crate::kind;
use crate::policy::AnyInput;

kind! {
    /// These fields belong to every stage.
    pub(crate) struct Common as "stage" {
        /// A seed of its own instead of the pipeline's, so that the stage is shared by all seeds.
        seed: Option<u64> [default None],
        /// Stages that must be done before, for order alone.
        after: Vec<AnyInput> [untouched default Vec::new()],
    }
}
