//! Chats and texts: what the template and the tokenizer make of them, and what the model answers.

use super::rows::{everywhere, greedy};
use super::{ENTROPIES, Finding, LOGITS, LOGPROBS, Reference};
use crate::model::{Compute, ModelError, Pretrained, logits, score};

/// Tokens of a greedy answer.
const ANSWER: usize = 32;

pub(super) fn compare(reference: &Reference, model: &Pretrained, threads: usize) -> Result<Vec<Finding>, ModelError> {
    let compute = Compute { threads, ..Compute::default() };
    let mut prompts = Finding::new("chat prompts", None);
    let mut ids = Finding::new("ids of chat prompts", None);
    let mut texts = Finding::new("ids of texts", None);
    let mut order = Finding::new("most likely tokens of chats", None);
    let mut top = Finding::new("their logits", Some(LOGITS));
    let mut logprobs = Finding::new("log-probabilities of chats", Some(LOGPROBS));
    let mut entropies = Finding::new("entropies of chats", Some(ENTROPIES));
    let mut answers = Finding::new("greedy answers", None);
    for (i, chat) in reference.chats.iter().enumerate() {
        let place = || format!("chat {i}");
        if let Some(template) = &model.chat {
            prompts.equal(place, &template.render(&chat.messages)?, &chat.prompt);
        }
        if let Some(tokenizer) = &model.tokenizer {
            ids.equal(place, &tokenizer.encode_marked(&chat.prompt)?, &chat.ids);
        }
        let found = logits(&model.weights, &chat.ids)?;
        order.equal(place, &best(&found, chat.top_ids.len()), &chat.top_ids);
        let of = |id: &u32| found.get(*id as usize).copied().unwrap_or(f32::NAN);
        top.numbers(|t| format!("chat {i}, place {t}"), &chat.top_ids.iter().map(of).collect::<Vec<_>>(), &chat.top_logits);
        let scores = score(&model.weights, &[everywhere(&chat.ids)], 1.0, &compute)?;
        let before = chat.ids.len().saturating_sub(1);
        if !chat.logprobs.is_empty() {
            logprobs.numbers(|t| format!("chat {i}, position {t}"), &scores.logp[..before], &chat.logprobs);
        }
        if let (Some(expected), Some(found)) = (chat.entropy_last, scores.entropy.last()) {
            entropies.number(place, f64::from(*found), expected);
        }
    }
    let asked: Vec<(&[u32], usize)> = reference.chats.iter().map(|c| (c.ids.as_slice(), c.greedy_ids.len().max(ANSWER))).collect();
    let stop = model.tokenizer.as_ref().map(|t| t.stops().to_vec()).unwrap_or_default();
    for (i, (chat, response)) in reference.chats.iter().zip(greedy(&model.weights, &asked, &stop)?).enumerate() {
        // One that says nothing of an answer is of its prompt alone.
        if chat.greedy_ids.is_empty() {
            continue;
        }
        let length = response.tokens.len().min(if model.tokenizer.is_some() { usize::MAX } else { chat.greedy_ids.len() });
        answers.equal(|| format!("chat {i}"), &response.tokens[..length], chat.greedy_ids.as_slice());
        if let (Some(tokenizer), Some(expected)) = (&model.tokenizer, &chat.greedy_text) {
            answers.equal(|| format!("chat {i}"), &tokenizer.decode_marked(&response.tokens)?, expected);
        }
    }
    if let Some(tokenizer) = &model.tokenizer {
        for text in &reference.tokenization {
            texts.equal(|| format!("{:?}", text.text), &tokenizer.encode_marked(&text.text)?, &text.ids);
        }
    }
    Ok(vec![prompts, ids, texts, order, top, logprobs, entropies, answers])
}

/// The ids of the largest, largest first.
fn best(logits: &[f32], count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..logits.len() as u32).collect();
    order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b)));
    order.truncate(count);
    order
}
