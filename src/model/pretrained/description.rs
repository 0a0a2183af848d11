//! `config.json`, as written by transformers 4 and 5: read into a [`DecoderConfig`], and written from one.

use crate::model::{DecoderConfig, ModelError, RopeScaling, Variant};
use serde::Deserialize;
use serde_json::{Value, json};

/// The architectures whose arithmetic this decoder has.
pub(crate) const KNOWN: &[&str] = &["llama", "mistral", "qwen2", "qwen3"];

#[derive(Debug, Deserialize)]
struct Description {
    model_type: Option<String>,
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
    rope_scaling: Option<Rope>,
    rope_parameters: Option<Rope>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    partial_rotary_factor: Option<f64>,
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

/// The shape, and the architecture's name.
pub(crate) fn read(text: &[u8]) -> Result<(DecoderConfig, String), ModelError> {
    let all: Value = serde_json::from_slice(text).map_err(|e| ModelError::Config(format!("not JSON ({e})")))?;
    let family = all.get("model_type").and_then(Value::as_str).unwrap_or_default().to_string();
    // Before the fields: another architecture has others, and their absence would be the wrong message.
    if !KNOWN.contains(&family.as_str()) {
        return Err(if family.is_empty() { ModelError::Config("there is no `model_type`".into()) } else { unknown(&family) });
    }
    let found: Description = serde_json::from_value(all).map_err(|e| ModelError::Config(e.to_string()))?;
    let family = found.model_type.clone().unwrap_or(family);
    if found.quantization_config.as_ref().is_some_and(|q| !q.is_null()) {
        return wrong("its weights are quantised in a way that is not read here; take the unquantised model, or a GGUF file".into());
    }
    if let Some(act) = found.hidden_act.as_deref().filter(|act| *act != "silu" && *act != "swish") {
        return wrong(format!("`hidden_act` is `{act}`, only `silu` is known"));
    }
    let rope = rope(&found)?;
    let attention_bias = found.attention_bias.unwrap_or(false);
    let qwen3 = family == "qwen3";
    let variant = Variant {
        head: found.head_dim.or(qwen3.then_some(128)).filter(|head| head * found.num_attention_heads != found.hidden_size),
        qkv_bias: family == "qwen2" || attention_bias,
        output_bias: family != "qwen2" && attention_bias,
        ffn_bias: family == "llama" && found.mlp_bias.unwrap_or(false),
        head_norms: qwen3,
        rope: rope.1,
    };
    let config = DecoderConfig {
        layers: found.num_hidden_layers,
        width: found.hidden_size,
        heads: found.num_attention_heads,
        kv_heads: found.num_key_value_heads.unwrap_or(found.num_attention_heads),
        ffn: found.intermediate_size,
        vocab: found.vocab_size,
        context: context(&found, &family),
        rope_theta: rope.0,
        norm_eps: found.rms_norm_eps.unwrap_or(1e-6),
        tied: found.tie_word_embeddings.unwrap_or(false),
        variant,
    };
    config.validate()?;
    Ok((config, family))
}

/// Where attention sees a window only, up to its length it is the attention that is computed here.
fn context(found: &Description, family: &str) -> usize {
    let window = match family {
        "mistral" => found.sliding_window,
        _ => found.sliding_window.filter(|_| found.use_sliding_window == Some(true)),
    };
    let most = found.max_position_embeddings.unwrap_or(2048);
    window.map_or(most, |window| most.min(window))
}

/// The base of the rotary positions and their scaling.
fn rope(found: &Description) -> Result<(f64, RopeScaling), ModelError> {
    let given = found.rope_parameters.as_ref().or(found.rope_scaling.as_ref());
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
