//! The advantage and the loss that the source computes, as lines of a recipe.

use super::given::{Given, Source};
use super::keys::Slot;

/// Lines, each with the comment behind it.
pub(super) struct Equations {
    pub advantage: (String, String),
    /// Name, expression and comment; `minimize` last.
    pub loss: Vec<(String, String, String)>,
    pub has_critic: bool,
    /// `lib/epo_released.epo` is needed.
    pub released: bool,
}

pub(super) fn equations(given: &mut Given) -> Equations {
    let (advantage, has_critic) = advantage(given);
    let mut loss = vec![surrogate(given)];
    let mut sum = "surrogate".to_owned();
    let (uses, weight) = drift(given);
    if uses {
        let kind = given.text(Slot::KlKind);
        let (form, from) = kl(given, kind);
        loss.push(("drift".into(), aggregated(given, &form), from));
        sum += &format!(" + {weight} * drift");
    }
    if has_critic {
        let (range, key) = given.number(Slot::ValueClip, 0.5);
        loss.push(("fit".into(), format!("mean(value_clip({range}))"), key));
        sum += " + fit";
    }
    let default = if given.source == Source::Verl && given.has(Slot::SmoothWeight) { 0.001 } else { 0.0 };
    let (weight, key) = given.number(Slot::EntropyWeight, default);
    let smooth = given.is_true(Slot::Smooth, false);
    let mut released = false;
    if weight != 0.0 {
        loss.push(("explore".into(), aggregated(given, "entropy"), key));
        if smooth {
            released = true;
            sum += &format!(" - {weight} * (explore - {})", smoothing(given, &mut loss));
        } else {
            sum += &format!(" - {weight} * explore");
        }
    }
    if !smooth || weight == 0.0 {
        without_smoothing(given, smooth);
    }
    loss.push(("minimize".into(), sum, String::new()));
    Equations { advantage, loss, has_critic, released }
}

fn advantage(given: &mut Given) -> ((String, String), bool) {
    if given.source == Source::Trl {
        let (scale, key) = given.text(Slot::ScaleRewards).unwrap_or(("group".into(), "scale_rewards: default".into()));
        let line = match scale.to_lowercase().as_str() {
            "false" | "none" => "grpo(deviation = false)",
            "batch" => "(score - mean(score, by = group)) / (std(score) + 1e-4)",
            _ => "grpo(eps = 1e-4)",
        };
        return ((line.into(), key), false);
    }
    let (estimator, key) = given.text(Slot::Estimator).unwrap_or(("gae".into(), "algorithm.adv_estimator: default".into()));
    let (gamma, lambda) = (given.number(Slot::Gamma, 1.0).0, given.number(Slot::Lambda, 1.0).0);
    let deviation = given.is_true(Slot::DividesByStd, true);
    let plain = estimator.trim_start_matches("AdvantageEstimator.").to_lowercase();
    let line = match plain.as_str() {
        "gae" => format!("gae_within_turns(gamma = {gamma}, lambda = {lambda})"),
        "grpo" if deviation => "grpo()".into(),
        "grpo" => "grpo(deviation = false)".into(),
        "gigpo" => {
            let (weight, _) = given.number(Slot::StepWeight, 1.0);
            let deviation = given.text(Slot::StepMode).is_some_and(|(mode, _)| mode == "mean_std_norm");
            format!("gigpo(weight = {weight}, gamma = {gamma}, deviation = {deviation})")
        }
        "rloo" => "rloo()".into(),
        "opo" => "opo()".into(),
        "reinforce_plus_plus" => format!("reinforce_plus_plus(gamma = {gamma})"),
        "reinforce_plus_plus_baseline" => "reinforce_plus_plus_baseline()".into(),
        other => {
            let why = "this estimator has no function of that name here: std/advantages.epo has others; a baseline of the group stands in its place";
            given.note(&format!("{key} = {other}"), why);
            "score - mean(score, by = group)".into()
        }
    };
    ((line, key), plain == "gae")
}

/// The clipped surrogate, or what stands in its place.
fn surrogate(given: &mut Given) -> (String, String, String) {
    let (clip, from) = given.number(Slot::Clip, 0.2);
    let (low, _) = given.number(Slot::ClipLow, clip);
    let (high, _) = given.number(Slot::ClipHigh, if given.source == Source::Verl { clip } else { low });
    let (dual, _) = given.number(Slot::Dual, if given.source == Source::Verl { 3.0 } else { 0.0 });
    let mut arguments = vec![low.to_string()];
    if high != low {
        arguments.push(format!("high = {high}"));
    }
    let clips = arguments.join(", ");
    if dual > 0.0 {
        arguments.push(format!("dual = {dual}"));
    }
    let clipped = format!("ppo_clip({})", arguments.join(", "));
    let mode = given.text(Slot::LossType).map(|(mode, _)| mode.to_lowercase()).unwrap_or_default();
    let by_sequence = given.text(Slot::Ratio).is_some_and(|(level, _)| level == "sequence");
    let term = match mode.as_str() {
        "gspo" => format!("gspo({low}, high = {high})"),
        _ if by_sequence => format!("gspo({low}, high = {high})"),
        "cispo" => format!("cispo({clips})"),
        "sapo" => "sapo()".into(),
        "clip_cov" => "clip_cov()".into(),
        "kl_cov" => "kl_cov()".into(),
        "" | "vanilla" | "grpo" | "bnpo" | "dr_grpo" | "dapo" => clipped,
        other => {
            given.note(
                &format!("loss {other}"),
                "this form of the loss has no function of that name here: std/losses.epo has others; the clipped one stands in its place",
            );
            clipped
        }
    };
    let (share, key) = given.number(Slot::TopEntropy, 1.0);
    let term = if (0.0..1.0).contains(&share) && key != "default" { format!("most_undecided({term}, fraction = {share})") } else { term };
    let line = aggregated_by(given, &term, &mode);
    ("surrogate".into(), line, from)
}

/// How the source takes the mean over tokens.
fn aggregated(given: &mut Given, term: &str) -> String {
    let mode = given.text(Slot::LossType).map(|(mode, _)| mode.to_lowercase()).unwrap_or_default();
    aggregated_by(given, term, &mode)
}

fn aggregated_by(given: &mut Given, term: &str, mode: &str) -> String {
    let longest = given.count(Slot::ResponseTokens, 512).0;
    if given.source == Source::Trl {
        return match mode {
            "grpo" | "sapo" => format!("turn_mean({term})"),
            "dr_grpo" => format!("turn_sum({term}, over = {longest})"),
            _ => format!("mean({term})"),
        };
    }
    match given.text(Slot::Aggregation).map(|(mode, _)| mode).as_deref() {
        None | Some("token-mean") => format!("mean({term})"),
        Some("seq-mean-token-mean") => format!("turn_mean({term})"),
        Some("seq-mean-token-sum") => format!("turn_sum({term})"),
        Some("seq-mean-token-sum-norm") => format!("turn_sum({term}, over = {longest})"),
        Some(other) => {
            let what = format!("actor_rollout_ref.actor.loss_agg_mode = {other}");
            if !given.unplaced.iter().any(|known| known.what == what) {
                given.note(&what, "this mean is not known here; every token counts alike in its place");
            }
            format!("mean({term})")
        }
    }
}

/// Whether the loss has a term for the distance to the reference, and its weight.
fn drift(given: &mut Given) -> (bool, f64) {
    if given.is_true(Slot::KlInReward, false) {
        let why =
            "the reward has it there: write it into the advantage, `gae(on_last(outcome) - 0.001 * (old_logp - ref_logp), old_value)`";
        given.note("algorithm.use_kl_in_reward = True", why);
    }
    match given.source {
        Source::Trl => {
            let (weight, _) = given.number(Slot::KlWeight, 0.0);
            (weight != 0.0, weight)
        }
        Source::Verl => {
            let uses = given.is_true(Slot::UsesKl, false);
            if !uses {
                for setting in [Slot::KlWeight, Slot::KlKind].into_iter().filter_map(|slot| given.withdraw(slot)).collect::<Vec<_>>() {
                    given.ignore(&setting, "read only with `use_kl_loss=True`");
                }
                return (false, 0.0);
            }
            let (weight, _) = given.number(Slot::KlWeight, 0.001);
            (weight != 0.0, weight)
        }
    }
}

fn kl(given: &mut Given, kind: Option<(String, String)>) -> (String, String) {
    let Some((kind, key)) = kind else { return ("kl_k3()".into(), "default".into()) };
    let form = match kind.as_str() {
        "kl" | "k1" => "kl_k1()",
        "abs" => "kl_abs()",
        "mse" | "k2" => "kl_k2()",
        "low_var_kl" | "k3" => "kl_k3()",
        "low_var_kl+" | "k3+" => "kl_k3_plus()",
        other => {
            given.note(&format!("{key} = {other}"), "this form is not known here: std/losses.epo has others; `kl_k3` stands in its place");
            "kl_k3()"
        }
    };
    (form.into(), key)
}

/// The released code's smoothing; gives what is taken off the entropy.
fn smoothing(given: &mut Given, loss: &mut Vec<(String, String, String)>) -> String {
    let (low, from) = given.number(Slot::SmoothLow, 0.8);
    let (high, _) = given.number(Slot::SmoothHigh, 1.2);
    let (penalty, _) = given.number(Slot::SmoothPenalty, 0.1);
    if let Some((mode, key)) = given.text(Slot::SmoothMode).filter(|(mode, _)| mode != "token") {
        given.note(&format!("{key} = {mode}"), "the corridor here is that of each token's entropy");
    }
    // It counts on 50 turns, whatever the environment has.
    let term = format!("if_late(mean({penalty} * outside_by_turn(low = {low}, high = {high})), turn = 25)");
    loss.push(("smooth".into(), term, from));
    let (weight, _) = given.number(Slot::SmoothWeight, 1.0);
    let weight = if weight == 1.0 { String::new() } else { format!("{weight} * ") };
    if given.is_true(Slot::SmoothFalls, false) {
        loss.push(("beta".into(), "falling_weight()".into(), "enable_smooth_weights".into()));
        format!("{weight}beta * smooth")
    } else {
        format!("{weight}smooth")
    }
}

/// What is read only beside the smoothing.
fn without_smoothing(given: &mut Given, smooth: bool) {
    let why = if smooth {
        "read only where `entropy_coeff` is not 0"
    } else {
        "read only with `entropy_smooth=True`, which does not reach the trainer or is off"
    };
    for slot in [Slot::SmoothMode, Slot::SmoothLow, Slot::SmoothHigh, Slot::SmoothPenalty, Slot::SmoothWeight, Slot::SmoothFalls] {
        if let Some(setting) = given.withdraw(slot) {
            given.ignore(&setting, why);
        }
    }
}
