//! What is shown of a run that is finished.

use crate::CORRIDOR;
use crate::runs::{Runs, Said, command};
use crate::watcher::{Watcher, revision};
use roxmltree::{Document, ParsingOptions};
use std::fs;
use std::time::Duration;

const PARTS: [&str; 8] = ["head", "stages", "curves", "latest", "results", "objectives", "pipelines", "episodes"];

#[test]
fn a_finished_run_with_seeds_is_one_page() {
    let runs = Runs::new();
    runs.run(CORRIDOR, &["--set", "corridor.iterations=3"]).exits(0);
    let watcher = Watcher::start(&runs, &[]);
    assert!(watcher.first.starts_with("watching corridor/"), "{}", watcher.first);
    let page = watcher.page();
    let parsed = Document::parse_with_options(&page, ParsingOptions { allow_dtd: true, ..ParsingOptions::default() }).expect("well formed");
    let part = |id: &str| {
        let found = parsed.descendants().find(|node| node.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no part {id}"));
        found.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect::<Vec<_>>().join(" ")
    };
    PARTS.iter().for_each(|id| assert!(!part(id).is_empty(), "{id}"));
    let head = part("head");
    assert!(head.contains("A corridor") && head.contains("finished") && head.contains("tasks done"), "{head}");
    // Both seeds in one chart and one row, as in the report.
    assert!(page.contains("Entropy in its corridor") && part("curves").contains("Thin lines: single seeds"));
    assert!(part("results").contains("after A corridor") && part("stages").contains("corridor[seed=1]"), "{}", part("stages"));
    let report = fs::read_dir(runs.0.path().join("corridor")).unwrap().next().unwrap().unwrap().path().join("report.html");
    let report = fs::read_to_string(report).unwrap();
    let table =
        |page: &str| page.split("<table class=\"results\">").nth(1).and_then(|rest| rest.split("</table>").next()).map(str::to_owned);
    assert!(table(&page).is_some() && table(&page) == table(&report), "the table is that of the report");
    // Each method's own equation, and its text.
    assert!(part("objectives").contains("minimize") && part("pipelines").contains("decoder"), "{}", part("objectives"));
    // Dialogues with their rewards.
    assert!(part("latest").contains("iteration 2") && part("latest").contains("score"), "{}", part("latest"));

    // Who has what there is hears nothing; who has something else, or nothing, hears all.
    let have = revision(&page).to_owned();
    assert!(watcher.news(&have).next(Duration::from_millis(1500)).is_none());
    for have in ["", "other-7", "other"] {
        let (name, parts) = watcher.news(have).next(Duration::from_secs(30)).expect("news");
        assert_eq!((name.as_str(), parts.len()), (revision(&page), PARTS.len()));
    }
    let open = watcher.news(&have);
    assert_eq!(watcher.end(libc::SIGTERM), Some(0));
    assert!(open.ends());
}

#[test]
fn what_is_not_there_is_said() {
    let runs = Runs::new();
    let said = |args: &[&str]| Said::of(command(&[&["watch", "--port", "0", "--runs", runs.path()], args].concat()).output().unwrap());
    said(&[]).exits(1).says("there are no runs in");
    said(&["nothing"]).exits(1).says("there are no runs in");
}
