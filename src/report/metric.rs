//! What is known of each metric: the order of the charts, their titles, units and one sentence each.

use super::scale::Format;

/// How one metric is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Metric {
    pub title: String,
    pub unit: &'static str,
    pub format: Format,
    pub range: Option<(f64, f64)>,
    /// What is counted, for the caption; may be empty.
    pub note: &'static str,
    /// Charts stand in this order.
    pub rank: u8,
}

/// Metrics that are drawn inside the entropy chart and have none of their own, unless there is no entropy to draw them with.
pub(super) const CORRIDOR: [&str; 4] = ["entropy.reference", "entropy.low", "entropy.high", "phase"];

/// Metrics that are drawn only where they are not 0 throughout.
pub(super) const CUTS: [&str; 3] = ["prompt_cut", "response_cut", "conversation_full"];

/// Metrics that are drawn as rows of a picture over iterations, and have no chart of their own.
pub(super) fn is_row_of_a_picture(name: &str) -> bool {
    name.starts_with(BY_TURN) || name.starts_with(BY_FAMILY)
}

/// Before the number of a turn.
pub(super) const BY_TURN: &str = "entropy/turn/";
/// Before the name of a family, which stands before `/success`.
pub(super) const BY_FAMILY: &str = "family/";

const SHARE: (&str, Format, Option<(f64, f64)>) = ("%", Format::Percent, Some((0.0, 1.0)));
const FROM_ZERO: Option<(f64, f64)> = Some((0.0, 0.0));

pub(super) fn metric(name: &str) -> Metric {
    let plain = |rank, title: &str, unit, range, note| Metric { title: title.into(), unit, format: Format::Plain, range, note, rank };
    let share = |rank, title: String, note| Metric { title, unit: SHARE.0, format: SHARE.1, range: SHARE.2, note, rank };
    if let Some(split) = name.strip_prefix("eval/").and_then(|rest| rest.strip_suffix("/success")) {
        return share(1, format!("Success on {split}"), "Evaluations during training: share of the split's episodes that succeed.");
    }
    if let Some(term) = name.strip_prefix("loss/") {
        return plain(8, &format!("Loss: {term}"), "", None, "");
    }
    if let Some(reward) = name.strip_prefix("reward/") {
        return plain(2, &format!("Reward: {reward}"), "", None, "Mean over the turns of the iteration's own episodes.");
    }
    if let Some(figure) = name.strip_prefix("env/") {
        let note = "The environment's own measure, of the iteration's own episodes.";
        return match figure.starts_with("success") {
            true => share(3, format!("Environment: {figure}"), note),
            false => plain(3, &format!("Environment: {figure}"), "", None, note),
        };
    }
    match name {
        "success" => share(0, "Success while training".into(), "Share of the iteration's own episodes that succeed."),
        "return" => plain(2, "Return", "", None, "Mean episode score of the iteration's own episodes."),
        "shaping" => plain(2, "Reward: what is added", "", None, "Mean over the turns of the iteration's own episodes."),
        "turns" => plain(3, "Turns", "turns per episode", FROM_ZERO, "Mean over the iteration's own episodes."),
        "entropy" => plain(4, "Entropy", "nats", FROM_ZERO, "Mean over the tokens of the iteration's own episodes."),
        "entropy.reference" => plain(5, "Entropy: reference", "nats", FROM_ZERO, "Mean entropy of all earlier iterations."),
        "entropy.low" => plain(5, "Entropy: lower bound", "nats", FROM_ZERO, ""),
        "entropy.high" => plain(5, "Entropy: upper bound", "nats", FROM_ZERO, ""),
        "entropy.swing" => {
            let note = "Mean step of the entropy from one iteration to the next, over the last ten, as a share of the entropy.";
            Metric { range: FROM_ZERO, ..share(5, "Entropy: its swing".into(), note) }
        }
        "groups_alike" => share(5, "Groups alike".into(), "Share of the groups whose episodes all have one score."),
        "turns_alike" => share(5, "Turns alike".into(), "Share of a group's turns in which all its members took one action."),
        "repeated_actions" => {
            share(5, "Actions repeated".into(), "Share of the turns with an action that an earlier turn of the episode has.")
        }
        "distinct_actions" => plain(5, "Distinct actions", "actions", FROM_ZERO, "In the iteration's own episodes."),
        "phase" => plain(5, "Phase weight β", "", FROM_ZERO, ""),
        "kl" => plain(6, "KL divergence", "nats", FROM_ZERO, "Estimate, per token."),
        "clip_fraction" => {
            Metric { range: FROM_ZERO, ..share(7, "Clip fraction".into(), "Share of the tokens whose probability ratio was clipped.") }
        }
        "prompt_cut" => share(3, "Prompts cut".into(), "Share of the prompts that were longer than may be shown."),
        "response_cut" => share(3, "Responses cut".into(), "Share of the responses that had the most tokens that they may have."),
        "conversation_full" => {
            share(3, "Conversations full".into(), "Share of the episodes that ended because their conversation was full.")
        }
        "gradient_norm" => plain(9, "Gradient norm", "", FROM_ZERO, "Before clipping."),
        "learning_rate" => plain(10, "Learning rate", "", FROM_ZERO, ""),
        "tokens" => plain(12, "Tokens of an update", "tokens", FROM_ZERO, "Of all its rows, each with its prompt."),
        "tokens_shared" => {
            share(12, "Tokens shared".into(), "Share of an update's tokens with which another of its rows begins too: computed once.")
        }
        other => plain(11, other, "", None, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_stand_in_the_order_of_interest() {
        let mut names = ["zeta", "loss/fit", "kl", "entropy", "eval/house.seen/success", "loss/drift", "success", "return"];
        names.sort_by_key(|name| (metric(name).rank, *name));
        assert_eq!(names, ["success", "eval/house.seen/success", "return", "entropy", "kl", "loss/drift", "loss/fit", "zeta"]);
    }

    #[test]
    fn names_with_a_part_of_the_users_keep_it() {
        assert_eq!(metric("eval/house.seen/success").title, "Success on house.seen");
        assert_eq!(metric("loss/smooth").title, "Loss: smooth");
        assert_eq!(metric("reward/polite").title, "Reward: polite");
        assert_eq!(metric("my_metric").title, "my_metric");
    }
}
