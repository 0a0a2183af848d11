//! The key of a server: from a variable or a file, to a header of a request, and nowhere else.

use crate::env::Server;
use std::fmt;
use std::io::Read;

/// A header has room for so much.
const MOST_BYTES: u64 = 8192;
/// A shorter one may stand in an answer by chance.
const TELLING: usize = 8;

/// Whoever prints it sees that there is one.
#[derive(Clone)]
pub(super) struct Key(String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Where settings say that there is one.
    ///
    /// # Errors
    /// What is wrong with the place, without a word of what it holds.
    pub(super) fn of(server: &Server) -> Result<Option<Self>, String> {
        let (text, place) = match (&server.key_variable, &server.key_file) {
            (Some(variable), _) => {
                let text =
                    std::env::var(variable).map_err(|_| format!("the variable `{variable}`, which is to hold its key, is not set"))?;
                (text, format!("the variable `{variable}`"))
            }
            (None, Some(file)) => {
                let place = format!("the file `{}`", file.display());
                let mut text = String::new();
                let read = std::fs::File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
                read.map_err(|error| format!("{place}, which is to hold its key, cannot be read: {error}"))?;
                (text, place)
            }
            (None, None) => return Ok(None),
        };
        let key = text.trim();
        if key.is_empty() || key.len() as u64 > MOST_BYTES || !key.chars().all(|c| c.is_ascii_graphic()) {
            return Err(format!("{place} holds no key: one line of letters, digits and signs"));
        }
        Ok(Some(Self(key.to_owned())))
    }

    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// A server's words without it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        text.replace(&self.0, "(the key)")
    }

    /// Whether a text gives it away.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.len() >= TELLING && text.contains(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let server = Server { key_file: Some(file.clone()), ..Server::default() };
        assert!(Key::of(&server).unwrap_err().ends_with("cannot be read: No such file or directory (os error 2)"));
        std::fs::write(&file, " sk-secret-1 \n").unwrap();
        let key = Key::of(&server).unwrap().unwrap();
        assert_eq!((key.header().as_str(), format!("{key:?}").as_str()), ("Bearer sk-secret-1", "Key(…)"));
        assert_eq!(key.hidden_in("no such key: sk-secret-1!"), "no such key: (the key)!");
        assert!(key.is_in("a sk-secret-1") && !key.is_in("sk-secret-") && !Key("a".into()).is_in("a"));
        for nothing in ["", "two words", "sk-\u{fc}", &"x".repeat(9000)] {
            std::fs::write(&file, nothing).unwrap();
            let said = Key::of(&server).unwrap_err();
            assert!(
                said.ends_with("holds no key: one line of letters, digits and signs") && (nothing.is_empty() || !said.contains(nothing))
            );
        }
        assert!(Key::of(&Server::default()).unwrap().is_none());
        let nowhere = Server { key_variable: Some("EPO_TEST_NO_SUCH_VARIABLE".into()), ..Server::default() };
        assert_eq!(Key::of(&nowhere).unwrap_err(), "the variable `EPO_TEST_NO_SUCH_VARIABLE`, which is to hold its key, is not set");
    }
}
