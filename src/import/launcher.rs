//! The launcher that the authors of EPO released (`WujiangXu/EPO`, commit 5b6fa98, `examples/general_running_server.sh`): which of its flags it hands on.

use super::given::{Setting, Unplaced};
use std::collections::BTreeMap;

/// A flag, its value where it is left out, and the keys that get it in each branch.
struct Flag {
    name: &'static str,
    default: &'static str,
    ppo: &'static [&'static str],
    grpo: &'static [&'static str],
}

const fn flag(name: &'static str, default: &'static str, ppo: &'static [&'static str], grpo: &'static [&'static str]) -> Flag {
    Flag { name, default, ppo, grpo }
}

const FLAGS: &[Flag] = &[
    flag("environment", "alfworld", &["env.env_name"], &["env.env_name"]),
    flag("rl_algorithm", "grpo", &["algorithm.adv_estimator"], &["algorithm.adv_estimator", "trainer.rl_algorithm"]),
    flag("train_data_size", "16", &["data.train_batch_size", "critic.ppo_mini_batch_size"], &["data.train_batch_size"]),
    flag("val_data_size", "16", &["data.val_batch_size"], &["data.val_batch_size"]),
    flag("group_size", "8", &[], &["env.rollout.n"]),
    flag("seed", "0", &["env.seed"], &["env.seed"]),
    flag("n_gpus", "8", &["trainer.n_gpus_per_node"], &["trainer.n_gpus_per_node"]),
    flag("engine", "vllm", &["actor_rollout_ref.rollout.name"], &["actor_rollout_ref.rollout.name"]),
    flag("total_epochs", "150", &["trainer.total_epochs"], &["trainer.total_epochs"]),
    flag("lr", "1e-6", &["actor_rollout_ref.actor.optim.lr", "critic.optim.lr"], &["actor_rollout_ref.actor.optim.lr"]),
    flag("lr_warmup_steps", "-1", &["actor_rollout_ref.actor.optim.lr_warmup_steps"], &["actor_rollout_ref.actor.optim.lr_warmup_steps"]),
    flag(
        "lr_warmup_steps_ratio",
        "0.0",
        &["actor_rollout_ref.actor.optim.lr_warmup_steps_ratio"],
        &["actor_rollout_ref.actor.optim.lr_warmup_steps_ratio"],
    ),
    flag("min_lr_ratio", "0.0", &["actor_rollout_ref.actor.optim.min_lr_ratio"], &["actor_rollout_ref.actor.optim.min_lr_ratio"]),
    flag("num_cycles", "0.5", &["actor_rollout_ref.actor.optim.num_cycles"], &["actor_rollout_ref.actor.optim.num_cycles"]),
    flag("warmup_style", "constant", &["actor_rollout_ref.actor.optim.warmup_style"], &["actor_rollout_ref.actor.optim.warmup_style"]),
    flag("weight_decay", "0.01", &["actor_rollout_ref.actor.optim.weight_decay"], &["actor_rollout_ref.actor.optim.weight_decay"]),
    flag("model_path", "your_model_path", &["actor_rollout_ref.model.path", "critic.model.path"], &["actor_rollout_ref.model.path"]),
    flag("model_load_method", "local", &["actor_rollout_ref.model.load_method"], &["actor_rollout_ref.model.load_method"]),
    flag("ppo_mini_batch_size", "256", &["actor_rollout_ref.actor.ppo_mini_batch_size"], &["actor_rollout_ref.actor.ppo_mini_batch_size"]),
    flag(
        "ppo_micro_batch_size_per_gpu",
        "32",
        &["actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu"],
        &["actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu"],
    ),
    flag(
        "log_prob_micro_batch_size_per_gpu",
        "32",
        &["actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu"],
        &["actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu"],
    ),
    flag("entropy_coeff", "0.001", &["actor_rollout_ref.actor.entropy_coeff"], &["actor_rollout_ref.actor.entropy_coeff"]),
    flag(
        "entropy_smooth_coeff",
        "1.0",
        &["actor_rollout_ref.actor.entropy_smooth_coeff"],
        &["actor_rollout_ref.actor.entropy_smooth_coeff"],
    ),
    flag("entropy_smooth", "False", &[], &["actor_rollout_ref.actor.entropy_smooth"]),
    flag("entropy_smooth_mask_mode", "token", &[], &["actor_rollout_ref.actor.entropy_smooth_mask_mode"]),
    flag("entropy_smooth_min_ratio", "0.5", &[], &["actor_rollout_ref.actor.entropy_smooth_min_ratio"]),
    flag("entropy_smooth_max_ratio", "1.5", &[], &["actor_rollout_ref.actor.entropy_smooth_max_ratio"]),
    flag("entropy_smooth_out_range_penalty", "0.1", &[], &["actor_rollout_ref.actor.entropy_smooth_out_range_penalty"]),
    flag("enable_smooth_weights", "False", &[], &["actor_rollout_ref.actor.enable_smooth_weights"]),
    flag("entropy_distribution_output_file", "", &[], &["actor_rollout_ref.actor.entropy_distribution_output_file"]),
    flag("entropy_threshold", "1.2", &[], &["env.entropy_threshold"]),
    flag("adaptive_start_epoch", "0", &[], &["env.adaptive_start_epoch"]),
    flag("val_one_time_size", "128", &[], &["trainer.val_one_time_size"]),
    flag("window_size", "5", &[], &["trainer.window_size"]),
    flag("enable_entropy_reward_logging", "False", &[], &[]),
];

/// Keys that it sets by itself, in both branches.
const FIXED: &[(&str, &str)] = &[
    ("data.max_prompt_length", "2048"),
    ("data.max_response_length", "512"),
    ("data.truncation", "left"),
    ("actor_rollout_ref.actor.use_kl_loss", "True"),
    ("actor_rollout_ref.actor.kl_loss_coef", "0.01"),
    ("actor_rollout_ref.actor.kl_loss_type", "low_var_kl"),
    ("actor_rollout_ref.rollout.val_kwargs.temperature", "0.4"),
    ("actor_rollout_ref.rollout.val_kwargs.do_sample", "True"),
    ("actor_rollout_ref.actor.use_invalid_action_penalty", "True"),
    ("actor_rollout_ref.actor.invalid_action_penalty_coef", "0.1"),
    ("algorithm.use_kl_in_reward", "False"),
    ("trainer.test_freq", "5"),
];

/// What it calls an environment, what the trainer does, and how many turns it sets.
const ENVIRONMENTS: &[(&str, &str, &str)] =
    &[("alfworld", "alfworld/AlfredTWEnv", "50"), ("webshop", "Webshop", "15"), ("sciworld", "sciworld/SciWorldEnv", "30")];

/// Other names of flags.
const ALSO: &[(&str, &str)] = &[("smooth_weights", "enable_smooth_weights")];

pub(super) fn is_launcher(word: &str) -> bool {
    word.rsplit('/').next() == Some("general_running_server.sh")
}

/// The keys that it sets with these flags, and the flags that it drops.
///
/// # Errors
/// What it refuses itself: a flag, an environment or an algorithm that it does not know.
pub(super) fn settings(words: &[String]) -> Result<(Vec<Setting>, Vec<Unplaced>), String> {
    let mut values: BTreeMap<&str, String> = FLAGS.iter().map(|flag| (flag.name, flag.default.to_owned())).collect();
    let mut said: Vec<&Flag> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").unwrap_or(word);
        let name = ALSO.iter().find(|(other, _)| *other == name).map_or(name, |(_, name)| name);
        let Some(flag) = FLAGS.iter().find(|flag| flag.name == name && word.starts_with("--")) else {
            return Err(format!("the launcher stops at `{word}`, which it does not know"));
        };
        let value = words.next().ok_or_else(|| format!("`{word}` has no value"))?;
        values.insert(flag.name, value.clone());
        said.push(flag);
    }
    let value = |name: &str| values.get(name).cloned().unwrap_or_default();
    let is_ppo = match value("rl_algorithm").as_str() {
        "ppo" => true,
        "grpo" => false,
        other => return Err(format!("the launcher stops at the algorithm `{other}`; it knows `ppo` and `grpo`")),
    };
    let wanted = value("environment");
    let Some((_, environment, turns)) = ENVIRONMENTS.iter().find(|(name, ..)| *name == wanted) else {
        return Err(format!("the launcher stops at the environment `{wanted}`; it knows `alfworld`, `webshop` and `sciworld`"));
    };
    let mut settings: Vec<Setting> = FIXED.iter().map(|(key, value)| setting(key, value)).collect();
    settings.push(setting("env.max_steps", turns));
    settings.push(setting("actor_rollout_ref.actor.max_steps", turns));
    for flag in FLAGS {
        let given = match flag.name {
            "environment" => (*environment).to_owned(),
            "rl_algorithm" if is_ppo => "gae".into(),
            "train_data_size" if is_ppo => times(&value("train_data_size"), &value("group_size")),
            name => value(name),
        };
        let keys = if is_ppo { flag.ppo } else { flag.grpo };
        settings.extend(keys.iter().map(|key| setting(key, &given)));
    }
    let dropped = said.iter().filter(|flag| is_ppo && flag.ppo.is_empty() || flag.grpo.is_empty());
    Ok((settings, dropped.map(|flag| unplaced(flag, &value(flag.name), is_ppo)).collect()))
}

fn unplaced(flag: &Flag, value: &str, is_ppo: bool) -> Unplaced {
    let (what, branch) = (format!("--{} {value}", flag.name), if is_ppo { "PPO" } else { "GRPO" });
    let why = match flag.name {
        "group_size" => {
            let why = "the PPO branch makes no groups: it only multiplies the number of episodes by it";
            return Unplaced { what, why: why.into(), ignored: false };
        }
        _ if is_ppo && !flag.grpo.is_empty() => {
            "dropped in the PPO branch of the launcher: only its GRPO branch hands this switch to the trainer".to_owned()
        }
        _ => format!("dropped in the {branch} branch of the launcher, as in the other: nothing gets it"),
    };
    Unplaced { what, why, ignored: true }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.into(), value: value.into() }
}

/// As the shell multiplies.
fn times(a: &str, b: &str) -> String {
    let product = a.parse::<u64>().ok().zip(b.parse::<u64>().ok()).and_then(|(a, b)| a.checked_mul(b));
    product.map_or_else(|| format!("{a} * {b}"), |product| product.to_string())
}
