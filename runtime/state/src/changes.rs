//! What a block writes: a change set with nested checkpoints over a view.
//!
//! A reverted call leaves no trace, and a reverted cross-call leaves its caller's writes. What a question reads is recorded,
//! for its proof; blocks record nothing. Each key is read from the view once.

use std::collections::{BTreeMap, HashMap};
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
    /// What was read and not changed, if it is small: worth keeping in memory.
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

/// The keys and ranges that were read of the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Keys, ascending, those found by scans too. A key with a pending write is not in it.
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

/// What is known of one key. Outer `None`: nothing is written.
struct Slot {
    key: StateKey,
    base: Option<Value>,
    pending: Option<Option<Value>>,
    /// Whether its read is recorded.
    recorded: bool,
}

impl Slot {
    fn value(&self) -> Option<&Value> {
        self.pending.as_ref().unwrap_or(&self.base).as_ref()
    }
}

/// How to take a write back.
struct Undo {
    slot: usize,
    pending: Option<Option<Value>>,
}

/// See the module.
pub struct ChangeSet<V> {
    view: V,
    /// In the order in which the keys came up.
    slots: Vec<Slot>,
    /// Where a key's slot is. Looked up, and never iterated.
    places: HashMap<StateKey, usize>,
    /// Keys with a pending write, in order, and their slots.
    written: BTreeMap<StateKey, usize>,
    undo: Vec<Undo>,
    /// Places in `undo` where a checkpoint is open.
    checkpoints: Vec<usize>,
    /// What was read, if it is recorded.
    reads: Option<ReadSet>,
}

impl<V: StateView> ChangeSet<V> {
    /// No changes yet.
    pub fn new(view: V) -> Self {
        Self {
            view,
            slots: Vec::new(),
            places: HashMap::new(),
            written: BTreeMap::new(),
            undo: Vec::new(),
            checkpoints: Vec::new(),
            reads: None,
        }
    }

    /// The view beneath.
    pub fn base(&self) -> &V {
        &self.view
    }

    /// The value under `key`, pending writes included.
    pub fn get(&mut self, key: &StateKey) -> Result<Option<Value>, StateError> {
        let place = self.slot(key)?;
        let slot = &mut self.slots[place];
        note_read(slot, &mut self.reads);
        Ok(slot.value().cloned())
    }

    /// The slot of a key, read from the view if it is a new one.
    fn slot(&mut self, key: &StateKey) -> Result<usize, StateError> {
        match self.places.get(key) {
            Some(place) => Ok(*place),
            None => {
                let base = self.view.get(key)?;
                Ok(self.add_slot(key, base))
            }
        }
    }

    fn add_slot(&mut self, key: &StateKey, base: Option<Value>) -> usize {
        let place = self.slots.len();
        self.slots.push(Slot { key: key.clone(), base, pending: None, recorded: false });
        self.places.insert(key.clone(), place);
        place
    }

    /// Writes `value` under `key`; answers what was there.
    pub fn put(&mut self, key: &StateKey, value: impl Into<Value>) -> Result<Option<Value>, StateError> {
        let value = value.into();
        if value.len() > MAX_VALUE_BYTES {
            return Err(StateError::ValueTooLong(value.len()));
        }
        self.write(key, Some(value))
    }

    /// Deletes what is under `key`; answers what was there.
    pub fn delete(&mut self, key: &StateKey) -> Result<Option<Value>, StateError> {
        self.write(key, None)
    }

    fn write(&mut self, key: &StateKey, value: Option<Value>) -> Result<Option<Value>, StateError> {
        if key.as_bytes().len() > MAX_KEY_BYTES {
            return Err(StateError::KeyTooLong(key.as_bytes().len()));
        }
        let place = self.slot(key)?;
        let slot = &mut self.slots[place];
        let previous = slot.value().cloned();
        let pending = slot.pending.replace(value);
        if pending.is_none() {
            self.written.insert(key.clone(), place);
        }
        if !self.checkpoints.is_empty() {
            self.undo.push(Undo { slot: place, pending });
        }
        Ok(previous)
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
        let from = self.written.range((start, Bound::Unbounded));
        let inside = from.take_while(|(key, _)| in_scan(key, prefix, None));
        inside.map(|(key, place)| (key.clone(), self.slots[*place].pending.clone().flatten()))
    }

    fn note_scan(&mut self, prefix: &StateKey, after: Option<&StateKey>, limit: usize, found: &[Found]) {
        let Some(reads) = &mut self.reads else { return };
        let is_full = found.len() >= limit.min(crate::limits::MAX_SCAN);
        let through = if is_full { found.last().map(|(key, _)| key).or(after).cloned() } else { None };
        reads.scans.push(ScanRange { prefix: prefix.clone(), after: after.cloned(), through });
        for (key, value) in found {
            let place = match self.places.get(key) {
                Some(place) => *place,
                None => self.add_slot(key, Some(value.clone())),
            };
            note_read(&mut self.slots[place], &mut self.reads);
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
        for Undo { slot, pending } in self.undo.drain(closed.unwrap_or(self.undo.len())..).rev() {
            let slot = &mut self.slots[slot];
            if pending.is_none() {
                self.written.remove(&slot.key);
            }
            slot.pending = pending;
        }
        self.forget_undo();
    }

    /// Checkpoints that are open.
    pub fn depth(&self) -> usize {
        self.checkpoints.len()
    }

    /// What can no longer be taken back needs no undo.
    fn forget_undo(&mut self) {
        if self.checkpoints.is_empty() {
            self.undo.clear();
        }
    }

    /// From here on reads are recorded.
    pub fn record_reads(&mut self) {
        self.reads = Some(ReadSet::default());
        self.slots.iter_mut().for_each(|slot| slot.recorded = false);
    }

    /// What was read since [`Self::record_reads`], and no more is recorded; nothing if it was not asked to.
    pub fn take_reads(&mut self) -> ReadSet {
        let mut reads = self.reads.take().unwrap_or_default();
        reads.keys.sort_unstable();
        reads
    }

    /// The changes of everything, open checkpoints included, without those that change nothing.
    pub fn finish(self) -> Result<Changes, StateError> {
        debug_assert!(self.checkpoints.is_empty(), "a checkpoint is still open");
        let Self { view, mut slots, written, .. } = self;
        let base = Base { height: view.height(), root: view.root() };
        let mut entries = Vec::with_capacity(written.len());
        for (key, place) in written {
            let slot = &mut slots[place];
            let (previous, new) = (slot.base.take(), slot.pending.take().flatten());
            if previous != new {
                entries.push(Change { key, previous, new });
            }
        }
        // What was written has left its slot empty.
        let hot = slots.into_iter().filter_map(|slot| Some((slot.key, slot.base?)));
        let hot = hot.filter(|(_, value)| value.len() <= MAX_HOT_VALUE).collect();
        Ok(Changes::new(base, entries, hot))
    }
}

/// Records a read of what lies beneath, once; a pending write hides it.
fn note_read(slot: &mut Slot, reads: &mut Option<ReadSet>) {
    if let Some(reads) = reads
        && slot.pending.is_none()
        && !std::mem::replace(&mut slot.recorded, true)
    {
        reads.keys.push(slot.key.clone());
    }
}
