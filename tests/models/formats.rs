//! The same model in different layouts.

use crate::support::{Folder, architectures, config, tokenizer, weights};
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{DType, Device, Tensor};
use epo::model::{DecoderConfig, Message, Pretrained, Prompt, RopeScaling, Variant, Weights};
use serde_json::json;
use std::collections::HashMap;
use std::fs;

fn load(folder: &Folder) -> Pretrained {
    Pretrained::load(folder.root(), None, &Device::Cpu).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn what_was_written_comes_back() {
    for (family, config) in architectures() {
        let folder = Folder::new(&config);
        let model = load(&folder);
        assert_eq!((model.family.as_str(), model.weights.config()), (family, &config));
        assert_eq!(model.weights.hash().expect("a hash"), weights(&config).hash().expect("a hash"));
        let tokenizer = model.tokenizer.expect("a tokenizer");
        assert_eq!((tokenizer.end(), tokenizer.pad()), (1, 0));
        let prompt = model.chat.expect("a template").render(&[Message::new("user", " go <end> ")]).expect("a prompt");
        assert_eq!(prompt, "<|user|>go <end><end>\n");
        // special tokens of a template are tokens, those of a text are text
        assert_eq!(tokenizer.encode_marked(&prompt).expect("ids")[0], 2);
        assert!(!tokenizer.encode(&prompt).expect("ids").contains(&2));
    }
}

#[test]
fn both_spellings_of_a_configuration() {
    let scaling = json!({ "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 32 });
    let (_, expected) = architectures().swap_remove(0);
    let folder = Folder::new(&expected);
    let old = load(&folder);
    assert_eq!(old.weights.config(), &expected);
    let mut parameters = scaling.clone();
    parameters["rope_theta"] = json!(10000.0);
    folder.set("rope_parameters", parameters);
    for name in ["rope_theta", "rope_scaling", "torch_dtype"] {
        folder.set(name, json!(null));
    }
    folder.set("dtype", json!("float32"));
    assert_eq!(load(&folder).weights.config(), &expected);
    // a window bounds the context up to which attention is whole
    folder.set("model_type", json!("mistral"));
    folder.set("sliding_window", json!(16));
    folder.set("attention_bias", json!(false));
    folder.set("mlp_bias", json!(false));
    folder.set("rope_parameters", json!({ "rope_theta": 500.0, "rope_type": "default" }));
    let plain = DecoderConfig { context: 16, rope_theta: 500.0, variant: Variant::default(), ..expected };
    weights(&plain).save(&folder.path("model.safetensors")).expect("weights");
    assert_eq!(load(&folder).weights.config(), &plain);
}

/// All parameters as another type, in two shards.
fn shard(folder: &Folder, weights: &Weights, dtype: DType) {
    let mut map = serde_json::Map::new();
    let mut shards = [HashMap::new(), HashMap::new()];
    for (i, (name, var)) in weights.variables().iter().enumerate() {
        let file = format!("model-0000{}-of-00002.safetensors", i % 2 + 1);
        map.insert(name.clone(), file.into());
        shards[i % 2].insert(name.clone(), var.as_detached_tensor().to_dtype(dtype).expect("a tensor"));
    }
    for (i, tensors) in shards.iter().enumerate() {
        let path = folder.path(&format!("model-0000{}-of-00002.safetensors", i + 1));
        candle_core::safetensors::save(tensors, path).expect("a shard");
    }
    folder.write("model.safetensors.index.json", &json!({ "weight_map": map }).to_string());
    fs::remove_file(folder.path("model.safetensors")).unwrap_or_default();
}

#[test]
fn shards_and_half_precision() {
    let folder = Folder::new(&config());
    let whole = weights(&config());
    for dtype in [DType::F32, DType::BF16, DType::F16] {
        shard(&folder, &whole, dtype);
        let found = load(&folder);
        for (name, var) in whole.variables() {
            let rounded = var.as_detached_tensor().to_dtype(dtype).and_then(|t| t.to_dtype(DType::F32)).expect("a tensor");
            assert_eq!(values(&found.weights.variables()[name]), values(&rounded), "{name} {dtype:?}");
        }
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

/// Rows of each head from two halves to pairs beside each other, as GGUF files have them for Llama.
fn pairs(tensor: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = tensor.dims2().expect("a matrix");
    let halves = tensor.reshape((heads, 2, rows / heads / 2, columns)).expect("halves");
    halves.transpose(1, 2).and_then(|t| t.contiguous()).and_then(|t| t.reshape((rows, columns))).expect("pairs")
}

fn write_gguf(path: &std::path::Path, family: &str, weights: &Weights, more: Vec<(String, gguf_file::Value)>) {
    use gguf_file::Value;
    let config = weights.config();
    let number = |n: usize| Value::U32(n as u32);
    let key = |name: &str| format!("{family}.{name}");
    let mut metadata = vec![
        ("general.architecture".to_string(), Value::String(family.into())),
        (key("block_count"), number(config.layers)),
        (key("embedding_length"), number(config.width)),
        (key("feed_forward_length"), number(config.ffn)),
        (key("attention.head_count"), number(config.heads)),
        (key("attention.head_count_kv"), number(config.kv_heads)),
        (key("attention.key_length"), number(config.head_width())),
        (key("context_length"), number(config.context)),
        (key("attention.layer_norm_rms_epsilon"), Value::F32(config.norm_eps as f32)),
        (key("rope.freq_base"), Value::F32(config.rope_theta as f32)),
    ];
    if let RopeScaling::Linear { factor } = config.variant.rope {
        metadata.push((key("rope.scaling.type"), Value::String("linear".into())));
        metadata.push((key("rope.scaling.factor"), Value::F32(factor as f32)));
    }
    metadata.extend(more);
    let renamed = [
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("lm_head", "output"),
        ("model.layers.", "blk."),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    let mut tensors = Vec::new();
    for (name, var) in weights.variables() {
        let there = renamed.iter().fold(name.clone(), |name, (from, to)| name.replace(from, to));
        let mut tensor = var.as_detached_tensor();
        if family == "llama" && name.ends_with("q_proj.weight") {
            tensor = pairs(&tensor, config.heads);
        } else if family == "llama" && name.ends_with("k_proj.weight") {
            tensor = pairs(&tensor, config.kv_heads);
        }
        tensors.push((there, QTensor::quantize(&tensor, GgmlDType::F32).expect("a tensor")));
    }
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut fs::File::create(path).expect("a file"), &metadata, &tensors).expect("a GGUF file");
}

#[test]
fn gguf_files_hold_the_same_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    for (family, config) in architectures().into_iter().skip(1) {
        let weights = weights(&config);
        write_gguf(&path, family, &weights, vec![]);
        let found = Pretrained::load(&path, None, &Device::Cpu).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((found.family.as_str(), found.weights.config()), (family, &config));
        assert_eq!(found.weights.hash().expect("a hash"), weights.hash().expect("a hash"), "{family}");
        assert!(found.tokenizer.is_none());
    }
    write_gguf(&path, "starcoder", &weights(&config()), vec![]);
    let error = Pretrained::load(&path, None, &Device::Cpu).expect_err("a mistake").to_string();
    assert!(error.contains("`starcoder` is no architecture that this engine has"), "{error}");
    assert!(tokenizer().vocab() <= config().vocab);
}

#[test]
fn gguf_files_bring_their_tokenizer() {
    use gguf_file::Value;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let texts = |all: &[&str]| Value::Array(all.iter().map(|text| Value::String(text.to_string())).collect());
    let tokens = ["<s>", "</s>", "a", "b", "ab", "1", "Ġ", "Ġab", "Ã", "©", "Ã©"];
    let write = |pre: &str| {
        let more = [
            ("model", Value::String("gpt2".into())),
            ("pre", Value::String(pre.into())),
            ("tokens", texts(&tokens)),
            ("merges", texts(&["a b", "Ġ ab", "Ã ©"])),
            ("token_type", Value::Array(tokens.iter().map(|t| Value::I32(if t.contains('s') { 3 } else { 1 })).collect())),
            ("bos_token_id", Value::U32(0)),
            ("eos_token_id", Value::U32(1)),
            ("add_bos_token", Value::Bool(pre == "llama-bpe")),
        ];
        let more = more.into_iter().map(|(name, value)| (format!("tokenizer.ggml.{name}"), value)).collect();
        write_gguf(&path, "qwen2", &weights(&architectures().into_iter().find(|(f, _)| *f == "qwen2").expect("a shape").1), more);
        Pretrained::load(&path, None, &Device::Cpu)
    };
    for (pre, start) in [("qwen2", vec![4, 7, 5, 5, 10]), ("llama-bpe", vec![0, 4, 7, 5, 5, 10]), ("gpt-2", vec![4, 7, 5, 5, 10])] {
        let model = write(pre).unwrap_or_else(|e| panic!("{e}"));
        let tokenizer = model.tokenizer.expect("a tokenizer");
        assert_eq!(tokenizer.encode_prompt(&Prompt::own("ab ab11\u{e9}"), true).expect("ids").0, start, "{pre}");
        assert_eq!(tokenizer.encode_marked("</s>").expect("ids"), [1]);
        assert_eq!(tokenizer.decode(&start).expect("a text").trim_start_matches("<s>"), "ab ab11\u{e9}");
    }
    let error = write("tekken").expect_err("a mistake").to_string();
    assert!(
        error.contains("(only `gpt2` with `default`, `gpt-2`, `smollm`, `llama-bpe`, `qwen2`); put the model's `tokenizer.json`"),
        "{error}"
    );
}

#[test]
fn a_gguf_file_of_another_kind_says_which() {
    use gguf_file::Value;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let says = |words: &str| {
        let error = Pretrained::load(&path, None, &Device::Cpu).expect_err("a mistake").to_string();
        assert!(error.contains(words), "{error}");
    };
    let plain = weights(&config());
    write_gguf(&path, "llama", &plain, vec![("split.count".into(), Value::U16(2)), ("split.no".into(), Value::U16(0))]);
    says("model.gguf: is file 1 of 2 of a model; merge them into one");
    write_gguf(&path, "llama", &plain, vec![("llama.rope.dimension_count".into(), Value::U32(4))]);
    says("positions turn 4 numbers of a head of 6 (`llama.rope.dimension_count`); only whole heads are known");
    write_gguf(&path, "llama", &plain, vec![("llama.logit_scale".into(), Value::F32(0.5))]);
    says("`llama.logit_scale` stands for a part of an architecture that is not known here");
    write_gguf(&path, "llama", &plain, vec![("general.alignment".into(), Value::U32(0))]);
    says("model.gguf: not a whole GGUF file (");
    // The type of the first tensor stands behind its name, its number of dimensions and these.
    write_gguf(&path, "llama", &plain, vec![]);
    let mut bytes = fs::read(&path).expect("a file");
    let name = b"token_embd.weight";
    let at = bytes.windows(name.len()).position(|part| part == name).expect("a tensor") + name.len() + 4 + 2 * 8;
    bytes[at..at + 4].copy_from_slice(&20u32.to_le_bytes());
    fs::write(&path, &bytes).expect("a file");
    says("model.gguf: a tensor is quantised as IQ4_NL, which is not read; F32, F16, BF16");
}
