//! The work of each stage.

macro_rules! pending {
    ($($module:ident $kind:ident),*) => { $(pub mod $module {
        use crate::stage::{Context, RunError, $module::$kind};
        pub fn run(_: &$kind, _: &mut dyn Context) -> Result<(), RunError> {
            Err(RunError::Failed("not yet".into()))
        }
    })* };
}
pending!(tokenizer Tokenizer, collect Collect, sft Sft, rl Rl, evaluate Evaluate, report Report, export Export);
