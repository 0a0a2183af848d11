//! The exact words of messages about objectives.

use super::support::*;
use epo::lang::codes;

/// The first line of each message.
fn heads(lines: &str) -> Vec<String> {
    messages(lines).lines().filter(|l| l.starts_with("error") || l.starts_with("warning")).map(str::to_owned).collect()
}

#[track_caller]
fn says(lines: &str, expected: &[&str]) {
    assert_eq!(heads(lines), expected, "{}", messages(lines));
}

#[test]
fn every_example_of_a_code_has_that_mistake_and_no_other() {
    let mut checked = 0;
    for row in codes::all().filter(|row| (row.code.starts_with("E03") || row.code.starts_with("W03")) && !row.wrong.is_empty()) {
        for (text, wanted) in [(row.wrong, true), (row.right, false)] {
            let mut compiled = compile_file(text);
            let advantage = compiled.check_advantage();
            let scope = advantage.map_or(epo::objective::Scope::loss(), |a| epo::objective::Scope::loss().with_advantage(&a));
            if let Some(loss) = compiled.check_loss_in(&scope) {
                loss.warn_of_signs(100, &mut compiled.diagnostics);
            }
            let codes: Vec<&str> = compiled.diagnostics.0.iter().map(|d| d.code).collect();
            assert_eq!(codes, vec![row.code; usize::from(wanted)], "{text}\n{}", compiled.messages());
        }
        checked += 1;
    }
    assert!(checked >= 13);
}

#[test]
fn a_level_that_is_too_fine() {
    let text = messages("loss {\n  explore = entropy\n  minimize = mean(logp) - 0.1 * explore\n}");
    assert_eq!(
        text,
        "\
error[E0302]: `minimize` must be one number for the whole batch, but this has one value a token
 --> test.epo:6:14
  |
5 |   explore = entropy
  |             ------- one value a token
6 |   minimize = mean(logp) - 0.1 * explore
  |              ^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: `mean(explore)` counts every token alike
  = help: `mean(mean(explore, by = turn))` counts every turn alike
"
    );
}

#[test]
fn an_indicator_has_no_gradient() {
    let lines = "loss {
  explore = mean(entropy)
  smooth = mean(corridor_indicator(entropy, around = history(mean(entropy))))
  minimize = mean(ppo_clip()) - 0.001 * (explore - phase() * smooth)
}";
    assert_eq!(
        messages(lines),
        "\
warning[W0301]: `smooth` reaches no parameter of a model: it changes the logged value and nothing else
 --> test.epo:6:3
  |
6 |   smooth = mean(corridor_indicator(entropy, around = history(mean(entropy))))
  |   ^^^^^^        ------------------------------------------------------------ the gradient ends here
 ::: std/losses.epo:…:61
  |
… | fn corridor_indicator(x, around, low = 0, high = 2) = where(x < low * around or x > high * around, 1, 0)
  |                                                             ---------------- inside this function
  = help: a difference or a hinge such as `relu(x - bound)` has a gradient where a comparison has none
"
    );
    let hinge = lines.replace("corridor_indicator", "corridor");
    assert_eq!(messages(&hinge), "");
}

#[test]
fn what_is_constant_on_purpose_is_no_mistake() {
    for minimize in [
        "mean(exp(ref_logp - logp) - (ref_logp - logp) - 1)",
        "mean(kl_k3_plus())",
        "mean(logp) * progress + 1",
        "mean(advantage * logp - advantage * old_logp)",
        "1 - mean(entropy)",
    ] {
        says(&format!("loss {{ minimize = {minimize} }}"), &[]);
    }
    for (minimize, text) in [
        ("mean(logp) + mean(advantage)", "mean(advantage)"),
        ("mean(logp + floor(entropy))", "floor(entropy)"),
        ("0.1 * (mean(logp) - iteration / iterations)", "iteration / iterations"),
    ] {
        let message = format!("warning[W0301]: `{text}` reaches no parameter of a model: it changes the logged value and nothing else");
        says(&format!("loss {{ minimize = {minimize} }}"), &[&message]);
    }
    says(
        "loss { w = mean(stop(logp))\n minimize = mean(logp) + w }",
        &["warning[W0301]: `w` reaches no parameter of a model: it changes the logged value and nothing else"],
    );
}

#[test]
fn all_mistakes_at_once() {
    let lines = "advantage = whiten(logp) + (score > 1)
loss {
  a = mean(mean(logp, by = turn), by = turn)
  b = mean(entropy + (entropy > 1))
  c = where(entropy, 1, 0)
  d = history(entropy)
  e = top(entropy, 2)
  minimize = a + b
}";
    says(
        lines,
        &[
            "error[E0305]: `logp` is not known here: an advantage is evaluated on the collected batch, before any update",
            "error[E0303]: `mean` with `by = turn` reduces nothing: `mean(logp, by = turn)` has one value a turn already",
            "error[E0304]: `entropy > 1` is a condition, but `+` needs a number",
            "error[E0304]: `entropy` is a number, but `where` needs a condition",
            "error[E0311]: `history` keeps one number an iteration, but `entropy` has one value a token",
            "error[E0308]: `fraction` of `top(entropy, 2)` must be above 0 and not above 1, not 2",
        ],
    );
}

#[test]
fn levels_meet_and_reduce_as_they_lie_within_each_other() {
    for fine in [
        "mean(outcome * score, by = anchor)",
        "mean(score, by = anchor)",
        "mean(mean(reward, by = anchor) * mean(reward, by = episode), by = turn_index)",
        "max(mean(entropy, by = turn), by = group)",
    ] {
        says(&format!("loss {{ minimize = mean(logp * {fine}) }}"), &[]);
    }
    for (coarse, message) in [
        ("mean(score, by = turn)", "`mean` with `by = turn` reduces nothing: `score` has one value an episode already"),
        (
            "mean(mean(score, by = group), by = episode)",
            "`mean` with `by = episode` reduces nothing: `mean(score, by = group)` has one value a group already",
        ),
        ("mean(iteration)", "`mean` reduces nothing: `iteration` is one value for the whole batch already"),
        ("whiten(progress)", "`whiten` compares values with each other, but `progress` is one value for the whole batch"),
    ] {
        says(&format!("loss {{ minimize = mean(logp * {coarse}) }}"), &[&format!("error[E0303]: {message}")]);
    }
}

#[test]
fn times_and_targets() {
    says(
        "advantage = gae(outcome, value, by = episode)",
        &["warning[W0302]: with `by = episode`, `outcome` is counted once for every turn of the episode"],
    );
    says(
        "advantage = gae(reward, value, by = episode, per = turn)",
        &["error[E0311]: `value` of `gae` takes one value a turn, but `value` has one value a token"],
    );
    says(
        "advantage = discount(reward, gamma = 1.5)",
        &["error[E0308]: `gamma` of `discount(reward, 1.5, by = turn, per = token)` must be from 0 to 1, not 1.5"],
    );
    says(
        "advantage = discount(reward, gamma = uniform, per = turn)",
        &["error[E0311]: `gamma` of `discount` takes one value a turn, but `uniform` has one value a token"],
    );
    says(
        "advantage = gae(outcome, value) + gae(reward, value)\nloss { minimize = mean(value_clip()) }",
        &["error[E0306]: `returns` is not known here: the `advantage` line holds more than one `gae`"],
    );
    says("advantage = whiten(gae(outcome, value)) + gae(outcome, value)\nloss { minimize = mean(value_clip()) }", &[]);
    says("advantage = gae_through_episodes()\nloss { minimize = mean(value_clip()) }", &[]);
}

#[test]
fn messages_point_at_the_call_and_into_the_library() {
    let text = messages("advantage = grpo(logp)");
    assert!(text.contains("test.epo:4:18"), "{text}");
    let text = messages("loss { minimize = mean(grpo(entropy > 1)) }");
    assert!(text.contains("test.epo:4:29") && text.contains("needed here"), "{text}");
    // The mistake is made inside the function, for the argument that was given to it.
    let text = messages("loss { minimize = mean(logp * trajectory_mean(score)) }");
    assert_eq!(
        text,
        "\
error[E0303]: `mean` with `by = turn` reduces nothing: `score` has one value an episode already
 --> test.epo:4:31
  |
4 | loss { minimize = mean(logp * trajectory_mean(score)) }
  |                               ^^^^^^^^^^^^^^^^^^^^^^ one value an episode
 ::: std/losses.epo:…:35
  |
… | fn trajectory_mean(x) = mean(mean(mean(x, by = turn), by = episode))
  |                                   ------------------ inside this function
  = help: leave `by` out, or name a level coarser than `episode`
"
    );
}

#[test]
fn a_stage_that_cannot_give_something_says_what_to_write() {
    let scope = epo::objective::Scope::loss().lacking("value", "this stage has no critic", "give it one: `critic = value_head { … }`");
    let mut compiled = compile("loss { minimize = mean(value ^ 2) }");
    assert!(compiled.check_loss_in(&scope).is_none());
    let text = compiled.messages();
    assert!(text.starts_with("error[E0305]: `value` is not known here: this stage has no critic\n"), "{text}");
    assert!(text.contains("help: give it one: `critic = value_head { … }`"), "{text}");
}

#[test]
fn too_deep_is_refused_and_deep_is_not() {
    // Each call of `f` makes the expression one deeper; the parser and the resolver have bounds of their own.
    let nested = |n: usize| format!("loss {{ minimize = {}mean(entropy){} }}", "stop(0) + (".repeat(n), ")".repeat(n));
    assert_eq!(messages(&nested(60)), "");
    let doubled = |n: usize| {
        let mut lines = "loss { x0 = mean(entropy)\n".to_owned();
        (1..=n).for_each(|i| lines += &format!("x{i} = x{} + x{} + 0.5 * (x{} - 1)\n", i - 1, i - 1, i - 1));
        lines + &format!("minimize = x{n} }}")
    };
    assert_eq!(messages(&doubled(8)), "");
    let text = messages(&doubled(150));
    assert!(text.contains("error["), "{text}");
}

#[test]
fn shared_parts_are_looked_at_once() {
    let mut text = "fn f0(x) = x\n".to_owned();
    (1..=12).for_each(|i| text += &format!("fn f{i}(x) = f{}(x + x)\n", i - 1));
    text += "pipeline p {\n advantage = f12(outcome)\n loss { big = f12(mean(entropy))\n minimize = big } }\n";
    let mut compiled = compile_file(&text);
    let (loss, advantage) = (compiled.check_loss().expect("a loss"), compiled.check_advantage().expect("an advantage"));
    assert!(loss.terms()[0].text.chars().count() <= 20_001 && advantage.text().ends_with('…'));
}
