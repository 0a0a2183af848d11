//! Where a shared store is: what the setting `store` takes.

use std::fmt;
use std::path::{Path, PathBuf};

/// `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, or `file:FOLDER`. Without keys: they come from the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Folder(PathBuf),
    /// The scheme, the bucket or container, and what names begin with.
    Cloud(Scheme, String, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    S3,
    Gs,
    Az,
}

impl Address {
    /// # Errors
    /// What is taken, without a word of the text: somebody may have put a key there.
    pub fn parse(text: &str) -> Result<Self, String> {
        const TAKEN: &str = "it takes `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or `file:FOLDER`";
        let place = match text.split_once(':') {
            Some(("file", path)) => folder(path).ok_or(TAKEN)?,
            Some((scheme, rest)) => {
                let scheme = match scheme {
                    "s3" => Scheme::S3,
                    "gs" => Scheme::Gs,
                    "az" => Scheme::Az,
                    _ => return Err(TAKEN.into()),
                };
                let rest = rest.strip_prefix("//").ok_or(TAKEN)?;
                if rest.contains(['@', '?', '#']) {
                    return Err(format!("{TAKEN}, without keys: they come from the environment"));
                }
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                let parts = prefix.trim_end_matches('/');
                let are_plain = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(plain);
                if !are_plain(bucket) || !(parts.is_empty() || parts.split('/').all(are_plain)) {
                    return Err(format!("{TAKEN}, of letters, digits, `.`, `-` and `_`"));
                }
                Place::Cloud(scheme, bucket.into(), parts.into())
            }
            None => return Err(TAKEN.into()),
        };
        if !cfg!(feature = "cloud") && matches!(place, Place::Cloud(..)) {
            return Err("this epo-run knows `file:` alone; build it with `--features cloud` for the others".into());
        }
        Ok(Self { text: text.trim_end_matches('/').to_owned(), place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

/// As it was given.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `file:///absolute`, `file:/absolute`, or `file:relative`.
fn folder(path: &str) -> Option<Place> {
    let path = match path.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => return None,
        None => path,
    };
    (!path.is_empty()).then(|| Place::Folder(Path::new(path).to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken() {
        let place = |text: &str| Address::parse(text).map(|address| address.place);
        let folder = |path: &str| Ok(Place::Folder(path.into()));
        assert_eq!(place("file:///mnt/team"), folder("/mnt/team"));
        assert_eq!(place("file:/mnt/team"), folder("/mnt/team"));
        assert_eq!(place("file:../team"), folder("../team"));
        for text in ["", "team", "/mnt/team", "file:", "file://host/x", "http://x/y", "s3:bucket", "S3://b"] {
            assert!(place(text).unwrap_err().starts_with("it takes `s3://BUCKET/PREFIX`"), "{text}");
        }
        for text in ["s3://key:secret@bucket/x", "s3://bucket/x?secret=1", "s3://bucket/x#secret"] {
            let said = place(text).unwrap_err();
            assert!(said.ends_with("without keys: they come from the environment") && !said.contains("secret"), "{said}");
        }
        for text in ["s3://", "s3:///x", "s3://bucket/../x", "s3://bucket//x", "s3://bucket/ä"] {
            assert!(place(text).unwrap_err().contains("of letters"), "{text}");
        }
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn buckets_and_prefixes() {
        let place = |text: &str| Address::parse(text).unwrap().place;
        assert_eq!(place("s3://bucket/a/b/"), Place::Cloud(Scheme::S3, "bucket".into(), "a/b".into()));
        assert_eq!(place("gs://bucket"), Place::Cloud(Scheme::Gs, "bucket".into(), String::new()));
        assert_eq!(Address::parse("az://box/a/").unwrap().to_string(), "az://box/a");
    }

    #[cfg(not(feature = "cloud"))]
    #[test]
    fn what_this_build_does_not_know_is_said() {
        assert!(Address::parse("s3://bucket/x").unwrap_err().contains("`--features cloud`"));
    }
}
