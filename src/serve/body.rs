//! What a request asks for, from the fields of its body.

use super::chat::Chat;
use super::error::ApiError;
use super::fields::Fields;
use super::job::{Heard, Job};
use crate::model::{Prompt, Sampling};
use crate::policy::{Decode, Policy};
use crate::seed::Seed;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

/// The two ways to ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    Chat,
    Completion,
}

/// Who is asked.
pub(super) struct Model {
    pub policy: Policy,
    pub name: String,
    pub chat: Chat,
    /// How it was declared to decode, where that is token by token.
    pub decode: Option<Decode>,
    /// The most tokens of a prompt and its response together.
    pub context: usize,
    /// The most responses to one request.
    pub places: usize,
}

/// A request that can be answered.
#[derive(Debug)]
pub(super) struct Ask {
    pub streams: bool,
    /// Whether a stream ends with what was used.
    pub usage: bool,
    /// Of all prompts, each once.
    pub prompt_tokens: usize,
    prompts: Vec<Vec<u32>>,
    /// Responses to each prompt.
    copies: usize,
    sampling: Sampling,
    max_tokens: Option<usize>,
    stop: Vec<String>,
    seed: Option<u64>,
    pub likely: Option<usize>,
}

/// What clients of the protocol take for granted of a completion.
const COMPLETION_TOKENS: usize = 16;
/// The most texts that may end a response, and the most tokens that are told in the place of one.
const MOST_STOPS: usize = 16;
const MOST_LIKELY: usize = 20;
/// The most prompts, or responses to one.
const MOST: usize = 128;

impl Model {
    /// # Errors
    /// What is wrong with the request.
    pub(super) fn read(&self, form: Form, body: &[u8]) -> Result<Ask, ApiError> {
        let fields = Fields::parse(body)?;
        if let Some(asked) = fields.text("model")?.filter(|asked| *asked != self.name) {
            return Err(ApiError::no_model(asked, &self.name));
        }
        fields.refuse(&["presence_penalty", "frequency_penalty"], |value| value.as_f64() == Some(0.0))?;
        fields.refuse(&["logit_bias", "tools", "functions"], |value| {
            matches!(value, Value::Object(map) if map.is_empty()) || matches!(value, Value::Array(list) if list.is_empty())
        })?;
        fields.refuse(&["response_format"], |value| value.get("type").is_some_and(|kind| kind == "text"))?;
        fields.refuse(&["best_of"], |value| value.as_u64() == Some(1))?;
        fields.refuse(&["suffix", "echo", "audio", "prediction"], |value| value == false || value == "")?;
        let prompts = match form {
            Form::Chat => {
                let messages = fields.get("messages").ok_or_else(|| ApiError::field("messages", "`messages` is missing"))?;
                vec![self.chat.prompt(&self.policy, messages)?]
            }
            Form::Completion => self.prompts(fields.get("prompt").ok_or_else(|| ApiError::field("prompt", "`prompt` is missing"))?)?,
        };
        let usual = Usual::of(self.decode.as_ref(), form);
        let sampling = Sampling {
            temperature: fields.number("temperature", 0.0..=100.0)?.unwrap_or(usual.sampling.temperature),
            top_k: fields.count("top_k", 0..=usize::MAX)?.map_or(usual.sampling.top_k, |k| Some(k).filter(|k| *k > 0)),
            top_p: fields.number("top_p", 0.0..=1.0)?.map_or(usual.sampling.top_p, |p| Some(p).filter(|p| *p < 1.0)),
            min_p: fields.number("min_p", 0.0..=1.0)?.map_or(usual.sampling.min_p, |p| Some(p).filter(|p| *p > 0.0)),
        };
        let ask = Ask {
            streams: fields.flag("stream")?.unwrap_or(false),
            usage: fields.get("stream_options").and_then(|options| options.get("include_usage")).is_some_and(|usage| usage == true),
            prompt_tokens: prompts.iter().map(Vec::len).sum(),
            prompts,
            copies: fields.count("n", 1..=MOST)?.unwrap_or(1),
            sampling,
            max_tokens: None,
            stop: fields.texts("stop", MOST_STOPS)?.unwrap_or(usual.stop),
            seed: fields.seed("seed")?,
            likely: likely(&fields, form)?,
        };
        if ask.prompts.len() * ask.copies > self.places {
            let message =
                format!("{} responses at a time are more than this server has places for, {}", ask.prompts.len() * ask.copies, self.places);
            return Err(ApiError::field("n", message));
        }
        let max_tokens = match fields.count("max_completion_tokens", 1..=usize::MAX)? {
            Some(most) => Some(most),
            None => fields.count("max_tokens", 1..=usize::MAX)?,
        };
        self.fits(&ask.prompts, max_tokens, form)?;
        Ok(Ask { max_tokens: max_tokens.or(usual.max_tokens), ..ask })
    }

    /// A text, its tokens, or a list of either.
    fn prompts(&self, value: &Value) -> Result<Vec<Vec<u32>>, ApiError> {
        let wrong = || ApiError::field("prompt", format!("`prompt` takes a string, a list of tokens, or a list of up to {MOST} of either"));
        let tokens = |value: &Value| -> Option<Vec<u32>> {
            value.as_array()?.iter().map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok())).collect()
        };
        let one = |value: &Value| match value {
            Value::String(text) => self.encode(text),
            tokens_of => tokens(tokens_of).ok_or_else(wrong),
        };
        let prompts = match value {
            Value::Array(list) if list.first().is_some_and(|first| !first.is_number()) && list.len() <= MOST => {
                list.iter().map(one).collect::<Result<Vec<_>, _>>()?
            }
            value => vec![one(value)?],
        };
        let vocabulary = self.policy.weights.config().vocab;
        match prompts.iter().flatten().find(|id| **id as usize >= vocabulary) {
            Some(id) => Err(ApiError::field("prompt", format!("token {id} is outside of the vocabulary of {vocabulary}"))),
            None if prompts.iter().any(Vec::is_empty) => Err(ApiError::field("prompt", "an empty prompt has no next token")),
            None => Ok(prompts),
        }
    }

    /// A text with what the model wants before every text; in it, the client may name control tokens.
    fn encode(&self, text: &str) -> Result<Vec<u32>, ApiError> {
        let (ids, _) = self.policy.tokenizer.encode_prompt(&Prompt::own(text), true)?;
        Ok(if ids.is_empty() { vec![self.policy.tokenizer.end()] } else { ids })
    }

    fn fits(&self, prompts: &[Vec<u32>], max_tokens: Option<usize>, form: Form) -> Result<(), ApiError> {
        let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
        let name = if form == Form::Chat { "messages" } else { "prompt" };
        let context = self.context;
        match max_tokens {
            _ if longest >= context => {
                let message = format!("the prompt has {longest} tokens, and a prompt and its response together have up to {context}");
                Err(ApiError::too_long(name, message))
            }
            Some(most) if most > context - longest => {
                let message = format!("the prompt has {longest} tokens and its response up to {most}; together they may have {context}");
                Err(ApiError::too_long(name, message))
            }
            _ => Ok(()),
        }
    }
}

/// What a request leaves out.
struct Usual {
    sampling: Sampling,
    max_tokens: Option<usize>,
    stop: Vec<String>,
}

impl Usual {
    /// As the policy was declared to decode; else as the protocol has it.
    fn of(decode: Option<&Decode>, form: Form) -> Usual {
        if let Some(Decode::Sample { temperature, top_k, top_p, min_p, max_tokens, stop }) = decode {
            let sampling = Sampling { temperature: *temperature, top_k: *top_k, top_p: *top_p, min_p: *min_p };
            return Usual { sampling, max_tokens: Some(*max_tokens), stop: stop.clone() };
        }
        let max_tokens = (form == Form::Completion).then_some(COMPLETION_TOKENS);
        Usual { sampling: Sampling::default(), max_tokens, stop: Vec::new() }
    }
}

/// The two forms ask for log-probabilities in two ways.
fn likely(fields: &Fields, form: Form) -> Result<Option<usize>, ApiError> {
    if form == Form::Completion {
        return fields.count("logprobs", 0..=MOST_LIKELY);
    }
    let most = fields.count("top_logprobs", 0..=MOST_LIKELY)?;
    match (fields.flag("logprobs")?, most) {
        (Some(true), most) => Ok(Some(most.unwrap_or(0))),
        (_, Some(1..)) => Err(ApiError::field("top_logprobs", "`top_logprobs` goes with `logprobs` set to `true`")),
        _ => Ok(None),
    }
}

impl Ask {
    pub(super) fn responses(&self) -> usize {
        self.prompts.len() * self.copies
    }

    /// One for each response. The first one to a prompt has the seed itself, so that it is the same however many there are. Without a seed, the system's
    /// randomness gives one.
    ///
    /// # Errors
    /// If the system has none.
    pub(super) fn jobs(&self, context: usize, to: &UnboundedSender<Heard>) -> Result<Vec<Job>, ApiError> {
        let seed = match self.seed {
            Some(seed) => seed,
            None => getrandom::u64().map_err(|error| ApiError::broken(format!("the system has no random numbers: {error}")))?,
        };
        let seed_of = |copy: usize| if copy == 0 { seed } else { Seed(seed).child("choice", copy as u64).0 };
        let job = |index: usize| {
            let prompt = self.prompts[index / self.copies].clone();
            let room = context - prompt.len();
            Job {
                sampling: self.sampling.clone(),
                max_tokens: self.max_tokens.map_or(room, |most| most.min(room)),
                stop: self.stop.clone(),
                seed: seed_of(index % self.copies),
                likely: self.likely,
                streams: self.streams,
                prompt,
                index,
                to: to.clone(),
            }
        };
        Ok((0..self.responses()).map(job).collect())
    }
}
