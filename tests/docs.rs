//! The pages for people: every block of the language is what it says it is, and every link leads to a file.

#[path = "common/pages.rs"]
mod pages;
#[path = "common/repository.rs"]
mod repository;

use epo::lang::Diagnostics;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::objective::probe::{ProbeBatch, probe};
use epo::objective::{Advantage, Objective, Scope};
use epo::spec::{Request, compile, equations};
use pages::{blocks, pages};
use repository::REPOSITORY;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|e| panic!("{}: {e}", page.display()))
}

/// The messages of a whole experiment, as `epo-run check` gives them.
fn checked(text: &str) -> (Vec<&'static str>, String) {
    let compiled = compile(&Request { root: Root::Text { name: "block.epo", text }, overrides: &[], library: &REPOSITORY });
    (codes(&compiled.diagnostics), render_all(&compiled.sources, &compiled.diagnostics, false))
}

/// The messages of equations by themselves, as `epo-run probe` gives them.
fn probed(text: &str) -> (Vec<&'static str>, String) {
    let (sources, all, mut diagnostics) =
        equations(&Request { root: Root::Text { name: "block.epo", text }, overrides: &[], library: &REPOSITORY });
    assert!(!all.is_empty() || diagnostics.has_errors(), "no equations in\n{text}");
    for found in &all {
        let advantage = found.advantage.as_ref().and_then(|term| Advantage::check(term, &mut diagnostics));
        let scope = match &advantage {
            Some(advantage) => Scope::loss().with_advantage(advantage),
            None => Scope::loss(),
        };
        if let Some(loss) = &found.loss {
            Objective::check(loss, &scope, &mut diagnostics);
        }
    }
    (codes(&diagnostics), render_all(&sources, &diagnostics, false))
}

fn codes(diagnostics: &Diagnostics) -> Vec<&'static str> {
    diagnostics.0.iter().map(|d| d.code).collect()
}

#[test]
fn every_block_of_the_language_is_what_it_says() {
    let (mut right, mut wrong) = (0, 0);
    let mut complaints = String::new();
    for page in pages() {
        for block in blocks(&read(&page)) {
            let words: Vec<&str> = block.info.split_whitespace().collect();
            let ((found, messages), expected) = match words[..] {
                ["epo"] => (checked(&block.text), vec![]),
                ["epo", "equations"] => (probed(&block.text), vec![]),
                ["epo", "error", code] => (checked(&block.text), vec![code]),
                ["epo", "equations", "error", code] => (probed(&block.text), vec![code]),
                // tried by `scripts/guides.py`, where what it needs has been added
                ["epo", file] if file.ends_with(".epo") => continue,
                ["epo", ..] => panic!("{}:{}: `{}` means nothing", page.display(), block.line, block.info),
                _ => continue,
            };
            if expected.is_empty() {
                right += 1;
            } else {
                wrong += 1;
            }
            if found != expected {
                complaints += &format!("{}:{}: expected {expected:?}, found {found:?}\n{messages}\n", page.display(), block.line);
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
    assert!(right >= 13 && wrong >= 15, "the pages shrank to {right} blocks without and {wrong} with a mistake");
}

/// The targets of `[words](target)` and `![words](target)` outside of blocks and of `code`.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open = false;
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            open = !open;
        }
        if open {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
        for part in prose.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((number + 1, target.to_string()));
            }
        }
    }
    found
}

#[test]
fn every_link_leads_to_a_file() {
    let generated: Vec<PathBuf> =
        epo::cli::reference::pages(&REPOSITORY).iter().map(|(name, _)| Path::new("docs/reference").join(name)).collect();
    let mut count = 0;
    let mut broken = String::new();
    for page in pages() {
        for (line, target) in links(&read(&page)) {
            if target.starts_with("https://") || target.starts_with('#') {
                continue;
            }
            count += 1;
            let target = target.split('#').next().unwrap_or_default();
            let mut path = PathBuf::new();
            for part in page.parent().unwrap_or(Path::new("")).join(target).components() {
                match part {
                    std::path::Component::ParentDir => assert!(path.pop(), "{}:{line}: `{target}` leads out", page.display()),
                    part => path.push(part),
                }
            }
            if !path.exists() && !generated.contains(&path) {
                broken += &format!("{}:{line}: there is no `{}`\n", page.display(), path.display());
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
    assert!(count >= 20, "only {count} links: are they still found?");
}

/// No number of a table of the study was written by hand: each line stands in a page that a script made.
#[test]
fn the_study_quotes_its_pages() {
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("| ")).map(str::to_string).collect::<Vec<_>>();
    let made: Vec<String> =
        pages().iter().filter(|page| page.starts_with("docs/results/study")).flat_map(|page| lines(&read(page))).collect();
    let heads = |line: &String| line.starts_with("| change ");
    let quoted: Vec<String> = lines(&read(Path::new("docs/results/study.md"))).into_iter().filter(|line| !heads(line)).collect();
    assert!(!quoted.is_empty());
    for line in quoted {
        assert!(made.contains(&line), "docs/results/study.md: in no page of its runs: {line}");
    }
}

/// The numbers of a text that have a decimal point, without their sign.
fn decimals(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.')).filter(|word| word.contains('.')).collect()
}

/// Of a text, the numbers with a decimal point that do not stand, perhaps with more digits, in a page that it links to. `folder` is where the links begin.
fn unfounded<'t>(text: &'t str, folder: &Path, is_source: impl Fn(&Path) -> bool) -> BTreeSet<&'t str> {
    let targets = links(text).into_iter().filter_map(|(_, target)| Some(folder.join(target.split('#').next()?)));
    let sources: BTreeSet<PathBuf> = targets.filter(|target| target.extension().is_some_and(|e| e == "md") && is_source(target)).collect();
    let made: String = sources.iter().map(|page| read(page)).collect();
    let made: Vec<f64> = decimals(&made).iter().filter_map(|number| number.parse().ok()).collect();
    let stands = |number: &str| {
        let digits = number.rsplit('.').next().map_or(0, str::len);
        made.iter().any(|made| format!("{made:.digits$}") == number)
    };
    let prose = text.lines().filter(|line| !line.starts_with('|'));
    prose.flat_map(decimals).filter(|number| !stands(number)).collect()
}

/// Nor was one between the tables: each stands in a page of its section, or is listed here.
#[test]
fn the_study_counts_as_its_pages_do() {
    let elsewhere = [
        ("0.002, 0.1, 1.2", "λ and α in house.epo, a ceiling in middle.epo"),
        ("62.7, 52.7", "the start of every training: rates.md"),
        ("0.91", "scripts/tries.py docs/results/packs/collapse.zip, mean of the last iterations of GRPO"),
        ("2.3, 2.9, 5.5, 7.5", "epo-run compare docs/results/packs/collapse.zip docs/results/packs/rates.zip"),
        ("7.3, 11.3, 12.9", "epo-run compare --all docs/results/packs/cascade.zip docs/results/packs/rates.zip"),
        ("0.63", "scripts/oscillation.py docs/results/packs/rates.zip"),
        ("0.62, 0.51", "what the authors saw"),
    ];
    let elsewhere: BTreeSet<&str> = elsewhere.into_iter().flat_map(|(numbers, _)| decimals(numbers)).collect();
    let study = read(Path::new("docs/results/study.md"));
    let own = |page: &Path| !page.components().any(|part| part == std::path::Component::ParentDir);
    let sections = study.split("\n## ").skip(1);
    let needed: BTreeSet<&str> = sections.flat_map(|section| unfounded(section, Path::new("docs/results"), own)).collect();
    assert_eq!(needed, elsewhere, "these are in no page that their section links to, and those are listed");
}

/// The results that the README tells are those of the pages that it sends its reader to.
#[test]
fn the_readme_counts_as_the_pages_of_its_results_do() {
    let readme = read(Path::new("README.md"));
    let results = readme.split("\n## ").find(|section| section.starts_with("What came out so far")).expect("the results");
    let paragraphs: Vec<&str> = results.split("\n\n").filter(|paragraph| !decimals(paragraph).is_empty()).collect();
    assert!(paragraphs.len() >= 3, "only {} paragraphs have numbers: are they still found?", paragraphs.len());
    for paragraph in paragraphs {
        let unfounded = unfounded(paragraph, Path::new(""), |page| page.starts_with("docs/results"));
        assert!(unfounded.is_empty(), "README.md: in no page that this links to: {unfounded:?}\n{paragraph}");
    }
}

/// What a page says was made by a script from packs of this repository is what the script makes.
#[test]
fn tables_of_packs_are_what_their_scripts_make() {
    let mut tables = 0;
    for page in pages() {
        let text = read(&page);
        for command in text.split("<!-- Made by `scripts/").skip(1).filter_map(|rest| rest.split('`').next()) {
            let words: Vec<&str> = command.split(' ').collect();
            let [script, packs @ ..] = &words[..] else { continue };
            if packs.is_empty() || !packs.iter().all(|pack| pack.ends_with(".zip")) {
                continue;
            }
            let made =
                std::process::Command::new("python3").arg(format!("scripts/{script}")).args(packs).output().expect("python3 is there");
            let said = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "{command}: {said}");
            let made = String::from_utf8(made.stdout).expect("UTF-8");
            assert!(
                made.contains("| ") && text.contains(&made),
                "{}: `scripts/{command}` makes something else now\n{made}",
                page.display()
            );
            tables += 1;
        }
    }
    assert!(tables >= 2, "only {tables} such tables: are they still found?");
}

/// The message of the tour is that of the program: on what `epo-run new` writes, with two words misspelt.
#[test]
fn the_readme_shows_the_real_message() {
    let new = include_str!("../src/cli/new.epo").replace("NAME", "demo");
    let text = new.replacen("clip_norm", "clip_nrom", 1).replacen("mean(ppo_clip", "mean(po_clip", 1);
    let compiled = compile(&Request { root: Root::Text { name: "demo.epo", text: &text }, overrides: &[], library: &REPOSITORY });
    let messages = render_all(&compiled.sources, &compiled.diagnostics, false);
    assert!(read(Path::new("README.md")).contains(messages.trim_end()), "the README lacks\n{messages}");
}

/// The figures that the tour shows for its equation are those of its batch.
#[test]
fn the_readme_shows_the_real_figures() {
    let page = read(Path::new("README.md"));
    let all = blocks(&page);
    let one = |info: &str| all.iter().find(|b| b.info == info).unwrap_or_else(|| panic!("no block `{info}`")).text.as_str();
    let (_, equations, mut diagnostics) =
        equations(&Request { root: Root::Text { name: "eq.epo", text: one("epo equations") }, overrides: &[], library: &REPOSITORY });
    let loss = equations.first().and_then(|e| e.loss.as_ref()).expect("a loss");
    let objective = Objective::check(loss, &Scope::loss(), &mut diagnostics).expect("an objective");
    let batch = ProbeBatch::from_json(one("json")).expect("a batch");
    let answer = probe(Some(&objective), None, &batch).expect("an answer");
    let shown = all.iter().find(|b| b.text.starts_with("eq\n")).expect("the figures").text.as_str();
    let mut figures: Vec<(&str, f64)> = answer.terms.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    figures.extend(answer.minimize.map(|value| ("minimize", value)));
    assert!(figures.len() >= 3);
    for (name, value) in figures {
        let line = shown.lines().find(|l| l.split_whitespace().next() == Some(name)).unwrap_or_else(|| panic!("`{name}` is not shown"));
        assert_eq!(line.split_whitespace().nth(1), Some(format!("{value:.8}").as_str()), "{name}");
    }
}

/// The page about batch files: after the equations their batch, then what the answer has.
#[test]
fn the_batches_of_the_page_have_their_answers() {
    let page = read(Path::new("docs/batch-file.md"));
    let all = blocks(&page);
    let mut checked = 0;
    for group in all.windows(3) {
        let [text, batch, answer] = group else { continue };
        if [&text.info[..], &batch.info, &answer.info] != ["epo equations", "json", "json answer"] {
            continue;
        }
        let (_, all, mut diagnostics) =
            equations(&Request { root: Root::Text { name: "eq.epo", text: &text.text }, overrides: &[], library: &REPOSITORY });
        let (loss, advantage) = all.first().expect("equations").check(&mut diagnostics);
        let batch = ProbeBatch::from_json(&batch.text).expect("a batch");
        let found = probe(loss.as_ref(), advantage.as_ref(), &batch).unwrap_or_else(|e| panic!("line {}: {e}", text.line));
        let found = serde_json::to_value(&found).expect("an answer");
        let wanted: serde_json::Value = serde_json::from_str(&answer.text).expect("JSON");
        assert_has(&found, &wanted, &format!("line {}", answer.line));
        checked += 1;
    }
    assert_eq!(checked, page.matches("```json answer").count());
    assert!(checked >= 4);
}

/// Every part of `wanted` is in `found`, numbers to eight digits.
fn assert_has(found: &serde_json::Value, wanted: &serde_json::Value, what: &str) {
    use serde_json::Value;
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().for_each(|(key, wanted)| assert_has(&found[key], wanted, &format!("{what}, {key}")));
        }
        (Value::Array(found), Value::Array(wanted)) => {
            assert_eq!(found.len(), wanted.len(), "{what}");
            found.iter().zip(wanted).for_each(|(found, wanted)| assert_has(found, wanted, what));
        }
        (Value::Number(found), Value::Number(wanted)) => {
            let (found, wanted) = (found.as_f64().expect("a number"), wanted.as_f64().expect("a number"));
            assert!((found - wanted).abs() <= 1e-8, "{what}: {found} instead of {wanted}");
        }
        _ => assert_eq!(found, wanted, "{what}"),
    }
}
