//! `export`: a policy as a folder that other tools load.

use super::{Artifact, Context, Output, RunError, Stage};
use crate::kind;
use crate::policy::PolicyInput;

kind! {
    /// Writes a policy in the layout of Hugging Face: `config.json`, `model.safetensors`, `tokenizer.json`. An adapter is merged
    /// into the weights, and stands by itself in the folder `adapter`, in the layout of PEFT.
    ///
    /// ```epo
    /// prompt p = "{observation}"
    /// house = household { prompt = windowed { then = p }, train = games { split = "train" } }
    /// pipeline a {
    ///   stages {
    ///     words = tokenizer { on = house.train }
    ///     shown = collect { on = house.train, actor = expert, episodes = 20 }
    ///     warm  = sft { episodes = shown, policy = decoder { tokenizer = words } }
    ///     out   = export { policy = warm }
    ///   }
    /// }
    /// ```
    pub struct Export as "export" {
        /// The policy.
        policy: PolicyInput [inherit],
    }
}

impl Stage for Export {
    fn kind(&self) -> &'static str {
        Self::INFO.name
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output { name: "folder", artifact: Artifact::Folder }]
    }

    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn draws(&self) -> bool {
        matches!(self.policy, PolicyInput::New(_))
    }

    fn is_final(&self) -> bool {
        true
    }

    fn shows_names(&self) -> bool {
        false
    }

    fn run(&self, context: &mut dyn Context) -> Result<(), RunError> {
        super::run::export::run(self, context)
    }
}
