//! The hash that says which bytes a dataset is.

use super::source::DataFile;
use crate::kind::{Field, Identity, Reader};
use crate::lang::Diagnostic;
use crate::lang::value::{Value, ValueKind};
use std::fs::File;
use std::sync::Arc;

const PREFIX: &str = "blake3:";
/// Stands for a hash that nobody has looked at yet.
const UNKNOWN: &str = "?";

/// `blake3:…` as a pipeline writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin(String);

impl Pin {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let whole = digits.len() == 64 && digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
        (whole || digits == UNKNOWN).then(|| Self(text.to_string()))
    }

    /// Of files in the order in which they are read: of a single file the hash of its bytes, of a folder that of what `b3sum` prints of its files.
    pub(crate) fn of(hashes: &[(Option<String>, blake3::Hash)]) -> Self {
        let found = match hashes {
            [(None, hash)] => *hash,
            all => {
                let line =
                    |(name, hash): &(Option<String>, blake3::Hash)| format!("{}  {}\n", hash.to_hex(), name.as_deref().unwrap_or(""));
                blake3::hash(all.iter().map(line).collect::<String>().as_bytes())
            }
        };
        Self(format!("{PREFIX}{}", found.to_hex()))
    }

    /// Of files as they are now.
    ///
    /// # Errors
    /// If one cannot be read.
    pub(crate) fn of_files(files: &[DataFile]) -> Result<Self, String> {
        let hash = |file: &DataFile| {
            let at = |error: std::io::Error| format!("`{}`: {error}", file.path.display());
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(&file.path).map_err(at)?).map_err(at)?;
            Ok((file.name.clone(), hasher.finalize()))
        };
        Ok(Self::of(&files.iter().map(hash).collect::<Result<Vec<_>, String>>()?))
    }

    /// What is wrong where the bytes have another hash.
    pub(crate) fn refusal(&self, found: &Self) -> Option<String> {
        match self {
            pinned if pinned == found => None,
            Self(text) if text.ends_with(UNKNOWN) => {
                Some(format!("its hash is not written down yet; what is there is pinned by `hash = \"{}\"`", found.0))
            }
            Self(text) => Some(format!("it has the hash `{}`, and `hash` says `{text}`", found.0)),
        }
    }

    /// The first digits, to tell datasets apart.
    pub(crate) fn short(&self) -> &str {
        self.0.get(PREFIX.len()..PREFIX.len() + 8).unwrap_or(UNKNOWN)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl Identity for Pin {
    fn identity(&self) -> serde_json::Value {
        self.0.as_str().into()
    }
}

impl Field for Pin {
    fn read(value: &Arc<Value>, reader: &mut Reader<'_, '_>) -> Option<Self> {
        let ValueKind::Text(text) = &value.kind else {
            reader.mismatch(value, &Self::expects());
            return None;
        };
        let read = Self::parse(text);
        if read.is_none() {
            let message = format!("expected {}, found {text:?}", Self::expects());
            reader.report(Diagnostic::error("E0202", value.span, message).help("with `hash = \"blake3:?\"`, `plan` says what it is"));
        }
        read
    }

    fn expects() -> String {
        "`\"blake3:…\"` with 64 digits of the hash, or `\"blake3:?\"`, for which `plan` says them".into()
    }

    fn shown(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_bytes_and_a_folder_what_b3sum_prints() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            DataFile { path: folder.path().join(name), name: Some(name.to_string()) }
        };
        let (a, b) = (file("a", "one"), file("b", "two"));
        let alone = DataFile { name: None, ..a.clone() };
        assert_eq!(Pin::of_files(&[alone]).unwrap().text(), format!("blake3:{}", blake3::hash(b"one").to_hex()));
        let printed = format!("{}  a\n{}  b\n", blake3::hash(b"one").to_hex(), blake3::hash(b"two").to_hex());
        assert_eq!(Pin::of_files(&[a, b]).unwrap().text(), format!("blake3:{}", blake3::hash(printed.as_bytes()).to_hex()));
    }

    #[test]
    fn a_difference_is_said_with_both() {
        let [one, two] = ["1", "2"].map(|digit| format!("blake3:{}", digit.repeat(64)));
        let [pin, found] = [&one, &two].map(|text| Pin::parse(text).unwrap());
        assert_eq!((pin.refusal(&pin), pin.short()), (None, "11111111"));
        assert_eq!(pin.refusal(&found), Some(format!("it has the hash `{two}`, and `hash` says `{one}`")));
        let unknown = Pin::parse("blake3:?").unwrap();
        let advice = format!("its hash is not written down yet; what is there is pinned by `hash = \"{two}\"`");
        assert_eq!(unknown.refusal(&found), Some(advice));
        for wrong in ["blake3:", "blake3:12", "sha256:?", &one[..70], &one.replace('1', "A")] {
            assert_eq!(Pin::parse(wrong), None, "{wrong}");
        }
    }
}
