//! The page of a run that goes on, over HTTP on the loopback. It is drawn when somebody looks at it, and again when there is something new; a browser is then
//! sent the parts that changed.

mod page;
mod serve;

pub(crate) use serve::serve;
