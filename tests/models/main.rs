//! Pretrained models: read, compared with another implementation, refused where they are damaged.

mod adapters;
mod bad_input;
mod content;
mod conversation;
mod cut;
mod finite;
mod formats;
mod hub;
mod longer;
mod outside;
mod place;
mod policy;
#[path = "../common/reference.rs"]
mod reference;
mod references;
mod strangers;
mod support;
mod what_is_there;
