//! Models behind servers that speak OpenAI's protocol: texts in, texts out. `docs/endpoint.md` has what is promised.
//!
//! From the outside in: an [`Asker`] answers each question once, from what is recorded or from the server, within a budget; a `Client` sends one request;
//! `protocol` has the JSON; [`look`] asks before a run whether a server is there and knows a model.

mod asker;
mod client;
mod key;
mod protocol;

pub(crate) use asker::{Asker, Budget, Stopped};
pub(crate) use client::look;
pub(crate) use protocol::{Manner, Message, Role, Usage};
