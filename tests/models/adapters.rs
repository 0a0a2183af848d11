//! Adapters of PEFT: what `export` writes is evaluated and trained on, and one that lies beside a model is applied.

use crate::place::{Place, lines};
use candle_core::{Device, Tensor};
use std::collections::HashMap;
use std::path::Path;

const TRAINED: &str = r#"
pipeline a {
  policy = causal_lm {
    weights = "model", context = 380, decode = choose { temperature = 0 }
    adapter = lora { rank = 2, alpha = 8, targets = [q_proj, down_proj] }
  }
  stages {
    shown = collect { on = house.train, actor = expert, only_successes = false }
    warm  = sft { episodes = shown, epochs = 4, minibatch = 4, optimizer = adamw { lr = 0.05 } }
    test  = evaluate { policy = warm, on = [house.train, house.seen], keep = all }
    out   = export { policy = warm }
    page  = report { of = [warm, test] }
  }
}
"#;

fn with(model: &str) -> String {
    format!(
        r"
pipeline b {{
  policy = causal_lm {{ {model}, context = 380, decode = choose {{ temperature = 0 }} }}
  stages {{
    shown = collect {{ on = house.train, actor = expert, only_successes = false }}
    test  = evaluate {{ on = [house.train, house.seen], keep = all }}
    more  = sft {{ episodes = shown, optimizer = adamw {{ lr = 0.01 }} }}
    out   = export {{ policy = more }}
    page  = report {{ of = [test, more] }}
  }}
}}
"
    )
}

/// A model, and an adapter that was trained on it in `adapter`.
fn trained() -> Place {
    let place = Place::new();
    place.write(TRAINED);
    place.run();
    copy(&place.task("a.out").join("outputs/folder/adapter"), &place.path("adapter"));
    copy(&place.task("a.out").join("outputs/folder"), &place.path("merged"));
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
}

/// What was played, without the numbers of a policy.
fn actions(task: &Path) -> Vec<String> {
    let of = |line: serde_json::Value| {
        let turns = line["episode"]["turns"].as_array().expect("turns").clone();
        turns.iter().map(|t| t["action"].as_str().expect("an action").to_string()).collect::<Vec<_>>().join("; ")
    };
    lines(&task.join("episodes.jsonl")).into_iter().map(of).collect()
}

fn task(place: &Place, name: &str) -> std::path::PathBuf {
    let run = std::fs::read_dir(place.path("runs/b")).expect("runs").flatten().max_by_key(|e| e.metadata().and_then(|m| m.modified()).ok());
    run.expect("a run").path().join("tasks").join(name)
}

#[test]
fn what_was_exported_acts_as_before_in_every_form() {
    let place = trained();
    let before = actions(&place.task("a.test"));
    assert_eq!(before.len(), 6, "all episodes of both splits are kept");
    copy(&place.path("model"), &place.path("both"));
    copy(&place.path("adapter"), &place.path("both"));
    for model in ["weights = \"model\", adapter = peft { folder = \"adapter\" }", "weights = \"merged\"", "weights = \"both\""] {
        place.write(&with(model));
        let said = place.epo(&["a.epo", "--quiet"]);
        assert_eq!(said.code, Some(0), "{model}: {}", said.err);
        assert_eq!(actions(&task(&place, "b.test")), before, "{model}");
    }
    let page = std::fs::read_to_string(task(&place, "b.page").join("outputs/page/report.json")).expect("a page");
    let page: serde_json::Value = serde_json::from_str(&page).expect("JSON");
    assert!(page["examples"].as_array().expect("examples").len() <= 8, "a report shows a few");
}

#[test]
fn training_goes_on_with_the_adapter_alone() {
    let place = trained();
    place.write(&with("weights = \"model\", adapter = peft { folder = \"adapter\" }"));
    let said = place.epo(&["a.epo", "--quiet"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let load = |path: &Path| candle_core::safetensors::load(path, &Device::Cpu).expect("a file");
    let numbers = |t: &Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers");
    let exported = task(&place, "b.out").join("outputs/folder");
    let (old, new) = (load(&place.path("adapter/adapter_model.safetensors")), load(&exported.join("adapter/adapter_model.safetensors")));
    assert_eq!(old.len(), new.len());
    for (name, old) in &old {
        let far = numbers(old).iter().zip(numbers(&new[name])).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far > 0.0 && far < 0.05, "`{name}` moved by {far}");
    }
    let (base, merged) = (load(&place.path("model/model.safetensors")), load(&exported.join("model.safetensors")));
    assert_eq!(numbers(&base["model.norm.weight"]), numbers(&merged["model.norm.weight"]));
}

#[test]
fn an_adapter_beside_its_model_is_shown_and_one_alone_is_named() {
    let place = trained();
    copy(&place.path("model"), &place.path("both"));
    copy(&place.path("adapter"), &place.path("both"));
    let info = |name: &str| place.epo(&["model", "info", name]);
    let hash = |name: &str| info(name).out.lines().last().expect("a line").to_string();
    assert!(info("both").out.contains("adapter       of rank 2 on q_proj, down_proj, merged\n"), "{}", info("both").out);
    assert_eq!(hash("both"), hash("merged"));
    assert_ne!(hash("both"), hash("model"));
    let alone = info("adapter");
    assert_eq!(alone.code, Some(1));
    assert!(
        alone
            .err
            .contains("adapter: holds an adapter without its model; name the model as `weights`, and this folder as `adapter = peft {"),
        "{}",
        alone.err
    );
}

#[test]
fn what_is_not_known_is_refused_by_name_before_anything_runs() {
    let place = trained();
    place.write(&with("weights = \"model\", adapter = peft { folder = \"adapter\" }"));
    let (about, tensors) = (place.path("adapter/adapter_config.json"), place.path("adapter/adapter_model.safetensors"));
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&about).expect("a file")).expect("JSON");
    let refused = |words: &str| {
        let said = place.epo(&["a.epo", "--quiet"]);
        assert!(said.code == Some(2) && said.err.contains("error[E0505]") && said.err.contains(words), "{words}: {}", said.err);
    };
    for (field, value, words) in [
        ("use_dora", serde_json::json!(true), "`use_dora` is true, which is not known here"),
        ("modules_to_save", serde_json::json!(["lm_head"]), "`modules_to_save` is [\"lm_head\"]"),
        ("rank_pattern", serde_json::json!({ "q_proj": 4 }), "`rank_pattern` is"),
        ("init_lora_weights", serde_json::json!("pissa"), "`init_lora_weights` is \"pissa\""),
        ("peft_type", serde_json::json!("IA3"), "`peft_type` is \"IA3\"; only \"LORA\" is known"),
        ("r", serde_json::json!(4), "has shape [2, "),
        ("r", serde_json::json!(0), "`r` has to be a number from 1"),
        ("lora_alpha", serde_json::json!(null), "`lora_alpha` has to be a number above 0"),
    ] {
        let mut changed = whole.clone();
        changed[field] = value;
        std::fs::write(&about, changed.to_string()).expect("a file");
        refused(words);
    }
    std::fs::write(&about, whole.to_string()).expect("a file");
    let all: HashMap<String, Tensor> = candle_core::safetensors::load(&tensors, &Device::Cpu).expect("a file");
    let mut some = all.clone();
    some.retain(|name, _| !name.contains("layers.1.self_attn.q_proj.lora_A"));
    candle_core::safetensors::save(&some, &tensors).expect("a file");
    refused("`model.layers.1.self_attn.q_proj.lora_A.weight` is missing; an adapter of some layers only is not known here");
    let mut more = all;
    more.insert(
        "base_model.model.lm_head.lora_A.weight".into(),
        Tensor::zeros((2, 24), candle_core::DType::F32, &Device::Cpu).expect("zeros"),
    );
    candle_core::safetensors::save(&more, &tensors).expect("a file");
    refused("holds `lm_head.lora_A.weight`, which an adapter of this model does not have");
    std::fs::remove_file(&tensors).expect("a file");
    std::fs::write(place.path("adapter/adapter_model.bin"), "").expect("a file");
    refused("has `adapter_model.bin` only: pickles can run code and are never read");
}
