//! `pack.json`: what a pack says of itself, and the hash of everything else in it.

use super::{DESCRIPTION, FORMAT};
use crate::plan::Need;
use crate::store::{Digest, Mark};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    pub format: u32,
    /// Of the program that packed it.
    pub version: String,
    /// As the run is called.
    pub name: String,
    /// Names the run: [`crate::plan::Plan::digest`].
    pub plan: Digest,
    pub recipe: Command,
    /// What lies outside, and is not in the pack.
    pub needs: Vec<Need>,
    /// In the order of the plan; none where the recipe alone was packed.
    pub tasks: Vec<PackedTask>,
    /// Every file but this one.
    pub files: BTreeMap<String, Mark>,
    /// The hash of all the lines above: names the pack.
    pub digest: Digest,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    pub root: String,
    pub set: Vec<String>,
    pub only: Vec<String>,
}

/// A task, and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackedTask {
    pub digest: Digest,
    /// `ppo_epo[seed=1].train`
    pub name: String,
    pub kind: String,
    /// Where its files lie in the pack, without a `/` behind.
    pub folder: String,
    /// The hash of each output, also where its files are left out.
    pub outputs: BTreeMap<String, Digest>,
    /// Length and hash of each log, also where it is left out.
    pub logs: BTreeMap<String, Mark>,
    /// Of all that it wrote: what costs much writes much.
    pub bytes: u64,
    /// What is not in the pack: names of outputs and logs.
    pub left_out: Vec<String>,
    /// Of an evaluation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<PackedRate>,
}

/// How often a split was won.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackedRate {
    /// `house.seen`
    pub split: String,
    /// The hash of the games that were played.
    pub panel: String,
    pub successes: u64,
    pub episodes: u64,
    /// The 95 % Wilson interval.
    pub low: f64,
    pub high: f64,
}

impl Description {
    /// With the hash of its lines as its last one.
    pub(super) fn sealed(mut self) -> Self {
        self.digest = self.hash();
        self
    }

    fn hash(&self) -> Digest {
        let mut value = serde_json::json!(self);
        if let Value::Object(fields) = &mut value {
            fields.shift_remove("digest");
        }
        Digest::of(&value)
    }

    pub(super) fn text(&self) -> Result<Vec<u8>, String> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        text.push(b'\n');
        Ok(text)
    }

    /// # Errors
    /// Why it cannot be believed: written by a newer program, or not as it was written.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Format {
            format: u64,
        }
        let damaged = |problem: String| format!("`{DESCRIPTION}` is damaged: {problem}");
        let Format { format } = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if format > u64::from(FORMAT) {
            return Err(format!("`{DESCRIPTION}` has format {format}, written by a newer epo-run; this one knows formats up to {FORMAT}"));
        }
        let description: Self = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if description.hash() != description.digest || description.text()? != text {
            return Err(damaged("it is not what it was packed with".into()));
        }
        Ok(description)
    }
}
