//! What servers over HTTP share: connections and their end, and who is answered on the loopback. In the feature `serve`.

mod listen;
mod loopback;
mod stream;

pub(crate) use listen::{End, Stop, listen};
pub(crate) use loopback::names_this_machine;
pub(crate) use stream::stream;
