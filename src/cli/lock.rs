//! `epo-run lock`

use super::elsewhere::{self, find, folder};
use super::{DONE, Settings, answer, compiled, complain, tell};
use crate::lang::SourceMap;
use crate::lang::ast::LineKind;
use crate::lang::load::elsewhere::{LOCK, Lock, hash, is_elsewhere};
use crate::lang::load::{Library, Program, Root, load};
use clap::Args;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LockArgs {
    /// The file whose imports are pinned; `epo.lock` is written beside it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Take what is there now, also where the lock says another hash.
    #[arg(long)]
    pub update: bool,
}

pub(super) fn run(args: &LockArgs, settings: &Settings) -> u8 {
    locked(args, settings).unwrap_or_else(|code| code)
}

fn locked(args: &LockArgs, settings: &Settings) -> Result<u8, u8> {
    let library = compiled::library(settings)?.into_owned();
    let before = elsewhere::read(&args.file)?;
    let folder = folder(&args.file);
    let mut texts: BTreeMap<String, Result<String, String>> = BTreeMap::new();
    // A text that was fetched may import others.
    loop {
        let mut sources = SourceMap::default();
        let with = library.clone().with_elsewhere(texts.clone());
        let (program, messages) = load(Root::File(&args.file), &with, &mut sources);
        let Some(program) = program else {
            compiled::show(&sources, &messages);
            return Err(super::WRONG_INPUT);
        };
        let new: Vec<String> = wanted(&program, &sources, &with).into_iter().filter(|name| !texts.contains_key(name)).collect();
        if new.is_empty() {
            break;
        }
        for name in new {
            let text = find(&name, &folder, true, &mut |line| tell(line)).map_err(|problem| complain(&format!("`{name}`: {problem}")))?;
            if let Some(pinned) = before.0.get(&name).filter(|pinned| **pinned != hash(&text) && !args.update) {
                let message = format!("`{name}` has the hash {}, and `{LOCK}` says {pinned}", hash(&text));
                return Err(super::complain_with(&message, Some("`--update` takes what is there now")));
            }
            texts.insert(name, Ok(text));
        }
    }
    let lock = Lock(texts.into_iter().filter_map(|(name, text)| Some((name, hash(&text.ok()?)))).collect());
    let path = folder.join(LOCK);
    if lock.0.is_empty() && path.symlink_metadata().is_err() {
        tell("nothing is imported from elsewhere");
        return Ok(DONE);
    }
    crate::store::write_file(&path, lock.text().as_bytes()).map_err(|error| super::runs::wrong(&error))?;
    lock.0.keys().for_each(|name| answer(&format!("{name}\n")));
    tell(&format!("{} pinned in {}", lock.0.len(), path.display()));
    Ok(DONE)
}

/// The names of all texts of elsewhere that are imported; one that is imported by its path beside such a text is one too.
fn wanted(program: &Program, sources: &SourceMap, library: &Library) -> Vec<String> {
    let mut names = Vec::new();
    for file in &program.files {
        let importer = &sources.get(file.source).name;
        for line in &file.ast.lines {
            let LineKind::Import { file: wanted, .. } = &line.kind else { continue };
            if is_elsewhere(&wanted.value) {
                names.push(wanted.value.clone());
            } else if is_elsewhere(importer) && library.text(&wanted.value).is_none() {
                names.extend(crate::lang::load::beside_elsewhere(importer, &wanted.value));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}
