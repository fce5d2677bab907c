//! What a block writes: a change set with nested checkpoints over a view.
//!
//! A reverted call leaves no trace, and a reverted cross-call leaves its caller's writes. What each transaction reads and
//! writes is recorded: proofs of queries need it, and parallel execution will. Each key is read from the view once.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use crate::Value;
use crate::error::StateError;
use crate::keys::StateKey;
use crate::limits::{MAX_HOT_VALUE, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use crate::view::{Base, Found, StateView, in_scan, merged_scan};

/// One key's change by a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: StateKey,
    /// The value before the block; `None` if there was none.
    pub previous: Option<Value>,
    /// The value after it; `None` if there is none.
    pub new: Option<Value>,
}

/// All changes of a block, ascending by key, each a real one.
#[derive(Clone, Debug)]
pub struct Changes {
    base: Base,
    entries: Vec<Change>,
    /// What was read and not changed: worth keeping in memory.
    hot: Vec<Found>,
}

impl Changes {
    /// `entries` must be ascending by key.
    pub(crate) fn new(base: Base, entries: Vec<Change>, hot: Vec<Found>) -> Self {
        Self { base, entries, hot }
    }

    pub(crate) fn base(&self) -> Base {
        self.base
    }

    pub(crate) fn hot(&self) -> &[Found] {
        &self.hot
    }

    /// The changes.
    pub fn entries(&self) -> &[Change] {
        &self.entries
    }

    /// Keys changed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The change of `key`, if there is one.
    pub fn find(&self, key: &StateKey) -> Option<&Change> {
        let place = self.entries.binary_search_by(|change| change.key.cmp(key)).ok()?;
        self.entries.get(place)
    }

    /// The changes in the range of a scan.
    pub(crate) fn range<'a>(
        &'a self,
        prefix: &'a StateKey,
        after: Option<&StateKey>,
    ) -> impl Iterator<Item = &'a Change> + use<'a> {
        let is_before = |key: &StateKey| key < prefix || after.is_some_and(|after| key <= after);
        let start = self.entries.partition_point(|change| is_before(&change.key));
        self.entries[start..].iter().take_while(|change| change.key.starts_with(prefix))
    }
}

/// The keys and ranges that a transaction read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Keys, ascending, those found by scans too. A key that the transaction itself had written before is not in it.
    pub keys: Vec<StateKey>,
    /// Ranges, in the order of reading.
    pub scans: Vec<ScanRange>,
}

/// A range that was scanned: a key that turns up in it later would have been seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRange {
    /// What its keys begin with.
    pub prefix: StateKey,
    /// It begins behind this key, or with the prefix.
    pub after: Option<StateKey>,
    /// It ends with this key, or with the prefix.
    pub through: Option<StateKey>,
}

/// The keys that a transaction wrote, reverted writes not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet {
    /// Keys, ascending.
    pub keys: Vec<StateKey>,
}

/// What a transaction read and wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Read, also by calls that were reverted.
    pub reads: ReadSet,
    /// Written.
    pub writes: WriteSet,
}

/// What is known of one key. Outer `None`: not known, or not written.
#[derive(Clone, Default)]
struct Slot {
    base: Option<Option<Value>>,
    pending: Option<Option<Value>>,
    /// The last transaction that read it from outside itself.
    read_in: u32,
    /// The transaction whose write is pending.
    written_in: u32,
}

/// How to take a write back.
struct Undo {
    key: StateKey,
    pending: Option<Option<Value>>,
    written_in: u32,
}

/// See the module.
pub struct ChangeSet<V> {
    view: V,
    /// Looked up, and never iterated.
    slots: HashMap<StateKey, Slot>,
    /// Keys with a pending write, in order.
    written: BTreeSet<StateKey>,
    /// Keys that were read from the view, in the order of reading.
    loaded: Vec<StateKey>,
    undo: Vec<Undo>,
    /// Places in `undo` where a checkpoint is open.
    checkpoints: Vec<usize>,
    /// Number of the current transaction, from 1.
    transaction: u32,
    /// Place in `undo` where the current transaction began.
    began: Option<usize>,
    reads: ReadSet,
}

impl<V: StateView> ChangeSet<V> {
    /// No changes yet.
    pub fn new(view: V) -> Self {
        Self {
            view,
            slots: HashMap::new(),
            written: BTreeSet::new(),
            loaded: Vec::new(),
            undo: Vec::new(),
            checkpoints: Vec::new(),
            transaction: 0,
            began: None,
            reads: ReadSet::default(),
        }
    }

    /// The view beneath.
    pub fn base(&self) -> &V {
        &self.view
    }

    /// The value under `key`, pending writes included.
    pub fn get(&mut self, key: &StateKey) -> Result<Option<Value>, StateError> {
        if let Some(slot) = self.slots.get_mut(key)
            && (slot.base.is_some() || slot.pending.is_some())
        {
            note_read(slot, key, self.began, self.transaction, &mut self.reads);
            return Ok(slot.pending.as_ref().or(slot.base.as_ref()).cloned().flatten());
        }
        let value = self.view.get(key)?;
        self.load(key, value.clone());
        if let Some(slot) = self.slots.get_mut(key) {
            note_read(slot, key, self.began, self.transaction, &mut self.reads);
        }
        Ok(value)
    }

    fn load(&mut self, key: &StateKey, value: Option<Value>) {
        let slot = self.slots.entry(key.clone()).or_default();
        if slot.base.replace(value).is_none() {
            self.loaded.push(key.clone());
        }
    }

    /// Reads `keys` into memory at once, as a hint: that is not recorded as a read.
    pub fn prefetch(&mut self, keys: &[StateKey]) -> Result<(), StateError> {
        let known = |key: &StateKey| self.slots.get(key).is_some_and(|slot| slot.base.is_some());
        let missing: Vec<StateKey> = keys.iter().filter(|key| !known(key)).cloned().collect();
        for (key, value) in missing.iter().zip(self.view.get_many(&missing)?) {
            self.load(key, value);
        }
        Ok(())
    }

    /// Writes `value` under `key`.
    pub fn put(&mut self, key: StateKey, value: impl Into<Value>) -> Result<(), StateError> {
        let value = value.into();
        if value.len() > MAX_VALUE_BYTES {
            return Err(StateError::ValueTooLong(value.len()));
        }
        self.write(key, Some(value))
    }

    /// Deletes what is under `key`.
    pub fn delete(&mut self, key: &StateKey) -> Result<(), StateError> {
        self.write(key.clone(), None)
    }

    fn write(&mut self, key: StateKey, value: Option<Value>) -> Result<(), StateError> {
        if key.as_bytes().len() > MAX_KEY_BYTES {
            return Err(StateError::KeyTooLong(key.as_bytes().len()));
        }
        let undoable = self.began.is_some() || !self.checkpoints.is_empty();
        let slot = self.slots.entry(key.clone()).or_default();
        let pending = slot.pending.replace(value);
        let written_in = std::mem::replace(&mut slot.written_in, self.transaction);
        if pending.is_none() {
            self.written.insert(key.clone());
        }
        if undoable {
            self.undo.push(Undo { key, pending, written_in });
        }
        Ok(())
    }

    /// Entries as [`StateView::scan`] gives them, pending writes included.
    pub fn scan(
        &mut self,
        prefix: &StateKey,
        after: Option<&StateKey>,
        limit: usize,
    ) -> Result<Vec<Found>, StateError> {
        let below = |after: Option<&StateKey>, count| self.view.scan(prefix, after, count);
        let above = |after: Option<&StateKey>| Ok(self.pending(prefix, after));
        let found = merged_scan(after, limit, below, above)?;
        self.note_scan(prefix, after, limit, &found);
        Ok(found)
    }

    /// Pending writes in the range of a scan.
    fn pending<'a>(
        &'a self,
        prefix: &'a StateKey,
        after: Option<&StateKey>,
    ) -> impl Iterator<Item = (StateKey, Option<Value>)> + use<'a, V> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after.clone()),
            _ => Bound::Included(prefix.clone()),
        };
        let inside = self.written.range((start, Bound::Unbounded)).take_while(|key| in_scan(key, prefix, None));
        inside.map(|key| (key.clone(), self.slots.get(key).and_then(|slot| slot.pending.clone()).flatten()))
    }

    fn note_scan(&mut self, prefix: &StateKey, after: Option<&StateKey>, limit: usize, found: &[Found]) {
        if self.began.is_none() {
            return;
        }
        let is_full = found.len() >= limit.min(crate::limits::MAX_SCAN);
        let through = if is_full { found.last().map(|(key, _)| key).or(after).cloned() } else { None };
        self.reads.scans.push(ScanRange { prefix: prefix.clone(), after: after.cloned(), through });
        for (key, _) in found {
            let slot = self.slots.entry(key.clone()).or_default();
            note_read(slot, key, self.began, self.transaction, &mut self.reads);
        }
    }

    /// Opens a checkpoint within those that are open.
    pub fn begin(&mut self) {
        self.checkpoints.push(self.undo.len());
    }

    /// Closes the innermost checkpoint and keeps its writes.
    pub fn commit(&mut self) {
        let closed = self.checkpoints.pop();
        debug_assert!(closed.is_some(), "commit without begin");
        self.forget_undo();
    }

    /// Closes the innermost checkpoint and takes its writes back.
    pub fn revert(&mut self) {
        let closed = self.checkpoints.pop();
        debug_assert!(closed.is_some(), "revert without begin");
        for Undo { key, pending, written_in } in self.undo.drain(closed.unwrap_or(self.undo.len())..).rev() {
            if pending.is_none() {
                self.written.remove(&key);
            }
            if let Some(slot) = self.slots.get_mut(&key) {
                (slot.pending, slot.written_in) = (pending, written_in);
            }
        }
        self.forget_undo();
    }

    /// Checkpoints that are open.
    pub fn depth(&self) -> usize {
        self.checkpoints.len()
    }

    /// What can no longer be taken back needs no undo.
    fn forget_undo(&mut self) {
        if self.checkpoints.is_empty() && self.began.is_none() {
            self.undo.clear();
        }
    }

    /// From here on reads and writes are those of a new transaction.
    pub fn begin_transaction(&mut self) {
        self.transaction += 1;
        self.began = Some(self.undo.len());
        self.reads = ReadSet::default();
    }

    /// What was read and written since [`Self::begin_transaction`]; nothing if there was none.
    pub fn end_transaction(&mut self) -> Access {
        let Some(began) = self.began.take() else { return Access::default() };
        let mut reads = std::mem::take(&mut self.reads);
        reads.keys.sort_unstable();
        let of_transaction = self.undo.get(began..).unwrap_or_default();
        let written: BTreeSet<&StateKey> = of_transaction.iter().map(|undo| &undo.key).collect();
        let writes = WriteSet { keys: written.into_iter().cloned().collect() };
        self.forget_undo();
        Access { reads, writes }
    }

    /// The changes of everything, open checkpoints included, without those that change nothing.
    pub fn finish(mut self) -> Result<Changes, StateError> {
        debug_assert!(self.checkpoints.is_empty(), "a checkpoint is still open");
        let base = Base { height: self.view.height(), root: self.view.root() };
        let hot = self.hot();
        let written: Vec<StateKey> = std::mem::take(&mut self.written).into_iter().collect();
        self.prefetch(&written)?;
        let mut entries = Vec::with_capacity(written.len());
        for key in written {
            let slot = self.slots.remove(&key).unwrap_or_default();
            let (previous, new) = (slot.base.flatten(), slot.pending.flatten());
            if previous != new {
                entries.push(Change { key, previous, new });
            }
        }
        Ok(Changes::new(base, entries, hot))
    }

    /// What was read from the view, is small, and stays as it is.
    fn hot(&mut self) -> Vec<Found> {
        let loaded = std::mem::take(&mut self.loaded);
        let keep = |key: StateKey| {
            let slot = self.slots.get(&key).filter(|slot| slot.pending.is_none())?;
            let value = slot.base.clone().flatten().filter(|value| value.len() <= MAX_HOT_VALUE)?;
            Some((key, value))
        };
        loaded.into_iter().filter_map(keep).collect()
    }
}

/// Records a read of what the transaction has not written itself, once.
fn note_read(slot: &mut Slot, key: &StateKey, began: Option<usize>, transaction: u32, reads: &mut ReadSet) {
    let own = slot.pending.is_some() && slot.written_in == transaction;
    if began.is_some() && !own && slot.read_in != transaction {
        slot.read_in = transaction;
        reads.keys.push(key.clone());
    }
}
