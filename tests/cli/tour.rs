//! The tour of the README, step by step: what it shows is what comes out, identifiers included.

use crate::support::Place;
use std::fs;

/// The block of code that begins with these words.
fn block<'a>(page: &'a str, beginning: &str) -> &'a str {
    let mut blocks = page.split("\n```").filter_map(|part| part.strip_prefix("text\n"));
    blocks.find(|text| text.trim_start().starts_with(beginning)).unwrap_or_else(|| panic!("no block `{beginning}`"))
}

#[test]
fn the_tour_of_the_readme_is_what_comes_out() {
    let page = fs::read_to_string("README.md").expect("the README");
    let place = Place::new(&[]);
    assert_eq!(place.epo(&["new", "demo"]).code, 0);
    let file = place.read("demo.epo");
    assert!(file.contains(block(&page, "advantage = grpo()")), "the README shows another centre than\n{file}");

    let said = place.epo(&["demo.epo"]);
    assert!(said.code == 0 && said.out.contains(block(&page, "runs/demo/")), "the README lacks\n{}", said.out);

    place.write("demo.epo", &file.replace("0.001", "0.01"));
    let said = place.epo(&["plan", "demo.epo"]);
    let arithmetic = |line: &&str| line.starts_with("          ");
    let told: Vec<&str> = said.out.lines().take_while(|line| *line != "takes").filter(|line| !arithmetic(line)).collect();
    assert_eq!(told.join("\n").trim_end(), block(&page, "plan "));
}
