//! What rows have in common is computed once, and nothing is changed by it.

use super::config::tests::{tiny, variants};
use super::engine::{Ask, Slopes};
use super::passes::Composite;
use super::pending::native_answers;
use super::tests::{loss, random_rows, same_gradients, shake, slopes, worst_difference};
use super::*;
use candle_core::{DType, Device};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Rows that go on from each other: equal ones, one the beginning of another, some with nothing in common; some choose among few tokens.
fn alike(config: &DecoderConfig, count: usize, seed: u64) -> Vec<Row> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = |n: usize| (rng.next_u32() as usize) % n.max(1);
    let mut rows = random_rows(config, count, seed);
    for next in 1..rows.len() {
        let other = rows[below(next)].clone();
        match below(5) {
            0 => rows[next] = other,
            1 => {
                let end = 1 + below(other.ids.len());
                rows[next].ids = other.ids[..end].to_vec();
                rows[next].targets.retain(|target| target.position < end);
            }
            2 | 3 => {
                let shared = below(other.ids.len()).min(rows[next].ids.len());
                rows[next].ids[..shared].copy_from_slice(&other.ids[..shared]);
            }
            _ => {}
        }
    }
    rows
}

fn count(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.targets.len()).sum()
}

fn sharing(share: bool) -> Compute {
    Compute { share, threads: 2, ..Compute::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_answer_changes_by_a_bit_and_gradients_by_rounding(seed in any::<u64>(), rows in 1usize..24, micro_batch in 0usize..5, keep in any::<bool>()) {
        let config = DecoderConfig { context: 40, ..tiny() };
        let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
        let rows = alike(&config, rows, seed);
        let slopes = slopes(count(&rows));
        let micro_batch = Some(micro_batch).filter(|rows| *rows > 0);
        let run = |share| {
            let compute = Compute { micro_batch, keep: if keep { 1 << 30 } else { 0 }, ..sharing(share) };
            let evaluation = evaluate(&weights, &rows, 1.0, &compute).unwrap();
            let scores = evaluation.scores.clone();
            assert_eq!(scores, score(&weights, &rows, 1.0, &compute).unwrap());
            (scores, evaluation.backward(&slopes).unwrap())
        };
        let ((with, shared), (without, single)) = (run(true), run(false));
        prop_assert_eq!(with, without);
        let numbers = |tensor: &candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let size = |numbers: &[f32]| numbers.iter().fold(0f32, |a, b| a.max(b.abs()));
        let largest = single.tensors().values().map(|tensor| size(&numbers(tensor))).fold(0f32, f32::max);
        for (name, shared) in shared.tensors() {
            let [shared, single] = [shared, &single.tensors()[name]].map(&numbers);
            let worst = shared.iter().zip(&single).fold(0f32, |w, (a, b)| w.max((a - b).abs()));
            // Where everything cancels (a query that sees one key has no gradient), what is left is rounding of the whole.
            let bound = 4e-5 * size(&single) + 4e-7 * largest;
            prop_assert!(worst <= bound, "{} differs by {}, allowed {}", name, worst, bound);
        }
    }
}

#[test]
fn gradients_are_those_of_rows_alone_in_every_variant_with_adapters_and_layer_by_layer() {
    for (number, config) in variants().into_iter().chain([tiny()]).enumerate() {
        let config = DecoderConfig { context: 40, ..config };
        let whole = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
        let targets = vec!["q_proj".to_string(), "v_proj".to_string(), "down_proj".to_string()];
        let adapted = whole.adapted(LoraConfig { rank: 2, alpha: 2.0, targets }, 1).unwrap();
        shake(&whole);
        shake(&adapted);
        let rows = alike(&config, 13, number as u64);
        let slopes = slopes(count(&rows));
        for weights in [&whole, &adapted] {
            for (checkpointing, micro_batch) in [(false, None), (true, None), (true, Some(1)), (false, Some(2))] {
                let run = |share| {
                    let compute = Compute { micro_batch, checkpointing, ..sharing(share) };
                    accumulate_gradients(weights, &rows, 0.7, &slopes, &compute).unwrap().1
                };
                same_gradients(&run(true), &run(false));
            }
            let what = Ask::policy(0.7);
            for checkpointing in [false, true] {
                let run = |share| {
                    let compute = Compute { checkpointing, micro_batch: Some(5), ..sharing(share) };
                    Composite::new(weights, &rows, what, &compute).unwrap().backward(slopes.slopes(&[])).unwrap()
                };
                let ((with, shared), (without, single)) = (run(true), run(false));
                assert!(with.columns().flatten().zip(without.columns().flatten()).all(|(a, b)| (a - b).abs() < 1e-5));
                same_gradients(&shared.model, &single.model);
            }
        }
        let critic = Critic::from_backbone(&whole).unwrap();
        shake(critic.weights());
        let run = |share| critic.accumulate_gradients(&rows, &slopes.logp, &sharing(share)).unwrap();
        let ((with, shared), (without, single)) = (run(true), run(false));
        assert_eq!(with, without);
        same_gradients(&shared, &single);
    }
}

#[test]
fn shared_gradients_agree_with_finite_differences() {
    for config in [tiny(), variants().remove(6)] {
        let config = DecoderConfig { context: 24, ..config };
        let weights = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
        shake(&weights);
        let rows = alike(&config, 9, 21);
        let (slopes, what) = (slopes(count(&rows)), Ask::policy(0.8));
        // Batches of a few tokens: what a batch follows lies in those before it.
        let compute = Compute { micro_batch: Some(1), ..sharing(true) };
        let (_, gradients) = accumulate_gradients(&weights, &rows, 0.8, &slopes, &compute).unwrap();
        let worst =
            worst_difference(&weights, &gradients, || loss(&native_answers::<f64>(&weights, &rows, what, &compute).unwrap(), &slopes));
        assert!(worst < 1e-6, "{worst}");
    }
}

#[test]
fn the_order_of_the_rows_changes_no_answer() {
    let config = DecoderConfig { context: 40, ..tiny() };
    let weights = Weights::init(&config, 3, &Device::Cpu, DType::F32).unwrap();
    let rows = alike(&config, 12, 5);
    let scores = |rows: &[Row]| {
        let mut all = score(&weights, rows, 1.0, &sharing(true)).unwrap().logp.into_iter();
        rows.iter().map(|row| all.by_ref().take(row.targets.len()).collect()).collect::<Vec<Vec<f32>>>()
    };
    let mut turned = scores(&rows.iter().rev().cloned().collect::<Vec<_>>());
    turned.reverse();
    assert_eq!(scores(&rows), turned);
}

#[test]
fn a_head_on_the_trunk_says_what_a_critic_of_the_same_numbers_says() {
    let config = DecoderConfig { context: 24, ..tiny() };
    let policy = Weights::init(&config, 3, &Device::Cpu, DType::F64).unwrap();
    shake(&policy);
    let (critic, head) = (Critic::from_backbone(&policy).unwrap(), ValueHead::on(&policy).unwrap());
    let rows = alike(&config, 7, 3);
    let slopes = slopes(count(&rows));
    assert!(head.values(&policy, &rows, &sharing(true)).unwrap().iter().all(|value| *value == 0.0));
    shake(head.weights());
    critic.weights().copy_from(head.weights()).unwrap();
    let joint = head.evaluate(&policy, &rows, 0.8, &sharing(true)).unwrap();
    assert_eq!(joint.scores, score(&policy, &rows, 0.8, &sharing(true)).unwrap());
    let (values, of_critic) = critic.accumulate_gradients(&rows, &slopes.logp, &sharing(true)).unwrap();
    assert_eq!(joint.values, values);
    let (trunk, of_head) = joint.backward(&slopes, &slopes.logp).unwrap();

    // The trunk has the gradients of both, the head what the critic's head has.
    let (_, of_policy) = accumulate_gradients(&policy, &rows, 0.8, &slopes, &sharing(true)).unwrap();
    let mut both = Gradients::zeros(&policy).unwrap();
    both.add(&of_policy).unwrap();
    both.add(&of_critic).unwrap();
    same_gradients(&trunk, &both);
    same_gradients(&of_head, &of_critic);
    let joint_loss = || {
        let what = Ask { value: Some(head.weights()), ..Ask::policy(0.8) };
        loss(&native_answers::<f64>(&policy, &rows, what, &sharing(true)).unwrap(), &slopes)
    };
    assert!(worst_difference(&policy, &trunk, joint_loss) < 1e-6);

    // By candle's operations, and above an adapter, where the head is trained in full.
    let what = Ask { value: Some(head.weights()), ..Ask::policy(0.8) };
    for checkpointing in [false, true] {
        let compute = Compute { micro_batch: Some(3), checkpointing, ..sharing(true) };
        let (_, found) =
            Composite::new(&policy, &rows, what, &compute).unwrap().backward(Slopes { value: &slopes.logp, ..slopes.slopes(&[]) }).unwrap();
        same_gradients(&trunk, &found.model);
        same_gradients(&of_head, &found.head.unwrap());
    }
    let adapted = policy.adapted(LoraConfig { rank: 2, alpha: 2.0, targets: vec!["v_proj".into()] }, 1).unwrap();
    let (above, same_head) = head.evaluate(&adapted, &rows, 0.8, &sharing(true)).unwrap().backward(&slopes, &slopes.logp).unwrap();
    assert_eq!(above.tensors().len(), 2 * config.layers);
    same_gradients(&of_head, &same_head);
}
