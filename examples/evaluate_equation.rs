//! The value and the gradient of an equation on a batch, from Rust: `cargo run --example evaluate_equation`.

use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::objective::probe::{ProbeBatch, probe};
use epo::spec::{LIBRARY, Request, equations};
use std::error::Error;

const TEXT: &str = "
pipeline a {
  loss {
    ratio    = exp(logp - old_logp)
    minimize = -mean(min(ratio * advantage, clip(ratio, 0.8, 1.2) * advantage))
  }
}
";

/// Two rows, of two tokens and of one.
const BATCH: &str = r#"{
  "mask":      [[1, 1], [1, 0]],
  "logp":      [[-0.5, -1.0], [-2.0, 0]],
  "old_logp":  [[-0.6, -1.0], [-1.0, 0]],
  "advantage": [[1, 1], [-1, 0]]
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let request = Request { root: Root::Text { name: "text", text: TEXT }, overrides: &[], library: &LIBRARY };
    let (sources, found, mut diagnostics) = equations(&request);
    let losses: Vec<_> = found.iter().filter_map(|equations| equations.check(&mut diagnostics).0).collect();
    if diagnostics.has_errors() {
        return Err(render_all(&sources, &diagnostics, false).into());
    }
    let batch = ProbeBatch::from_json(BATCH)?;
    for loss in &losses {
        let answer = probe(Some(loss), None, &batch)?;
        println!("minimize {:.6}", answer.minimize.unwrap_or_default());
        println!("its gradient by logp {:.6?}", answer.gradient.logp);
    }
    Ok(())
}
