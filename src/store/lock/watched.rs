//! Claims of other machines that this process has looked at. A claim is dead when it did not change for a time by this process's own clock; what clocks of
//! other machines say is never looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// More does not count between two looks: where this process stood still, the owner may have stood still for the same reason.
const MOST_BETWEEN_LOOKS: Duration = Duration::from_secs(1);

struct Watched {
    content: Vec<u8>,
    last: Instant,
    unchanged: Duration,
}

static WATCHED: Mutex<BTreeMap<PathBuf, Watched>> = Mutex::new(BTreeMap::new());

/// Looks once; true where nothing has changed for that long.
pub(super) fn is_dead(path: &Path, content: &[u8], after: Duration) -> bool {
    let mut all = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    match all.get_mut(path).filter(|watched| watched.content == content) {
        Some(watched) => {
            watched.unchanged += now.duration_since(watched.last).min(MOST_BETWEEN_LOOKS);
            watched.last = now;
            watched.unchanged >= after
        }
        None => {
            all.insert(path.to_path_buf(), Watched { content: content.to_vec(), last: now, unchanged: Duration::ZERO });
            false
        }
    }
}

pub(super) fn forget(path: &Path) {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_or_a_long_absence_proves_nothing() {
        let path = Path::new("/nowhere/.lock");
        let after = Duration::from_millis(60);
        assert!(!is_dead(path, b"1", after));
        std::thread::sleep(Duration::from_millis(70));
        assert!(!is_dead(path, b"2", after), "it changed");
        std::thread::sleep(Duration::from_millis(70));
        assert!(is_dead(path, b"2", after));
        forget(path);
        assert!(!is_dead(path, b"2", after));
        std::thread::sleep(Duration::from_millis(1200));
        assert!(!is_dead(path, b"2", Duration::from_millis(1100)), "of one gap no more than a second counts");
    }
}
