//! Data to compare with that are not part of the repository.

use std::path::{Path, PathBuf};

/// A file or folder of them. Only for tests that are ignored unless the data are there.
pub(crate) fn reference(path: &str) -> PathBuf {
    let folder = std::env::var_os("EPO_SHARED").expect("EPO_SHARED names the folder of the reference data; `scripts/test.sh` sets it");
    let path = Path::new(&folder).join("data").join(path);
    assert!(path.exists(), "the reference data have no `{}`", path.display());
    path
}
