use crate::stage::{Context, RunError};
pub fn run<T>(_: &T, _: &mut dyn Context) -> Result<(), RunError> {
    Err(RunError::Failed("x".into()))
}
