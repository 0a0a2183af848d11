//! Every loss and advantage of the reference data, from the standard library and from primitives.

use super::reference::reference;
use super::support::*;
use epo::objective::History;
use epo::objective::probe::{ProbeBatch, probe};
use serde_json::Value;
use std::path::Path;

/// Relative, and absolute near zero.
const RELATIVE: f64 = 1e-6;
const ABSOLUTE: f64 = 1e-9;

type Batches = Vec<(String, Value)>;

fn read(folder: &Path, names: &[&str]) -> Batches {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    names.iter().map(|name| (name.to_string(), serde_json::from_str(&text(name)).expect("a batch in JSON"))).collect()
}

/// The batch of the repository; the reference data have it as their first.
fn own() -> Batches {
    read(Path::new("tests/data"), &["batch.json"])
}

fn close(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() <= ABSOLUTE.max(RELATIVE * wanted.abs())
}

fn assert_matrix(found: &[Vec<f64>], wanted: &Value, mask: &Value, what: &str) {
    let wanted = wanted.as_array().expect("rows");
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (i, (row, wanted)) in found.iter().zip(wanted).enumerate() {
        for (j, x) in row.iter().enumerate() {
            let y = wanted[j].as_f64().expect("a number");
            match mask[i][j].as_f64() == Some(1.0) {
                true => assert!(close(*x, y), "{what}: {x} instead of {y} in row {i}, place {j}"),
                false => assert_eq!(*x, 0.0, "{what}: not 0 in row {i}, place {j}, which is masked"),
            }
        }
    }
}

/// Fails if an object has a key that this test does not know, so that nothing of the data goes unchecked.
fn only(object: &Value, known: &[&str], what: &str) {
    let unknown: Vec<&String> = object.as_object().expect("an object").keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "{what} says {unknown:?}, which nothing here looks at");
}

fn number(params: &Value, name: &str) -> f64 {
    params[name].as_f64().unwrap_or_else(|| panic!("no `{name}` in {params}"))
}

/// Ways to average, by their names in the reference data. `-norm` divides by the longest row.
fn averaged(x: &str, how: &str, longest: f64) -> String {
    match how {
        "token-mean" => format!("mean({x})"),
        "seq-mean-token-sum" => format!("mean(sum({x}, by = turn))"),
        "seq-mean-token-mean" => format!("mean(mean({x}, by = turn))"),
        "seq-mean-token-sum-norm" => format!("mean(sum({x}, by = turn)) / {longest}"),
        "episode" => format!("trajectory_mean({x})"),
        other => panic!("no average `{other}`"),
    }
}

const PARAMETERS: [&str; 19] = [
    "clip_low",
    "clip_high",
    "dual_clip",
    "clip",
    "aggregate",
    "average",
    "tau_pos",
    "tau_neg",
    "beta",
    "fraction",
    "coef",
    "estimator",
    "low",
    "high",
    "alpha",
    "gamma",
    "lam",
    "penalty",
    "eps",
];

/// The same loss twice: from the standard library, and written out.
#[expect(clippy::too_many_lines, reason = "a table of formulas")]
fn expressions(name: &str, p: &Value, longest: f64) -> [String; 2] {
    only(p, &PARAMETERS, name);
    // The penalty is in the name already.
    let penalty = if name == "epo_smoothing_indicator" { "indicator" } else { "relu" };
    assert!(p["penalty"].is_null() || p["penalty"] == penalty, "{name}: {p}");
    let f = |key: &str| number(p, key);
    let how = p["aggregate"].as_str().or(p["average"].as_str());
    let both = |library: String, primitive: &str, how: &str| [averaged(&library, how, longest), averaged(primitive, how, longest)];
    let r = "exp(clip(logp - old_logp, -20, 20))";
    match name {
        "ppo_clip" => {
            let (low, high, dual) = (f("clip_low"), f("clip_high"), f("dual_clip"));
            let x = format!("max(-advantage * {r}, -advantage * clip({r}, 1 - {low}, 1 + {high}))");
            let primitive = format!("where(advantage < 0, min({x}, -{dual} * advantage), {x})");
            both(format!("ppo_clip({low}, {high}, dual = {dual})"), &primitive, how.unwrap())
        }
        "gspo" => {
            let (low, high) = (f("clip_low"), f("clip_high"));
            let s = "exp(min(logp - stop(logp) + stop(mean(logp - old_logp, by = turn)), 10))";
            let primitive = format!("max(-advantage * {s}, -advantage * clip({s}, 1 - {low}, 1 + {high}))");
            both(format!("gspo({low}, {high})"), &primitive, "seq-mean-token-mean")
        }
        "sapo" => {
            let tau = format!("where(advantage > 0, {}, {})", f("tau_pos"), f("tau_neg"));
            let primitive = format!("-advantage / (1 + exp(-{tau} * ({r} - 1))) * (4 / {tau})");
            both(format!("sapo({}, {})", f("tau_pos"), f("tau_neg")), &primitive, "seq-mean-token-mean")
        }
        "cispo" => {
            let (low, high) = (f("clip_low"), f("clip_high"));
            let primitive = format!("-advantage * logp * stop(clip({r}, 1 - {low}, 1 + {high}))");
            both(format!("cispo({low}, {high})"), &primitive, how.unwrap())
        }
        "geo_mean" => {
            let (low, high) = (f("clip_low"), f("clip_high"));
            let x = format!("where(advantage > 0, min(logp - old_logp, {high}), where(advantage < 0, max(logp - old_logp, -{low}), 0))");
            let primitive = format!("-mean(mean(advantage, by = turn) * exp(mean({x}, by = turn)))");
            [format!("mean(gmpo({low}, {high}))"), primitive]
        }
        "dro" => {
            let beta = f("beta");
            let primitive = format!("({beta} * 0.5 * (logp - old_logp) * (logp - old_logp) - advantage * logp)");
            both(format!("dro({beta})"), &primitive, how.unwrap())
        }
        "kl_cov" => {
            let (fraction, coefficient) = (f("fraction"), f("coef"));
            let covariance = "(advantage - mean(advantage)) * (logp - mean(logp))";
            let primitive = format!(
                "where(top({covariance}, {fraction}), {coefficient} * abs(logp - old_logp) - advantage * exp(logp - old_logp), -advantage * exp(logp - old_logp))"
            );
            both(format!("kl_cov({fraction}, {coefficient})"), &primitive, how.unwrap())
        }
        "kl" => {
            let k3 = "clip(exp(ref_logp - logp) - (ref_logp - logp) - 1, -10, 10)";
            let k2 = "0.5 * (ref_logp - logp) ^ 2";
            let (library, primitive) = match p["estimator"].as_str().unwrap() {
                "k1" => ("kl_k1()", "logp - ref_logp".to_owned()),
                "abs" => ("kl_abs()", "max(logp - ref_logp, ref_logp - logp)".to_owned()),
                "k2" => ("kl_k2()", k2.to_owned()),
                "k3" => ("kl_k3()", k3.to_owned()),
                "k3+" => ("kl_k3_plus()", format!("{k2} + stop({k3} - {k2})")),
                other => panic!("no estimator `{other}`"),
            };
            both(library.to_owned(), &primitive, how.unwrap())
        }
        "value_clip" => {
            let c = f("clip");
            let primitive = format!("0.5 * max((value - returns) ^ 2, (old_value + clip(value - old_value, -{c}, {c}) - returns) ^ 2)");
            both(format!("value_clip({c})"), &primitive, how.unwrap())
        }
        "entropy" => both("entropy".to_owned(), "(2 * entropy - entropy)", how.unwrap()),
        "epo_entropy_term" => {
            let (low, high, alpha, gamma) = (f("low"), f("high"), f("alpha"), f("gamma"));
            let h = "history(mean(entropy))";
            let mean = |x: &str| averaged(x, how.unwrap(), longest);
            let library = format!(
                "{} - phase(gamma = {gamma}) * {}",
                mean("entropy"),
                mean(&format!("{alpha} * corridor(entropy, around = {h}, low = {low}, high = {high})"))
            );
            let hinge = format!("max({low} * {h} - entropy, 0) + max(entropy - {high} * {h}, 0)");
            let mean = |x: &str| match how.unwrap() {
                "episode" => format!("mean(mean(mean({x}, by = turn), by = episode))"),
                _ => format!("sum({x}) / count(entropy)"),
            };
            let beta = format!("(1 + exp(-{gamma} * iteration / max(1, floor(iterations / 2))))");
            [library, format!("{} - {alpha} * {beta} * {}", mean("entropy"), mean(&format!("({hinge})")))]
        }
        "epo" => {
            let (low, high, alpha, gamma, lambda) = (f("low"), f("high"), f("alpha"), f("gamma"), f("lam"));
            let h = "history(mean(entropy))";
            let ppo = expressions(
                "ppo_clip",
                &serde_json::json!({"clip_low": f("clip"), "clip_high": f("clip"), "dual_clip": f("dual_clip"), "aggregate": p["aggregate"]}),
                longest,
            );
            let how = serde_json::json!({"low": low, "high": high, "alpha": alpha, "gamma": gamma, "average": p["aggregate"]});
            let term = expressions("epo_entropy_term", &how, longest);
            let _ = h;
            [format!("{} - {lambda} * ({})", ppo[0], term[0]), format!("{} - {lambda} * ({})", ppo[1], term[1])]
        }
        "epo_smoothing_indicator" => {
            let (low, high, alpha) = (f("low"), f("high"), f("alpha"));
            let h = "history(mean(entropy))";
            let primitive = format!("{alpha} * where(entropy < {low} * {h} or entropy > {high} * {h}, 1, 0)");
            both(format!("{alpha} * corridor_indicator(entropy, around = {h}, low = {low}, high = {high})"), &primitive, how.unwrap())
        }
        other => panic!("no loss `{other}`"),
    }
}

#[test]
fn losses_have_their_reference_values_and_gradients() {
    losses(&own());
}

fn losses(batches: &Batches) {
    let mut checked = 0;
    for (file, data) in batches {
        let batch = ProbeBatch::from_value(data).expect("a batch");
        let longest = batch.batch().rows().lengths.iter().copied().max().unwrap_or(0) as f64;
        only(data, &["batch", "losses", "schedules", "advantages"], file);
        for wanted in data["losses"].as_array().expect("losses") {
            only(wanted, &["name", "params", "value", "grad"], file);
            let name = wanted["name"].as_str().expect("a name");
            for expression in expressions(name, &wanted["params"], longest) {
                let what = format!("{file}: {name} {} as {expression}", wanted["params"]);
                // The indicator has no gradient, so it cannot be minimised alone.
                let objective = loss_block(&format!("x = {expression}\nminimize = x + 0 * mean(entropy)"));
                let answer = probe(Some(&objective), None, &batch).unwrap_or_else(|e| panic!("{what}: {e}"));
                let minimize = answer.minimize.expect("a value");
                assert!(close(minimize, number(wanted, "value")), "{what}: {minimize} instead of {}", wanted["value"]);
                assert_eq!(answer.terms["x"], minimize);
                let none = vec![vec![0.0; data["batch"]["mask"][0].as_array().unwrap().len()]; batch.batch().row_count()];
                for (quantity, found) in
                    [("logp", &answer.gradient.logp), ("entropy", &answer.gradient.entropy), ("value", &answer.gradient.value)]
                {
                    match wanted["grad"].get(quantity) {
                        Some(gradient) => {
                            assert_matrix(found, gradient, &data["batch"]["mask"], &format!("{what}, gradient of {quantity}"));
                        }
                        None => assert_eq!(*found, none, "{what}: a gradient of {quantity}"),
                    }
                }
                checked += 1;
            }
        }
    }
    assert!(checked >= 2 * 23 * batches.len(), "only {checked} losses were compared");
}

fn estimators(name: &str, p: &Value) -> [String; 2] {
    only(p, &["gamma", "lam", "whiten", "scope", "std", "eps", "over", "step_weight"], name);
    assert!(p["whiten"].is_null() || p["whiten"] == true, "{name}: {p}");
    assert!(p["scope"].is_null() || p["scope"] == "row", "{name}: {p}");
    assert!(p["eps"].is_null() || p["eps"] == 1e-6, "{name}: {p}");
    let f = |key: &str| number(p, key);
    let x = if p["over"] == "row" { "outcome" } else { "score" };
    let n = format!("count({x}, by = group)");
    let mean = format!("where({n} > 1, mean({x}, by = group), 0)");
    let std = format!("where({n} > 1, std({x}, by = group), 1)");
    let deviation = p["std"] != false;
    match name {
        "gae" => {
            let (gamma, lambda) = (f("gamma"), f("lam"));
            [
                format!("gae_within_turns({gamma}, {lambda})"),
                format!("whiten(gae(outcome, value, gamma = {gamma}, lambda = {lambda}, by = turn))"),
            ]
        }
        "grpo" if deviation => [format!("grpo({x})"), format!("({x} - {mean}) / ({std} + 1e-6)")],
        "grpo" => [format!("dr_grpo({x})"), format!("{x} - {mean}")],
        "rloo" => [format!("rloo({x})"), format!("where({n} > 1, ({n} * {x} - sum({x}, by = group)) / max({n} - 1, 1), {x})")],
        "opo" => {
            let weighted = format!("sum({x} * length, by = group) / sum(length, by = group)");
            [format!("opo({x})"), format!("{x} - where({n} == 1, 0, {weighted})")]
        }
        "reinforce_plus_plus_baseline" => {
            let all = format!("({x} - {mean} + 0 * old_logp)");
            [format!("reinforce_plus_plus_baseline({x})"), format!("({all} - mean({all})) / sqrt(std({all}) ^ 2 + 1e-8)")]
        }
        "reinforce_plus_plus" => {
            let gamma = f("gamma");
            [format!("reinforce_plus_plus({gamma})"), format!("whiten(gae(outcome, 0, gamma = {gamma}, lambda = 1, by = turn))")]
        }
        "gigpo" => {
            let (gamma, weight) = (f("gamma"), f("step_weight"));
            let g = format!("discount(reward, {gamma}, by = episode, per = turn)");
            let divisor = |std: String| if deviation { format!("({std} + 1e-6)") } else { "1".to_owned() };
            let step = format!(
                "where(count({g}, by = anchor) > 1, ({g} - mean({g}, by = anchor)) / {}, 0)",
                divisor(format!("std({g}, by = anchor)"))
            );
            [format!("gigpo({weight}, {gamma}, deviation = {deviation})"), format!("({x} - {mean}) / {} + {weight} * {step}", divisor(std))]
        }
        other => panic!("no estimator `{other}`"),
    }
}

#[test]
fn advantages_have_their_reference_values() {
    advantages(&own());
}

fn advantages(batches: &Batches) {
    let mut checked = 0;
    for (file, data) in batches {
        let batch = ProbeBatch::from_value(&collected(data)).expect("a batch");
        for wanted in data["advantages"].as_array().expect("advantages") {
            only(wanted, &["name", "params", "advantage", "returns"], file);
            match wanted["name"].as_str() {
                // see below
                Some("gae") => {}
                Some("reinforce_plus_plus") => {
                    let text = format!("discount(outcome, {}, by = turn)", number(&wanted["params"], "gamma"));
                    let answer = probe(None, Some(&advantage(&text)), &batch).expect("an answer");
                    assert_matrix(&all_there(answer.advantage), &wanted["returns"], &data["batch"]["mask"], &text);
                }
                name => assert!(wanted["returns"].is_null(), "{file}: returns of {name:?}"),
            }
            let name = wanted["name"].as_str().expect("a name");
            for expression in estimators(name, &wanted["params"]) {
                let what = format!("{file}: {name} {} as {expression}", wanted["params"]);
                let answer = probe(None, Some(&advantage(&expression)), &batch).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert_matrix(&all_there(answer.advantage), &wanted["advantage"], &data["batch"]["mask"], &what);
                assert_eq!(answer.minimize, None);
                checked += 1;
            }
        }
    }
    assert!(checked >= 2 * 12 * batches.len(), "only {checked} advantages were compared");
}

#[test]
fn returns_are_the_unwhitened_estimate_plus_the_value() {
    returns(&own());
}

/// The batch as an advantage is to see it: the reference data says `value` of what was collected.
fn collected(data: &Value) -> Value {
    let mut fields = data["batch"].clone();
    fields["old_value"] = fields["value"].clone();
    fields
}

fn returns(batches: &Batches) {
    for (file, data) in batches {
        let fields = collected(data);
        let batch = ProbeBatch::from_value(&fields).expect("a batch");
        for wanted in data["advantages"].as_array().expect("advantages").iter().filter(|a| a["name"] == "gae") {
            let [library, _] = estimators("gae", &wanted["params"]);
            let estimate = advantage(&library).evaluate(batch.batch(), &History::default()).expect("an estimate");
            let returns = all_there(Some(batch.pad(&estimate.returns.expect("returns"), Some(0.0))));
            assert_matrix(&returns, &wanted["returns"], &fields["mask"], &format!("{file}: returns of {library}"));
        }
    }
}

#[test]
fn schedules_and_history_have_their_reference_values() {
    schedules(&own());
}

fn schedules(batches: &Batches) {
    for (file, data) in batches {
        let batch = ProbeBatch::from_value(data).expect("a batch");
        only(&data["schedules"], &["beta", "history_mean", "released_code_weight"], file);
        let released = "where(iteration <= floor(iterations / 2), 1 - 0.2 * (1 - exp(-2 * iteration / max(1, floor(iterations / 2)))), \
                        0.8 * exp(-3 * (iteration - floor(iterations / 2)) / max(1, iterations - floor(iterations / 2))))";
        let lines = format!("beta = phase()\npast = history(mean(entropy))\nweight = {released}\nminimize = mean(entropy)");
        let answer = probe(Some(&loss_block(&lines)), None, &batch).expect("an answer");
        for (term, name) in [("beta", "beta"), ("past", "history_mean"), ("weight", "released_code_weight")] {
            let (found, wanted) = (answer.terms[term], number(&data["schedules"], name));
            assert!(close(found, wanted), "{file}: {name} is {found} instead of {wanted}");
        }
    }
}

#[test]
#[ignore = "needs the reference data: scripts/test.sh"]
fn all_batches() {
    let batches = read(&reference("golden"), &["batch-1.json", "batch-2.json", "batch-3.json", "batch-4.json"]);
    assert_eq!(own()[0].1, batches[0].1);
    losses(&batches);
    advantages(&batches);
    returns(&batches);
    schedules(&batches);
}

/// What `epo-run probe FILE --batch … --json` answers about a file with the given lines of a pipeline.
fn command(folder: &std::path::Path, lines: &str, batch: &std::path::Path) -> Value {
    let file = folder.join("equation.epo");
    let text = format!("import \"std/losses.epo\"\nimport \"std/advantages.epo\"\npipeline p {{\n{lines}\n}}\n");
    std::fs::write(&file, text).expect("a file");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_epo-run"));
    let output = command.arg("probe").arg(file).arg("--batch").arg(batch).arg("--json").output().expect("the command");
    assert!(output.status.success(), "{lines}\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn matrix(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).expect("rows of numbers")
}

#[test]
fn the_command_answers_the_same() {
    let (file, data) = &own()[0];
    let folder = tempfile::tempdir().expect("a folder");
    let path = Path::new("tests/data/batch.json");
    let batch = ProbeBatch::from_value(data).expect("a batch");
    let longest = batch.batch().rows().lengths.iter().copied().max().unwrap_or(0) as f64;
    for wanted in data["losses"].as_array().expect("losses") {
        let [library, _] = expressions(wanted["name"].as_str().expect("a name"), &wanted["params"], longest);
        let answer = command(folder.path(), &format!("loss {{ x = {library}, minimize = x + 0 * mean(entropy) }}"), path);
        assert!(close(number(&answer, "minimize"), number(wanted, "value")), "{file}: {library}");
        for (quantity, gradient) in wanted["grad"].as_object().expect("gradients") {
            assert_matrix(&matrix(&answer["gradient"][quantity]), gradient, &data["batch"]["mask"], &format!("{file}: {library}"));
        }
    }
    for wanted in data["advantages"].as_array().expect("advantages") {
        let [library, _] = estimators(wanted["name"].as_str().expect("a name"), &wanted["params"]);
        let collected_at = folder.path().join("collected.json");
        std::fs::write(&collected_at, collected(data).to_string()).expect("a batch");
        let answer = command(folder.path(), &format!("advantage = {library}"), &collected_at);
        assert_matrix(&matrix(&answer["advantage"]), &wanted["advantage"], &data["batch"]["mask"], &format!("{file}: {library}"));
    }
}
