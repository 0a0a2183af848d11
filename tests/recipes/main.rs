//! The pipelines that come with the engine, and the pages that are written from them.

mod methods;
mod packs;
#[path = "../common/pipelines.rs"]
mod pipelines;
#[path = "../common/places.rs"]
mod places;
mod readings;
#[path = "../common/repository.rs"]
mod repository;
#[cfg(unix)]
mod small;
mod walk;

use pipelines::files;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of an environment that are one method each.
fn recipes(environment: &str) -> Vec<PathBuf> {
    const OTHERS: [&str; 16] = [
        "aloud.epo",
        "conversation.epo",
        "dagger.epo",
        "demo.epo",
        "distillation.epo",
        "expert_iteration.epo",
        "imitation.epo",
        "longer.epo",
        "matrix.epo",
        "played.epo",
        "react_endpoint.epo",
        "short.epo",
        "short_epo.epo",
        "short_rl.epo",
        "smollm2.epo",
        "smollm2_full.epo",
    ];
    let method = |path: &PathBuf| !OTHERS.iter().any(|other| path.ends_with(other));
    files(&[&format!("pipelines/{environment}")]).into_iter().filter(method).collect()
}

/// Asserts that a page is what it should be, or with `UPDATE=1` writes it.
fn fresh(page: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(Path::new(page).parent().expect("a folder")).expect("a folder");
        fs::write(page, expected).expect("the page");
    }
    let found = fs::read_to_string(page).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
    assert!(found == expected, "{page} is stale; run `UPDATE=1 cargo test --test recipes`\n{differs:?}");
}
