//! Coming from elsewhere: the settings of verl, of its forks' launchers, and of TRL as a recipe, with all that has no place in one as a list.

mod config;
mod equations;
mod given;
mod keys;
mod launcher;
mod text;
mod words;

use given::{Given, Setting, Source, Unplaced};
use std::path::Path;

/// How many bytes of a configuration or a script are read.
pub(crate) const LONGEST: usize = 1 << 20;

/// What an import comes to.
#[derive(Debug)]
pub(crate) struct Imported {
    /// A recipe; it begins and ends with comments that say what came from where, and what has no place.
    pub text: String,
    /// Keys that found a place, and those that did not.
    pub placed: usize,
    pub unplaced: usize,
}

/// Settings of verl, or of a fork of it, from a command line that is already in words, or from a file's text under its name.
///
/// # Errors
/// A sentence: what cannot be read.
pub(crate) fn verl(words: &[String], read: impl Fn(&Path) -> Result<String, String>) -> Result<Imported, String> {
    let shown = words.join(" ");
    let (settings, ignored) = match words {
        [] => return Err("name a file, or write the command line behind it".into()),
        [one] if launcher::is_launcher(one) => launcher::settings(&[])?,
        [file] if Path::new(file).is_file() => {
            let text = read(Path::new(file))?;
            if config::is_config(file) { (config::flat(file, &text)?, Vec::new()) } else { of_words(&words::commands(&text)?)? }
        }
        [line] if line.contains(char::is_whitespace) => of_words(&words::commands(line)?)?,
        [file] => return Err(format!("there is no file `{file}`")),
        words => of_words(&[words.to_vec()])?,
    };
    imported(Source::Verl, &shown, settings, ignored)
}

/// A `GRPOConfig` of TRL, as YAML or JSON.
///
/// # Errors
/// As [`verl`].
pub(crate) fn trl(file: &str, text: &str) -> Result<Imported, String> {
    imported(Source::Trl, file, config::flat(file, text)?, Vec::new())
}

/// Of the commands of a script, the last that trains.
fn of_words(commands: &[Vec<String>]) -> Result<(Vec<Setting>, Vec<Unplaced>), String> {
    for words in commands.iter().rev() {
        if let Some(at) = words.iter().position(|word| launcher::is_launcher(word)) {
            return launcher::settings(words.get(at + 1..).unwrap_or_default());
        }
    }
    Ok((words::settings(commands)?, Vec::new()))
}

fn imported(source: Source, shown: &str, settings: Vec<Setting>, ignored: Vec<Unplaced>) -> Result<Imported, String> {
    if settings.is_empty() {
        return Err(format!("`{}` sets nothing that is known of {}", crate::lang::on_one_line(shown), source.name()));
    }
    let mut given = Given::new(source, ignored);
    for setting in settings {
        given.take(setting);
    }
    let text = text::write(&mut given, shown);
    let text = crate::lang::format::format(&text).unwrap_or(text);
    Ok(Imported { text, placed: given.placed(), unplaced: given.unplaced.len() })
}

#[cfg(test)]
mod tests;
