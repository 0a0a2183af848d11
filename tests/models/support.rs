//! Small models in folders.

use candle_core::{DType, Device};
use epo::model::pretrained::description;
use epo::model::{DecoderConfig, RopeScaling, Tokenizer, Variant, Weights};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn config() -> DecoderConfig {
    DecoderConfig {
        layers: 2,
        width: 24,
        heads: 4,
        kv_heads: 2,
        ffn: 40,
        vocab: 300,
        context: 64,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    }
}

/// One of each architecture, with what it may have.
pub(crate) fn architectures() -> Vec<(&'static str, DecoderConfig)> {
    let of = |tied, variant| DecoderConfig { tied, variant, ..config() };
    let llama3 = RopeScaling::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 32 };
    let all = Variant { qkv_bias: true, output_bias: true, ffn_bias: true, ..Variant::default() };
    vec![
        ("llama", of(true, Variant { rope: llama3, ..all })),
        ("llama", of(false, Variant { rope: RopeScaling::Linear { factor: 2.0 }, head: Some(10), ..Variant::default() })),
        ("qwen2", of(true, Variant { qkv_bias: true, ..Variant::default() })),
        ("qwen3", of(false, Variant { head_norms: true, head: Some(16), ..Variant::default() })),
    ]
}

pub(crate) fn weights(config: &DecoderConfig) -> Weights {
    Weights::init(config, 7, &Device::Cpu, DType::F32).expect("weights")
}

pub(crate) fn tokenizer() -> Tokenizer {
    let texts = (0..50).map(|i| format!("go to shelf {i} and take the mug"));
    Tokenizer::train(texts, 290, &["<|user|>"]).expect("a tokenizer")
}

/// A model as it would be published, complete.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(config: &DecoderConfig) -> Folder {
        let new = Folder { folder: tempfile::tempdir().expect("a folder") };
        new.describe(config);
        weights(config).save(&new.path("model.safetensors")).expect("weights");
        tokenizer().save(&new.path("tokenizer.json")).expect("a tokenizer");
        let template = "{% for m in messages %}\n<|user|>{{ m.content.strip() }}<end>\n{% endfor %}";
        let about = serde_json::json!({ "eos_token": { "content": "<end>" }, "pad_token": "<pad>", "chat_template": template });
        new.write("tokenizer_config.json", &about.to_string());
        new
    }

    pub(crate) fn describe(&self, config: &DecoderConfig) {
        self.write("config.json", &description::write(config, config.context).expect("a description").to_string());
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    /// Changes a value of `config.json`; `null` takes it out.
    pub(crate) fn set(&self, name: &str, value: serde_json::Value) {
        let mut config: serde_json::Value = serde_json::from_slice(&fs::read(self.path("config.json")).expect("a file")).expect("JSON");
        match value {
            serde_json::Value::Null => drop(config.as_object_mut().expect("an object").remove(name)),
            value => config[name] = value,
        }
        self.write("config.json", &config.to_string());
    }
}
