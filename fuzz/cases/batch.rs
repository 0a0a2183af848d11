//! Arbitrary bytes as a batch file: read and evaluated, or refused.

use epo::lang::Diagnostics;
use epo::lang::load::Root;
use epo::objective::probe::{ProbeBatch, probe};
use epo::objective::{Advantage, Objective};
use epo::spec::{LIBRARY, Request, equations};
use std::sync::LazyLock;

/// One of each kind of operation.
const EQUATIONS: &str = r#"
import "std/losses.epo"
import "std/advantages.epo"
pipeline grouped {
  advantage = only_varied(grpo()) + 0.1 * history(mean(entropy)) * entropy
  loss { minimize = mean(ppo_clip(0.2, high = 0.28)) + 0.01 * trajectory_mean(corridor(entropy, around = history(entropy, by = turn_index))) }
}
pipeline in_time {
  advantage = whiten(gae(on_last(score, by = episode) - 0.1 * entropy, old_value, 0.9, 0.9, by = episode) + gigpo())
  loss { minimize = mean(kl_cov(0.2)) + 0.5 * mean(value_clip()) + turn_mean(most_undecided(clip_cov())) }
}
"#;

type Checked = (Option<Objective>, Option<Advantage>);

static CHECKED: LazyLock<Vec<Checked>> = LazyLock::new(|| {
    let (_, all, mut messages) =
        equations(&Request { root: Root::Text { name: "e.epo", text: EQUATIONS }, overrides: &[], library: &LIBRARY });
    let checked = all.iter().map(|found| found.check(&mut messages)).collect();
    assert!(!Diagnostics::has_errors(&messages), "{messages:?}");
    checked
});

/// Panics where something is wrong.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(batch) = ProbeBatch::from_json(text) else { return };
    for (loss, advantage) in CHECKED.iter() {
        if let Err(error) = probe(loss.as_ref(), advantage.as_ref(), &batch) {
            let _ = error.diagnostic();
        }
    }
}
