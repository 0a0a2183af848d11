//! Room for recursion: names are resolved by recursion of bounded depth, deeper than the stack of a usual thread.

use std::cell::Cell;

/// Enough for the deepest text, also without optimisation.
const STACK: usize = 64 << 20;

thread_local! {
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Does `work` on a thread with room for it: this one, if it is within such work already, so whoever compiles many texts starts one thread for all.
///
/// # Errors
/// No thread could be started.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    if DEEP.get() {
        return Ok(work());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("check".into()).stack_size(STACK);
        let check = thread.spawn_scoped(scope, || {
            DEEP.set(true);
            work()
        })?;
        Ok(check.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
