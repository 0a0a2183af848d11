//! `household { … }`: the embedded environment.

use super::environment::WorldKind;
use crate::env::{EnvError, World};
use crate::kind;
use crate::kind::{Count, Reader};
use crate::lang::value::{Component, Value};
use std::path::Path;
use std::sync::Arc;

kind! {
    /// Household
    pub struct Household as "household" {
        /// Rooms
        rooms: Count [default Count(1)],
    }
}

pub fn read(_: &Arc<Value>, component: &Component, reader: &mut Reader<'_, '_>) -> Option<Arc<dyn WorldKind>> {
    Some(Arc::new(Household::read_fields(component, reader)?))
}

impl WorldKind for Household {
    fn identity(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn open(&self, _: Option<&Path>) -> Result<Arc<dyn World>, EnvError> {
        Err(EnvError::Task("not yet".into()))
    }

    fn splits(&self) -> &'static [&'static str] {
        &["train", "seen", "unseen"]
    }
}
