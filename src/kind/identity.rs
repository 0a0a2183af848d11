//! What stands in a digest.

use serde_json::Value;

/// What of a declaration can change a number, as part of a task's digest. Equal identities are one task. Nothing of where or how fast
/// (devices, folders, threads) belongs to it, and no name of the program's own that may be changed (`{:?}`).
pub trait Identity {
    /// JSON; two values of one type that can give different numbers have different ones.
    fn identity(&self) -> Value;
}

impl Identity for f64 {
    fn identity(&self) -> Value {
        (*self).into()
    }
}

impl Identity for usize {
    fn identity(&self) -> Value {
        (*self).into()
    }
}

impl Identity for u64 {
    fn identity(&self) -> Value {
        (*self).into()
    }
}

impl Identity for bool {
    fn identity(&self) -> Value {
        (*self).into()
    }
}

impl Identity for String {
    fn identity(&self) -> Value {
        self.as_str().into()
    }
}

impl<T: Identity> Identity for Option<T> {
    fn identity(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::identity)
    }
}

impl<T: Identity> Identity for Vec<T> {
    fn identity(&self) -> Value {
        self.iter().map(T::identity).collect()
    }
}

impl<A: Identity, B: Identity> Identity for (A, B) {
    fn identity(&self) -> Value {
        Value::Array(vec![self.0.identity(), self.1.identity()])
    }
}
