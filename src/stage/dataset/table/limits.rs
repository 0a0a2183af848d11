//! How large what is read from a table may be.

pub(super) const MIB: usize = 1 << 20;
/// Bytes of the texts of a row: as many as of a line.
pub(super) const ROW: usize = 64 * MIB;
/// Bytes of an unpacked page, and values in it.
pub(super) const PAGE: usize = 256 * MIB;
pub(super) const VALUES: usize = 1 << 22;
