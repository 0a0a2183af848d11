//! GGUF files: quantised tensors, made 32-bit floats again.

use super::{Outline, description, gguf_tokenizer};
use crate::model::fence::guarded;
use crate::model::weights::{EMBEDDING, FINAL_NORM, UNEMBEDDING, bias_name, layer_name};
use crate::model::{DecoderConfig, ModelError, RopeScaling, Variant, Weights, without_frames};
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, BTreeSet};
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

/// Kinds of quantisation that are not read, by the numbers that files have for them.
const QUANTISATIONS: &[(u32, &str)] = &[
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
];

/// What the crate says of a file, in words for its user.
fn unreadable(error: &str) -> ModelError {
    let number = error
        .split_once("unknown dtype for tensor ")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
    let Some(number) = number else { return wrong(format!("not a whole GGUF file ({error})")) };
    let known = QUANTISATIONS.iter().find(|(other, _)| *other == number);
    let name = known.map_or_else(|| format!("of the kind {number}"), |(_, name)| (*name).to_string());
    wrong(format!("a tensor is quantised as {name}, which is not read; F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K are"))
}

/// What changes the arithmetic and is not known here.
const FOREIGN: &[&str] =
    &["attention.scale", "attn_logit_softcapping", "embedding_scale", "final_logit_softcapping", "logit_scale", "residual_scale"];

impl Gguf {
    fn open(path: &Path) -> Result<Gguf, ModelError> {
        let mut file = BufReader::new(File::open(path).map_err(|e| ModelError::file(path, e))?);
        let content = guarded(|| Content::read(&mut file).map_err(|e| unreadable(&e.to_string())))
            .unwrap_or_else(|panic| Err(unreadable(&panic)))
            .map_err(|e| ModelError::file(path, e))?;
        let family = content.metadata.get("general.architecture").and_then(|v| v.to_string().ok()).cloned().unwrap_or_default();
        if !description::KNOWN.contains(&family.as_str()) {
            return Err(ModelError::file(path, description::unknown(&family)));
        }
        if let Some(parts) = content.metadata.get("split.count").and_then(whole).filter(|parts| *parts > 1) {
            let number = content.metadata.get("split.no").and_then(whole).map_or(1, |n| n.saturating_add(1));
            let message = format!("is file {number} of {parts} of a model; merge them into one, as `llama-gguf-split --merge` does");
            return Err(ModelError::file(path, message));
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
        if let Some(name) = FOREIGN.iter().find(|name| self.value(name).is_some()) {
            return Err(wrong(format!("`{}.{name}` stands for a part of an architecture that is not known here", self.family)));
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
            context: self
                .value("attention.sliding_window")
                .and_then(whole)
                .filter(|w| *w > 0)
                .unwrap_or(usize::MAX)
                .min(self.number("context_length")?),
            rope_theta: float("rope.freq_base").unwrap_or(10000.0),
            norm_eps: float("attention.layer_norm_rms_epsilon").ok_or_else(|| wrong("the epsilon of its norms is missing"))?,
            tied: !self.has("output.weight"),
            variant: Variant {
                head: self.value("attention.key_length").and_then(whole).filter(|head| head.checked_mul(heads) != Some(width)),
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
        for (name, what) in [("rope.dimension_count", "positions turn"), ("attention.value_length", "values have")] {
            if let Some(found) = self.value(name).and_then(whole).filter(|found| *found != config.head_width()) {
                let head = config.head_width();
                return Err(wrong(format!(
                    "{what} {found} numbers of a head of {head} (`{}.{name}`); only whole heads are known",
                    self.family
                )));
            }
        }
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
        let unread = |why: &dyn std::fmt::Display| wrong(format!("`{name}` cannot be read: {why}"));
        let dims = self.content.tensor_infos.get(name).map(|info| info.shape.dims().to_vec()).unwrap_or_default();
        if dims.iter().try_fold(1usize, |all, dim| all.checked_mul(*dim)).is_none_or(|numbers| numbers > isize::MAX as usize / 8) {
            return Err(unread(&format!("its shape is {dims:?}")));
        }
        let (content, file) = (&self.content, &mut self.file);
        let read = guarded(|| content.tensor(file, name, &Device::Cpu).and_then(|t| t.dequantize(&Device::Cpu)));
        read.map_err(|panic| unread(&panic))?.map_err(|error| unread(&without_frames(&error)))
    }
}

pub(super) fn outline(path: &Path) -> Result<Outline, ModelError> {
    let mut gguf = Gguf::open(path)?;
    let config = gguf.config().map_err(|e| ModelError::file(path, e))?;
    let tokenizer = gguf_tokenizer::read(path, &gguf.content)?;
    let chat = gguf_tokenizer::template(&gguf.content);
    Ok(Outline { config, family: gguf.family, tokenizer, chat, notes: Vec::new() })
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
    let shapes = crate::model::weights::shapes(config);
    let wanted: BTreeSet<&str> = shapes.iter().filter_map(|(name, _)| names.get(name)).map(String::as_str).collect();
    let others = gguf.content.tensor_infos.keys().filter(|name| !wanted.contains(name.as_str()) && name.as_str() != ROPE_FACTORS);
    if let Some(name) = others.min() {
        return Err(ModelError::file(path, format!("holds `{name}`, which a model of this configuration does not have")));
    }
    let mut found = BTreeMap::new();
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
