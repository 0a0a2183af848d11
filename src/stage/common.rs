//! Fields that every stage has.

use super::resources::Resources;
use crate::kind;
use crate::policy::AnyInput;

kind! {
    /// These fields belong to every stage.
    pub(crate) struct Common as "stage" {
        /// A seed of its own instead of the pipeline's, so that the stage is shared by all seeds.
        seed: Option<u64> [default None],
        /// Stages that must be done before, for order alone.
        after: Vec<AnyInput> [untouched default Vec::new()],
        /// What it asks of the machine that it is run on, where the setting `engine` hands its tasks to others.
        needs: Option<Resources> [untouched inherit default None],
    }
}
