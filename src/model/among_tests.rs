//! What ranks make of rows together has the bits of what one makes alone.

use super::config::tests::{tiny, variants};
use super::tests::{random_rows, shake};
use super::*;
use crate::ranks::{Ranks, local};
use candle_core::{DType, Device};
use proptest::prelude::*;

/// Of all gradients, by name, in f64; equal numbers have equal bits but for the sign of 0.
fn numbers(gradients: &Gradients) -> Vec<(String, Vec<u64>)> {
    let bits = |tensor: &candle_core::Tensor| {
        let values = tensor.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
        values.into_iter().map(f64::to_bits).collect()
    };
    gradients.tensors().iter().map(|(name, tensor)| (name.clone(), bits(tensor))).collect()
}

/// Everything that is made of rows in an update: scores, figures, values, gradients of the model and of the head.
type Made = (Vec<Vec<u32>>, Vec<(String, Vec<u64>)>, Vec<(String, Vec<u64>)>);

fn make(weights: &Weights, other: &Weights, head: &ValueHead, rows: &[Row], compute: &Compute) -> Made {
    let others = [Other::of(other, rows, compute).unwrap()];
    let asked = Asked { figures: &[Figure::Collision, Figure::To(0), Figure::From(0)], others: &others };
    let before = score(weights, rows, 0.8, compute).unwrap();
    let both = head.evaluate_with_figures(weights, rows, 0.8, asked, compute).unwrap();
    assert_eq!(before, both.scores);
    let slopes: Vec<f32> = (0..both.values.len()).map(|i| (i as f32 * 0.7 + 1.0).sin()).collect();
    let given = ScoreGradients { logp: slopes.clone(), entropy: slopes.iter().map(|x| x * 0.1).collect() };
    let lists = [&both.scores.logp, &both.scores.entropy, &both.values].into_iter().chain(&both.figures);
    let bits = lists.map(|list| list.iter().map(|x| x.to_bits()).collect()).collect();
    let (model, of_head) = both.backward_with_figures(&given, &[slopes.clone(), vec![], slopes.clone()], &slopes).unwrap();
    (bits, numbers(&model), numbers(&of_head))
}

/// What each of so many ranks makes.
fn each(size: usize, make: impl Fn(Ranks) -> Made + Sync) -> Vec<Made> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = local::ranks(size, None).into_iter().map(|ranks| scope.spawn(|| make(ranks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn compare(weights: &Weights, other: &Weights, rows: &[Row], compute: &Compute, sizes: &[usize]) {
    let head = ValueHead::on(weights).unwrap();
    shake(head.weights());
    let alone = make(weights, other, &head, rows, compute);
    // A row or two may have nothing to learn: a token that is the only one allowed.
    assert!(rows.len() < 4 || alone.1.iter().any(|(_, bits)| bits.iter().any(|x| *x != 0)));
    for size in sizes {
        let found = each(*size, |ranks| make(weights, other, &head, rows, &Compute { ranks, ..compute.clone() }));
        for (rank, found) in found.into_iter().enumerate() {
            assert!(found == alone, "rank {rank} of {size} has other bits");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_dealing_of_lanes_gives_the_same_bits(
        seed in any::<u64>(),
        rows in 1usize..60,
        size in 2usize..6,
        threads in 1usize..4,
        keep in prop::sample::select(vec![0usize, 100_000, 1 << 30]),
        checkpointing in any::<bool>(),
    ) {
        let config = DecoderConfig { context: 40, ..tiny() };
        let [weights, other] = [3, 4].map(|seed| Weights::init(&config, seed, &Device::Cpu, DType::F32).unwrap());
        let rows = random_rows(&config, rows, seed);
        compare(&weights, &other, &rows, &Compute { threads, keep, checkpointing, ..Compute::default() }, &[size]);
    }
}

#[test]
fn of_every_variant_below_an_adapter_and_in_double() {
    for (number, config) in variants().into_iter().enumerate() {
        let config = DecoderConfig { context: 40, ..config };
        let dtype = if number % 2 == 0 { DType::F64 } else { DType::F32 };
        let [whole, other] = [3, 4].map(|seed| Weights::init(&config, seed, &Device::Cpu, dtype).unwrap());
        let targets = vec!["q_proj".to_string(), "down_proj".to_string()];
        let adapted = whole.adapted(LoraConfig { rank: 2, alpha: 2.0, targets }, 1).unwrap();
        shake(&whole);
        shake(&adapted);
        let rows = random_rows(&config, 40, number as u64);
        for weights in [&whole, &adapted] {
            compare(weights, &other, &rows, &Compute::default(), &[3]);
        }
    }
}

#[test]
fn a_rank_that_cannot_go_on_is_heard_by_all() {
    let config = DecoderConfig { context: 40, ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let rows = random_rows(&config, 40, 1);
    let errors: Vec<String> = std::thread::scope(|scope| {
        let work = |ranks: Ranks| {
            if ranks.rank() == 1 {
                ranks.fail("no room for activations");
                return "no room".into();
            }
            score(&weights, &rows, 1.0, &Compute { ranks, ..Compute::default() }).unwrap_err().to_string()
        };
        let threads: Vec<_> = local::ranks(3, None).into_iter().map(|ranks| scope.spawn(move || work(ranks))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(errors, ["rank 1 failed: no room for activations", "no room", "rank 1 failed: no room for activations"]);
}
