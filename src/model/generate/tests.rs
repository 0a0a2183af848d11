//! Generated responses against scoring, alone and in company.

use super::*;
use crate::model::config::tests::{tiny, variants};
use crate::model::tests::shake;
use crate::model::{Compute, DecoderConfig, Weights, score};
use candle_core::{DType, Device};
use std::sync::Arc;

fn weights() -> Arc<Weights> {
    let config = DecoderConfig { context: 100, ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    shake(&weights);
    Arc::new(weights)
}

/// Requests of both modes, choices with and without a thought; prompts share beginnings of different lengths, some are equal.
fn requests(count: usize) -> Vec<Request> {
    (0..count)
        .map(|i| {
            let length = 5 + (i * 7) % 50;
            let mut prompt: Vec<u32> = (0..length).map(|t| ((t * t + 3 * t) % 31) as u32 + 2).collect();
            if i % 3 == 0 {
                let last = prompt.len() - 1;
                prompt[last] = 2 + (i % 30) as u32;
            }
            let mode = if i % 4 == 3 {
                let sampling = Sampling { temperature: 0.9, top_k: (i % 8 == 3).then_some(5), top_p: Some(0.95), min_p: None };
                Mode::Sample { sampling, max_tokens: 1 + i % 9, stop: vec![4] }
            } else {
                let option = |o: usize| -> Vec<u32> { (0..=(o + i) % 5).map(|t| 2 + ((o / 2 + t * (1 + o % 2)) % 9) as u32).collect() };
                let thought = (i % 8 > 4).then_some(Thought { max_tokens: 1 + i % 7, until: 4 });
                Mode::Choose {
                    thought,
                    options: (0..=i % 12).map(option).collect(),
                    temperature: if i % 8 == 2 { 0.0 } else { 1.3 },
                    end: 1,
                }
            };
            Request { prompt, mode, seed: i as u64 }
        })
        .collect()
}

fn temperature(request: &Request) -> f64 {
    let t = match &request.mode {
        Mode::Sample { sampling, .. } => sampling.temperature,
        Mode::Choose { temperature, .. } => *temperature,
    };
    if t == 0.0 { 1.0 } else { t }
}

#[test]
fn what_was_generated_scores_as_it_was_generated() {
    let weights = weights();
    let requests = requests(60);
    let mut generator = Generator::new(weights.clone(), 8, 100).unwrap();
    let responses = generator.run(requests.clone()).unwrap();
    assert_eq!(responses.len(), requests.len());
    let (mut chosen, mut thoughts) = (0, [0, 0]);
    for (request, response) in requests.iter().zip(&responses) {
        let scores = score(&weights, &[response.row(&request.prompt)], temperature(request), &Compute::default()).unwrap();
        assert_eq!(scores.logp.len(), response.targets.len());
        for (a, b) in scores.logp.iter().zip(&response.logp).chain(scores.entropy.iter().zip(&response.entropy)) {
            assert_eq!(a, b);
        }
        for target in &response.targets {
            assert_eq!(response.tokens[target.position + 1 - request.prompt.len()], target.token);
        }
        match &request.mode {
            Mode::Choose { thought, options, end, .. } => {
                let option = [options[response.choice.unwrap()].as_slice(), &[*end]].concat();
                let written = response.tokens.len() - option.len();
                let (before, behind) = response.tokens.split_at(written);
                assert_eq!(behind, option);
                assert_eq!(response.finish, Finish::Stop);
                let first = request.prompt.len() + written;
                let free = response.targets.iter().take_while(|target| target.position + 1 < first).count();
                match thought {
                    None => assert_eq!(written, 0),
                    Some(thought) => {
                        assert_eq!(before.iter().position(|token| *token == thought.until), Some(written - 1));
                        assert!(written <= thought.max_tokens + 1 && free >= written - 1);
                        assert!(response.targets[..free].iter().all(|target| target.allowed.is_none()));
                        thoughts[usize::from(free < written)] += 1;
                    }
                }
                assert!(response.targets[free..].iter().all(|target| target.allowed.is_some()));
                chosen += response.targets.len() - free;
            }
            Mode::Sample { max_tokens, stop, .. } => {
                assert_eq!(response.choice, None);
                assert_eq!(response.targets.len(), response.tokens.len());
                let ended = response.tokens.last().is_some_and(|t| stop.contains(t));
                assert_eq!(response.finish == Finish::Stop, ended);
                assert!(ended || response.tokens.len() == *max_tokens);
            }
        }
    }
    assert!(chosen > 60 && thoughts[0] > 0 && thoughts[1] > 0, "{chosen} choices; thoughts that ended, and were ended: {thoughts:?}");
}

#[test]
fn company_changes_nothing() {
    let weights = weights();
    let requests = requests(40);
    let together = Generator::new(weights.clone(), 16, 100).unwrap().run(requests.clone()).unwrap();
    let few = Generator::new(weights.clone(), 3, 100).unwrap().run(requests.clone()).unwrap();
    assert!(together == few);
    for (request, response) in requests.into_iter().zip(together) {
        let alone = Generator::new(weights.clone(), 1, 100).unwrap().run([request]).unwrap();
        assert!(alone[0] == response);
    }
}

#[test]
fn threads_change_no_bit_of_long_prompts() {
    let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: 3, stop: vec![] };
    for variant in variants() {
        let config = DecoderConfig { context: 500, ..variant };
        let weights = Arc::new(Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap());
        shake(&weights);
        // The second begins as the first does, so that part of it is copied.
        let prompts = [497, 300, 1, 140].map(|length| (0..length).map(|i| 3 + (i * i % 11) as u32).collect::<Vec<u32>>());
        let requests = || prompts.iter().map(|prompt| Request { prompt: prompt.clone(), mode: mode.clone(), seed: 1 });
        let run = |threads| Generator::new(weights.clone(), 3, 500).unwrap().on(threads).run(requests()).unwrap();
        let one = run(1);
        for threads in [2, 3, 16] {
            assert!(run(threads) == one);
        }
    }
}

#[test]
fn choices_follow_the_policys_probabilities() {
    let weights = weights();
    let options: Vec<Vec<u32>> = vec![vec![5, 6], vec![5, 6, 7], vec![5, 8], vec![9]];
    let mode = Mode::Choose { thought: None, options: options.clone(), temperature: 1.0, end: 1 };
    let ask = |seed| Request { prompt: vec![3, 4, 5], mode: mode.clone(), seed };
    let responses = Generator::new(weights, 32, 100).unwrap().run((0..4000).map(ask)).unwrap();
    let mut share = vec![(0.0, 0.0); options.len()];
    for response in &responses {
        let chosen = &mut share[response.choice.unwrap()];
        chosen.0 += 1.0 / 4000.0;
        chosen.1 = f64::from(response.logp.iter().sum::<f32>()).exp();
    }
    for (found, expected) in &share {
        assert!((found - expected).abs() < 0.03, "{share:?}");
    }
    assert!((share.iter().map(|s| s.1).sum::<f64>() - 1.0).abs() < 1e-5, "{share:?}");
}

#[test]
fn new_weights_make_new_responses() {
    let weights = weights();
    let request = &requests(8)[1];
    let mut generator = Generator::new(weights.clone(), 2, 100).unwrap();
    let before = generator.run([request.clone()]).unwrap();
    shake(&weights);
    let after = generator.run([request.clone()]).unwrap();
    assert_ne!(before[0].logp, after[0].logp);
    assert!(after == Generator::new(weights.clone(), 2, 100).unwrap().run([request.clone()]).unwrap());
    generator.submit(request.clone()).unwrap();
    weights.touch();
    assert!(generator.advance().unwrap_err().to_string().contains("weights have changed"));
}

#[test]
fn requests_that_cannot_be_answered_are_refused() {
    let mut generator = Generator::new(weights(), 1, 20).unwrap();
    let mut message = |prompt: Vec<u32>, options: Vec<Vec<u32>>| {
        let mode = Mode::Choose { thought: None, options, temperature: 1.0, end: 1 };
        generator.submit(Request { prompt, mode, seed: 0 }).unwrap_err().to_string()
    };
    assert_eq!(message(vec![], vec![vec![2]]), "an empty prompt has no next token");
    assert_eq!(message(vec![99], vec![vec![2]]), "prompt token 99 is outside the vocabulary of 37");
    assert_eq!(message(vec![2; 18], vec![vec![2; 3]]), "a prompt of 18 tokens and an option of 3 does not fit into 20 positions");
    assert_eq!(message(vec![2], vec![]), "there is no option to choose from");
    let thought = Some(Thought { max_tokens: 10, until: 4 });
    let mode = Mode::Choose { thought, options: vec![vec![2; 3]], temperature: 1.0, end: 1 };
    let wrong = generator.submit(Request { prompt: vec![2; 8], mode, seed: 0 }).unwrap_err().to_string();
    assert_eq!(wrong, "a prompt of 8 tokens and an option of 14 does not fit into 20 positions");
    let sample = |temperature| Mode::Sample { sampling: Sampling { temperature, ..Sampling::default() }, max_tokens: 30, stop: vec![] };
    assert!(generator.submit(Request { prompt: vec![2], mode: sample(f64::NAN), seed: 0 }).is_err());
    generator.submit(Request { prompt: vec![2; 15], mode: sample(1.0), seed: 0 }).unwrap();
    assert!(generator.submit(Request { prompt: vec![2], mode: sample(1.0), seed: 0 }).unwrap_err().to_string().contains("all slots"));
    let mut response = Vec::new();
    while response.is_empty() {
        response = generator.advance().unwrap();
    }
    assert_eq!((response[0].1.tokens.len(), response[0].1.finish), (6, Finish::Length));
}

#[test]
fn a_text_ends_a_response_wherever_tokens_meet() {
    let texts = (0..200).map(|i| format!("take mug {i} from drawer {}\nlook", i % 7));
    let tokenizer = Arc::new(crate::model::Tokenizer::train(texts, 290, &[]).unwrap());
    let config = DecoderConfig { context: 100, vocab: tokenizer.vocab(), ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    shake(&weights);
    let weights = Arc::new(weights);
    let request = |seed: u64| {
        let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: 40, stop: vec![] };
        Request { prompt: vec![5, 6, 7 + seed as u32], mode, seed }
    };
    let run = |seeds: std::ops::Range<u64>, slots: usize, stop: &[String]| {
        let generator = Generator::new(weights.clone(), slots, 100).unwrap().until(Until::new(tokenizer.clone(), stop));
        let mut generator = generator;
        generator.run(seeds.map(request)).unwrap()
    };
    let mut straddled = 0;
    for (seed, free) in (0..12u64).zip(run(0..12, 3, &[])) {
        // The last letter of one token and the first of the next, where both are letters of one byte.
        let piece = |at: usize| tokenizer.decode(&free.tokens[at..=at]).unwrap();
        let plain = |text: &str| !text.is_empty() && text.is_ascii();
        let Some(at) = (5..30).find(|at| plain(&piece(*at)) && plain(&piece(at + 1))) else { continue };
        let stop = vec!["not written by anyone".to_string(), format!("{}{}", &piece(at)[piece(at).len() - 1..], &piece(at + 1)[..1])];
        let alone = run(seed..seed + 1, 1, &stop).remove(0);
        let whole = tokenizer.decode(&free.tokens).unwrap();
        let until = Until::new(tokenizer.clone(), &stop).unwrap();
        assert_eq!(until.text(&alone.tokens).unwrap(), whole[..whole.find(&stop[1]).unwrap()]);
        assert!(free.tokens.starts_with(&alone.tokens) && alone.tokens.len() <= at + 2, "{stop:?}");
        assert!(tokenizer.decode(&alone.tokens).unwrap().contains(&stop[1]));
        assert!(!tokenizer.decode(&alone.tokens[..alone.tokens.len() - 1]).unwrap().contains(&stop[1]));
        assert_eq!(alone.finish, Finish::Stop);
        straddled += usize::from(alone.tokens.len() == at + 2);
        // The same in company.
        assert_eq!(run(0..12, 5, &stop)[seed as usize], alone);
    }
    assert!(straddled > 3, "{straddled}");
    assert!(Until::new(tokenizer, &[]).is_none());
}

#[test]
fn types_without_kernels_generate_by_candles_operations() {
    let config = DecoderConfig { context: 100, ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
    shake(&weights);
    let weights = Arc::new(weights);
    let requests = requests(40);
    let responses = Generator::new(weights.clone(), 6, 100).unwrap().run(requests.clone()).unwrap();
    let mut targets = 0;
    for (request, response) in requests.iter().zip(&responses) {
        let scores = score(&weights, &[response.row(&request.prompt)], temperature(request), &Compute::default()).unwrap();
        assert_eq!(scores.logp.len(), response.targets.len());
        for (a, b) in scores.logp.iter().zip(&response.logp).chain(scores.entropy.iter().zip(&response.entropy)) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        targets += response.targets.len();
    }
    assert!(targets > 40, "{targets}");
}

#[test]
fn what_is_watched_scores_at_temperature_one_and_changes_nothing() {
    let weights = weights();
    let requests: Vec<Request> = requests(40).into_iter().filter(|r| matches!(r.mode, Mode::Sample { .. })).collect();
    let free = Generator::new(weights.clone(), 4, 100).unwrap().run(requests.clone()).unwrap();
    for (request, free) in requests.iter().zip(free) {
        let mut generator = Generator::new(weights.clone(), 1, 100).unwrap();
        let slot = generator.submit(request.clone()).unwrap();
        generator.watch(slot, 3);
        let (mut seen, mut response) = (Vec::new(), None);
        while response.is_none() {
            response = generator.advance().unwrap().pop().map(|(_, response)| response);
            seen.extend(generator.watched(slot));
        }
        let response = response.unwrap();
        assert!(response == free && seen.len() == response.tokens.len());
        let scores = score(&weights, &[response.row(&request.prompt)], 1.0, &Compute::default()).unwrap();
        assert_eq!(scores.logp, seen.iter().map(|likely| likely.logp).collect::<Vec<_>>());
        for (likely, token) in seen.iter().zip(&response.tokens) {
            let at = likely.most.iter().find(|(other, _)| other == token);
            assert!(likely.most.len() == 3 && likely.most.is_sorted_by(|a, b| a.1 >= b.1));
            assert!(at.map_or(likely.logp <= likely.most[2].1, |at| at.1 == likely.logp));
        }
    }
}

#[test]
fn a_request_that_is_given_up_frees_its_slot_and_harms_nobody() {
    let weights = weights();
    let ask = |prompt: &[u32], seed| {
        let mode = Mode::Sample { sampling: Sampling::default(), max_tokens: 20, stop: vec![] };
        Request { prompt: prompt.to_vec(), mode, seed }
    };
    let prompt: Vec<u32> = (2..32).collect();
    let alone = Generator::new(weights.clone(), 1, 100).unwrap().run([ask(&prompt, 2)]).unwrap().remove(0);
    // Before its first step the second one's prompt is to be copied from it; later nothing is.
    for steps in [0, 1, 4] {
        let mut generator = Generator::new(weights.clone(), 2, 100).unwrap();
        let left = generator.submit(ask(&prompt, 1)).unwrap();
        let mut stays = (steps == 0).then(|| generator.submit(ask(&prompt, 2)).unwrap());
        for _ in 0..steps {
            generator.advance().unwrap();
        }
        assert_eq!(generator.so_far(left).map(|response| response.tokens.len()), Some(steps));
        generator.cancel(left);
        assert_eq!(generator.so_far(left).is_none(), steps > 0);
        let stays = *stays.get_or_insert_with(|| generator.submit(ask(&prompt, 2)).unwrap());
        let mut finished = Vec::new();
        while finished.is_empty() {
            finished = generator.advance().unwrap();
            assert_eq!(generator.free(), 1 + finished.len());
        }
        assert!(finished == [(stays, alone.clone())], "after {steps} steps");
    }
}
