//! A store in memory that can lose power: a batch is there whole or not at all, and one that was not synced may be gone.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codec::Encode;
use portolan_node::store::columns::NODE;
use portolan_node::store::{IDENTITY, Identity};
use portolan_primitives::Hash;
use portolan_state::{Batch, Column, KeyValue, StoreError};

use crate::random::Random;

/// Batches that a disk without syncs may hold back.
const HELD_BACK: usize = 8;

type Place = (Column, Arc<[u8]>);
/// What a batch replaced.
type Undo = Vec<(Place, Option<Arc<[u8]>>)>;

#[derive(Clone, Debug, Default)]
struct Tables {
    values: BTreeMap<Place, Arc<[u8]>>,
    /// What the last batches replaced, newest last; only kept when syncs do nothing.
    undo: VecDeque<Undo>,
}

/// The store of one node.
#[derive(Debug)]
pub struct SimStore {
    tables: Mutex<Tables>,
    /// Whether what was written is on the disk when `write` returns.
    synced: bool,
}

impl SimStore {
    /// An empty one.
    pub fn new(synced: bool) -> Self {
        Self { tables: Mutex::default(), synced }
    }

    /// The same contents on another disk.
    pub fn copy(&self, synced: bool) -> Self {
        Self { tables: Mutex::new(self.tables().clone()), synced }
    }

    /// The power goes.
    pub fn crash(&self, random: &mut Random) {
        let mut tables = self.tables();
        let lost = random.below(tables.undo.len() as u64 + 1);
        for _ in 0..lost {
            for (place, before) in tables.undo.pop_back().into_iter().flatten().rev() {
                match before {
                    Some(value) => tables.values.insert(place, value),
                    None => tables.values.remove(&place),
                };
            }
        }
        tables.undo.clear();
    }

    /// As if a program of this format had written it.
    pub fn set_format(&self, format: u32, chain: Hash) {
        let place: Place = (NODE, IDENTITY.into());
        self.tables().values.insert(place, Identity { format, chain }.encode().into());
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyValue for SimStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables().values.get(&(column, key.into())).map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        column: Column,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let tables = self.tables();
        let from = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded((column, after.into())),
            None => Bound::Included((column, prefix.into())),
        };
        let found = tables.values.range((from, Bound::Unbounded));
        let found = found.take_while(|((at, key), _)| *at == column && key.starts_with(prefix)).take(limit);
        Ok(found.map(|((_, key), value)| (key.to_vec(), value.to_vec())).collect())
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let mut undo = Vec::new();
        for operation in batch.operations() {
            let place: Place = (operation.column, operation.key.into());
            let before = match operation.value {
                Some(value) => tables.values.insert(place.clone(), value.into()),
                None => tables.values.remove(&place),
            };
            if !self.synced {
                undo.push((place, before));
            }
        }
        if !self.synced {
            tables.undo.push_back(undo);
            if tables.undo.len() > HELD_BACK {
                tables.undo.pop_front();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &SimStore, key: &str, value: &str) {
        let mut batch = Batch::new();
        batch.put(Column::FLAT, key, value);
        store.write(batch).unwrap();
    }

    fn found(store: &SimStore) -> Vec<(String, String)> {
        let pairs = store.scan(Column::FLAT, b"", None, 100).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        pairs.into_iter().map(|(key, value)| (text(key), text(value))).collect()
    }

    #[test]
    fn a_crash_takes_nothing_that_was_synced_and_whole_batches_that_were_not() {
        let honest = SimStore::new(true);
        put(&honest, "a", "1");
        honest.crash(&mut Random::new(1));
        assert_eq!(found(&honest), [("a".into(), "1".into())]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let forgetful = SimStore::new(true).copy(false);
            put(&forgetful, "a", "1");
            put(&forgetful, "a", "2");
            forgetful.crash(&mut Random::new(seed));
            seen.insert(found(&forgetful).first().map(|(_, value)| value.clone()));
        }
        assert_eq!(seen, [None, Some("1".into()), Some("2".into())].into());
    }

    #[test]
    fn a_scan_keeps_to_its_column_prefix_and_place() {
        let store = SimStore::new(true);
        for key in ["a", "b1", "b2", "b3", "c"] {
            put(&store, key, key);
        }
        let keys = |after: Option<&[u8]>, limit| {
            let pairs = store.scan(Column::FLAT, b"b", after, limit).unwrap();
            pairs.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(keys(None, 10), ["b1", "b2", "b3"]);
        assert_eq!(keys(Some(b"b1"), 1), ["b2"]);
        assert_eq!(keys(Some(b"a"), 10), ["b1", "b2", "b3"]);
        assert!(store.scan(Column::META, b"", None, 10).unwrap().is_empty());
    }
}
