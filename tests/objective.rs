//! Objectives through the language: against reference values, and against what must hold of any of them.

#[path = "objective/support.rs"]
mod support;

use support::*;

#[test]
fn smoke() {
    let l = loss("mean(ppo_clip(0.2, dual = 3)) + 0.01 * mean(kl_k3())");
    println!("{:?}", l.needs());
    let a = advantage("grpo()");
    println!("{}", a.text());
    println!("{}", messages("loss { x = mean(where(entropy > 2, 1, 0))\n y = mean(entropy)\n minimize = 0.1 * (y - 2 * x) + score }"));
}
