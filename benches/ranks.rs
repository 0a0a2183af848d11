//! An update by several ranks, and what they send for it: `cargo bench --features mpi --bench ranks [-- COUNT…]`, with `mpirun` and as many cores as ranks.

use candle_core::{DType, Device};
use epo::model::{Compute, DecoderConfig, Row, ScoreGradients, Variant, Weights, evaluate};
use epo::ranks::{Ranks, join};
use std::process::Command;
use std::time::Instant;

const ROWS: usize = 256;
const TIMES: usize = 5;

fn config(width: usize, layers: usize) -> DecoderConfig {
    DecoderConfig {
        layers,
        width,
        heads: width / 16,
        kv_heads: width / 16,
        ffn: 3 * width,
        vocab: 512,
        context: 256,
        rope_theta: 10000.0,
        norm_eps: 1e-5,
        tied: true,
        variant: Variant::default(),
    }
}

/// Seconds of an update, the best of some, and bytes that this rank sends for one.
fn update(ranks: &Ranks, weights: &Weights, rows: &[Row]) -> Result<(f64, u64), Box<dyn std::error::Error>> {
    let compute = Compute { ranks: ranks.clone(), ..Compute::default() };
    let (mut best, mut bytes) = (f64::MAX, 0);
    for _ in 0..TIMES {
        let (before, start) = (ranks.sent(), Instant::now());
        let evaluation = evaluate(weights, rows, 1.0, &compute)?;
        let slopes = ScoreGradients { logp: vec![-1e-3; evaluation.scores.logp.len()], entropy: Vec::new() };
        evaluation.backward(&slopes)?;
        best = best.min(start.elapsed().as_secs_f64());
        bytes = ranks.sent() - before;
    }
    Ok((best, bytes))
}

fn rank() -> Result<(), Box<dyn std::error::Error>> {
    epo::model::threads::configure();
    let ranks = join()?;
    for (width, layers) in [(64, 2), (256, 4), (512, 8)] {
        let config = config(width, layers);
        let weights = Weights::init(&config, 1, &Device::Cpu, DType::F32)?;
        for length in [20, 120] {
            let token = |row: usize, at: usize| (2 + (row * 7919 + at * 104_729) % 500) as u32;
            let rows: Vec<Row> = (0..ROWS).map(|row| Row::after((0..length).map(|at| token(row, at)).collect(), length - 10)).collect();
            let (seconds, bytes) = update(&ranks, &weights, &rows)?;
            if ranks.is_first() {
                println!(
                    "{} parameters, {} tokens: {} ranks {:.1} ms, a rank sends {:.2} MB",
                    config.parameters(),
                    ROWS * length,
                    ranks.size(),
                    seconds * 1e3,
                    bytes as f64 / 1e6
                );
            }
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("OMPI_COMM_WORLD_RANK").is_some() {
        return rank();
    }
    let given: Vec<String> = std::env::args().skip(1).filter(|word| word.parse::<usize>().is_ok()).collect();
    let counts = if given.is_empty() { ["1", "2", "4"].map(str::to_owned).into() } else { given };
    for count in counts {
        let mut launcher = Command::new("mpirun");
        launcher.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        let status = launcher.args(["--oversubscribe", "-np", &count]).arg(std::env::current_exe()?).status()?;
        if !status.success() {
            return Err(format!("{count} ranks: {status}").into());
        }
    }
    Ok(())
}
