//! A store in memory, for tests and the simulator. **Volatile**: everything is gone with the process, so no node uses it.
//!
//! It can play a disk that loses power: with [`MemoryStore::hold_syncs`], written batches count as not yet on the disk
//! until [`MemoryStore::sync`], and [`MemoryStore::lose_power`] drops them, newest first, each one whole.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::{Batch, Column, KeyValue, Pair, StoreError};

type Place = (Column, Vec<u8>);

/// What a batch has overwritten.
#[derive(Clone)]
struct Undo(Vec<(Place, Option<Vec<u8>>)>);

#[derive(Clone, Default)]
struct Inner {
    pairs: BTreeMap<Place, Vec<u8>>,
    holding: bool,
    unsynced: Vec<Undo>,
    failing: bool,
}

/// A volatile store; see the module.
#[derive(Default)]
pub struct MemoryStore(RwLock<Inner>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of everything, independent of this one.
    pub fn fork(&self) -> Self {
        Self(RwLock::new(self.read().clone()))
    }

    /// From now on batches stay droppable until [`Self::sync`].
    pub fn hold_syncs(&self) {
        self.lock().holding = true;
    }

    /// Makes what was written so far safe, and ends the holding.
    pub fn sync(&self) {
        let mut inner = self.lock();
        inner.unsynced.clear();
        inner.holding = false;
    }

    /// Batches that a power cut would lose.
    pub fn unsynced(&self) -> usize {
        self.read().unsynced.len()
    }

    /// Drops the unsynced batches but the first `survivors`, as a power cut may, and ends the holding.
    pub fn lose_power(&self, survivors: usize) {
        let mut inner = self.lock();
        while inner.unsynced.len() > survivors {
            let Some(Undo(steps)) = inner.unsynced.pop() else { break };
            for (place, previous) in steps.into_iter().rev() {
                restore(&mut inner.pairs, place, previous);
            }
        }
        inner.unsynced.clear();
        inner.holding = false;
    }

    /// From now on every write fails (`true`) or works again (`false`).
    pub fn fail_writes(&self, failing: bool) {
        self.lock().failing = failing;
    }

    /// Overwrites a pair behind the back of whoever uses the store, to see damage noticed.
    pub fn damage(&self, column: Column, key: &[u8], value: Option<Vec<u8>>) {
        restore(&mut self.lock().pairs, (column, key.to_vec()), value);
    }

    /// Pairs in a column.
    pub fn count(&self, column: Column) -> usize {
        self.read().pairs.keys().filter(|(of, _)| *of == column).count()
    }

    // A thread that panicked while it held the lock has failed its own test; the map itself is whole.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a value back, or its absence; answers what was there.
fn restore(pairs: &mut BTreeMap<Place, Vec<u8>>, place: Place, value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    match value {
        Some(value) => pairs.insert(place, value),
        None => pairs.remove(&place),
    }
}

impl KeyValue for MemoryStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().pairs.get(&(column, key.to_vec())).cloned())
    }

    fn scan(&self, column: Column, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded((column, after.to_vec())),
            _ => Bound::Included((column, prefix.to_vec())),
        };
        let inner = self.read();
        let pairs = inner.pairs.range((start, Bound::Unbounded));
        let inside = pairs.take_while(|((of, key), _)| *of == column && key.starts_with(prefix));
        Ok(inside.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.failing {
            return Err(StoreError::new("write a batch", "no space left on device"));
        }
        let holding = inner.holding;
        let mut undo = Vec::new();
        for operation in batch.operations() {
            let place = (operation.column, operation.key.to_vec());
            let kept = holding.then(|| place.clone());
            let previous = restore(&mut inner.pairs, place, operation.value.map(<[u8]>::to_vec));
            undo.extend(kept.map(|place| (place, previous)));
        }
        if holding {
            inner.unsynced.push(Undo(undo));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMN: Column = Column(20);

    fn put(store: &MemoryStore, key: &[u8], value: &[u8]) {
        let mut batch = Batch::new();
        batch.put(COLUMN, key, value);
        store.write(batch).unwrap();
    }

    #[test]
    fn a_scan_is_ordered_bounded_and_stays_in_its_prefix_and_column() {
        let store = MemoryStore::new();
        for key in ["a", "b1", "b2", "b3", "c"] {
            put(&store, key.as_bytes(), b"");
        }
        let mut other = Batch::new();
        other.put(Column(21), *b"b0", *b"");
        store.write(other).unwrap();
        let keys = |after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
            store.scan(COLUMN, b"b", after, limit).unwrap().into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(None, 9), [b"b1", b"b2", b"b3"]);
        assert_eq!(keys(None, 2), [b"b1", b"b2"]);
        assert_eq!(keys(Some(b"b1"), 9), [b"b2", b"b3"]);
        assert_eq!(keys(Some(b"a"), 1), [b"b1"]);
        assert!(keys(Some(b"b3"), 9).is_empty());
    }

    #[test]
    fn a_power_cut_drops_unsynced_batches_whole() {
        let store = MemoryStore::new();
        put(&store, b"k", b"0");
        store.hold_syncs();
        put(&store, b"k", b"1");
        put(&store, b"k", b"2");
        put(&store, b"l", b"2");
        assert_eq!(store.unsynced(), 3);
        store.lose_power(1);
        assert_eq!(store.get(COLUMN, b"k").unwrap(), Some(b"1".to_vec()));
        assert_eq!(store.get(COLUMN, b"l").unwrap(), None);
    }

    #[test]
    fn a_failing_write_changes_nothing() {
        let store = MemoryStore::new();
        store.fail_writes(true);
        let mut batch = Batch::new();
        batch.put(COLUMN, *b"k", *b"1");
        assert!(store.write(batch).is_err());
        assert_eq!(store.get(COLUMN, b"k").unwrap(), None);
    }
}
