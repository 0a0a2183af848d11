//! What an update needs beside the weights: counted by the allocator, which is why this test has a process of its own.

use candle_core::{DType, Device};
use epo::model::{AdamW, Compute, DecoderConfig, LoraConfig, OptimizerState, Row, ScoreGradients, Variant, Weights, evaluate};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that a piece of work holds at a time beside what was there before.
fn peak(work: impl FnOnce()) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    PEAK.load(Ordering::Relaxed) - before
}

#[test]
fn checkpointing_and_adapters_save_memory() {
    let config = DecoderConfig {
        layers: 6,
        width: 32,
        heads: 2,
        kv_heads: 1,
        ffn: 48,
        vocab: 100,
        context: 64,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    };
    let whole = Weights::init(&config, 1, &Device::Cpu, DType::F32).expect("weights");
    let lora = LoraConfig { rank: 4, alpha: 8.0, targets: vec!["q_proj".into(), "v_proj".into()] };
    let adapted = whole.adapted(lora, 2).expect("an adapter");
    let rows: Vec<Row> = (0..4).map(|i| Row::after((0..64).map(|t| (i * 31 + t * 7) % 100).collect(), 1)).collect();
    let targets = rows.iter().map(|r| r.targets.len()).sum();
    let slopes = ScoreGradients { logp: vec![-1.0 / targets as f32; targets], entropy: Vec::new() };
    let update = |weights: &Weights, checkpointing| {
        let compute = Compute { checkpointing, ..Compute::default() };
        // the weights in the kernels' layout are made once, before
        let warm = || evaluate(weights, &rows, 1.0, &compute).and_then(|e| e.backward(&slopes)).expect("gradients");
        drop(warm());
        peak(|| drop(warm()))
    };
    let sizes = [update(&whole, false), update(&whole, true), update(&adapted, false), update(&adapted, true)];
    let [full, full_by_layer, lora, lora_by_layer] = sizes;
    let moments =
        [&whole, &adapted].map(|weights| peak(|| drop(OptimizerState::new("adamw", |_| AdamW::KEEPS, weights).expect("an optimiser"))));
    println!(
        "an update of 4 × 64 tokens, KiB: in full {}, by layer {}; of an adapter {}, by layer {}",
        full >> 10,
        full_by_layer >> 10,
        lora >> 10,
        lora_by_layer >> 10
    );
    println!("moments, KiB: in full {}, of an adapter {}", moments[0] >> 10, moments[1] >> 10);

    // input, queries, keys and values, attention's output, the stream after it, gate and up
    let activations = 256 * config.layers * (32 + 32 + 32 + 32 + 32 + 96) * 4;
    assert!(full > activations, "{full} {activations}");
    // By layer, keys, values and their gradients are kept beside the inputs: a quarter of the activations here, less in larger models.
    assert!(full_by_layer * 3 < full * 2 && lora_by_layer * 2 < lora, "{sizes:?}");
    // a whole set of gradients, and one of the lane that is being summed up
    assert!(lora_by_layer + 4 * config.parameters() < full_by_layer, "{sizes:?}");
    assert!(moments[1] * 10 < moments[0], "{moments:?}");
}
