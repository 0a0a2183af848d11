//! What of a declaration stands in a digest: every field that can change a number, in the form that all earlier tasks have.

mod fields;
#[path = "../common/repository.rs"]
mod repository;

use epo::kind::{FieldInfo, KindInfo};
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::plan::Plan;
use epo::registry::{all_kinds, shared_fields};
use epo::spec::{Compiled, Request, compile};
use epo::store::Digest;
use fields::{FIELDS, PIPELINE};
use repository::REPOSITORY;

/// The kinds of the registry, and those that are shared by a category.
fn kinds() -> Vec<&'static KindInfo> {
    let shared = ["stages", "environments"].map(|category| shared_fields(category).expect("shared fields"));
    all_kinds().map(|(_, info)| info).chain(shared).collect()
}

fn info(kind: &str, field: &str) -> &'static FieldInfo {
    let kind = kind.split('.').next().unwrap_or(kind);
    let kind = kinds().into_iter().find(|info| info.name == kind).unwrap_or_else(|| panic!("there is no kind `{kind}`"));
    kind.fields.iter().find(|info| info.name == field).unwrap_or_else(|| panic!("`{}` has no field `{field}`", kind.name))
}

/// The pipeline, each field with what `choose` takes of its two values.
fn text(choose: &dyn Fn(&str, &str, [&'static str; 2]) -> &'static str) -> String {
    let mut text = PIPELINE.to_owned();
    while let Some(start) = text.find('@') {
        let end = start + 1 + text[start + 1..].find('@').expect("a closing mark");
        let kind = text[start + 1..end].to_owned();
        let (_, fields) = FIELDS.iter().find(|(name, _)| *name == kind).unwrap_or_else(|| panic!("`{kind}` is not listed"));
        let given = fields.iter().map(|(field, a, b)| (field, choose(&kind, field, [a, b]))).filter(|(_, value)| !value.is_empty());
        let filled = given.map(|(field, value)| match value.starts_with('{') {
            true => format!("{field} {value}"),
            false => format!("{field} = {value}"),
        });
        text.replace_range(start..=end, &filled.collect::<Vec<_>>().join("\n"));
    }
    text
}

fn compiled(text: &str) -> Compiled {
    let compiled = compile(&Request { root: Root::Text { name: "every.epo", text }, overrides: &[], library: &REPOSITORY });
    assert!(!compiled.diagnostics.has_errors(), "{}\n{text}", render_all(&compiled.sources, &compiled.diagnostics, false));
    compiled
}

/// A line for each stage.
fn identities(text: &str) -> String {
    let stages = compiled(text).pipelines.into_iter().flat_map(|p| p.stages);
    stages.map(|stage| format!("{} = {} {}\n", stage.name, stage.stage.kind(), stage.stage.identity())).collect()
}

/// Of every task, by the order of the digests: the order of the work is no result.
fn digests(text: &str) -> Vec<Digest> {
    let plan = Plan::new(&compiled(text).pipelines).expect("a plan");
    let mut digests: Vec<Digest> = plan.tasks.into_iter().map(|task| task.digest).collect();
    digests.sort();
    digests
}

/// Every value of a pipeline must say the same in a digest as it did when the first results were stored.
#[test]
fn identities_are_what_they_were() {
    let first = |_: &str, _: &str, [value, _]: [&'static str; 2]| value;
    let second = |_: &str, _: &str, [_, value]: [&'static str; 2]| value;
    let needed = |kind: &str, field: &str, [value, _]: [&'static str; 2]| {
        let wanted = info(kind, field).required || matches!(field, "actor" | "policy");
        if wanted { value } else { "" }
    };
    let [first, second, needed] = [text(&first), text(&second), text(&needed)].map(|text| identities(&text));
    let found = format!("# the first values\n{first}\n# the second values\n{second}\n# defaults\n{needed}");
    let path = "tests/identity/golden.txt";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &found).expect("the golden file");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file");
    let differs = golden.lines().zip(found.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert!(golden == found, "the identity of a value has changed, so results under its old digest are lost: {differs:?}");
}

/// A field that is forgotten would let another experiment take the results of this one.
#[test]
fn every_field_that_can_change_a_number_changes_the_digest() {
    let before = digests(&text(&|_, _, [value, _]| value));
    for (kind, fields) in FIELDS {
        for (field, a, b) in fields.iter().filter(|(_, a, b)| a != b) {
            let changed = text(&|k, f, [first, second]| if (k, f) == (*kind, *field) { second } else { first });
            let same = digests(&changed) == before;
            assert_eq!(same, info(kind, field).untouched, "`{field}` of `{kind}`: from `{a}` to `{b}`");
        }
    }
}

#[test]
fn every_field_of_every_kind_is_listed() {
    for kind in kinds() {
        let listed = FIELDS.iter().filter(|(name, _)| name.split('.').next() == Some(kind.name));
        let listed: Vec<&str> = listed.flat_map(|(_, fields)| fields.iter().map(|(field, ..)| *field)).collect();
        let missing: Vec<&str> = kind.fields.iter().map(|f| f.name).filter(|name| !listed.contains(name)).collect();
        assert!(missing.is_empty(), "`{}`: give two values of {missing:?} in tests/identity/fields.rs", kind.name);
    }
}
