//! Every file passes `check`, and the recipes of the three environments are the same methods.

use super::repository::REPOSITORY;
use super::{files, recipes};
use epo::lang::ast::LineKind;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::lang::{SourceMap, parser};
use epo::plan;
use epo::spec::{Request, equations};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The pipelines that a file defines itself.
fn names(path: &Path) -> Vec<String> {
    let mut sources = SourceMap::default();
    let source = sources.add("file.epo", None, fs::read_to_string(path).expect("a file"));
    let tree = parser::parse(&sources, source).0.expect("a tree");
    tree.lines.into_iter().filter_map(|l| if let LineKind::Pipeline { name, .. } = l.kind { Some(name.name) } else { None }).collect()
}

/// Without a mistake; a warning stands only where a reading has a term without a gradient, in the text of that reading.
#[test]
fn every_file_passes_check() {
    let mut complaints = String::new();
    let mut warned: Vec<String> = Vec::new();
    let all = files(&["pipelines"]);
    for path in &all {
        let (sources, diagnostics) = plan::check(&Request { root: Root::File(path), overrides: &[], library: &REPOSITORY });
        let text = fs::read_to_string(path).expect("a file");
        for diagnostic in &diagnostics.0 {
            let label = diagnostic.labels.first().expect("a place");
            let source = &sources.get(label.span.source).name;
            let line = sources.position(label.span.source, label.span.start).line;
            let reading = text.lines().take(line).filter(|l| l.starts_with("pipeline ")).last().unwrap_or_default();
            let expected = diagnostic.code == "W0301" && (reading.contains("_v1 ") || reading.contains("_released "));
            match expected && source == &path.display().to_string() {
                true => warned.push(reading.split(' ').nth(1).unwrap_or_default().to_string()),
                // the matrix has a reading of another file
                false if path.ends_with("matrix.epo") && diagnostic.code == "W0301" && source.ends_with("epo_grpo.epo") => {}
                false => complaints += &format!("{}\n{}\n", path.display(), render_all(&sources, &diagnostics, false)),
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    warned.sort();
    // in each of the three environments, and in the study
    let each = ["epo_grpo_released", "epo_grpo_v1", "epo_ppo_v1"];
    assert_eq!(warned, each.iter().flat_map(|name| [*name; 4]).collect::<Vec<_>>());
    assert!(all.len() > 50, "{}", all.len());
}

/// A method is a file of the same name, with pipelines of the same names, in each environment.
#[test]
fn the_same_methods_everywhere() {
    let of = |environment: &str| -> BTreeMap<String, Vec<String>> {
        recipes(environment)
            .into_iter()
            .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), names(&path)))
            .collect()
    };
    let household = of("household");
    assert!(household.len() >= 15, "{household:?}");
    assert_eq!(of("alfworld"), household);
    assert_eq!(of("scienceworld"), household);
}

/// What is minimised has the same terms in each environment; numbers differ.
#[test]
fn the_same_terms_everywhere() {
    let of = |environment: &str| -> BTreeMap<String, Vec<String>> {
        let mut terms = BTreeMap::new();
        for path in &recipes(environment) {
            let (_, all, _) = equations(&Request { root: Root::File(path), overrides: &[], library: &REPOSITORY });
            for found in all {
                let mut lines: Vec<String> = found.lines().into_iter().map(|(name, _)| name).collect();
                lines.sort();
                terms.insert(found.name(), lines);
            }
        }
        terms
    };
    let (household, alfworld) = (of("household"), of("alfworld"));
    assert_eq!(of("scienceworld"), alfworld);
    for (name, lines) in &household {
        // the divergence from the start is left out on household where a critic is learned
        let others: Vec<&String> = alfworld[name].iter().filter(|l| *l != "drift" || lines.contains(l)).collect();
        assert_eq!(lines.iter().collect::<Vec<_>>(), others, "{name}");
    }
}
