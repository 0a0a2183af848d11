//! Real stages by ranks that are threads of this process.

use super::*;
use crate::lang::load::Root;
use crate::ranks::{Ranks, local};
use crate::spec::{LIBRARY, Request, compile};

/// Many features in one training: figures that compare with other models, a critic on the trunk, statistics of the past, a chosen policy, an adapter's beginning.
const MANY: &str = r#"
import "std/losses.epo"

prompt look = "{task}\n{observation}\n>"
house = household {
  kinds = [study], receptacles = 5, openable = 0.2, objects = 3, families = [put]
  max_turns = 6, success_reward = 1
  prompt = windowed { then = look, max_tokens = 100 }
  train  = games { split = "train", count = 20 }
  seen   = games { split = "seen", count = 3 }
}

pipeline many {
  iterations = 4
  policy     = decoder { tokenizer = words, layers = 1, width = 16, heads = 2, context = 192 }
  critic     = value_head { }
  optimizer  = adamw { lr = 1e-3, clip_norm = 1 }
  advantage  = whiten(gae(outcome, value, gamma = 1, lambda = 1, by = turn))
  loss {
    surrogate = mean(ppo_clip(0.2))
    fit       = mean(value_clip(0.2))
    drift     = mean(kl_to_reference) + mean(collision) * history(mean(entropy))
    minimize  = surrogate + 0.5 * fit + 0.01 * drift
  }
  stages {
    words = tokenizer { on = house.train, vocabulary = 300, episodes = 6 }
    shown = collect   { on = house.train, actor = expert, episodes = 6 }
    warm  = sft       { episodes = shown, epochs = 2, minibatch = 16, optimizer = adamw { lr = 3e-3 } }
    train = rl        { on = house.train, policy = warm, groups = 3, group_size = 2, minibatch = 16, select_on = house.seen, evaluate_every = 2, checkpoint_every = 1 }
    page  = report    { of = [warm, train] }
  }
}
"#;

fn compiled(root: Root<'_>, set: &[&str]) -> Plan {
    let overrides: Vec<String> = set.iter().map(|set| (*set).to_owned()).collect();
    let compiled = compile(&Request { root, overrides: &overrides, library: &LIBRARY });
    let said = crate::lang::render::render_all(&compiled.sources, &compiled.diagnostics, false);
    assert!(!compiled.diagnostics.has_errors(), "{said}");
    Plan::only(&compiled.pipelines, &compiled.roots).unwrap_or_else(|d| panic!("{d:?}"))
}

fn many() -> Plan {
    compiled(Root::Text { name: "many.epo", text: MANY }, &[])
}

fn on(ranks: Vec<Ranks>, plan: &Plan, store: &Store) -> Result<Outcome, ExecError> {
    let all = ranks.into_iter().map(|ranks| (Options { ranks, keep: 2, ..Options::default() }, plan, store)).collect();
    on_each(all, &mut Silent)
}

/// What the first one says; each has options, a plan and a store of its own.
fn on_each(all: Vec<(Options, &Plan, &Store)>, watch: &mut dyn Watch) -> Result<Outcome, ExecError> {
    let mut all = all.into_iter();
    let (first, plan, store) = all.next().unwrap();
    std::thread::scope(|scope| {
        let others: Vec<_> = all.map(|(options, plan, store)| scope.spawn(move || follow(plan, store, &options))).collect();
        let result = execute(plan, store, record("many"), &first, watch);
        dismiss(&first.ranks);
        // Whoever waits for it hears that it is gone.
        drop(first);
        others.into_iter().for_each(|other| drop(other.join().unwrap()));
        result
    })
}

fn alone(plan: &Plan) -> BTreeMap<String, Vec<u8>> {
    let folder = scratch();
    let store = Store::new(folder.path());
    on(vec![Ranks::ALONE], plan, &store).unwrap();
    tasks(&store)
}

#[test]
fn any_number_of_ranks_writes_the_same_bytes() {
    let texts = ["tests/experiment/tiny.epo", "tests/experiment/sources.epo", "tests/experiment/curriculum.epo"];
    let plans = texts.map(|text| compiled(Root::File(Path::new(text)), &[])).into_iter().chain([many()]);
    for (number, plan) in plans.enumerate() {
        let expected = alone(&plan);
        assert!(expected.keys().any(|name| name.ends_with("metrics.jsonl")) && expected.keys().any(|name| name.contains("safetensors")));
        for size in [2, 3 + number % 3] {
            let folder = scratch();
            let store = Store::new(folder.path());
            on(local::ranks(size, None), &plan, &store).unwrap();
            assert_same(&expected, &tasks(&store), &format!("{size} ranks"));
        }
    }
}

#[test]
fn a_rank_that_dies_ends_the_stage_and_others_go_on_to_the_same_bytes() {
    let plan = many();
    let expected = alone(&plan);
    let folder = scratch();
    let store = Store::new(folder.path());
    // In the first stage that is shared, between checkpoints, and again; each time one more rank than before.
    for (size, (who, calls)) in [(2, (1, 3)), (3, (2, 60)), (4, (1, 90)), (5, (0, 110))] {
        let error = on(local::ranks(size, Some((who, calls))), &plan, &store).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("is gone; the same command goes on from the last checkpoint, with any number of ranks"), "{message}");
    }
    let outcome = on(local::ranks(3, None), &plan, &store).unwrap();
    assert!(outcome.made.iter().any(|name| name == "many.train"), "{outcome:?}");
    assert_same(&expected, &tasks(&store), "after four deaths");
}

#[test]
fn stopped_by_the_user_it_goes_on_with_others() {
    struct StopAt(Interrupt);
    impl Watch for StopAt {
        fn progress(&mut self, progress: &crate::stage::Progress) {
            if progress.unit == "iterations" && progress.done == 2 {
                self.0.request();
            }
        }
    }
    let plan = many();
    let folder = scratch();
    let store = Store::new(folder.path());
    let all: Vec<_> =
        local::ranks(3, None).into_iter().map(|ranks| (Options { ranks, keep: 2, ..Options::default() }, &plan, &store)).collect();
    let mut watch = StopAt(all[0].0.interrupt.clone());
    let error = on_each(all, &mut watch).unwrap_err();
    assert_eq!(error.exit_code(), 130);
    on(local::ranks(2, None), &plan, &store).unwrap();
    assert_same(&alone(&plan), &tasks(&store), "stopped once");
}

#[test]
fn a_rank_with_something_else_is_told() {
    let (plan, other) = (many(), compiled(Root::Text { name: "many.epo", text: MANY }, &["many.iterations=3"]));
    let (folder, elsewhere) = (scratch(), scratch());
    let (store, empty) = (Store::new(folder.path()), Store::new(elsewhere.path()));
    let told = |plans: [&Plan; 2], stores: [&Store; 2]| {
        let of = |(number, ranks)| (Options { ranks, ..Options::default() }, plans[number], stores[number]);
        on_each(local::ranks(2, None).into_iter().enumerate().map(of).collect(), &mut Silent).unwrap_err().to_string()
    };
    // `warm` is the same in both.
    let message = told([&plan, &other], [&store, &store]);
    assert!(message.starts_with("stage `many.train` failed: rank 1 failed: its plan is another one; all ranks need"), "{message}");
    let message = told([&plan, &plan], [&store, &empty]);
    assert!(
        message.starts_with("stage `many.train` failed: rank 1 failed: `") && message.ends_with("all ranks need the same run folder"),
        "{message}"
    );
    let result = std::thread::scope(|scope| {
        let mut ranks = local::ranks(2, None);
        let second = ranks.pop().unwrap();
        let refused = scope.spawn(move || refuse(&second, "no such file"));
        let first = Options { ranks: ranks.pop().unwrap(), ..Options::default() };
        let result = execute(&plan, &store, record("many"), &first, &mut Silent);
        dismiss(&first.ranks);
        assert_eq!(refused.join().unwrap(), Ok(()));
        result
    });
    assert!(result.unwrap_err().to_string().ends_with("rank 1 failed: no such file"));
}
