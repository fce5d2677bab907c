//! Reading the state: the trait of everything that can be read, and the state after a block that is not decided yet.

use std::sync::Arc;

use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;

use crate::Value;
use crate::changes::Changes;
use crate::error::StateError;
use crate::keys::StateKey;
use crate::limits::MAX_SCAN;
use crate::state::StateUpdate;

/// A key with its value.
pub type Found = (StateKey, Value);

/// Which state something was made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) height: Height,
    pub(crate) root: Hash,
}

/// A state that can be read. It never changes while it is being read.
pub trait StateView {
    /// The value under `key`.
    fn get(&self, key: &StateKey) -> Result<Option<Value>, StateError>;

    /// The values under `keys`, in their order.
    fn get_many(&self, keys: &[StateKey]) -> Result<Vec<Option<Value>>, StateError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Entries whose key begins with `prefix` and is greater than `after`, ascending. Up to `limit` of them, and up to
    /// [`MAX_SCAN`]; fewer than the lesser of the two means that there are no more.
    fn scan(&self, prefix: &StateKey, after: Option<&StateKey>, limit: usize) -> Result<Vec<Found>, StateError>;

    /// The block after which this is the state; 0 is genesis, and also the state before it.
    fn height(&self) -> Height;

    /// The state's root.
    fn root(&self) -> Hash;
}

macro_rules! by_reference {
    ($($of:ty),*) => {$(
        impl<V: StateView + ?Sized> StateView for $of {
            fn get(&self, key: &StateKey) -> Result<Option<Value>, StateError> {
                (**self).get(key)
            }
            fn get_many(&self, keys: &[StateKey]) -> Result<Vec<Option<Value>>, StateError> {
                (**self).get_many(keys)
            }
            fn scan(&self, prefix: &StateKey, after: Option<&StateKey>, limit: usize) -> Result<Vec<Found>, StateError> {
                (**self).scan(prefix, after, limit)
            }
            fn height(&self) -> Height {
                (**self).height()
            }
            fn root(&self) -> Hash {
                (**self).root()
            }
        }
    )*};
}

by_reference!(&V, Arc<V>, Box<V>);

/// The state after a block that is executed but not decided, over the state before it.
#[derive(Clone)]
pub struct Overlay<V> {
    base: V,
    changes: Arc<Changes>,
    root: Hash,
}

impl<V: StateView> Overlay<V> {
    /// The state that `update`, which was made on `base`, leads to.
    pub fn new(base: V, update: &StateUpdate) -> Self {
        Self { base, changes: update.changes().clone(), root: update.root() }
    }
}

impl<V: StateView> StateView for Overlay<V> {
    fn get(&self, key: &StateKey) -> Result<Option<Value>, StateError> {
        match self.changes.find(key) {
            Some(change) => Ok(change.new.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, prefix: &StateKey, after: Option<&StateKey>, limit: usize) -> Result<Vec<Found>, StateError> {
        let below = |after: Option<&StateKey>, count| self.base.scan(prefix, after, count);
        let above = |after: Option<&StateKey>| {
            let changes = self.changes.range(prefix, after);
            Ok(changes.map(|change| (change.key.clone(), change.new.clone())))
        };
        merged_scan(after, limit, below, above)
    }

    fn height(&self) -> Height {
        self.base.height().next()
    }

    fn root(&self) -> Hash {
        self.root
    }
}

/// Whether `key` is in the range of a scan.
pub(crate) fn in_scan(key: &StateKey, prefix: &StateKey, after: Option<&StateKey>) -> bool {
    key.starts_with(prefix) && after.is_none_or(|after| key > after)
}

/// Scans two layers as one. `below` answers up to so many entries after a key; `above` then the changes after that key in
/// ascending order, which hide what is below (`None`: deleted). It is asked after each chunk, and only up to its end.
pub(crate) fn merged_scan<I>(
    after: Option<&StateKey>,
    limit: usize,
    mut below: impl FnMut(Option<&StateKey>, usize) -> Result<Vec<Found>, StateError>,
    mut above: impl FnMut(Option<&StateKey>) -> Result<I, StateError>,
) -> Result<Vec<Found>, StateError>
where
    I: Iterator<Item = (StateKey, Option<Value>)>,
{
    let limit = limit.min(MAX_SCAN);
    let mut found: Vec<Found> = Vec::new();
    let mut cursor = after.cloned();
    while found.len() < limit {
        let wanted = limit - found.len();
        let chunk = below(cursor.as_ref(), wanted)?;
        let is_last = chunk.len() < wanted;
        let mut changes = above(cursor.as_ref())?.peekable();
        cursor = chunk.last().map(|(key, _)| key.clone());
        for (key, value) in chunk {
            if found.len() >= limit {
                break;
            }
            while let Some((key, value)) = changes.next_if(|(changed, _)| *changed < key) {
                found.extend(value.map(|value| (key, value)));
            }
            match changes.next_if(|(changed, _)| *changed == key) {
                Some((key, value)) => found.extend(value.map(|value| (key, value))),
                None => found.push((key, value)),
            }
        }
        if is_last {
            let room = limit.saturating_sub(found.len());
            found.extend(changes.filter_map(|(key, value)| Some((key, value?))).take(room));
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}
