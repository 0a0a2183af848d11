//! Work on several threads with results that do not depend on their number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keeps candle and the tokenizer from starting threads of their own: the model's kernels are split above them.
/// To be called once, before the first use of either; later calls do nothing.
pub fn configure() {
    // An error means that the pool exists already, and then its size is not ours to choose.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
}

/// `work(0)`, `work(1)`, … `work(parts - 1)` on up to `threads` threads; the results in that order.
pub(crate) fn parallel<R: Send>(parts: usize, threads: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    if threads <= 1 || parts <= 1 {
        return (0..parts).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = (0..parts).map(|_| Mutex::new(None)).collect();
    let worker = || {
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = results.get(part) else { return };
            let result = work(part);
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(parts) {
            // Where the system gives no more threads, those that there are do the work.
            if std::thread::Builder::new().spawn_scoped(scope, worker).is_err() {
                break;
            }
        }
        worker();
    });
    results.into_iter().filter_map(|slot| slot.into_inner().ok().flatten()).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_their_order() {
        for threads in [1, 2, 7] {
            assert_eq!(super::parallel(5, threads, |i| i * i), [0, 1, 4, 9, 16]);
        }
    }
}
