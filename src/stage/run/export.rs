//! Writes a policy for other tools.

use super::shared::policy;
use crate::policy::{TOKENIZER, WEIGHTS};
use crate::stage::export::Export;
use crate::stage::{Context, RunError};

pub fn run(stage: &Export, context: &mut dyn Context) -> Result<(), RunError> {
    let policy = policy(context, &stage.policy)?;
    let config = policy.weights.config();
    let description = serde_json::json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": config.width,
        "intermediate_size": config.ffn,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_width(),
        "vocab_size": config.vocab,
        "max_position_embeddings": config.context,
        "rope_theta": config.rope_theta,
        "rms_norm_eps": config.norm_eps,
        "tie_word_embeddings": config.tied,
        "attention_bias": false,
        "mlp_bias": false,
        "torch_dtype": "float32",
        "eos_token_id": policy.tokenizer.end(),
        "pad_token_id": policy.tokenizer.pad(),
    });
    context.folder().write_output("folder", |folder| {
        let text = serde_json::to_vec_pretty(&description)?;
        std::fs::write(folder.join("config.json"), text)?;
        policy.weights.save(&folder.join(WEIGHTS))?;
        Ok(policy.tokenizer.save(&folder.join(TOKENIZER))?)
    })?;
    let place = context.folder().path().join("outputs/folder");
    context.say(&format!("exported to {}", place.display()));
    Ok(())
}
