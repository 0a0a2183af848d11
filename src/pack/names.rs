//! Which names the files of a pack may have: those that every system can unpack into one empty folder, each beside the others.

use crate::lang::is_hidden;
use std::collections::BTreeMap;

/// Bytes of a whole name, and of what stands between two `/`.
const LONGEST: usize = 400;
const LONGEST_PART: usize = 200;

/// Why a file cannot have this name.
pub(super) fn refusal(name: &str) -> Option<String> {
    let shown = shown(name);
    if name.is_empty() {
        return Some("a file has no name".into());
    }
    if name.len() > LONGEST {
        return Some(format!("`{shown}` has a name of more than {LONGEST} bytes"));
    }
    if name.starts_with('/') || name.contains(':') {
        return Some(format!("`{shown}` does not lie in the pack's folder"));
    }
    if name.contains('\\') {
        return Some(format!("`{shown}` has a `\\` in its name, which some systems take for a folder"));
    }
    if name.chars().any(is_hidden) {
        return Some(format!("`{shown}` has a sign in its name that is not seen"));
    }
    name.split('/').find_map(|part| match part {
        ".." => Some(format!("`{shown}` leads out of the pack's folder")),
        "" | "." => Some(format!("`{shown}` is no plain name")),
        part if part.len() > LONGEST_PART => Some(format!("`{shown}` has a part of more than {LONGEST_PART} bytes in its name")),
        part if part.ends_with(['.', ' ']) => Some(format!("`{shown}` ends with a sign that some systems leave out")),
        _ => None,
    })
}

/// Why these files cannot lie in one folder: a name that none can have, one that two have, also where case tells nothing, or a file that is a folder too.
pub(super) fn refusal_of_all<'n>(names: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for name in names {
        if let Some(refusal) = refusal(name) {
            return Some(refusal);
        }
        match known.insert(name.to_lowercase(), name) {
            Some(other) if other == name => return Some(format!("two files are called `{}`", shown(name))),
            Some(other) => return Some(format!("`{}` and `{}` are one file where case does not count", shown(other), shown(name))),
            None => {}
        }
    }
    known.iter().find_map(|(lower, name)| {
        let mut above = lower.match_indices('/').filter_map(|(at, _)| known.get(lower.get(..at)?));
        above.next().map(|folder| format!("`{}` is a file, and the folder of `{}`", shown(folder), shown(name)))
    })
}

/// A stranger's name in a message.
pub(super) fn shown(name: &str) -> String {
    let plain: String = name.chars().take(120).map(|c| if is_hidden(c) { '?' } else { c }).collect();
    if plain.len() < name.len() { format!("{plain}…") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_or_clash() {
        let long = "a".repeat(201);
        for name in
            ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/.", "C:/x", "C:x", "a\\b", "a\u{202e}b", "a\nb", "a.", "a ", &long]
        {
            assert!(refusal(name).is_some(), "{name:?}");
        }
        for name in ["pack.json", "source/Überfahrt.epo", "source/..a.epo", "tasks/a.train.seed-0/outputs/results/results.json"] {
            assert_eq!(refusal(name), None);
        }
        let of = |names: &[&str]| refusal_of_all(names.iter().copied());
        assert_eq!(of(&["a/b", "a/c", "ab"]), None);
        assert_eq!(of(&["a", "a"]).unwrap(), "two files are called `a`");
        assert_eq!(of(&["a/X.epo", "A/x.epo"]).unwrap(), "`a/X.epo` and `A/x.epo` are one file where case does not count");
        assert_eq!(of(&["A", "a/b"]).unwrap(), "`A` is a file, and the folder of `a/b`");
    }
}
