//! A pipeline checked and planned from Rust: `cargo run --example compile_and_plan [FILE]`. Nothing is run.

use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::plan::Plan;
use epo::spec::{LIBRARY, Request, compile};
use std::error::Error;
use std::path::PathBuf;

const TEXT: &str = r#"
prompt look = "{observation}"
house = household { prompt = windowed { then = look }, seen = games { split = "seen", count = 3 } }
pipeline a {
  stages {
    chance = evaluate { actor = random, on = house.seen }
    page   = report { of = [chance] }
  }
}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).map(PathBuf::from);
    let root = match &file {
        Some(file) => Root::File(file),
        None => Root::Text { name: "text", text: TEXT },
    };
    let compiled = compile(&Request { root, overrides: &[], library: &LIBRARY });
    if compiled.diagnostics.has_errors() {
        return Err(render_all(&compiled.sources, &compiled.diagnostics, false).into());
    }
    let plan = Plan::new(&compiled.pipelines).map_err(|messages| render_all(&compiled.sources, &messages, false))?;
    for task in &plan.tasks {
        let inputs: Vec<String> = task.inputs.iter().map(|input| plan.name(&plan.tasks[input.task])).collect();
        println!("{} {} after [{}]", &task.digest.to_string()[..8], plan.name(task), inputs.join(", "));
    }
    Ok(())
}
