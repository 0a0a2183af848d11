//! Unpacks the reference data once into the target folder.

use crate::reference::reference;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of the splits.
pub(crate) fn games() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| unpacked("games.tar.zst").join("json_2.1.1"))
}

pub(crate) fn transcripts() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| unpacked("transcripts-public.tar.zst"))
}

/// Unpacks an archive under a name that its content determines, in one move, so that parallel test runs do not meet.
fn unpacked(archive: &str) -> PathBuf {
    let bytes = std::fs::read(reference("alfworld").join(archive)).expect("the archive can be read");
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("alfworld-{}", &blake3::hash(&bytes).to_hex()[..16]));
    if place.is_dir() {
        return place;
    }
    let next = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder beside it");
    let decoder = ruzstd::decoding::StreamingDecoder::new(bytes.as_slice()).expect("a zstd frame");
    tar::Archive::new(decoder).unpack(next.path()).expect("a tar archive");
    // Another test process may have been quicker: its copy is as good.
    let _ = std::fs::rename(next.path(), &place);
    assert!(place.is_dir(), "unpacked to `{}`", place.display());
    place
}
