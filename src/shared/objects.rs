//! What a shared store has to be able to do: whole objects under names, of which one appears with all its bytes or not at all.

use super::address::{Address, Place};
use std::fmt::Debug;
use std::io::Read;

/// Bytes that are read or sent at once.
pub(super) const PART: usize = 16 << 20;

/// Why something failed, in words.
pub(super) type Reason = String;

/// Names have parts with `/` between them.
pub(super) trait Objects: Debug + Send {
    /// The names that lie directly below another, without it, in no order; none where there is nothing yet.
    fn names(&self, below: &str) -> Result<Vec<String>, Reason>;
    /// Bytes of an object; `None` where there is none.
    fn length(&self, name: &str) -> Result<Option<u64>, Reason>;
    /// As many bytes as there are from a place on, [`PART`] at most; `None` where there is no object.
    fn read(&self, name: &str, from: u64) -> Result<Option<Vec<u8>>, Reason>;
    /// Puts an object, in the place of one that is there.
    fn put(&self, name: &str, bytes: u64, from: &mut dyn Read) -> Result<(), Reason>;
}

pub(super) fn open(address: &Address) -> Result<Box<dyn Objects>, Reason> {
    match address.place() {
        Place::Folder(path) => Ok(Box::new(super::folder::Folder::open(path)?)),
        #[cfg(feature = "cloud")]
        Place::Cloud(scheme, bucket, prefix) => Ok(Box::new(super::cloud::Cloud::open(*scheme, bucket, prefix)?)),
        #[cfg(not(feature = "cloud"))]
        Place::Cloud(..) => Err("this epo-run was built without the feature `cloud`".into()),
    }
}
