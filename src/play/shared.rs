//! Worlds that are shared as long as anybody has them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What is open, by what it was opened for. Splits of one environment share its processes and servers.
#[derive(Debug)]
pub(super) struct Shared<K, W>(Mutex<Vec<(K, Weak<W>)>>);

impl<K: PartialEq, W> Shared<K, W> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What is open for this, or else what `open` opens.
    ///
    /// # Errors
    /// Of `open`.
    pub(super) fn get<E>(&self, key: K, open: impl FnOnce(&K) -> Result<W, E>) -> Result<Arc<W>, E> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, world)| world.strong_count() > 0);
        let known = all.iter().find(|(known, _)| *known == key);
        if let Some(world) = known.and_then(|(_, world)| world.upgrade()) {
            return Ok(world);
        }
        let world = Arc::new(open(&key)?);
        all.push((key, Arc::downgrade(&world)));
        Ok(world)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_shared_until_nobody_has_it() {
        let shared: Shared<u8, String> = Shared::new();
        let get = |key, word: &str| shared.get(key, |_| Ok::<_, ()>(word.to_owned())).unwrap();
        let first = get(1, "first");
        assert_eq!((get(1, "second").as_str(), get(2, "other").as_str()), ("first", "other"));
        drop(first);
        assert_eq!(get(1, "second").as_str(), "second");
        assert_eq!(shared.get(3, |_| Err("no")), Err("no"));
    }
}
