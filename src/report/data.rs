//! What a report is made from. Filled from run folders, written to `report.json`, read back by other tools.

use super::interval::Rate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of `report.json`. Raised when a field changes its meaning; new fields alone do not raise it.
pub const FORMAT: u32 = 1;

/// Everything one report shows. Every part may be empty: the page then says what is missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportData {
    /// Heading of the page.
    pub title: String,
    /// One entry per pipeline instance (a pipeline with three seeds gives three).
    pub pipelines: Vec<PipelineInfo>,
    /// One entry per training stage of an instance. A stage that several instances share is given once.
    pub curves: Vec<Curve>,
    /// One entry per evaluated actor, split and instance. An evaluation that several instances share is given once.
    pub results: Vec<ResultRow>,
    /// What a reader has to know of the numbers, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Episodes to read.
    pub examples: Vec<EpisodeExample>,
    /// What the run ran on: `device`, `threads`, `version`, …
    pub machine: BTreeMap<String, String>,
    /// The command line that makes this report again.
    pub command: String,
}

/// One pipeline instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PipelineInfo {
    /// The name in the file: `ppo_epo`.
    pub name: String,
    /// What was unfolded, empty if nothing was: `seed=1, lambda=0.003`.
    pub label: String,
    /// Words for people: `PPO + EPO`. Empty: the name is shown.
    pub title: String,
    /// The objective, in order: (term, text), with `advantage` and `minimize` among them.
    pub equation: Vec<(String, String)>,
    /// The resolved pipeline as `.epo` text: it runs alone.
    pub resolved: String,
}

/// The metrics of one training stage of one pipeline instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Curve {
    /// [`PipelineInfo::name`].
    pub pipeline: String,
    /// [`PipelineInfo::label`].
    pub label: String,
    /// Name of the stage in the pipeline: `train`.
    pub stage: String,
    /// The stage's kind (`rl`, `sft`). Stages of one kind share their charts; left empty, stages of one name do.
    pub kind: String,
    /// In the order of iterations.
    pub records: Vec<MetricRecord>,
}

/// What was measured in one iteration. A metric that is not measured every time (an evaluation every fifth iteration) is absent between;
/// a value that is there but not finite is drawn as a gap and marked.
///
/// Names: `success`, `return` (mean episode score), `turns`, `eval/<split>/success`, `entropy`, `entropy.reference` (mean of the history),
/// `entropy.low`, `entropy.high` (corridor), `phase` (β), `prompt_cut`, `response_cut` (shares of turns), `conversation_full` (share of episodes), `kl`, `clip_fraction`, `loss/<term>`, `gradient_norm`, `learning_rate`.
/// Shares lie in 0..1, entropies in nats. Any other name is drawn too, under that name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricRecord {
    /// The place on the horizontal axis.
    pub iteration: u64,
    /// By the metric's name.
    #[serde(with = "finite_or_null::map")]
    pub values: BTreeMap<String, f64>,
}

/// How one actor did on one split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResultRow {
    /// `expert`, `random`, or words for a policy: `after warm-up`, `after PPO + EPO`.
    pub actor: String,
    /// [`PipelineInfo::name`].
    pub pipeline: String,
    /// The instance, as in [`PipelineInfo::label`]. Rows that differ in their seed alone are pooled.
    pub label: String,
    /// Name of the stage that evaluated.
    pub stage: String,
    /// `house.seen`
    pub split: String,
    /// Episodes that reached their goal.
    pub successes: u64,
    /// Episodes played.
    pub episodes: u64,
    /// Mean over the episodes of the sum of the environment's rewards, times `success_reward`; without penalties.
    #[serde(with = "finite_or_null")]
    pub mean_score: f64,
    /// Mean number of actions in an episode.
    #[serde(with = "finite_or_null")]
    pub mean_turns: f64,
    /// Family of tasks → (successes, episodes).
    pub families: BTreeMap<String, (u64, u64)>,
    /// Means of what else the environment has to say of its episodes (`score`, `success_paper`); names that begin with `success` are shares. Also
    /// `prompt_cut` and `response_cut`, shares of the turns, where anything was cut, and `conversation_full`, the share of the episodes that ended so.
    #[serde(with = "finite_or_null::map", skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    /// Identifies the list of tasks; rows are comparable task by task only where it is the same.
    pub panel_hash: String,
    /// What each task of the panel came to.
    #[serde(skip_serializing_if = "ByTask::is_empty")]
    pub tasks: ByTask,
}

/// By task of a panel, in its order; empty where it was not recorded. Of several episodes on one task the mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ByTask {
    /// Which of the row's families each belongs to, by its place in the order of their names.
    pub families: Vec<u32>,
    /// Shares of episodes that reach the goal.
    #[serde(with = "finite_or_null::list")]
    pub success: Vec<f64>,
    /// As [`ResultRow::mean_score`].
    #[serde(with = "finite_or_null::list")]
    pub score: Vec<f64>,
}

impl ByTask {
    fn is_empty(&self) -> bool {
        self.success.is_empty() && self.score.is_empty()
    }
}

impl ResultRow {
    /// Of the whole split.
    pub fn rate(&self) -> Rate {
        Rate { successes: self.successes, episodes: self.episodes }
    }

    /// An actor that nothing trained: shown for scale, never ranked.
    pub fn is_yardstick(&self) -> bool {
        is_yardstick(&self.actor)
    }
}

/// Whether an actor is one that nothing trained.
pub(super) fn is_yardstick(actor: &str) -> bool {
    matches!(actor, "expert" | "random") || actor.ends_with(" (endpoint)")
}

/// One episode to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EpisodeExample {
    /// [`PipelineInfo::name`].
    pub pipeline: String,
    /// [`PipelineInfo::label`].
    pub label: String,
    /// Name of the stage that played it.
    pub stage: String,
    /// `house.seen`
    pub split: String,
    /// Id within the environment.
    pub task: String,
    /// The task in words.
    pub goal: String,
    /// Whether the goal was reached.
    pub success: bool,
    /// Sum of the environment's rewards, times `success_reward`; without penalties.
    #[serde(with = "finite_or_null")]
    pub score: f64,
    /// From the first.
    pub turns: Vec<TurnExample>,
}

/// One exchange with the environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TurnExample {
    /// What the actor saw before acting.
    pub observation: String,
    /// The whole response, where it is more than the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// As the environment got it.
    pub action: String,
    /// What the turn adds to the episode's score; none where it was not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// Whether the environment did not take the action, or the response was not of the form asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invalid: bool,
    /// Mean entropy of the response's tokens, in nats; none for an actor without a distribution.
    pub entropy: Option<f64>,
}

/// JSON has no NaN and no infinity: they are written as `null` and read back as NaN.
mod finite_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Some(*value).filter(|v| v.is_finite()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }

    pub(super) mod list {
        use serde::{Deserialize, Deserializer, Serializer};

        pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(values.iter().map(|value| Some(*value).filter(|v| v.is_finite())))
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
            Ok(Vec::<Option<f64>>::deserialize(deserializer)?.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        }
    }

    pub(super) mod map {
        use serde::{Deserialize, Deserializer, Serializer};
        use std::collections::BTreeMap;

        pub(crate) fn serialize<S: Serializer>(values: &BTreeMap<String, f64>, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(values.iter().map(|(name, value)| (name, Some(*value).filter(|v| v.is_finite()))))
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, f64>, D::Error> {
            let values = BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
            Ok(values.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect())
        }
    }
}
