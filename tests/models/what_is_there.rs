//! What a model's files say is used, named, or refused; nothing of it is dropped without a word.

use crate::support::{Folder, config, weights};
use candle_core::Device;
use epo::model::{DecoderConfig, Message, Pretrained};
use serde_json::{Value, json};
use std::process::Command;

fn load(folder: &Folder) -> Pretrained {
    Pretrained::load(folder.root(), None, &Device::Cpu).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn refused(folder: &Folder, words: &str) {
    let message = Pretrained::load(folder.root(), None, &Device::Cpu).expect_err("a mistake").to_string();
    assert!(message.contains(words), "{message}");
}

fn about(folder: &Folder, about: &Value) {
    folder.write("tokenizer_config.json", &about.to_string());
}

fn render(folder: &Folder) -> Result<String, String> {
    load(folder).chat.expect("a template").render(&[Message::new("user", "hi")]).map_err(|e| e.to_string())
}

#[test]
fn a_head_of_its_own_is_used_whatever_the_configuration_says() {
    let own = DecoderConfig { tied: false, ..config() };
    let folder = Folder::new(&own);
    folder.describe(&config());
    let model = load(&folder);
    assert_eq!(model.weights.config(), &own);
    assert_eq!(model.weights.hash().expect("a hash"), weights(&own).hash().expect("a hash"));
    // A file that repeats the embedding as its head holds the tied model.
    let mut tensors = candle_core::safetensors::load(folder.path("model.safetensors"), &Device::Cpu).expect("tensors");
    tensors.insert("lm_head.weight".into(), tensors["model.embed_tokens.weight"].clone());
    candle_core::safetensors::save(&tensors, folder.path("model.safetensors")).expect("a file");
    assert_eq!(load(&folder).weights.config(), &config());
}

#[test]
fn tokens_are_named_in_either_of_two_files() {
    let folder = Folder::new(&config());
    about(&folder, &json!({ "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}" }));
    folder.write(
        "special_tokens_map.json",
        &json!({ "bos_token": "<|user|>", "eos_token": { "content": "<end>" }, "pad_token": "<pad>" }).to_string(),
    );
    assert_eq!(render(&folder), Ok("<|user|>hi<end>".into()));
    let tokenizer = load(&folder).tokenizer.expect("a tokenizer");
    assert_eq!((tokenizer.end(), tokenizer.pad()), (1, 0));
    folder.write("special_tokens_map.json", &json!({ "eos_token": "<end>" }).to_string());
    assert_eq!(
        render(&folder),
        Err("the chat template has a mistake in line 1: undefined value: it writes `bos_token`, and no file of the model says which token that is".into())
    );
}

#[test]
fn marks_of_trainers_print_nothing() {
    let folder = Folder::new(&config());
    let template = "{% for m in messages %}\n  {% generation %}\n{{ m.content }}\n  {%- endgeneration -%}\n x{% endfor %}";
    folder.write("chat_template.jinja", template);
    let with = render(&folder);
    folder.write("chat_template.jinja", &template.replace("endgeneration", "endif").replace("generation", "if true"));
    assert_eq!((with.clone(), with), (render(&folder), Ok("hix".into())));
}

#[test]
fn a_template_gets_a_day_only_from_a_pipeline() {
    let folder = Folder::new(&config());
    folder.write("chat_template.jinja", "{{ strftime_now('%d %b %Y') }} {{ messages[0].content }}");
    let message = render(&folder).expect_err("a mistake");
    assert!(
        message.ends_with("it asks for the day (`strftime_now`), on which results must not depend; fix one, `date = \"2026-11-28\"`"),
        "{message}"
    );
    folder.write(
        "chat_template.jinja",
        "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}2024{% endif %} {{ messages[0].content }}",
    );
    assert_eq!(render(&folder), Ok("2024 hi".into()));
    let mut chat = load(&folder).chat.expect("a template");
    chat.date = Some("2026-11-28".into());
    assert_eq!(chat.render(&[Message::new("user", "hi")]).expect("a prompt"), "2026 hi");
}

#[test]
fn keys_that_change_the_arithmetic_are_refused_and_others_named() {
    let folder = Folder::new(&config());
    folder.set("logits_scaling", json!(8.0));
    refused(&folder, "`logits_scaling` is 8.0, and this part of an architecture is not known here");
    folder.set("logits_scaling", json!(1.0));
    folder.set("frobnication", json!({ "depth": 3 }));
    load(&folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_epo-run"));
    let output =
        command.args(["model", "info"]).arg(folder.root()).env_clear().env("HOME", folder.root()).output().expect("the command starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(out.contains("note          of its `config.json`, `frobnication` is not known here and not used\n"), "{out}");
}

#[test]
fn what_a_file_leaves_out_is_what_its_architecture_says() {
    let folder = Folder::new(&DecoderConfig { context: 9000, ..config() });
    folder.set("model_type", json!("mistral"));
    assert_eq!(load(&folder).weights.config().context, 4096, "a Mistral that does not speak of its window");
    folder.write(
        "config.json",
        &std::fs::read_to_string(folder.path("config.json")).expect("a file").replacen('{', "{\"sliding_window\": null,", 1),
    );
    assert_eq!(load(&folder).weights.config().context, 9000, "one that says it has none");
}

#[test]
fn rotary_positions_by_the_kind_of_layer() {
    let folder = Folder::new(&config());
    let (one, other) = (json!({ "rope_type": "default", "rope_theta": 500.0 }), json!({ "rope_type": "default", "rope_theta": 9.0 }));
    folder.set("rope_parameters", json!({ "full_attention": one, "sliding_attention": one }));
    assert_eq!(load(&folder).weights.config().rope_theta, 500.0);
    folder.set("rope_parameters", json!({ "full_attention": one, "sliding_attention": other }));
    refused(&folder, "its kinds of layers (`full_attention`, `sliding_attention`) turn positions in different ways; one is known");
}

#[test]
fn numbers_whose_product_overflows_are_refused() {
    let folder = Folder::new(&config());
    folder.set("num_hidden_layers", json!(1_000_000_000));
    refused(&folder, "`layers` is 1000000000, it has to be between 1 and 4096");
    folder.set("num_hidden_layers", json!(4096));
    for name in ["hidden_size", "intermediate_size", "vocab_size", "num_attention_heads"] {
        folder.set(name, json!(1 << 24));
    }
    folder.set("num_key_value_heads", json!(1));
    folder.set("head_dim", json!(1 << 24));
    refused(&folder, "a model of ");
    folder.set("head_dim", json!(u64::MAX));
    refused(&folder, "a head is 18446744073709551615 wide");
}
