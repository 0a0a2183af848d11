//! Which keys of a `config.json` mean what: those that are used, those that cannot change a number, those that must be at rest, and all others.

use crate::model::ModelError;
use serde_json::{Map, Value};

/// Read in `description`.
const USED: &[&str] = &[
    "model_type",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "rms_norm_eps",
    "hidden_act",
    "tie_word_embeddings",
    "attention_bias",
    "mlp_bias",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "partial_rotary_factor",
    "sliding_window",
    "use_sliding_window",
    "layer_types",
    "quantization_config",
    "eos_token_id",
    "pad_token_id",
];

/// Of training, of other programs, or repeated elsewhere.
const INERT: &[&str] = &[
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "auto_map",
    "bos_token_id",
    "dtype",
    "hidden_dropout",
    "initializer_range",
    "is_llama_config",
    "layer_norm_eps",
    "max_window_layers",
    "name_or_path",
    "num_experts_per_tok",
    "output_attentions",
    "output_hidden_states",
    "pretraining_tp",
    "resid_pdrop",
    "rope_interleaved",
    "tokenizer_class",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
];

/// What changes the arithmetic, but for this value of it (`null` is none, too).
const AT_REST: &[(&str, &[f64])] = &[
    ("attention_chunk_size", &[0.0]),
    ("attention_multiplier", &[]),
    ("attn_logit_softcapping", &[0.0]),
    ("clip_qkv", &[]),
    ("embedding_multiplier", &[1.0]),
    ("final_logit_softcapping", &[0.0]),
    ("logit_scale", &[1.0]),
    ("logits_scaling", &[1.0]),
    ("n_routed_experts", &[0.0, 1.0]),
    ("no_rope_layer_interval", &[0.0]),
    ("num_experts", &[0.0, 1.0]),
    ("num_local_experts", &[0.0, 1.0]),
    ("query_pre_attn_scalar", &[]),
    ("residual_multiplier", &[1.0]),
    ("scale_depth", &[]),
    ("scale_emb", &[1.0]),
    ("use_qk_norm", &[0.0]),
];

/// Of the rotary positions.
const ROPE: &[&str] = &[
    "rope_theta",
    "rope_type",
    "type",
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
    "partial_rotary_factor",
];

/// What the file says and is not used.
///
/// # Errors
/// If it says what changes the arithmetic in a way that is not known here.
pub(super) fn notes(all: &Value) -> Result<Vec<String>, ModelError> {
    let mut unknown = Vec::new();
    for (key, value) in all.as_object().into_iter().flatten() {
        if let Some((_, rest)) = AT_REST.iter().find(|(name, _)| name == key) {
            let number = value.as_f64().or_else(|| value.as_bool().map(f64::from));
            if !value.is_null() && !number.is_some_and(|number| rest.contains(&number)) {
                return Err(ModelError::Config(format!("`{key}` is {value}, and this part of an architecture is not known here")));
            }
        } else if !USED.contains(&key.as_str()) && !INERT.contains(&key.as_str()) && !value.is_null() {
            unknown.push(format!("`{key}`"));
        }
    }
    Ok(if unknown.is_empty() {
        Vec::new()
    } else {
        vec![format!("of its `config.json`, {} is not known here and not used", unknown.join(", "))]
    })
}

/// [`notes`], of the rotary positions.
pub(super) fn rope(given: &Map<String, Value>, notes: &mut Vec<String>) {
    let unknown: Vec<String> =
        given.iter().filter(|(key, value)| !ROPE.contains(&key.as_str()) && !value.is_null()).map(|(key, _)| format!("`{key}`")).collect();
    if !unknown.is_empty() {
        notes.push(format!("of its rotary positions, {} is not known here and not used", unknown.join(", ")));
    }
}
