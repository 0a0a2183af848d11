//! What people who come from other tools write, and what it is here.

/// Names of other tools that mean nothing in this language, each with what to write instead: a sentence of a help.
pub(super) const FOREIGN: &[(&[&str], &str)] = &[
    (&["log_prob", "log_probs", "logprob", "logprobs", "logps", "new_log_probs", "curr_log_probs"], "it is called `logp` here"),
    (&["old_log_prob", "old_log_probs", "old_logprob", "old_logprobs", "old_logps"], "it is called `old_logp` here"),
    (&["ref_log_prob", "ref_log_probs", "ref_logprob", "ref_logprobs", "ref_logps", "reference_logps"], "it is called `ref_logp` here"),
    (&["rollout_log_prob", "rollout_log_probs", "rollout_logprobs", "sampling_logps"], "it is called `rollout_logp` here"),
    (&["advantages", "adv", "advs"], "it is called `advantage` here"),
    (
        &["response_mask", "loss_mask", "action_mask", "attention_mask", "completion_mask", "mask"],
        "leave it out: `mean(x)` counts response tokens alone, and `only(x, condition)` leaves some of them out",
    ),
    (&["masked_mean"], "write `mean(x)`: there is no padding to mask"),
    (&["ratios", "prob_ratio", "importance_ratio"], "write `ratio()` of `std/losses.epo`, or `exp(logp - old_logp)`"),
    (&["values", "vpreds", "vpred"], "it is called `value` here"),
    (&["old_values"], "it is called `old_value` here"),
    (&["rewards", "token_level_rewards", "token_level_scores"], "the reward of a turn is `reward`, an episode's sum `score`"),
    (&["scores"], "it is called `score` here"),
    (&["ret", "rets", "return_"], "it is called `returns` here"),
    (&["entropies", "entropys", "token_entropy"], "it is called `entropy` here"),
    (&["global_step", "global_steps", "current_step"], "it is called `iteration` here"),
    (&["total_steps", "num_steps", "total_training_steps", "max_iterations"], "it is called `iterations` here"),
    (
        &["clip_ratio", "clip_range", "cliprange", "clip_eps", "clip_epsilon", "eps_clip", "epsilon", "clip_param"],
        "the clip is an argument in the equation: `mean(ppo_clip(0.2))`",
    ),
    (
        &["clip_ratio_low", "clip_ratio_high", "epsilon_high", "epsilon_low", "clip_range_high"],
        "the clip is an argument in the equation: `mean(ppo_clip(0.2, high = 0.28))`",
    ),
    (&["clip_ratio_c", "dual_clip"], "it is an argument in the equation: `mean(ppo_clip(0.2, dual = 3))`"),
    (
        &["kl_coef", "kl_coeff", "kl_loss_coef", "init_kl_coef", "use_kl_loss", "kl_penalty", "kl_weight", "kl_loss", "kl_div", "kl"],
        "it is a term of the equation: `minimize = … + 0.001 * mean(kl_k3())`",
    ),
    (&["use_kl_in_reward", "kl_ctrl"], "it is a part of the reward: `gae(on_last(outcome) - 0.001 * (old_logp - ref_logp), old_value)`"),
    (
        &["entropy_coef", "entropy_coeff", "ent_coef", "entropy_bonus", "entropy_weight", "entropy_loss"],
        "it is a term of the equation: `minimize = … - 0.001 * mean(entropy)`",
    ),
    (
        &["vf_coef", "value_coef", "value_loss_coef", "vf_loss_coef", "critic_loss", "value_loss", "vf_loss"],
        "it is a term of the equation: `minimize = … + 0.5 * mean(value_clip(0.2))`",
    ),
    (
        &["gae_lambda", "lam", "adv_estimator"],
        "it is a part of the equation: `advantage = gae(outcome, value, gamma = 0.99, lambda = 0.95)`",
    ),
    (&["learning_rate", "lr", "weight_decay", "actor_lr"], "it is a field of the optimiser: `optimizer = adamw { lr = 1e-6 }`"),
    (&["max_grad_norm", "grad_clip", "gradient_clipping", "clip_grad_norm"], "it is a field of the optimiser: `adamw { clip_norm = 1 }`"),
    (
        &["warmup_ratio", "warmup_steps", "lr_scheduler", "lr_scheduler_type"],
        "a rate may change over the run: `lr = cosine(1e-6, warmup = 0.1)`",
    ),
    (
        &["batch_size", "train_batch_size", "per_device_train_batch_size", "rollout_batch_size", "num_prompts"],
        "an iteration has `groups` tasks with `group_size` episodes each, an update `minibatch` rows",
    ),
    (&["num_generations", "rollout_n", "n_samples", "samples_per_prompt", "n_samples_per_prompt"], "it is called `group_size` here"),
    (&["mini_batch_size", "ppo_mini_batch_size", "num_minibatches"], "it is called `minibatch` here, in rows"),
    (&["micro_batch_size", "ppo_micro_batch_size", "gradient_accumulation_steps"], "it is called `micro_batch` here, in rows"),
    (&["ppo_epochs", "num_epochs", "num_train_epochs", "update_epochs", "n_epochs", "inner_epochs"], "it is called `epochs` here"),
    (&["total_epochs", "max_steps", "total_timesteps", "num_iterations", "training_steps"], "it is called `iterations` here"),
    (
        &["max_new_tokens", "max_response_length", "max_completion_length", "response_length", "top_p", "top_k", "temperature"],
        "it is said where responses are made: `decode = sample { temperature = 1, max_tokens = 512 }`",
    ),
    (&["max_prompt_length", "max_seq_length", "prompt_length"], "it is a field of the prompt: `windowed { max_tokens = 2048 }`"),
    (
        &["model", "model_name", "model_path", "model_name_or_path", "pretrained_model", "checkpoint"],
        "the policy names it: `policy = causal_lm { weights = \"hub:Qwen/Qwen2.5-0.5B-Instruct\" }`",
    ),
    (
        &["reward_fn", "reward_func", "reward_funcs", "reward_model"],
        "the environment gives the reward: `reward`, `outcome`, `score`, `success`",
    ),
    (&["use_critic", "critic_warmup"], "a critic is trained where the equations mention `value`: `critic = value_head { … }`"),
    (&["norm_adv", "whiten_rewards", "whiten_advantages", "normalize_advantage"], "it is a part of the equation: `advantage = whiten(…)`"),
    (&["norm_adv_by_std_in_grpo", "scale_rewards"], "it is an argument in the equation: `grpo(deviation = false)`"),
    (&["loss_agg_mode", "loss_type", "reduction"], "the mean is a part of the equation: `mean(x)`, `turn_mean(x)`, `trajectory_mean(x)`"),
    (&["clamp", "clip_by_value"], "write `clip(x, low, high)`"),
    (&["maximum"], "write `max(a, b)`"),
    (&["minimum"], "write `min(a, b)`"),
    (&["detach", "stop_gradient", "stop_grad", "no_grad"], "write `stop(x)`"),
    (&["pow", "power", "square"], "write `x ^ 2`"),
    (&["mse_loss", "smooth_l1_loss", "mse"], "write it out: `mean((value - returns) ^ 2)`"),
    (&["ln", "log1p"], "write `log(x)`, the natural logarithm"),
    (&["normalize", "standardize", "zscore"], "write `whiten(x)`"),
    (&["cumsum", "returns_to_go", "rewards_to_go"], "write `discount(reward, 0.95, by = episode, per = turn)`"),
    (&["softplus"], "write `log(1 + exp(x))`"),
    (&["average", "avg"], "write `mean(x)`"),
    (&["var", "variance"], "write `std(x) ^ 2`"),
    (&["ifelse", "cond", "select", "ternary"], "a choice is written `where(condition, yes, no)`"),
    (
        &["range", "len", "print", "sorted", "zip"],
        "there are no loops and no lists to go through; `mean`, `sum` and `count` reduce what a batch holds",
    ),
    (&["torch", "np", "numpy", "tf", "jnp", "math", "F"], "functions stand by their names alone: `min(a, b)`, `exp(x)`"),
];

/// What to write instead of a name.
pub(super) fn foreign(name: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(names, _)| names.contains(&name)).map(|(_, help)| *help)
}
