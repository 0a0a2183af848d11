//! Pretrained models: read, compared with another implementation, refused where they are damaged.

mod bad_input;
mod formats;
mod policy;
mod references;
mod support;
