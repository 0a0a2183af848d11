//! `config.json`, as written by transformers 4 and 5: read into a [`DecoderConfig`], and written from one.

use crate::model::{DecoderConfig, ModelError, RopeScaling, Variant};
use serde::Deserialize;
use serde_json::{Value, json};

/// The architectures whose arithmetic this decoder has.
pub(crate) const KNOWN: &[&str] = &["llama", "mistral", "qwen2", "qwen3"];

/// What is read of a `config.json`.
#[derive(Debug)]
pub(crate) struct Description {
    pub config: DecoderConfig,
    /// The architecture's name.
    pub family: String,
    /// What it says and is not used.
    pub notes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    vocab_size: usize,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f64>,
    hidden_act: Option<String>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    #[serde(default)]
    layer_types: Vec<String>,
    quantization_config: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names of `config.json`")]
struct Rope {
    rope_theta: Option<f64>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
    partial_rotary_factor: Option<f64>,
}

fn wrong<T>(message: String) -> Result<T, ModelError> {
    Err(ModelError::Config(message))
}

/// The message for an architecture that is none of [`KNOWN`].
pub(crate) fn unknown(found: &str) -> ModelError {
    ModelError::Config(format!("`{found}` is no architecture that this engine has; it has `{}`", KNOWN.join("`, `")))
}

/// The shape, the architecture's name, and what was left aside.
pub(crate) fn read(text: &[u8]) -> Result<Description, ModelError> {
    let all: Value = serde_json::from_slice(text).map_err(|e| ModelError::Config(format!("not JSON ({e})")))?;
    let family = all.get("model_type").and_then(Value::as_str).unwrap_or_default().to_string();
    // Before the fields: another architecture has others, and their absence would be the wrong message.
    if !KNOWN.contains(&family.as_str()) {
        return Err(if family.is_empty() { ModelError::Config("there is no `model_type`".into()) } else { unknown(&family) });
    }
    let mut notes = super::description_keys::notes(&all)?;
    let found: Fields = serde_json::from_value(all.clone()).map_err(|e| ModelError::Config(e.to_string()))?;
    if found.quantization_config.as_ref().is_some_and(|q| !q.is_null()) {
        return wrong("its weights are quantised in a way that is not read here; take the unquantised model, or a GGUF file".into());
    }
    if let Some(act) = found.hidden_act.as_deref().filter(|act| *act != "silu" && *act != "swish") {
        return wrong(format!("`hidden_act` is `{act}`, only `silu` is known"));
    }
    let rope = rope(&found, &all, &mut notes)?;
    let attention_bias = found.attention_bias.unwrap_or(false);
    let (qwen2, qwen3) = (family == "qwen2", family == "qwen3");
    let heads = found.num_attention_heads;
    let variant = Variant {
        head: found.head_dim.or(qwen3.then_some(128)).filter(|head| head.checked_mul(heads) != Some(found.hidden_size)),
        qkv_bias: qwen2 || attention_bias,
        output_bias: !qwen2 && attention_bias,
        ffn_bias: family == "llama" && found.mlp_bias.unwrap_or(false),
        head_norms: qwen3,
        rope: rope.1,
    };
    // What transformers takes where the key is missing; where it is `null`, there are as many as there are heads.
    let usual = match (family.as_str(), all.get("num_key_value_heads")) {
        ("mistral", None) => 8,
        ("qwen2" | "qwen3", None) => 32,
        _ => heads,
    };
    let config = DecoderConfig {
        layers: found.num_hidden_layers,
        width: found.hidden_size,
        heads,
        kv_heads: found.num_key_value_heads.unwrap_or(usual),
        ffn: found.intermediate_size,
        vocab: found.vocab_size,
        context: context(&found, &all, &family),
        rope_theta: rope.0,
        norm_eps: found.rms_norm_eps.unwrap_or(1e-6),
        tied: found.tie_word_embeddings.unwrap_or(false),
        variant,
    };
    config.validate()?;
    Ok(Description { config, family, notes })
}

/// Where attention sees a window only, up to its length it is the attention that is computed here.
fn context(found: &Fields, all: &Value, family: &str) -> usize {
    let slides = found.layer_types.iter().any(|kind| kind == "sliding_attention");
    let window = match family {
        // The window of a Mistral that does not speak of one.
        "mistral" if all.get("sliding_window").is_none() => Some(4096),
        "mistral" => found.sliding_window,
        _ => found.sliding_window.filter(|_| slides || found.use_sliding_window == Some(true)),
    };
    let most = found.max_position_embeddings.unwrap_or(2048);
    window.map_or(most, |window| most.min(window))
}

/// The base of the rotary positions and their scaling.
fn rope(found: &Fields, all: &Value, notes: &mut Vec<String>) -> Result<(f64, RopeScaling), ModelError> {
    let object = |name: &str| all.get(name).filter(|value| value.is_object());
    let written = match (object("rope_parameters"), object("rope_scaling")) {
        // By the kind of layer.
        (Some(nested), _) if nested.as_object().is_some_and(|all| all.values().all(Value::is_object) && !all.is_empty()) => {
            let kinds = nested.as_object().into_iter().flatten();
            let mut values = kinds.clone().map(|(_, value)| value);
            let first = values.next();
            if values.any(|other| Some(other) != first) {
                return wrong(format!(
                    "its kinds of layers ({}) turn positions in different ways; one is known",
                    kinds.map(|(kind, _)| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
                ));
            }
            first
        }
        (flat, scaling) => flat.or(scaling),
    };
    let given: Option<Rope> = written
        .map(|value| serde_json::from_value(value.clone()))
        .transpose()
        .map_err(|e| ModelError::Config(format!("the rope scaling: {e}")))?;
    if let Some(written) = written.and_then(Value::as_object) {
        super::description_keys::rope(written, notes);
    }
    let given = given.as_ref();
    let theta = given.and_then(|r| r.rope_theta).or(found.rope_theta).unwrap_or(10000.0);
    let partial = given.and_then(|r| r.partial_rotary_factor).or(found.partial_rotary_factor).unwrap_or(1.0);
    if partial != 1.0 {
        return wrong(format!("`partial_rotary_factor` is {partial}; only heads that turn whole are known"));
    }
    let Some(given) = given else { return Ok((theta, RopeScaling::None)) };
    let need = |name: &str, value: Option<f64>| value.ok_or_else(|| ModelError::Config(format!("the rope scaling has no `{name}`")));
    let scaling = match given.rope_type.as_deref() {
        None | Some("default") => RopeScaling::None,
        Some("linear") => RopeScaling::Linear { factor: need("factor", given.factor)? },
        Some("llama3") => RopeScaling::Llama3 {
            factor: need("factor", given.factor)?,
            low_freq_factor: need("low_freq_factor", given.low_freq_factor)?,
            high_freq_factor: need("high_freq_factor", given.high_freq_factor)?,
            original_context: need("original_max_position_embeddings", given.original_max_position_embeddings.map(|n| n as f64))? as usize,
        },
        Some(other) => return wrong(format!("the rope scaling `{other}` is not known; known are `default`, `linear` and `llama3`")),
    };
    Ok((theta, scaling))
}

/// What transformers needs to load the model. Mistral's arithmetic is Llama's, so that is its name.
pub fn write(config: &DecoderConfig, context: usize) -> Result<Value, ModelError> {
    let variant = &config.variant;
    let (class, family) = match (variant.head_norms, variant.qkv_bias, variant.output_bias) {
        (true, qkv, output) if qkv == output && !variant.ffn_bias => ("Qwen3ForCausalLM", "qwen3"),
        (false, true, false) if !variant.ffn_bias => ("Qwen2ForCausalLM", "qwen2"),
        (false, qkv, output) if qkv == output => ("LlamaForCausalLM", "llama"),
        _ => return wrong("no architecture of transformers has this combination of biases and norms".into()),
    };
    let mut description = json!({
        "architectures": [class],
        "model_type": family,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "intermediate_size": config.ffn,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_width(),
        "vocab_size": config.vocab,
        "max_position_embeddings": context,
        "rope_theta": config.rope_theta,
        "rms_norm_eps": config.norm_eps,
        "tie_word_embeddings": config.tied,
        "attention_bias": variant.output_bias,
        "mlp_bias": variant.ffn_bias,
        "torch_dtype": "float32",
    });
    match &variant.rope {
        RopeScaling::None => {}
        RopeScaling::Linear { factor } => description["rope_scaling"] = json!({ "rope_type": "linear", "factor": factor }),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            description["rope_scaling"] = json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": original_context,
            });
        }
    }
    Ok(description)
}
