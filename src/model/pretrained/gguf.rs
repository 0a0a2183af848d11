//! GGUF files: quantised tensors, made 32-bit floats again.

use super::{Outline, description, gguf_tokenizer};
use crate::model::weights::{EMBEDDING, FINAL_NORM, UNEMBEDDING, bias_name, layer_name};
use crate::model::{DecoderConfig, ModelError, RopeScaling, Variant, Weights};
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// The parts of a block: here, and in the file.
const PARTS: &[(&str, &str)] = &[
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

/// Llama 3's slowing of each pair, written out.
const ROPE_FACTORS: &str = "rope_freqs.weight";

pub(super) struct Gguf {
    file: BufReader<File>,
    pub(super) content: Content,
    family: String,
}

fn wrong(message: impl Into<String>) -> ModelError {
    ModelError::Config(message.into())
}

pub(super) fn whole(value: &Value) -> Option<usize> {
    match value {
        Value::I32(n) => usize::try_from(*n).ok(),
        Value::I64(n) => usize::try_from(*n).ok(),
        other => other.to_u64().ok().and_then(|n| usize::try_from(n).ok()),
    }
}

impl Gguf {
    fn open(path: &Path) -> Result<Gguf, ModelError> {
        let mut file = BufReader::new(File::open(path).map_err(|e| ModelError::file(path, e))?);
        let content = Content::read(&mut file).map_err(|e| ModelError::file(path, format!("not a whole GGUF file ({e})")))?;
        let family = content.metadata.get("general.architecture").and_then(|v| v.to_string().ok()).cloned().unwrap_or_default();
        if !description::KNOWN.contains(&family.as_str()) {
            return Err(ModelError::file(path, description::unknown(&family)));
        }
        Ok(Gguf { file, content, family })
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.content.metadata.get(&format!("{}.{name}", self.family))
    }

    fn number(&self, name: &str) -> Result<usize, ModelError> {
        let found = self.value(name).and_then(whole);
        found.ok_or_else(|| wrong(format!("`{}.{name}` is missing or no number", self.family)))
    }

    fn has(&self, tensor: &str) -> bool {
        self.content.tensor_infos.contains_key(tensor)
    }

    fn config(&mut self) -> Result<DecoderConfig, ModelError> {
        if self.value("expert_count").and_then(whole).is_some_and(|n| n > 0) {
            return Err(wrong("it is a mixture of experts; only dense models are known"));
        }
        let float = |name: &str| self.value(name).and_then(|v| v.to_f32().ok()).map(f64::from);
        let Some(embedding) = self.content.tensor_infos.get("token_embd.weight") else {
            return Err(wrong("`token_embd.weight` is missing"));
        };
        let vocab = embedding.shape.dims().first().copied().unwrap_or(0);
        let (width, heads) = (self.number("embedding_length")?, self.number("attention.head_count")?);
        let linear = match self.value("rope.scaling.type").and_then(|v| v.to_string().ok()).map(String::as_str) {
            None | Some("none") => RopeScaling::None,
            Some("linear") => RopeScaling::Linear { factor: float("rope.scaling.factor").unwrap_or(1.0) },
            Some(other) => return Err(wrong(format!("the rope scaling `{other}` is not known; known are `none` and `linear`"))),
        };
        let mut config = DecoderConfig {
            layers: self.number("block_count")?,
            width,
            heads,
            kv_heads: self.value("attention.head_count_kv").and_then(whole).unwrap_or(heads),
            ffn: self.number("feed_forward_length")?,
            vocab,
            context: self.number("context_length")?,
            rope_theta: float("rope.freq_base").unwrap_or(10000.0),
            norm_eps: float("attention.layer_norm_rms_epsilon").ok_or_else(|| wrong("the epsilon of its norms is missing"))?,
            tied: !self.has("output.weight"),
            variant: Variant {
                head: self.value("attention.key_length").and_then(whole).filter(|head| head * heads != width),
                qkv_bias: self.has("blk.0.attn_q.bias"),
                output_bias: self.has("blk.0.attn_output.bias"),
                ffn_bias: self.has("blk.0.ffn_gate.bias"),
                head_norms: self.has("blk.0.attn_q_norm.weight"),
                rope: linear,
            },
        };
        // Single precision has `1e-5` as 9.99999974e-6.
        config.norm_eps = format!("{}", config.norm_eps as f32).parse().unwrap_or(config.norm_eps);
        config.rope_theta = format!("{}", config.rope_theta as f32).parse().unwrap_or(config.rope_theta);
        config.validate()?;
        if self.has(ROPE_FACTORS) {
            config.variant.rope = self.llama3(&config)?;
        }
        Ok(config)
    }

    /// The scaling whose factors the file lists: that of the published Llama 3.1 and 3.2, with the file's largest factor.
    fn llama3(&mut self, config: &DecoderConfig) -> Result<RopeScaling, ModelError> {
        let listed = self.tensor(ROPE_FACTORS)?.flatten_all()?.to_vec1::<f32>()?;
        let factor = f64::from(listed.iter().fold(1f32, |a, b| a.max(*b)));
        let rope = RopeScaling::Llama3 { factor, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context: 8192 };
        let scaled = DecoderConfig { variant: Variant { rope: rope.clone(), ..config.variant.clone() }, ..config.clone() };
        let pairs = scaled.rope_periods().into_iter().zip(config.rope_periods());
        let same = listed.len() == config.head_width() / 2
            && pairs.zip(&listed).all(|((scaled, plain), listed)| (scaled / plain / f64::from(*listed) - 1.0).abs() < 1e-3);
        if same { Ok(rope) } else { Err(wrong(format!("the factors in `{ROPE_FACTORS}` are of no known rope scaling"))) }
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor, ModelError> {
        let read = self.content.tensor(&mut self.file, name, &Device::Cpu).and_then(|t| t.dequantize(&Device::Cpu));
        read.map_err(|e| wrong(format!("`{name}` cannot be read: {e}")))
    }
}

pub(super) fn outline(path: &Path) -> Result<Outline, ModelError> {
    let mut gguf = Gguf::open(path)?;
    let config = gguf.config().map_err(|e| ModelError::file(path, e))?;
    let tokenizer = gguf_tokenizer::read(path, &gguf.content)?;
    let chat = gguf_tokenizer::template(&gguf.content);
    Ok(Outline { config, family: gguf.family, tokenizer, chat })
}

pub(super) fn weights(
    path: &Path,
    config: &DecoderConfig,
    device: &Device,
    read: &mut dyn FnMut(usize, usize),
) -> Result<Weights, ModelError> {
    let mut gguf = Gguf::open(path)?;
    let mut names: BTreeMap<String, String> = [(EMBEDDING, "token_embd"), (FINAL_NORM, "output_norm"), (UNEMBEDDING, "output")]
        .map(|(here, there)| (here.to_string(), format!("{there}.weight")))
        .into();
    for layer in 0..config.layers {
        for (here, there) in PARTS {
            names.insert(layer_name(layer, here), format!("blk.{layer}.{there}.weight"));
            names.insert(bias_name(layer, here), format!("blk.{layer}.{there}.bias"));
        }
    }
    let mut found = BTreeMap::new();
    let shapes = crate::model::weights::shapes(config);
    let total = shapes.len();
    for (name, shape) in shapes {
        let there = names.get(&name).cloned().unwrap_or_default();
        let mut tensor = gguf.tensor(&there).map_err(|e| ModelError::file(path, e))?;
        if tensor.dims() != shape.as_slice() {
            let message = format!("`{there}` has shape {:?}, its configuration says {shape:?}", tensor.dims());
            return Err(ModelError::file(path, message));
        }
        if gguf.family == "llama" {
            tensor = match name.as_str() {
                n if n.contains(".q_proj.") => halves(&tensor, config.heads)?,
                n if n.contains(".k_proj.") => halves(&tensor, config.kv_heads)?,
                _ => tensor,
            };
        }
        found.insert(name, tensor.to_device(device)?);
        read(found.len(), total);
    }
    Weights::from_tensors(config, found)
}

/// Rows of each head from pairs beside each other, as these files have them for Llama, to two halves.
fn halves(tensor: &Tensor, heads: usize) -> Result<Tensor, ModelError> {
    let rows = tensor.dim(0)?;
    let columns = tensor.elem_count() / rows.max(1);
    let pairs = tensor.reshape((heads, rows / heads / 2, 2, columns))?;
    Ok(pairs.transpose(1, 2)?.contiguous()?.reshape(tensor.shape())?)
}
