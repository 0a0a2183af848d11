//! A policy that can act and learn: weights, tokenizer, and how it decodes. Its folder is complete in itself.

use super::decode::Decode;
use super::published::Published;
use crate::model::{DecoderConfig, LoraConfig, Mode, ModelError, Row, Sampling, Target, Thought, Tokenizer, Weights};
use candle_core::Device;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

pub(crate) const WEIGHTS: &str = "model.safetensors";
const ADAPTER: &str = "adapter.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
const DESCRIPTION: &str = "policy.json";
const FORMAT: u32 = 1;
/// With what a pretrained policy has beside: what an older engine would not heed.
const PUBLISHED_FORMAT: u32 = 2;
/// With an adapter.
const ADAPTER_FORMAT: u32 = 3;

/// `policy.json`
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    format: u32,
    config: DecoderConfig,
    decode: Decode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published: Option<Published>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    adapter: Option<LoraConfig>,
}

#[derive(Debug)]
pub(crate) struct Policy {
    pub weights: Arc<Weights>,
    pub tokenizer: Arc<Tokenizer>,
    pub decode: Decode,
    /// Of a pretrained policy.
    pub published: Option<Published>,
}

impl Policy {
    pub(crate) fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.weights.save(&folder.join(WEIGHTS))?;
        self.tokenizer.save(&folder.join(TOKENIZER))?;
        let (config, published) = (self.weights.config().clone(), self.published.clone());
        let adapter = self.weights.adapter().map(|adapter| adapter.config().clone());
        if adapter.is_some() {
            self.weights.save_trained(&folder.join(ADAPTER))?;
        }
        let format = match (&adapter, &published) {
            (Some(_), _) => ADAPTER_FORMAT,
            (None, Some(_)) => PUBLISHED_FORMAT,
            (None, None) => FORMAT,
        };
        let description = Description { format, config, decode: self.decode.clone(), published, adapter };
        let path = folder.join(DESCRIPTION);
        let text = serde_json::to_vec_pretty(&description).map_err(|e| ModelError::file(&path, e))?;
        std::fs::write(&path, text).map_err(|e| ModelError::write(&path, e))
    }

    /// Whether a policy was saved there.
    #[cfg(feature = "serve")]
    pub(crate) fn is_in(folder: &Path) -> bool {
        folder.join(DESCRIPTION).is_file()
    }

    pub(crate) fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = folder.join(DESCRIPTION);
        let text = std::fs::read(&path).map_err(|e| ModelError::file(&path, e))?;
        let description: Description = serde_json::from_slice(&text).map_err(|e| ModelError::file(&path, e))?;
        if description.format > ADAPTER_FORMAT {
            return Err(ModelError::file(&path, format!("is of format {}, newer than this engine's {ADAPTER_FORMAT}", description.format)));
        }
        let mut weights = Weights::load(&folder.join(WEIGHTS), &description.config, device)?;
        if let Some(published) = &description.published {
            weights = weights.cast(published.dtype.on(device))?;
        }
        if let Some(adapter) = description.adapter {
            weights = weights.with_saved_adapter(adapter, &folder.join(ADAPTER))?;
        }
        let path = folder.join(TOKENIZER);
        let tokenizer = match &description.published {
            Some(published) => published.tokenizer(&path)?,
            None => Tokenizer::load(&path)?,
        };
        let (weights, tokenizer) = (Arc::new(weights), Arc::new(tokenizer));
        Ok(Self { weights, tokenizer, decode: description.decode, published: description.published })
    }

    /// The temperature of the distributions that are learned from: that of decoding, 1 where decoding is greedy.
    pub(crate) fn temperature(&self) -> f64 {
        self.decode.learned_temperature()
    }

    /// What is asked of the generator for one turn.
    pub(crate) fn mode(&self, decode: &Decode, responses: &[String]) -> Result<Mode, ModelError> {
        Ok(match decode {
            Decode::Choose { temperature, thought } => {
                let options = responses.iter().map(|r| self.tokenizer.encode(r)).collect::<Result<_, _>>()?;
                let thought = thought.map(|max_tokens| Ok::<_, ModelError>(Thought { max_tokens, until: self.line_end()? })).transpose()?;
                Mode::Choose { thought, options, temperature: *temperature, end: self.tokenizer.end() }
            }
            Decode::Sample { temperature, top_k, top_p, min_p, max_tokens, stop: _ } => Mode::Sample {
                sampling: Sampling { temperature: *temperature, top_k: *top_k, top_p: *top_p, min_p: *min_p },
                max_tokens: *max_tokens,
                stop: self.tokenizer.stops().to_vec(),
            },
        })
    }

    /// The token that ends a line, and with it a thought.
    fn line_end(&self) -> Result<u32, ModelError> {
        match *self.tokenizer.encode("\n")? {
            [token] => Ok(token),
            _ => Err(ModelError::input(
                "the end of a line is several tokens of this model, and a thought ends with one; leave `thought` out",
            )),
        }
    }

    /// The text before a choice, without its end, from the tokens of a response.
    pub(crate) fn thought(&self, response: &[u32]) -> Result<String, ModelError> {
        let until = self.line_end()?;
        let length = response.iter().position(|token| *token == until).unwrap_or(0);
        self.tokenizer.decode(&response[..length])
    }

    /// A row that demonstrates a response: with `choose` the branches that were taken among `responses`, behind the tokens of the thought where there is
    /// one; else all its tokens and the end.
    pub(crate) fn demonstration(&self, prompt: Vec<u32>, response: &str, responses: &[String]) -> Result<Row, ModelError> {
        let from = prompt.len();
        match self.decode {
            Decode::Sample { .. } => Ok(Row::after([prompt, self.with_end(response)?].concat(), from)),
            Decode::Choose { thought: None, .. } => {
                self.choice(Row { ids: prompt, targets: Vec::new() }, response, responses.iter().map(String::as_str))
            }
            Decode::Choose { thought: Some(_), .. } => {
                let (thought, chosen) = response.rsplit_once('\n').unwrap_or(("", response));
                let options = responses.iter().map(|option| option.rsplit_once('\n').map_or(option.as_str(), |(_, chosen)| chosen));
                let ids = [prompt, self.tokenizer.encode(thought)?, vec![self.line_end()?]].concat();
                self.choice(Row::after(ids, from), chosen, options)
            }
        }
    }

    fn with_end(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut ids = self.tokenizer.encode(text)?;
        ids.push(self.tokenizer.end());
        Ok(ids)
    }

    /// The row with a choice behind it.
    fn choice<'o>(&self, mut row: Row, chosen: &str, options: impl Iterator<Item = &'o str>) -> Result<Row, ModelError> {
        let (from, taken) = (row.ids.len(), self.with_end(chosen)?);
        let options = options.map(|option| self.with_end(option)).collect::<Result<Vec<_>, _>>()?;
        row.ids.extend(&taken);
        for (depth, token) in taken.iter().enumerate() {
            let mut allowed: Vec<u32> =
                options.iter().filter(|o| o.starts_with(&taken[..depth])).filter_map(|o| o.get(depth)).copied().collect();
            allowed.push(*token);
            allowed.sort_unstable();
            allowed.dedup();
            if allowed.len() > 1 {
                row.targets.push(Target { position: from + depth - 1, token: *token, allowed: Some(allowed.into()) });
            }
        }
        Ok(row)
    }
}
