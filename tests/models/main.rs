//! Pretrained models: read, compared with another implementation, refused where they are damaged.

mod bad_input;
mod formats;
mod policy;
#[path = "../common/reference.rs"]
mod reference;
mod references;
mod strangers;
mod support;
mod what_is_there;
