//! What `show --as resolved` and `fmt` print of a file compiles to the same plan: for every file of the repository, and for mutations of them.

#[path = "common/faithful.rs"]
mod check;
#[path = "common/generate.rs"]
#[allow(dead_code)]
mod generate;
#[path = "common/pipelines.rs"]
mod pipelines;
#[path = "common/repository.rs"]
mod repository;

use check::faithful;
use generate::Random;
use pipelines::files;
use repository::REPOSITORY;
use std::path::Path;

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_file_of_the_repository() {
    let mut planned = 0;
    for path in files(&["pipelines", "tests", "scripts", "fuzz/seeds/language"]) {
        match faithful(&read(&path), &REPOSITORY) {
            Ok(has_plan) => planned += usize::from(has_plan),
            Err(why) => panic!("{}: {why}", path.display()),
        }
    }
    assert!(planned >= 40, "only {planned} files have a plan");
}

/// Pieces of a text: words, numbers, strings and signs, with the space between them.
fn pieces(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' => 0,
        '\n' => 1,
        c if c.is_whitespace() => 2,
        _ => 3,
    };
    let mut found = Vec::new();
    let mut start = 0;
    let mut previous: Option<char> = None;
    for (at, c) in text.char_indices() {
        if previous.is_some_and(|p| class(p) != class(c) || class(c) == 3) {
            found.push(&text[start..at]);
            start = at;
        }
        previous = Some(c);
    }
    found.push(&text[start..]);
    found
}

/// One or two pieces replaced by pieces of the same or of another text, doubled, or taken out.
fn mutated(texts: &[String], random: &mut Random) -> String {
    let own = &texts[random.below(texts.len())];
    let mut parts: Vec<&str> = pieces(own);
    for _ in 0..=random.below(2) {
        let at = random.below(parts.len());
        let other = pieces(&texts[random.below(texts.len())]);
        let wanted = parts[at].starts_with(|c: char| c.is_ascii_alphanumeric());
        let alike: Vec<&str> = other.into_iter().filter(|p| p.starts_with(|c: char| c.is_ascii_alphanumeric()) == wanted).collect();
        match random.below(6) {
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, random.pick(&["sweep(", ")", "-", "(", "[0, 1]", "2 * ", "nothing()", " ^ 2", "1..2", "\"", ","])),
            2 => {
                parts[at] = random.pick(&["sweep(1, 2)", "sweep(turn, episode)", "0", "-1", "1e300", "true", "iteration", "seeds", "3min"]);
            }
            _ if alike.is_empty() => {}
            _ => parts[at] = alike[random.below(alike.len())],
        }
    }
    parts.concat()
}

#[test]
fn mutations_of_small_files() {
    let texts: Vec<String> = files(&["fuzz/seeds/language"]).iter().map(|path| read(path)).collect();
    let mut random = Random(13);
    let (mut planned, mut wrong) = (0, Vec::new());
    let count = std::env::var("EPO_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    for _ in 0..count {
        match faithful(&mutated(&texts, &mut random), &REPOSITORY) {
            Ok(has_plan) => planned += usize::from(has_plan),
            Err(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{} of {planned} are printed with another meaning, the first:\n{}", wrong.len(), wrong[0]);
    assert!(planned * 10 > count, "only {planned} of {count} have a plan");
}
