//! What a program that depends on this crate adds to it: environments, and files of functions. It gets the whole command line for both
//! ([`crate::cli::main_with`]); `examples/own_environment.rs` and `examples/own_function.rs` are such programs.
//!
//! An environment is a [`World`](crate::env::World) with a declaration, as those of this crate are: a struct by the macro [`crate::kind!`], [`WorldKind`] for it, and a line in
//! [`Additions::environments`].

pub use crate::kind::{Count, Entry, Field, Fraction, Identity, KindInfo, NonNegative, Positive, Reader};
pub use crate::lang::value::{Component, Value};
pub use crate::play::WorldKind;

/// Lists, as the crate's own are.
pub struct Additions {
    /// Beside the crate's own environments, by other names.
    pub environments: &'static [Entry<dyn WorldKind>],
    /// Files that pipelines may import, by their names (`own/functions.epo`) with their texts. A name of the crate's own library counts as the crate's.
    pub library: &'static [(&'static str, &'static str)],
}

impl Additions {
    /// Nothing.
    pub const NONE: Self = Self { environments: &[], library: &[] };

    /// For this process, once.
    pub(crate) fn install(&self) {
        crate::play::add(self.environments);
        crate::spec::add(self.library);
    }
}
