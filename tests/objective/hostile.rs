//! Batches and equations at the edge.

use super::random::{advantages, batch, built_in, losses};
use super::support::*;
use epo::objective::probe::{ProbeAnswer, ProbeBatch, probe};
use epo::objective::{Batch, BatchError, Detail, History, ObjectiveError, Rows};
use serde_json::{Value, json};

fn read(file: &Value) -> ProbeBatch {
    ProbeBatch::from_value(file).expect("a batch")
}

fn refused(file: &Value) -> String {
    ProbeBatch::from_value(file).expect_err("a mistake").to_string()
}

fn evaluate(text: &str, file: &Value) -> Result<ProbeAnswer, Box<ObjectiveError>> {
    probe(Some(&loss(text)), None, &read(file)).map_err(Box::new)
}

fn is_finite(answer: &ProbeAnswer) -> bool {
    let g = &answer.gradient;
    let left = |row: Vec<Option<f64>>| row.into_iter().flatten().collect();
    let advantage: Vec<Vec<f64>> = answer.advantage.clone().unwrap_or_default().into_iter().map(left).collect();
    let numbers = [&g.logp, &g.entropy, &g.value, &advantage].into_iter().flatten().flatten();
    answer.minimize.is_none_or(f64::is_finite) && answer.terms.values().chain(numbers).all(|x| x.is_finite())
}

/// Every loss and advantage of the library and every example, on one batch.
fn everything(file: &Value) {
    let batch = read(file);
    let texts = losses().into_iter().map(|(_, text)| text).chain(built_in());
    for text in texts {
        let answer = probe(Some(&loss(&text)), None, &batch).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(is_finite(&answer), "{text}: {answer:?}");
    }
    for (_, text) in advantages() {
        let answer = probe(None, Some(&advantage(&text)), &batch).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(is_finite(&answer), "{text}: {answer:?}");
    }
}

/// One row of one token.
fn single() -> Value {
    json!({
        "mask": [[1]], "reward": [[1.0]], "step_reward": [1.0], "valid": [1], "success": [1],
        "group": [0], "task": [0], "episode": [0], "turn": [0], "anchor": [0], "step": 0, "steps": 1, "history": [],
        "response": ["\u{0}\u{202e}"], "action": [""], "observation": ["A door."],
        "logp": [[-1.0]], "old_logp": [[-1.5]], "ref_logp": [[-1.2]], "rollout_logp": [[-1.5]],
        "uniform": [[0.5]], "collision": [[0.5]], "confidence": [[0.6]], "top_share(2)": [[0.8]], "kl_to_reference": [[0.1]], "kl_from_reference": [[0.1]], "entropy": [[0.7]], "advantage": [[0.5]], "value": [[0.1]], "old_value": [[0.2]], "ret": [[1.0]],
    })
}

fn constant(file: &mut Value, names: &[&str], to: f64) {
    for name in names {
        for row in file[*name].as_array_mut().into_iter().flatten() {
            match row.as_array_mut() {
                Some(cells) => cells.iter_mut().for_each(|cell| *cell = json!(to)),
                None => *row = json!(to),
            }
        }
    }
}

#[test]
fn one_row_of_one_token() {
    everything(&single());
}

#[test]
fn equal_values_everywhere() {
    let mut file = batch(4);
    let learned = ["logp", "old_logp", "ref_logp", "entropy", "advantage", "value", "old_value", "ret", "reward", "step_reward"];
    constant(&mut file, &learned, 0.0);
    everything(&file);
    let answer = probe(None, Some(&advantage("grpo()")), &read(&file)).unwrap();
    let groups = file["group"].as_array().unwrap();
    assert!(all_there(answer.advantage).concat().iter().all(|a| *a == 0.0), "{groups:?}");
}

#[test]
fn huge_ratios() {
    let mut file = batch(4);
    constant(&mut file, &["logp"], -1e-9);
    constant(&mut file, &["old_logp", "ref_logp"], -700.0);
    let batch = read(&file);
    for (_, text) in losses().into_iter().filter(|(name, _)| !["kl_cov", "gmpo", "k3_of"].contains(&name.as_str())) {
        let answer = probe(Some(&loss(&text)), None, &batch).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(is_finite(&answer), "{text}");
    }
    // What is not clipped says so instead of going on.
    let file = {
        let mut file = file;
        constant(&mut file, &["old_logp"], -800.0);
        file
    };
    let error = evaluate("mean(exp(logp - old_logp) * advantage)", &file).unwrap_err();
    assert_eq!(error.to_string(), "`minimize` is not finite: `exp(logp - old_logp)` is infinite at row 0, token 0");
    let error = evaluate("mean(kl_cov())", &file).unwrap_err();
    let diagnostic = error.diagnostic();
    assert_eq!((diagnostic.code, diagnostic.labels.len()), ("E0353", 3), "{diagnostic:?}");
}

#[test]
fn a_branch_that_is_not_taken_cannot_poison_the_gradient() {
    let mut file = single();
    file["logp"] = json!([[-800.0]]);
    let answer = evaluate("mean(where(logp < -20, logp, exp(-logp)))", &file).unwrap();
    assert_eq!(answer.gradient.logp, [[1.0]]);
    file["entropy"] = json!([[0.0]]);
    let error = evaluate("mean(entropy ^ 0.5)", &file).unwrap_err();
    assert_eq!(error.to_string(), "the gradient of `minimize` with respect to `entropy` is infinite at row 0, token 0");
    let answer = evaluate("mean(sqrt(entropy)) + mean(relu(entropy)) + mean(abs(entropy)) + std(entropy)", &file).unwrap();
    assert_eq!(answer.gradient.entropy, [[0.0]]);
}

#[test]
fn what_is_not_finite_is_named_with_its_place() {
    let mut file = single();
    file["entropy"] = json!([[0.0]]);
    let text = |loss: &str, file: &Value| evaluate(loss, file).unwrap_err().to_string();
    assert_eq!(text("mean(log(entropy))", &file), "`minimize` is not finite: `log(entropy)` is -infinite at row 0, token 0");
    assert_eq!(
        text("mean(entropy / std(score)) + mean(entropy)", &file),
        "`minimize` is not finite: `entropy / std(score)` is NaN at row 0, token 0"
    );
    let objective = loss_block("a = mean(entropy)\nb = a / a\nminimize = a + b");
    let error = probe(Some(&objective), None, &read(&file)).unwrap_err();
    assert_eq!(error.to_string(), "`b` is not finite: `a / a` is NaN");
    // A file cannot hold NaN, a batch can.
    let batch = read(&single()).batch().clone().with("logp", vec![f64::NAN]).unwrap();
    let error = loss("mean(where(logp < 0, entropy, 0))").evaluate(&batch, &History::default()).unwrap_err();
    assert_eq!(error.to_string(), "`logp` is NaN at row 0, token 0");
}

#[test]
fn rows_without_tokens() {
    // Of the second turn every token was forced.
    let file = json!({
        "mask": [[1, 1, 0], [0, 0, 0], [1, 0, 0]], "turn": [0, 1, 2], "episode": [0, 0, 0], "group": [0, 0, 0],
        "logp": [[-1.0, -2.0, 9], [9, 9, 9], [-4.0, 9, 9]], "value": [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
        "step_reward": [1.0, 10.0, 100.0], "reward": [[0, 111.0, 0], [0, 0, 0], [111.0, 0, 0]], "score": [111, 111, 111],
    });
    let value = |text: &str| evaluate(text, &file).unwrap().minimize.unwrap();
    assert_eq!(value("mean(mean(logp, by = turn))"), -2.75, "a turn without tokens has no mean to count");
    assert_eq!(value("mean(sum(logp, by = turn))"), -7.0 / 3.0, "but a sum, of 0");
    assert_eq!(value("mean(max(logp, by = turn)) + 0 * mean(std(logp, by = turn))"), -2.5);
    assert_eq!(value("mean(logp) + count(logp) + mean(length)"), -7.0 / 3.0 + 3.0 + 1.0);
    // What the second turn earned is credited to the last token before it.
    let of = |text: &str| all_there(probe(None, Some(&advantage(text)), &read(&file)).unwrap().advantage);
    assert_eq!(of("discount(reward, by = episode)"), [[111.0, 111.0, 0.0], [0.0; 3], [100.0, 0.0, 0.0]]);
    assert_eq!(of("discount(reward, 0.5, by = episode, per = turn)"), [[31.0, 31.0, 0.0], [0.0; 3], [100.0, 0.0, 0.0]]);
    assert_eq!(of("discount(reward, by = turn)"), [[1.0, 1.0, 0.0], [0.0; 3], [100.0, 0.0, 0.0]]);
    // And a batch in which nothing was said at all changes nothing.
    let silent = json!({"mask": [[0], [0]], "logp": [[0], [0]], "entropy": [[0], [0]], "advantage": [[0], [0]], "old_logp": [[0], [0]]});
    for text in [
        "mean(ppo_clip())",
        "mean(mean(entropy, by = turn))",
        "mean(whiten(advantage) * logp)",
        "max(logp)",
        "mean(kl_cov())",
        "mean(logp) / count(logp)",
    ] {
        let answer = evaluate(text, &silent).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!((answer.minimize, answer.gradient.logp), (Some(0.0), vec![vec![0.0]; 2]), "{text}");
    }
}

#[test]
fn without_a_past() {
    let corridor = "trajectory_mean(corridor(entropy, around = history(mean(entropy)), low = 1, high = 1))";
    let mut file = batch(6);
    file["history"] = json!([]);
    let past = loss_block(&format!("s = {corridor}\nd = mean(entropy) - history(mean(entropy))\nminimize = mean(logp) + s + d ^ 2"));
    let answer = probe(Some(&past), None, &read(&file)).unwrap();
    assert_eq!((answer.terms["s"], answer.terms["d"]), (0.0, 0.0));
    assert!(answer.gradient.entropy.iter().flatten().all(|g| *g == 0.0));
    assert_eq!(answer.minimize, evaluate("mean(logp)", &file).unwrap().minimize, "the other summands are left alone");
    for text in
        ["max(entropy - history(mean(entropy)))", "std(entropy * history(mean(entropy)))", "sum(log(entropy / history(mean(entropy))))"]
    {
        let answer = evaluate(&format!("mean(logp) - 0.1 * {text}"), &file).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(answer.minimize, evaluate("mean(logp)", &file).unwrap().minimize, "{text}");
    }
    file.as_object_mut().unwrap().remove("history");
    let error = evaluate(corridor, &file).unwrap_err();
    assert_eq!(error.to_string(), "the batch has no past for `history(mean(entropy))`");
}

#[test]
fn what_the_batch_lacks_is_named() {
    let lacking = |name: &str, text: &str| {
        let mut file = batch(6);
        file.as_object_mut().unwrap().remove(name);
        evaluate(text, &file).unwrap_err().diagnostic()
    };
    assert_eq!(lacking("ref_logp", "mean(kl_k3())").message, "the batch has no `ref_logp`");
    let diagnostic = lacking("ret", "mean(value_clip())");
    assert_eq!(diagnostic.message, "the batch has no `returns`");
    assert_eq!(diagnostic.help, ["give it, or leave it out of the equation; in a batch file it is called `ret`"]);
    assert_eq!(lacking("step", "mean(entropy) * phase()").message, "the batch has no `iteration`");
    assert_eq!(lacking("episode", "trajectory_mean(entropy)").message, "the batch does not say which row belongs to which `episode`");
    assert_eq!(
        lacking("anchor", "mean(logp * mean(reward, by = anchor))").message,
        "the batch does not say which row belongs to which `anchor`"
    );
    assert_eq!(
        lacking("turn", "mean(logp * stop(discount(reward, by = episode)))").message,
        "the batch does not say which row belongs to which `turn_index`"
    );
    // What the equation does not reach may be missing.
    let mut file = batch(6);
    file.as_object_mut().unwrap().remove("ref_logp");
    let objective = loss_block("drift = mean(kl_k3())\nother = mean(entropy)\nminimize = mean(logp)");
    let answer = probe(Some(&objective), None, &read(&file)).unwrap();
    assert_eq!(answer.terms.keys().collect::<Vec<_>>(), ["other"]);
}

#[test]
fn batch_files_that_are_wrong() {
    let change = |name: &str, value: Value| {
        let mut file = single();
        file[name] = value;
        refused(&file)
    };
    assert_eq!(refused(&json!([])), "the batch must be an object with its quantities as fields, at the top or under `batch`");
    assert_eq!(
        refused(&json!({"step": 1})),
        "the batch has no quantity of tokens, such as `mask` or `logp`, so nothing says how many rows and tokens there are"
    );
    assert_eq!(refused(&json!({"mask": []})), "the batch has no rows");
    assert_eq!(change("mask", json!([[2]])), "`mask` must be one list of 0 and 1 for each row, but place 0 of row 0 is 2");
    let tokens = "one list of numbers for each of the 1 rows, as long as the row of `mask`";
    assert_eq!(change("logp", json!([[1, 2]])), format!("`logp` must be {tokens}, but row 0 has 2 places and its mask 1"));
    assert_eq!(change("logp", json!([["x"]])), format!("`logp` must be {tokens}, but place 0 of row 0 is a string"));
    assert_eq!(change("logp", json!([[1], [2]])), format!("`logp` must be {tokens}, but it has 2 rows"));
    assert_eq!(change("logp", json!(3)), format!("`logp` must be {tokens}, but it is 3"));
    assert_eq!(change("reward", json!([1.0])), format!("`reward` must be {tokens}, but row 0 is 1.0"));
    assert_eq!(change("step_reward", json!([null])), "`step_reward` must be one number for each of the 1 rows, but entry 0 is null");
    assert_eq!(change("group", json!([0.5])), "`group` must be one whole number of 0 or more for each row, but that of row 0 is 0.5");
    assert_eq!(change("step", json!("1")), "`step` must be a number, but it is a string");
    assert_eq!(
        change("history", json!(2)),
        "`history` must be a list with a number, a list of numbers, or an object of numbers by turn, for each earlier iteration, but it is 2"
    );
    let two = json!({"logp": [[-1], [-1]], "reward": [[1], [2]], "episode": [7, 7], "turn": [0, 1]});
    assert_eq!(refused(&two), "rows 0 and 1 belong to one episode, but their `reward` differs; it is one number an episode");
    let two = json!({"logp": [[-1], [-1]], "episode": [7, 7], "turn": [3, 3]});
    assert_eq!(refused(&two), "rows 0 and 1 both are turn 3 of episode 7");
    let two = json!({"logp": [[-1], [-1]], "episode": [7, 7], "group": [1, 2]});
    assert_eq!(refused(&two), "rows 0 and 1 belong to episode 7, but to different groups");
    assert!(ProbeBatch::from_json("{\"logp\": [[NaN]]}").unwrap_err().to_string().starts_with("the batch is no JSON: "));
}

#[test]
fn a_file_may_be_short() {
    let answer = evaluate("mean(logp) * progress", &json!({"logp": [[-1, -2], [-3]], "step": 1, "steps": 4})).unwrap();
    assert_eq!((answer.minimize, answer.gradient.logp), (Some(-0.5), vec![vec![0.25 / 3.0; 2], vec![0.25 / 3.0]]));
    let mut batch = read(&json!({"batch": {"logp": [[-1]], "step": 1}}));
    batch.iterations_if_missing(4.0).unwrap();
    assert_eq!(batch.batch().get("progress"), Some(vec![0.25]));
    let mut batch = read(&json!({"logp": [[-1]], "step": 1, "steps": 2}));
    batch.iterations_if_missing(4.0).unwrap();
    assert_eq!(batch.batch().get("iterations"), Some(vec![2.0]), "the file wins");
}

#[test]
fn batches_from_the_trainer_are_checked() {
    let rows = || Rows { lengths: vec![1, 2], episode: Some(vec![5, 5]), turn_index: Some(vec![0, 1]), ..Rows::default() };
    let mut batch = Batch::new(rows()).unwrap();
    assert_eq!(batch.get("turns"), Some(vec![2.0]));
    let wrong = |result: Result<(), BatchError>| result.unwrap_err().to_string();
    assert_eq!(wrong(batch.set("logp", vec![0.0; 2])), "`logp` has one value a token, and so 3 in this batch, but 2 were given");
    assert_eq!(wrong(batch.set("logprob", vec![])), "there is no quantity `logprob`");
    let mut ungrouped = Batch::new(Rows { lengths: vec![1], ..Rows::default() }).unwrap();
    assert_eq!(
        wrong(ungrouped.set("score", vec![1.0])),
        "`score` has one value for each `episode`, but the batch does not say which row belongs to which"
    );
    let short = Rows { group: Some(vec![1]), ..rows() };
    assert_eq!(Batch::new(short).unwrap_err().to_string(), "`group` has 1 values, but the batch has 2 rows");
}

#[test]
fn ties_of_top_go_to_the_first() {
    let file = json!({"logp": [[-1, -1, -1, -1, -2]]});
    let gradient = |fraction: &str| evaluate(&format!("sum(where(top(logp, {fraction}), logp, 0))"), &file).unwrap().gradient.logp;
    assert_eq!(gradient("0.59"), [[1.0, 1.0, 0.0, 0.0, 0.0]]);
    assert_eq!(gradient("0.01"), [[1.0, 0.0, 0.0, 0.0, 0.0]]);
    assert_eq!(gradient("1"), [[1.0; 5]]);
    let error = evaluate("sum(where(top(logp, 0 * mean(logp)), logp, 0))", &file).unwrap_err();
    assert!(error.to_string().ends_with("must be above 0 and not above 1, but is -0"), "{error}");
}

#[test]
fn deep_equations_do_not_overflow_the_stack() {
    // As deep as is allowed, in a thread with the stack of a worker.
    let run = || {
        let mut lines = String::new();
        (1..100).for_each(|i| lines += &format!("x{i} = x{} * 0.5 + relu(entropy)\n", i - 1));
        let objective = loss_block(&format!("x0 = entropy\n{lines}minimize = mean(x99)"));
        let file = read(&single());
        let detail = Detail { term_gradients: true, ..Detail::default() };
        objective.evaluate_in(file.batch(), &History::default(), detail).expect("an evaluation").gradient.entropy
    };
    let gradient = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().expect("no overflow");
    assert!((gradient.unwrap()[0] - 2.0).abs() < 1e-12);
}
