use super::composite::Graph;
use super::config::tests::{tiny, variants};
use super::engine::{Ask, Engine, Slopes};
use super::figure::States;
use super::passes::{Composite, states_on_device};
use super::pending::native_answers;
use super::tests::{random_rows, same_gradients, shake, worst_difference};
use super::*;
use candle_core::{DType, Device};

const ALL: [Figure; 8] = [
    Figure::Collision,
    Figure::Largest,
    Figure::TopShare(1),
    Figure::TopShare(3),
    Figure::TopShare(900),
    Figure::To(0),
    Figure::From(0),
    Figure::To(1),
];

fn random(config: &DecoderConfig, seed: u64) -> Weights {
    let weights = Weights::init(config, seed, &Device::Cpu, DType::F64).unwrap();
    shake(&weights);
    weights
}

/// The log-probabilities of all tokens in the place of each target, by candle's operations.
fn distributions(weights: &Weights, rows: &[Row], temperature: f64) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    for row in rows {
        for target in &row.targets {
            let padded = composite::Padded::new(weights, &forest::arrange(std::slice::from_ref(row), false)).unwrap();
            let states = padded.states(Graph::Free).unwrap().to_vec2::<f64>().unwrap();
            let state = &states[row.targets.iter().position(|t| t == target).unwrap()];
            let name = if weights.config().tied { weights::EMBEDDING } else { weights::UNEMBEDDING };
            let head = weights.variables()[name].to_vec2::<f64>().unwrap();
            let allowed = |token: &usize| target.allowed.as_ref().is_none_or(|allowed| allowed.contains(&(*token as u32)));
            let logits: Vec<f64> = (0..head.len())
                .filter(allowed)
                .map(|token| head[token].iter().zip(state).map(|(w, x)| w * x).sum::<f64>() / temperature)
                .collect();
            let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let norm = top + logits.iter().map(|z| (z - top).exp()).sum::<f64>().ln();
            found.push(logits.into_iter().map(|z| z - norm).collect());
        }
    }
    found
}

fn written_out(figure: Figure, own: &[f64], others: [&[f64]; 2]) -> f64 {
    let divergence = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
    let mut probabilities: Vec<f64> = own.iter().map(|logp| logp.exp()).collect();
    probabilities.sort_by(|a, b| b.total_cmp(a));
    match figure {
        Figure::Collision => probabilities.iter().map(|p| p * p).sum(),
        Figure::Largest => probabilities[0],
        Figure::TopShare(count) => probabilities.iter().take(count).sum(),
        Figure::To(other) => divergence(own, others[other]),
        Figure::From(other) => divergence(others[other], own),
    }
}

/// As the probabilities say, by the kernels and by candle's operations; their gradients by differences.
#[test]
fn figures_of_the_distributions() {
    for (number, config) in std::iter::once(tiny()).chain(variants()).take(3).enumerate() {
        let weights = random(&config, 3);
        // One of the same shape, and one that is narrower.
        let narrow = DecoderConfig {
            width: config.width / 2,
            heads: 1,
            kv_heads: 1,
            layers: 1,
            ffn: 8,
            variant: Variant::default(),
            ..config.clone()
        };
        let models = [random(&config, 7), random(&narrow, 8)];
        let rows = random_rows(&config, 4, 12);
        let count: usize = rows.iter().map(|row| row.targets.len()).sum();
        let compute = Compute { micro_batch: Some(3), ..Compute::default() };
        let others: Vec<Other> = models.iter().map(|model| Other::of(model, &rows, &compute).unwrap()).collect();
        let what = Ask { more: Asked { figures: &ALL, others: &others }, ..Ask::policy(0.7) };
        let answers = || native_answers::<f64>(&weights, &rows, what, &compute).unwrap();
        let (found, plain) = (answers(), native_answers::<f64>(&weights, &rows, Ask::policy(0.7), &compute).unwrap());
        assert!(plain.figures.is_empty() && found.logp == plain.logp && found.entropy == plain.entropy, "nothing else changes");
        let (own, theirs) = (distributions(&weights, &rows, 0.7), [0, 1].map(|i: usize| distributions(&models[i], &rows, 0.7)));
        for (figure, values) in ALL.into_iter().zip(&found.figures) {
            assert_eq!(values.len(), count);
            for (i, value) in values.iter().enumerate() {
                let expected = written_out(figure, &own[i], [&theirs[0][i], &theirs[1][i]]);
                assert!((value - expected).abs() < 1e-10, "{figure:?} of {i}: {value}, not {expected}");
            }
        }
        assert!(found.figures[4].iter().all(|share| (share - 1.0).abs() < 1e-12) && found.figures[5].iter().any(|kl| *kl > 0.01));

        // Another model is handed over as it is on a device.
        let on_device: Vec<Other> = models
            .iter()
            .map(|model| Other { weights: model, states: States::OnDevice(states_on_device(model, &rows, &compute).unwrap()) })
            .collect();
        let composite = || {
            let what = Ask { more: Asked { figures: &ALL, others: &on_device }, ..Ask::policy(0.7) };
            Composite::new(&weights, &rows, what, &compute).unwrap()
        };
        for (ours, theirs) in found.figures.iter().zip(composite().answers().unwrap().figures) {
            assert!(ours.iter().zip(theirs).all(|(a, b)| (a - f64::from(b)).abs() < 1e-5));
        }
        let slopes: Vec<Vec<f32>> =
            (0..ALL.len()).map(|figure| (0..count).map(|i| ((i + 3 * figure) as f32 * 0.9).sin()).collect()).collect();
        let weighted = |figures: &[Vec<f32>]| {
            let part = |a: &[f64], s: &[f32]| a.iter().zip(s).map(|(a, s)| a * f64::from(*s)).sum::<f64>();
            answers().figures.iter().zip(figures).map(|(values, slopes)| part(values, slopes)).sum::<f64>()
        };
        // Each by itself, and all together, there also by differences.
        for figure in (0..=ALL.len()).filter(|figure| ALL.get(*figure) != Some(&Figure::TopShare(900))) {
            let slopes: Vec<Vec<f32>> =
                (0..ALL.len()).map(|i| if figure == ALL.len() || i == figure { slopes[i].clone() } else { vec![] }).collect();
            let (engine, _) = Engine::new(&weights, &rows, what, &compute, true).unwrap();
            let gradients = engine.backward(Slopes { figures: &slopes, ..Slopes::default() }).unwrap().1.model;
            same_gradients(&gradients, &composite().backward(Slopes { figures: &slopes, ..Slopes::default() }).unwrap().1.model);
            let differences = number == 0 && figure == ALL.len();
            let worst = if differences { worst_difference(&weights, &gradients, || weighted(&slopes)) } else { 0.0 };
            assert!(worst < 1e-6, "{:?}: {worst}", ALL.get(figure));
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_threads_or_company() {
    let config = tiny();
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let other = Weights::init(&config, 4, &Device::Cpu, DType::F32).unwrap();
    let rows = random_rows(&config, 9, 12);
    let slopes: Vec<Vec<f32>> = vec![vec![1.0; rows.iter().map(|row| row.targets.len()).sum()]; ALL.len() - 1];
    let run = |compute: &Compute| {
        let others = [Other::of(&other, &rows, compute).unwrap()];
        let more = Asked { figures: &ALL[..7], others: &others };
        let found = evaluate_with_figures(&weights, &rows, 1.0, more, compute).unwrap();
        let figures = found.figures.clone();
        (figures, found.backward_with_figures(&ScoreGradients::default(), &slopes).unwrap().norm().unwrap())
    };
    let alone = run(&Compute { micro_batch: Some(1), ..Compute::default() });
    let (two, three) = (run(&Compute { threads: 2, ..Compute::default() }), run(&Compute { threads: 3, ..Compute::default() }));
    assert!(two == three && two.0 == alone.0);
}

#[test]
fn models_that_cannot_be_compared_are_refused() {
    let config = tiny();
    let rows = random_rows(&config, 2, 1);
    let [weights, same, single] =
        [(3, DType::F64), (4, DType::F64), (5, DType::F32)].map(|(seed, dtype)| Weights::init(&config, seed, &Device::Cpu, dtype).unwrap());
    let wider = random(&DecoderConfig { vocab: config.vocab + 1, ..config.clone() }, 4);
    let refused = |others: &[&Weights], figure| {
        let compute = Compute::default();
        let others: Vec<Other> = others.iter().map(|other| Other::of(other, &rows, &compute).unwrap()).collect();
        let more = Asked { figures: &[figure], others: &others };
        score_with_figures(&weights, &rows, 1.0, more, &compute).map(|_| ()).map_err(|error| error.to_string())
    };
    assert!(refused(&[&same], Figure::To(0)).is_ok());
    assert!(refused(&[], Figure::From(0)).unwrap_err().contains("with none"));
    assert!(refused(&[&wider], Figure::To(0)).unwrap_err().contains("cannot be compared"));
    assert!(refused(&[&single], Figure::To(0)).unwrap_err().contains("the same numbers"));
}
