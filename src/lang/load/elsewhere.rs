//! Texts that are imported from elsewhere: out of a repository on a hub, or out of a pack. `epo.lock` beside the first file says which bytes are meant.

use std::collections::BTreeMap;
use std::fmt::Write;

/// The file's name.
pub const LOCK: &str = "epo.lock";
const HUB: &str = "hub:";
const PACK: &str = "pack:";
const HASH: &str = "blake3:";

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `hub:OWNER/NAME@REVISION/FILE.epo`
    Hub {
        /// `OWNER/NAME`
        name: String,
        /// A commit or a tag.
        revision: String,
        /// `FILE.epo`, or a path.
        path: String,
    },
    /// `pack:SHARED.zip/FILE.epo`
    Pack {
        /// The archive, by its path from the first file's folder.
        pack: String,
        /// The text, by its path from the folder of the pack's first text.
        path: String,
    },
}

/// Whether a text is one of elsewhere, by its name.
pub fn is_elsewhere(name: &str) -> bool {
    name.starts_with(HUB) || name.starts_with(PACK)
}

/// Where an import leads.
///
/// # Errors
/// How it is written.
pub fn place(name: &str) -> Result<Place, &'static str> {
    let plain = |path: &str| !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if let Some(rest) = name.strip_prefix(HUB) {
        let wrong = "write `hub:OWNER/NAME@REVISION/FILE.epo`";
        let (name, rest) = rest.split_once('@').ok_or(wrong)?;
        let (revision, path) = rest.split_once('/').ok_or(wrong)?;
        let whole = plain(name) && !revision.is_empty() && plain(path);
        let (name, revision, path) = (name.to_owned(), revision.to_owned(), path.to_owned());
        return if whole { Ok(Place::Hub { name, revision, path }) } else { Err(wrong) };
    }
    let wrong = "write `pack:NAME.zip/FILE.epo`, with the path of the pack from the first file's folder";
    let (pack, path) = name.strip_prefix(PACK).and_then(|rest| rest.split_once(".zip/")).ok_or(wrong)?;
    let pack = format!("{pack}.zip");
    if plain(&pack) && plain(path) { Ok(Place::Pack { pack, path: path.to_owned() }) } else { Err(wrong) }
}

/// The hash of every text from elsewhere, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(pub BTreeMap<String, String>);

impl Lock {
    /// # Errors
    /// The number of the line that is none of a lock.
    pub fn read(text: &str) -> Result<Self, usize> {
        let mut lock = Self::default();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
            let (name, hash) = line.trim().rsplit_once(' ').ok_or(number + 1)?;
            let digits = hash.strip_prefix(HASH).ok_or(number + 1)?;
            let whole = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if !whole || place(name).is_err() || lock.0.insert(name.to_owned(), hash.to_owned()).is_some() {
                return Err(number + 1);
            }
        }
        Ok(lock)
    }

    /// As it is written: by name, whatever came first.
    pub fn text(&self) -> String {
        let mut text = String::from("# What is imported from elsewhere, and its hash. `epo-run lock FILE` writes this file.\n");
        for (name, hash) in &self.0 {
            let _ = writeln!(text, "{name} {hash}");
        }
        text
    }
}

/// As a lock writes it.
pub fn hash(text: &str) -> String {
    format!("{HASH}{}", blake3::hash(text.as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_elsewhere() {
        let hub = Place::Hub { name: "a/b".into(), revision: "v1".into(), path: "c/d.epo".into() };
        assert_eq!(place("hub:a/b@v1/c/d.epo"), Ok(hub));
        assert_eq!(place("pack:x/y.zip/d.epo"), Ok(Place::Pack { pack: "x/y.zip".into(), path: "d.epo".into() }));
        for name in [
            "hub:a/b/c.epo",
            "hub:a/b@v1",
            "hub:a/../b@v1/c.epo",
            "hub:a/b@v1/../c.epo",
            "hub:@v1/c",
            "pack:x.epo",
            "pack:../x.zip/a.epo",
            "pack:/x.zip/a",
            "pack:x.zip/../a",
        ] {
            assert!(place(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_lock_is_read_as_it_is_written() {
        let lock =
            Lock([("hub:a/b@v1/c.epo", "one"), ("pack:x.zip/d.epo", "two")].map(|(name, text)| (name.to_owned(), hash(text))).into());
        assert_eq!(Lock::read(&lock.text()), Ok(lock.clone()));
        assert_eq!(Lock::read(&lock.text().replace("hub:", "up:")), Err(2));
        assert_eq!(Lock::read(&lock.text().replace(&hash("two"), "blake3:2")), Err(3));
    }
}
