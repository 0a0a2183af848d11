//! Small houses and policies for tests.

use super::{Assignment, Episode, Labels, Player, Rollout, RolloutError};
use crate::env::Machine;
use crate::lang::load::Root;
use crate::model::{DecoderConfig, Tokenizer, Variant, Weights};
use crate::play::EnvironmentSpec;
use crate::policy::{Decode, Policy, Published};
use crate::ranks::Ranks;
use crate::seed::Seed;
use crate::spec::{LIBRARY, Request, environment};
use candle_core::{DType, Device};
use serde_json::json;
use std::sync::Arc;

pub(crate) const CHATML: &str =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{{ '<|im_start|>assistant\\n' }}";
const SPECIAL: [&str; 3] = ["<|im_end|>", "<|im_start|>", "<think>"];

/// A house in which a game has up to 8 turns.
pub(crate) fn house(prompt: &str) -> EnvironmentSpec {
    let rooms = "kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put], max_turns = 8";
    let text = format!("house = household {{ {rooms}, prompt = {prompt}, train = games {{ split = \"train\" }} }}\n");
    let request = Request { root: Root::Text { name: "text.epo", text: &text }, overrides: &[], library: &LIBRARY };
    let (sources, found, diagnostics) = environment(&request, "house");
    found.unwrap_or_else(|| panic!("{}", crate::lang::render::render_all(&sources, &diagnostics, false)))
}

pub(crate) fn choose() -> Decode {
    Decode::Choose { temperature: 1.0, thought: None }
}

/// A choice behind a thought of up to this many tokens.
pub(crate) fn think(most: usize) -> Decode {
    Decode::Choose { temperature: 1.0, thought: Some(most) }
}

pub(crate) fn sample(max_tokens: usize) -> Decode {
    Decode::Sample { temperature: 1.0, top_k: None, top_p: None, min_p: None, max_tokens, stop: Vec::new() }
}

fn trained() -> Tokenizer {
    let texts = (0..60).map(|i| format!("You see shelf {i} and drawer {i}. Task: put a mug in it. go to shelf {i}\nsystem user assistant"));
    Tokenizer::train(texts, 330, &SPECIAL).unwrap()
}

/// With fresh weights.
pub(crate) fn with_tokenizer(tokenizer: Tokenizer, decode: Decode, context: usize, published: Option<Published>) -> Policy {
    let config = DecoderConfig {
        layers: 1,
        width: 8,
        heads: 1,
        kv_heads: 1,
        ffn: 8,
        vocab: tokenizer.vocab(),
        context,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    Policy { weights: Arc::new(weights), tokenizer: Arc::new(tokenizer), decode, published }
}

/// From nothing, without a template.
pub(crate) fn decoder(decode: Decode, context: usize) -> Policy {
    with_tokenizer(trained(), decode, context, None)
}

/// As a pretrained chat model; `<|im_end|>` ends a response.
pub(crate) fn chat(template: &str, system: Option<&str>, decode: Decode, context: usize) -> Policy {
    let json = trained().json().unwrap();
    let inner = Tokenizer::parse(json.as_bytes()).unwrap();
    let ends = vec![inner.token_to_id(SPECIAL[0]).unwrap()];
    let tokenizer = Tokenizer::pretrained(inner, ends.clone(), None).unwrap();
    let template = json!({ "source": template, "bos_token": "", "eos_token": "" });
    let about =
        json!({ "source": "a", "context": context, "ends": ends, "pad": ends[0], "template": template, "chat": true, "system": system });
    with_tokenizer(tokenizer, decode, context, Some(serde_json::from_value(about).unwrap()))
}

/// Plays this many games.
pub(crate) fn play(environment: &EnvironmentSpec, policy: &Policy, games: usize) -> Result<Vec<Episode>, RolloutError> {
    play_on(2, environment, policy, games)
}

/// As [`play`], with an expert beside the policy.
pub(crate) fn play_labelled(environment: &EnvironmentSpec, policy: &Policy, games: usize, mix: f64) -> Result<Vec<Episode>, RolloutError> {
    with_labels((2, &Ranks::ALONE), environment, policy, games, Some(Labels { mix }))
}

pub(crate) fn play_on(threads: usize, environment: &EnvironmentSpec, policy: &Policy, games: usize) -> Result<Vec<Episode>, RolloutError> {
    with_labels((threads, &Ranks::ALONE), environment, policy, games, None)
}

/// As [`play`], by one of several ranks.
pub(crate) fn play_among(
    ranks: &Ranks,
    environment: &EnvironmentSpec,
    policy: &Policy,
    games: usize,
) -> Result<Vec<Episode>, RolloutError> {
    with_labels((1, ranks), environment, policy, games, None)
}

fn with_labels(
    (threads, ranks): (usize, &Ranks),
    environment: &EnvironmentSpec,
    policy: &Policy,
    games: usize,
    labels: Option<Labels>,
) -> Result<Vec<Episode>, RolloutError> {
    let world = environment.world.open(&Machine::default())?;
    let tasks = world.panel("train", Some(games))?.tasks.clone();
    let assignment = |(index, task): (usize, &crate::env::Task)| {
        let seed = Seed(7).child("game", index as u64);
        Assignment { task: task.clone(), group: index as u64, member: 0, world_seed: seed, seed }
    };
    let assignments: Vec<Assignment> = tasks.iter().enumerate().map(assignment).collect();
    let player = Player::Policy { policy, decode: &policy.decode };
    Rollout { environment, world: &*world, player, keep_prompts: true, labels, threads }.play_among(ranks, &assignments)
}
