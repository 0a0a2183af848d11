use super::*;
use crate::lang::Severity;
use crate::spec::StageSpec;
use crate::spec::fake::{Count, count, input, labelled, pipeline, span, stage, three};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn names(plan: &Plan) -> Vec<String> {
    plan.tasks.iter().map(|t| plan.name(t)).collect()
}

fn digest_of(instances: &[PipelineSpec], name: &str) -> String {
    let plan = Plan::new(instances).unwrap();
    let task = plan.tasks.iter().find(|t| plan.name(t) == name).unwrap();
    task.digest.hex().to_owned()
}

#[test]
fn a_digest_covers_what_can_change_a_number_and_nothing_else() {
    let base = || three("a", 0, 5, count("rl"));
    let of = |instance: PipelineSpec| digest_of(&[instance], "a.train");
    let mut titled = base();
    titled.title = "other words".into();
    titled.span = span(99);
    titled.stages[1].span = span(50);
    titled.stages[1].after = vec![input("after", 0, "warm", "policy", 60)];
    assert_eq!(of(base()), of(titled));
    // The stage's own seed counts, the pipeline's then does not.
    let own = |seed, pipeline_seed| {
        let mut instance = three("a", 0, pipeline_seed, count("rl"));
        instance.stages[1].seed = Some(seed);
        of(instance)
    };
    assert_eq!(own(5, 9), of(base()));
    assert_ne!(own(6, 5), of(base()));

    let mut upstream = base();
    upstream.stages[0] = stage("warm", Count { iterations: 4, draws: false, ..count("sft") }, vec![]);
    let mut other_output = base();
    other_output.stages[1].inputs[0].output = "best".into();
    let mut other_field = base();
    other_field.stages[1].inputs[0].field = "reference".into();
    let changed = [
        three("a", 0, 6, count("rl")),
        three("a", 0, 5, count("dpo")),
        three("a", 0, 5, Count { rate: 0.25, ..count("rl") }),
        three("a", 0, 5, Count { draws: false, ..count("rl") }),
        upstream,
        other_output,
        other_field,
    ];
    let mut seen = BTreeSet::from([of(base())]);
    for (i, instance) in changed.into_iter().enumerate() {
        assert!(seen.insert(of(instance)), "change {i}");
    }
}

#[test]
fn names_count_only_where_they_are_shown() {
    let (a, b) = ([three("a", 0, 5, count("rl"))], [three("b", 0, 5, count("rl"))]);
    assert_eq!(digest_of(&a, "a.train"), digest_of(&b, "b.train"));
    assert_ne!(digest_of(&a, "a.page"), digest_of(&b, "b.page"));
    assert_ne!(Plan::new(&a).unwrap().digest, Plan::new(&b).unwrap().digest);
}

#[test]
fn titles_count_only_where_they_are_shown() {
    let (plain, mut titled) = (three("a", 0, 5, count("rl")), three("a", 0, 5, count("rl")));
    titled.title = "Other words".into();
    let digest = |instance: &PipelineSpec, name: &str| digest_of(std::slice::from_ref(instance), name);
    assert_eq!(digest(&plain, "a.train"), digest(&titled, "a.train"));
    assert_ne!(digest(&plain, "a.page"), digest(&titled, "a.page"));
}

#[test]
fn the_form_of_a_key_is_fixed() {
    let plan = Plan::new(&[three("a", 0, 5, count("rl"))]).unwrap();
    let warm = plan.tasks[0].digest.hex();
    let key = format!(
        r#"{{"format":4,"identity":{{"every":2,"iterations":7,"loss":{{"rate":0.5,"terms":["a","b"]}}}},"inputs":[{{"field":"policy","output":"policy","task":"{warm}"}}],"kind":"rl","seed":5}}"#
    );
    assert_eq!(crate::store::canonical(&plan.tasks[1].key), key);
    assert_eq!(plan.tasks[1].digest.hex(), blake3::hash(key.as_bytes()).to_hex().as_str());
}

#[test]
fn order_is_as_written_but_nothing_before_what_it_needs() {
    let table =
        pipeline("table", 0, vec![stage("page", Count { last: true, ..count("report") }, vec![input("of", 1, "seen", "policy", 5)])]);
    let late = pipeline(
        "late",
        0,
        vec![
            stage("seen", Count { rate: 2.0, ..count("evaluate") }, vec![input("policy", 1, "train", "best", 1)]),
            stage("train", Count { rate: 3.0, ..count("rl") }, vec![]),
            StageSpec {
                after: vec![input("after", 1, "export", "policy", 8)],
                ..stage("then", Count { rate: 4.0, last: true, ..count("x") }, vec![])
            },
            stage("export", Count { rate: 5.0, last: true, ..count("export") }, vec![]),
        ],
    );
    let plan = Plan::new(&[table, late]).unwrap();
    assert_eq!(names(&plan), ["late.train", "late.seen", "table.page", "late.export", "late.then"]);
    assert_eq!(plan.tasks[4].after, [3]);
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
}

#[test]
fn circles_are_shown_with_all_their_references() {
    let circle = pipeline(
        "a",
        0,
        vec![
            stage("x", count("k"), vec![input("policy", 0, "z", "policy", 100)]),
            stage("y", count("k"), vec![input("policy", 0, "x", "policy", 200)]),
            stage("z", count("k"), vec![input("policy", 0, "y", "policy", 300)]),
            stage("user", count("k"), vec![input("policy", 0, "z", "policy", 400)]),
            stage("own", count("k"), vec![input("policy", 0, "own", "policy", 500)]),
        ],
    );
    // Its second instance says nothing new.
    let mut second = circle.clone();
    second.stages.iter_mut().flat_map(|s| &mut s.inputs).for_each(|i| i.pipeline = 1);
    let found = Plan::new(&[labelled(circle, "seed", 0), labelled(second, "seed", 1)]).unwrap_err().0;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].message, "stages need one another in a circle: `a.x` needs `a.z` needs `a.y` needs `a.x`");
    assert_eq!(found[0].code, "E0401");
    let labels: Vec<(u32, &str)> = found[0].labels.iter().map(|l| (l.span.start, l.text.as_str())).collect();
    assert_eq!(labels, [(100, "`a.x` needs `a.z`"), (300, "`a.z` needs `a.y`"), (200, "`a.y` needs `a.x`")]);
    assert_eq!((found[1].message.as_str(), found[1].labels[0].span.start), ("stage `a.own` needs itself", 500));
}

#[test]
fn circles_across_pipelines_and_through_after() {
    let a = pipeline("a", 0, vec![stage("x", count("k"), vec![input("policy", 1, "y", "policy", 10)])]);
    let mut b = pipeline("b", 0, vec![stage("y", count("k"), vec![])]);
    b.stages[0].after = vec![input("after", 0, "x", "policy", 20)];
    let found = Plan::new(&[a, b]).unwrap_err().0;
    assert_eq!(found[0].message, "stages need one another in a circle: `a.x` needs `b.y` needs `a.x`");
}

#[test]
fn a_stage_that_is_not_there() {
    let found = Plan::new(&[pipeline(
        "a",
        0,
        vec![stage("train", count("k"), vec![]), stage("x", count("k"), vec![input("p", 0, "trian", "policy", 7)])],
    )]);
    let found = found.unwrap_err().0;
    assert_eq!((found[0].code, found[0].message.as_str()), ("E0402", "`a` has no stage `trian`"));
    assert_eq!(found[0].help, ["did you mean `train`?"]);
}

#[test]
fn what_nobody_uses_is_warned_of_once() {
    let instance = |i: usize| {
        let mut p = three("a", i, i as u64, count("rl"));
        p.stages.push(StageSpec { span: span(700), ..stage("idle", Count { rate: 9.0, ..count("rl") }, vec![]) });
        p.stages[2].after = vec![input("after", i, "idle", "policy", 1)];
        labelled(p, "seed", i)
    };
    let plan = Plan::new(&[instance(0), instance(1)]).unwrap();
    assert_eq!(plan.warnings.len(), 1);
    let warning = &plan.warnings[0];
    assert_eq!((warning.code, warning.severity), ("W0401", Severity::Warning));
    assert_eq!(warning.message, "nothing uses what stage `idle` of `a` gives");
    assert_eq!((warning.labels.len(), warning.labels[0].span.start), (1, 700));

    // Inherited: both places. Used by another pipeline: fine.
    let mut child = pipeline("child", 0, vec![StageSpec { span: span(2000), ..stage("idle", count("rl"), vec![]) }]);
    let warnings = Plan::new(&[child.clone()]).unwrap().warnings;
    assert_eq!(warnings[0].labels.len(), 2);
    child.name = "b".into();
    let table = pipeline("t", 0, vec![stage("page", Count { last: true, ..count("report") }, vec![input("of", 0, "idle", "policy", 3)])]);
    assert!(Plan::new(&[child, table]).unwrap().warnings.is_empty());
}

#[test]
fn only_those_named_and_what_they_need() {
    let other = three("other", 1, 6, Count { rate: 0.1, ..count("rl") });
    let page = Count { last: true, draws: false, ..count("report") };
    let table = pipeline("table", 0, vec![stage("page", page, vec![input("of", 1, "train", "best", 3)])]);
    let all = [three("a", 0, 5, count("rl")), other, table];
    let only = |names: &[&str]| Plan::only(&all, &names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    assert_eq!(names(&only(&["table"]).unwrap()), ["other.warm", "other.train", "table.page"]);
    assert_eq!(names(&only(&["a"]).unwrap()), ["a.warm", "a.train", "a.page"]);
    assert_eq!(only(&["a"]).unwrap().run_name("file"), "a");
    assert_eq!(only(&[]).unwrap().run_name("file"), "file");
    assert_eq!(only(&["table", "a"]).unwrap().digest, only(&["a", "table", "a"]).unwrap().digest);
    let error = only(&["tabel"]).unwrap_err().0;
    assert_eq!((error[0].code, error[0].message.as_str()), ("E0403", "no pipeline is called `tabel`"));
    assert_eq!(error[0].help, ["did you mean `table`?", "the pipelines here: `a`, `other`, `table`"]);
    let seeds = [labelled(three("a", 0, 0, count("rl")), "seed", 0), labelled(three("a", 1, 1, count("rl")), "seed", 1)];
    let one = Plan::only(&seeds, &["a[seed=1]".into()]).unwrap();
    assert_eq!(names(&one), ["a[seed=1].warm", "a[seed=1].train", "a[seed=1].page"]);
    assert_eq!(one.links()[1].0, "a.train.seed-1");
}

#[test]
fn the_plan_in_words() {
    let mut first = three("a", 0, 0, count("rl"));
    first.title = "PPO".into();
    let instances = [labelled(first, "seed", 0), labelled(three("a", 1, 1, count("rl")), "seed", 1)];
    let plan = Plan::new(&instances).unwrap();
    let up = Reason::UpToDate { by: "a/01234567".into() };
    let half = Reason::HalfDone { iteration: Some(4), error: None };
    let changed = Reason::Changed { fields: vec!["loss.minimize".into()], inputs: vec!["warm.policy".into()] };
    let reasons = [up, half, Reason::New, changed, Reason::New];
    let text = text(&plan, Some(&reasons), &[]);
    let words = "\
plan DIGEST: 5 tasks, 1 up to date, 4 to run

a[seed=0]: PPO
  warm   sft     up to date (made by a/01234567)
  train  rl      half done: goes on at iteration 4
         iterations 7
  page   report  new
         iterations 7

a[seed=1]
  train  rl      changed: loss.minimize; its input warm.policy changed
         iterations 7
  page   report  new
         iterations 7
  warm shared with a[seed=0]
";
    assert_eq!(text, words.replace("DIGEST", plan.digest.short()));
}

#[test]
fn the_plan_for_programs() {
    let instances = [labelled(three("a", 0, 0, count("rl")), "seed", 0), labelled(three("a", 1, 1, count("rl")), "seed", 1)];
    let plan = Plan::new(&instances).unwrap();
    let json = json(&plan, Some(&vec![Reason::New; 5]), &[]);
    assert_eq!(json["digest"], plan.digest.hex());
    assert_eq!(json["pipelines"][1]["label"], "seed=1");
    assert_eq!(json["pipelines"][1]["stages"][0]["task"], json["tasks"][0]["digest"]);
    assert_eq!(json["tasks"][0]["stages"], serde_json::json!(["a[seed=0].warm", "a[seed=1].warm"]));
    assert_eq!((&json["tasks"][1]["reason"], &json["tasks"][1]["up_to_date"]), (&"new".into(), &false.into()));
    assert_eq!(json["tasks"][1]["arithmetic"][0], serde_json::json!({ "name": "iterations", "value": "7" }));
    assert!(plan.record()["tasks"][1].get("reason").is_none());
    let dot = dot(&plan, None);
    assert!(dot.contains("  t0 [label = \"a[seed=0].warm (+1)\\nsft\"];\n"), "{dot}");
    assert!(dot.contains("  t0 -> t1 [label = \"policy\"];\n") && dot.contains("  t1 -> t2 [label = \"best as of\"];\n"), "{dot}");
}

#[test]
fn long_lists_of_changes_are_cut() {
    let fields = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
    assert_eq!(Reason::Changed { fields, inputs: vec![] }.to_string(), "changed: a, b, c and 2 more");
}

/// Random pipelines: each stage may use any two of the stages before it.
fn random() -> impl Strategy<Value = Vec<(u8, Vec<usize>)>> {
    prop::collection::vec((0..3u8, prop::collection::vec(any::<usize>(), 0..3)), 1..12).prop_map(|stages| {
        stages
            .into_iter()
            .enumerate()
            .map(|(i, (rate, uses))| (rate, uses.into_iter().filter(|_| i > 0).map(|u| u % i.max(1)).collect()))
            .collect()
    })
}

fn unfold(stages: &[(u8, Vec<usize>)], order: &[usize]) -> PipelineSpec {
    let make = |i: &usize| {
        let (rate, uses) = &stages[*i];
        let inputs = uses.iter().map(|u| input("policy", 0, &format!("s{u}"), "policy", 1)).collect();
        stage(&format!("s{i}"), Count { rate: f64::from(*rate), ..count("k") }, inputs)
    };
    pipeline("p", 0, order.iter().map(make).collect())
}

proptest! {
    #[test]
    fn any_order_of_writing_gives_the_same_tasks(stages in random(), shuffle in any::<u64>()) {
        let straight: Vec<usize> = (0..stages.len()).collect();
        let mut mixed = straight.clone();
        mixed.sort_by_key(|i| (*i as u64 + 1).wrapping_mul(shuffle | 1).rotate_left(17));
        let digests = |order: &[usize]| {
            let plan = Plan::new(&[unfold(&stages, order)]).unwrap();
            for (i, task) in plan.tasks.iter().enumerate() {
                assert!(task.inputs.iter().all(|input| input.task < i));
            }
            plan.tasks.iter().flat_map(|t| t.members.iter().map(|m| (m.stage.clone(), t.digest.clone()))).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(digests(&straight), digests(&mixed));
    }

    #[test]
    fn a_change_reaches_those_that_need_it_and_no_others(stages in random(), which in any::<prop::sample::Index>()) {
        let order: Vec<usize> = (0..stages.len()).collect();
        let which = which.index(stages.len());
        let mut changed = stages.clone();
        changed[which].0 = 100;
        let mut reached = vec![false; stages.len()];
        for (i, (_, uses)) in stages.iter().enumerate() {
            reached[i] = i == which || uses.iter().any(|u| reached[*u]);
        }
        let (before, after) = (unfold(&stages, &order), unfold(&changed, &order));
        let digests = |instance| {
            let plan = Plan::new(&[instance]).unwrap();
            plan.tasks.iter().flat_map(|t| t.members.iter().map(|m| (m.stage.clone(), t.digest.clone()))).collect::<BTreeMap<_, _>>()
        };
        let (before, after) = (digests(before), digests(after));
        for (i, reached) in reached.into_iter().enumerate() {
            let name = format!("s{i}");
            prop_assert_eq!(before[&name] != after[&name], reached, "{}", name);
        }
    }
}
