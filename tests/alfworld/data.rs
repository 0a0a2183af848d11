//! Finds the reference data and unpacks it once into the target folder.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// `None`, with a word about it, where the reference data are not there; on CI that is a failure.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("EPO_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let data = folder.join("data/alfworld");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "no reference data at `{}`", data.display());
    eprintln!("skipped: no reference data at `{}` (set EPO_SHARED)", data.display());
    None
}

/// The folder of the splits.
pub(crate) fn games() -> Option<&'static Path> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    PLACE.get_or_init(|| unpacked("games.tar.zst").map(|folder| folder.join("json_2.1.1"))).as_deref()
}

pub(crate) fn transcripts() -> Option<&'static Path> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    PLACE.get_or_init(|| unpacked("transcripts-public.tar.zst")).as_deref()
}

/// Unpacks an archive under a name that its content determines, in one move, so that parallel test runs do not meet.
fn unpacked(archive: &str) -> Option<PathBuf> {
    let bytes = std::fs::read(shared()?.join(archive)).expect("the archive can be read");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("alfworld-{}", &blake3::hash(&bytes).to_hex()[..16]));
    if place.is_dir() {
        return Some(place);
    }
    let next = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder beside it");
    let decoder = ruzstd::decoding::StreamingDecoder::new(bytes.as_slice()).expect("a zstd frame");
    tar::Archive::new(decoder).unpack(next.path()).expect("a tar archive");
    // Another test process may have been quicker: its copy is as good.
    let _ = std::fs::rename(next.path(), &place);
    assert!(place.is_dir(), "unpacked to `{}`", place.display());
    Some(place)
}
