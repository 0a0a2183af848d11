//! Files of data outside of the store: where they lie, and which bytes are meant.

mod pin;
mod source;

pub(crate) use pin::Pin;
pub(crate) use source::{DataFile, Source};
