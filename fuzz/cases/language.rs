//! Arbitrary text as a file of the language: read, checked, planned and printed, or refused. What is printed compiles to the same plan.

use crate::check::faithful;
use epo::lang::load::Root;
use epo::lang::render::render_all;
use epo::lang::{SourceMap, parser};
use epo::spec::{LIBRARY, Request, equations};

/// Panics where something is wrong.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut sources = SourceMap::default();
    let id = sources.add("text.epo", None, text);
    let (_, messages) = parser::parse(&sources, id);
    render_all(&sources, &messages, true);
    let (sources, all, mut messages) =
        equations(&Request { root: Root::Text { name: "text.epo", text }, overrides: &[], library: &LIBRARY });
    for found in &all {
        found.check(&mut messages);
    }
    render_all(&sources, &messages, true);
    if let Err(why) = faithful(text, &LIBRARY) {
        panic!("{why}");
    }
}
