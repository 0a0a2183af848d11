//! The resolved text of a file runs alone and asks for the very same tasks.

use crate::repository::REPOSITORY;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::plan::Plan;
use epo::spec::{Compiled, Request, compile};
use std::fs;
use std::path::Path;

fn compiled(root: Root<'_>, overrides: &[String]) -> Compiled {
    compile(&Request { root, overrides, library: &REPOSITORY })
}

/// Digest and names of every task.
fn tasks(compiled: &Compiled, what: &str) -> Vec<(String, Vec<String>)> {
    let messages = render_all(&compiled.sources, &compiled.diagnostics, false);
    assert!(!compiled.diagnostics.has_errors(), "{what}\n{messages}");
    let plan = match Plan::new(&compiled.pipelines) {
        Ok(plan) => plan,
        Err(errors) => panic!("{what}\n{}", render_all(&compiled.sources, &errors, false)),
    };
    let names = |t: &epo::plan::Task| {
        let mut names: Vec<String> = t.members.iter().map(|m| plan.stage_name(m.instance, &m.stage)).collect();
        names.sort();
        names
    };
    let mut tasks: Vec<_> = plan.tasks.iter().map(|t| (t.digest.hex().to_string(), names(t))).collect();
    tasks.sort();
    assert!(!tasks.is_empty(), "{what}: nothing to do");
    tasks
}

/// Asserts it, with and without the comments, and that the resolved text is its own resolved text. Returns it.
fn same(what: &str, first: &Compiled) -> String {
    let expected = tasks(first, what);
    for origins in [true, false] {
        let text = first.resolved.text(&[], origins);
        let inherits = |line: &str| line.starts_with("pipeline ") && line.contains(" from ");
        assert!(!text.contains("import ") && !text.lines().any(inherits), "{text}");
        let second = compiled(Root::Text { name: "resolved.epo", text: &text }, &[]);
        let found = tasks(&second, &format!("{what}\n{text}"));
        let differs = expected.iter().zip(&found).find(|(a, b)| a != b);
        assert!(differs.is_none() && expected.len() == found.len(), "{text}\n{differs:?}");
        assert!(!second.diagnostics.has_errors(), "{text}\n{}", render_all(&second.sources, &second.diagnostics, false));
        assert_eq!(first.resolved.text(&[], false), second.resolved.text(&[], false));
    }
    first.resolved.text(&[], true)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn file(path: &Path) -> Compiled {
    compiled(Root::File(path), &[])
}

const HOUSE: &str = r#"
prompt first = """
You are in a house with "doors".
{task}
"""
prompt later = "{observation} \\ {{ {admissible} }}"
house = household {
  prompt = windowed { first = first, then = later, cut = right }
  action = between("<a>", "</a>", else = last(30))
  case = lower, max_turns = 12, invalid_penalty = 0.1
  train = games { split = "train" }, seen = games { split = "seen", count = 20 }
}
short = house { max_turns = 6, prompt.history = 1 }
small = decoder { tokenizer = words, width = 32 }
"#;

#[test]
fn imports_inheritance_functions_and_references() {
    let folder = folder(&[
        ("house.epo", &HOUSE.replace("small = decoder { tokenizer = words, width = 32 }", "")),
        (
            "main.epo",
            r#"
import "std/losses.epo"
import "std/advantages.epo" as a
import "house.epo" as h
rate = 5e-6
pipeline base {
  title = "Base"
  iterations = 4
  lambda = 0.001
  fn beta(k) = 1 + exp(-3 * k / max(1, floor(iterations / 2)))
  policy = decoder { tokenizer = words, decode = sample { temperature = 0.5 } }
  critic = value_head { optimizer = adamw { lr = rate } }
  advantage = whiten(gae(outcome, value, gamma = 1, lambda = 1, by = turn))
  loss {
    fn twice(x) = 2 * x
    surrogate = mean(ppo_clip(0.2, dual = 3))
    explore   = trajectory_mean(entropy)
    smooth    = trajectory_mean(0.1 * corridor(entropy, around = history(mean(entropy)), low = 0, high = 2))
    fit       = mean(value_clip(0.2)) + twice(mean(entropy ^ 2 - -1)) / -3
    minimize  = surrogate - lambda * (explore - beta(iteration) * smooth) + fit
  }
  optimizer = adamw { lr = cosine(rate, warmup = 0.1, floor = 0.2), clip_norm = 1 }
  stages {
    words = tokenizer { on = [h.house.train, h.short.train] }
    shown = collect { on = h.house.train, actor = expert, episodes = 4 }
    warm  = sft { episodes = shown, seed = 3 }
    train = rl { policy = warm, on = h.house.train, groups = 2, minibatch = 64, select_on = h.house.seen, evaluate_every = floor(iterations / 2) }
    random = evaluate { actor = random { }, on = h.house.seen }
    turn  = evaluate { policy = train.best, on = [h.house.seen, h.short.train], decode = choose, after = [random] }
    page  = report { of = [train, turn, random] }
  }
  seeds = [0, 1]
}
pipeline grpo from base {
  title = "GRPO"
  without critic
  advantage = a.grpo()
  loss.fit = 0
  train.group_size = 4
  page.of = [train, base.train]
}
pipeline table { stages { page = report { of = [base.turn, grpo.turn], title = "All \"of\" them" } } }
"#,
        ),
    ]);
    let first = file(&folder.path().join("main.epo"));
    let text = same("main", &first);
    for wanted in ["house = household {", "short = household {", "pipeline grpo {", "main.epo:7\n", "main.epo:38\n", "# default\n"] {
        assert!(text.contains(wanted), "{text}\nlacks {wanted}");
    }
    assert!(!text.contains("fn "), "{text}");
    // one pipeline, and only what it needs
    let one = first.resolved.text(&["grpo"], false);
    assert!(one.contains("pipeline grpo {") && one.contains("pipeline base {") && !one.contains("pipeline table {"), "{one}");
    assert_eq!(first.pipelines[0].resolved, first.resolved.text(&[&first.pipelines[0].name], false));
}

#[test]
fn stages_of_a_pipeline_behind_a_name() {
    let text = |of: &str| format!("import \"a.epo\" as x\npipeline b {{ stages {{ page = report {{ of = [{of}] }} }} }}\n");
    let folder = folder(&[("a.epo", &format!("{HOUSE}{A}")), ("b.epo", &text("x.a.test"))]);
    let path = folder.path().join("b.epo");
    let named = same("named", &file(&path));
    assert!(named.contains("pipeline a {") && named.contains("of = [a.test]"), "{named}");
    for (of, code, words) in [
        ("x.a", "E0115", "`x.a` is a pipeline; name one of its stages"),
        ("x.a.nothing", "E0111", "the pipeline `a` has no stage `nothing`"),
    ] {
        fs::write(&path, text(of)).expect("a file");
        let found = file(&path).diagnostics;
        assert!(found.0.iter().any(|d| d.code == code && d.message.contains(words)), "{of}: {found:?}");
    }
}

#[test]
fn overrides_are_marked_and_kept() {
    let folder = folder(&[("a.epo", &format!("{HOUSE}{A}"))]);
    let path = folder.path().join("a.epo");
    let plain = file(&path);
    let changed = compiled(Root::File(&path), &["a.test.repeats=3".to_string()]);
    assert_ne!(tasks(&plain, "plain"), tasks(&changed, "changed"));
    let text = same("changed", &changed);
    assert!(text.lines().any(|l| l.trim_start().starts_with("repeats") && l.ends_with("# <command line>")), "{text}");
}

const A: &str = r"
pipeline a {
  stages {
    test = evaluate { actor = random, on = house.seen, repeats = 2 }
    page = report { of = [test] }
  }
}
";

#[test]
fn sweeps_stay_and_keep_their_labels() {
    let folder = folder(&[(
        "sweep.epo",
        &format!(
            r#"
import "std/losses.epo"
import "std/advantages.epo"
{}
large = 64
pipeline a {{
  small = decoder {{ tokenizer = words, width = 32 }}
  wide  = decoder {{ tokenizer = words, width = large }}
  lambda = sweep(3e-4, 0.001)
  twice = 2 * lambda
  house_size = sweep(1, 2)
  home = house {{ rooms = house_size }}
  policy = sweep(small, wide)
  thin = policy {{ layers = 1 }}
  advantage = grpo()
  loss {{
    surrogate = mean(ppo_clip(sweep(0.1, 0.2)))
    minimize = surrogate - twice * mean(entropy) + lambda * mean(logp)
  }}
  stages {{
    words = tokenizer {{ on = home.train }}
    train = rl {{ on = home.train, groups = sweep(2, 4), iterations = 2 }}
    other = rl {{ policy = thin, on = home.train, iterations = 2 }}
    page  = report {{ of = [train, other] }}
  }}
}}
pipeline b from a {{ lambda = 0, house_size = 1, policy = small, seeds = [0, 1] }}
pipeline c from a {{ without lambda, twice = 1, house_size = 2, loss.minimize = surrogate, home.max_turns = 3, train.group_size = 2 }}
"#,
            HOUSE.replace("small = decoder { tokenizer = words, width = 32 }", "")
        ),
    )]);
    let path = folder.path().join("sweep.epo");
    let first = file(&path);
    let second = first.resolved.text(&[], false);
    assert!(second.contains("lambda     = sweep(3e-4, 0.001)") || second.contains("lambda = sweep(3e-4, 0.001)"), "{second}");
    assert!(second.contains("sweep(small, wide)"), "{second}");
    // the sweep inside the loss stands in two places of the equation: it gets a line, and so another label; everything but names is kept
    let text = first.resolved.text(&[], true);
    let again = compiled(Root::Text { name: "resolved.epo", text: &text }, &[]);
    let digests = |c: &Compiled| tasks(c, &text).into_iter().filter(|t| !t.1[0].contains("page")).map(|t| t.0).collect::<Vec<_>>();
    assert!(digests(&first) == digests(&again), "{text}");
    // without that one, names are kept too
    let source = fs::read_to_string(&path).expect("a file").replace("ppo_clip(sweep(0.1, 0.2))", "logp * sweep(0.1, 0.2)");
    fs::write(&path, source).expect("a file");
    let text = same("sweep", &file(&path));
    assert!(text.contains("surrogate = mean(logp * sweep(0.1, 0.2))"), "{text}");
}

#[test]
fn sweeps_over_words() {
    let text = format!(
        r"
{HOUSE}
pipeline a {{
  level     = sweep(turn, episode)
  policy    = small
  advantage = score - mean(score, by = sweep(group, anchor))
  loss {{ minimize = mean(mean(-advantage * logp, by = level)) }}
  stages {{
    words = tokenizer {{ on = house.train }}
    train = rl {{ on = house.train, iterations = 2, log = sweep(values, gradients) }}
    page  = report {{ of = [train] }}
  }}
}}
"
    )
    .replace("small = decoder", "wide = decoder")
    .replace("policy    = small", "policy    = decoder { tokenizer = words }")
    .replace("wide = decoder { tokenizer = words, width = 32 }", "");
    let first = compiled(Root::Text { name: "words.epo", text: &text }, &[]);
    let shown = same("words", &first);
    for wanted in ["by = sweep(group, anchor)", "by = level", "= sweep(turn, episode)", "= sweep(values, gradients)"] {
        assert!(shown.contains(wanted), "{shown}\nlacks {wanted}");
    }
}

#[test]
fn everything_in_the_repository() {
    let mut files: Vec<_> = fs::read_dir("pipelines").expect("pipelines").filter_map(|e| e.ok()).map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "epo"));
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let text = same(&path.display().to_string(), &file(&path));
        println!("{text}");
    }
}
