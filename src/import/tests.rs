use super::*;
use crate::lang::load::Root;
use crate::spec::{LIBRARY, Request, compile};

fn none(_: &Path) -> Result<String, String> {
    Err("no file is read".into())
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Warnings of what the source itself does: its model is a branch, and its smoothing has no gradient.
const MEANT: [&str; 2] = ["W0203", "W0301"];

/// Checks, with no other warning.
#[track_caller]
fn checks(imported: &Imported) {
    let compiled = compile(&Request { root: Root::Text { name: "imported.epo", text: &imported.text }, overrides: &[], library: &LIBRARY });
    let said: Vec<_> = compiled
        .diagnostics
        .0
        .iter()
        .filter(|message| !MEANT.contains(&message.code))
        .map(|message| format!("{}: {}", message.code, message.message))
        .collect();
    assert!(said.is_empty(), "{said:#?}\n{}", imported.text);
    assert_eq!(crate::lang::format::format(&imported.text).ok().as_deref(), Some(imported.text.as_str()));
}

/// What stands in the list behind a setting.
#[track_caller]
fn reason<'t>(imported: &'t Imported, what: &str) -> &'t str {
    let at = imported.text.find(&format!("\n#   {what}")).unwrap_or_else(|| panic!("`{what}` is in no list:\n{}", imported.text));
    imported.text[at + 1..].lines().nth(1).map_or("", |line| line.trim_start_matches(['#', ' ']))
}

#[track_caller]
fn has(imported: &Imported, line: &str) {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain(&imported.text).contains(&plain(line)), "`{line}` is not in\n{}", imported.text);
}

/// The flags are those of the two commands on the front page of the released code, written here as facts about it.
fn released(environment: &str, seed: u32, lr: &str, penalty: &str, more: &str) -> Imported {
    let line = format!(
        "bash examples/general_running_server.sh --environment {environment} --rl_algorithm ppo --seed {seed} --lr {lr} \
         --lr_warmup_steps_ratio 0.1 --min_lr_ratio 0.2 --warmup_style cosine --entropy_smooth True --enable_smooth_weights True \
         --entropy_smooth_mask_mode token --entropy_smooth_min_ratio 0 --entropy_smooth_max_ratio 2.0 \
         --entropy_smooth_out_range_penalty {penalty} --model_path /models/policy --model_load_method local {more}"
    );
    verl(&words(&line), none).unwrap()
}

const DROPPED: &str = "dropped in the PPO branch of the launcher: only its GRPO branch hands this switch to the trainer";

#[test]
fn the_released_launcher_drops_the_smoothing_in_its_ppo_branch() {
    let batches = "--log_prob_micro_batch_size_per_gpu 8 --ppo_micro_batch_size_per_gpu 8 --ppo_mini_batch_size 64 --total_epochs 125";
    let science = released("sciworld", 0, "3e-6", "0.05", batches);
    let house = released("alfworld", 1, "5e-6", "0.1", "");
    for imported in [&science, &house] {
        checks(imported);
        for switch in [
            "--entropy_smooth True",
            "--enable_smooth_weights True",
            "--entropy_smooth_mask_mode token",
            "--entropy_smooth_min_ratio 0",
            "--entropy_smooth_max_ratio 2.0",
            "--entropy_smooth_out_range_penalty",
        ] {
            assert_eq!(reason(imported, switch), DROPPED, "{switch}");
        }
        assert!(reason(imported, "actor_rollout_ref.actor.entropy_smooth_coeff = 1.0").starts_with("read only with `entropy_smooth=True`"));
        assert!(reason(imported, "actor_rollout_ref.actor.max_steps").contains("without an `s`"));
        let ignored = imported.text.find("# Ignored by the source itself:").unwrap();
        assert!(imported.text.find("--entropy_smooth True").unwrap() > ignored);
        has(imported, "minimize = surrogate + 0.01 * drift + fit - 0.001 * explore");
        has(imported, "advantage = gae_within_turns(gamma = 1, lambda = 1)");
        has(imported, "groups = 128");
        assert!(!imported.text.contains("smooth  "), "{}", imported.text);
    }
    has(&science, "import \"lib/scienceworld.epo\"");
    has(&science, "iterations = 125");
    has(&science, "lr = cosine(3e-6, warmup = 0.1, floor = 0.2)");
    has(&science, "max_turns = 30");
    has(&science, "minibatch = 64");
    has(&house, "import \"lib/alfworld.epo\"");
    has(&house, "iterations = 150");
    has(&house, "seeds = [1]");
}

#[test]
fn the_released_launcher_in_a_script() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.sh").display().to_string();
    let script = "#!/bin/bash\nLR=3e-6\n# PPO\nbash examples/general_running_server.sh --environment sciworld \\\n  --rl_algorithm \"ppo\" --lr $LR --entropy_smooth True\n";
    std::fs::write(&file, script).unwrap();
    let imported = verl(&[file], |path| std::fs::read_to_string(path).map_err(|error| error.to_string())).unwrap();
    checks(&imported);
    has(&imported, "lr = 3e-6");
    assert_eq!(reason(&imported, "--entropy_smooth True"), DROPPED);
}

#[test]
fn its_grpo_branch_smooths() {
    let line = "examples/general_running_server.sh --rl_algorithm grpo --entropy_smooth True --smooth_weights True --window_size 3";
    let imported = verl(&words(line), none).unwrap();
    checks(&imported);
    has(&imported, "smooth = if_late(mean(0.1 * outside_by_turn(low = 0.5, high = 1.5)), turn = 25)");
    has(&imported, "minimize = surrogate + 0.01 * drift - 0.001 * (explore - beta * smooth)");
    has(&imported, "group_size = 8");
    assert!(reason(&imported, "trainer.window_size = 3").contains("no window"));
    for (line, message) in [
        ("general_running_server.sh --lambda 1", "the launcher stops at `--lambda`, which it does not know"),
        ("general_running_server.sh --rl_algorithm rloo", "the launcher stops at the algorithm `rloo`; it knows `ppo` and `grpo`"),
        ("general_running_server.sh --seed", "`--seed` has no value"),
    ] {
        assert_eq!(verl(&words(line), none).unwrap_err(), message);
    }
}

#[test]
fn a_launcher_of_verl_agent() {
    let script = r#"set -x
ENGINE=${1:-vllm}
size=16 # games
group=8
python3 -m some.preparation --train $size
python3 -m verl.trainer.main_ppo \
    algorithm.adv_estimator=gigpo algorithm.gamma=0.95 \
    algorithm.gigpo.mode="mean_std_norm" \
    data.train_batch_size=$size data.max_prompt_length=$((size * 128)) \
    actor_rollout_ref.model.path=Qwen/Qwen2.5-7B-Instruct \
    actor_rollout_ref.model.lora_rank=64 actor_rollout_ref.model.lora_alpha=32 \
    actor_rollout_ref.rollout.name=$ENGINE \
    env.env_name=Webshop env.max_steps=15 env.rollout.n=$group \
    data.train_files=$HOME/data/train.parquet \
    trainer.total_epochs=150 trainer.test_freq=5 something.else=1 $@
"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.sh").display().to_string();
    std::fs::write(&file, script).unwrap();
    let imported = verl(&[file], |path| std::fs::read_to_string(path).map_err(|error| error.to_string())).unwrap();
    checks(&imported);
    has(&imported, "advantage = gigpo(weight = 1, gamma = 0.95, deviation = true)");
    has(&imported, "name = \"webshop\", version = \"1\"");
    has(&imported, "max_tokens = 2048");
    has(&imported, "groups = 16");
    has(&imported, "group_size = 8");
    has(&imported, "weights = \"hub:Qwen/Qwen2.5-7B-Instruct@main\"");
    has(&imported, "adapter = lora { rank = 64, alpha = 32, targets = [q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj] }");
    assert!(reason(&imported, "env.env_name = Webshop").contains("env.NAME.command"));
    assert!(reason(&imported, "something.else = 1").contains("not known"));
    assert!(reason(&imported, "actor_rollout_ref.rollout.name = vllm").contains("sampled by the engine"));
}

#[test]
fn configurations_of_verl() {
    let yaml = "
data:
  train_batch_size: 512   # prompts
actor_rollout_ref:
  model: {path: null}
  actor:
    optim:
      lr: 2e-6
      warmup_style: cosine
    use_kl_loss: True
    kl_loss_type: 'k2'
    clip_ratio_high: 0.28
    loss_agg_mode: seq-mean-token-mean
    ppo_mini_batch_size: 128
  rollout:
    n: 8
    response_length: ${data.train_batch_size}
algorithm:
  adv_estimator: grpo
  norm_adv_by_std_in_grpo: False
trainer:
  total_epochs: 3
  logger:
    - console
    - wandb
";
    let settings = config::flat("a.yaml", yaml).unwrap();
    let of = |key: &str| settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str());
    assert_eq!(of("actor_rollout_ref.rollout.response_length"), Some("512"));
    assert_eq!(of("trainer.logger"), Some("[console, wandb]"));
    assert_eq!(of("actor_rollout_ref.actor"), None);
    let imported = super::imported(Source::Verl, "a.yaml", settings, Vec::new()).unwrap();
    checks(&imported);
    has(&imported, "surrogate = turn_mean(ppo_clip(0.2, high = 0.28, dual = 3))");
    has(&imported, "drift = turn_mean(kl_k2())");
    has(&imported, "minibatch = 1024");
    has(&imported, "advantage = grpo(deviation = false)");
    assert!(reason(&imported, "trainer.total_epochs = 3").contains("the dataset is not here"));
    for (text, message) in [
        ("a: |\n  b", "`x.yaml`, line 1: texts over several"),
        ("a: 1\n- b c", "nothing"),
        ("just words", "`x.yaml`, line 1: expected"),
        ("\ta: 1", "`x.yaml`, line 1: it is indented"),
    ] {
        match config::flat("x.yaml", text) {
            Err(error) => assert!(error.starts_with(message), "{error}"),
            Ok(_) => assert_eq!(message, "nothing"),
        }
    }
}

#[test]
fn a_grpo_config() {
    let yaml = "model_name_or_path: Qwen/Qwen2.5-0.5B-Instruct\nlearning_rate: 1.0e-5\nnum_generations: 4\nper_device_train_batch_size: 2\n\
                gradient_accumulation_steps: 8\nmax_steps: 200\nbeta: 0.04\nepsilon_high: 0.28\nloss_type: dr_grpo\nscale_rewards: false\n\
                max_completion_length: 256\nuse_vllm: true\nreport_to: none\nlr_scheduler_type: cosine\nwarmup_ratio: 0.1\n";
    let imported = trl("grpo.yaml", yaml).unwrap();
    checks(&imported);
    has(&imported, "surrogate = turn_sum(ppo_clip(0.2, high = 0.28), over = 256)");
    has(&imported, "minimize = surrogate + 0.04 * drift");
    has(&imported, "groups = 4");
    has(&imported, "minibatch = 16");
    has(&imported, "iterations = 200");
    has(&imported, "lr = cosine(1e-5, warmup = 0.1, floor = 0)");
    assert!(reason(&imported, "use_vllm = true").contains("sampled by the engine"));
    let json = r#"{"learning_rate": 1e-6, "top_entropy_quantile": 0.2, "importance_sampling_level": "sequence", "num_train_epochs": 1}"#;
    let imported = trl("grpo.json", json).unwrap();
    checks(&imported);
    has(&imported, "surrogate = mean(most_undecided(gspo(0.2, high = 0.2), fraction = 0.2))");
    assert!(reason(&imported, "num_train_epochs = 1").contains("the dataset is not here"));
    assert_eq!(trl("x.json", "{}").unwrap_err(), "`x.json` sets nothing that is known of TRL");
}

/// Every key of the tables alone gives a file that checks.
#[test]
fn every_key_of_the_tables() {
    for (source, table, more) in [(Source::Verl, keys::VERL, "trainer.total_training_steps"), (Source::Trl, keys::TRL, "max_steps")] {
        for (key, _) in table {
            for value in ["1", "True", "words"] {
                let settings = vec![
                    Setting { key: more.into(), value: "3".into() },
                    Setting { key: key.trim_end_matches('*').to_owned(), value: value.into() },
                ];
                let imported = super::imported(source, "x", settings, Vec::new()).unwrap();
                let compiled =
                    compile(&Request { root: Root::Text { name: "x.epo", text: &imported.text }, overrides: &[], library: &LIBRARY });
                let said: Vec<_> = compiled.diagnostics.0.iter().filter(|m| m.code.starts_with('E')).map(|m| &m.message).collect();
                assert!(said.is_empty(), "{key} = {value}: {said:?}\n{}", imported.text);
            }
        }
    }
}
