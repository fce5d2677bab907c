//! The committed state: opening it, reading it at the last heights, the root after a block, and the one synced write.
//!
//! Who may do what at once: any thread reads and proves; any number of candidate blocks are executed and given a root with
//! [`State::update`]; one block after the other is committed. A [`View`] stays true while later blocks commit: it reads
//! what is stored and then takes back what later change records changed, and a record is known before it is stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use codec::{Decode, Encode};
use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_proof::limits::MAX_PROOF_KEYS;
use portolan_proof::{EMPTY, Entry, MultiProof, key_path, value_hash};

use crate::Value;
use crate::cache::{Clock, Seeded};
use crate::changes::Changes;
use crate::error::StateError;
use crate::front::Front;
use crate::keys::{self, StateKey};
use crate::limits::{MAX_RECORDS_DELETED, MIN_PAGE_CACHE_BYTES};
use crate::page::{Child, Leaf};
use crate::record::{ChangeRecord, seal, unseal};
use crate::salt::SaltKey;
use crate::store::{Batch, Column, KeyValue};
use crate::tree::{LeafChange, Tree, TreeUpdate, Wanted};
use crate::view::{Base, Found, StateView, merged_scan};

/// Where the state's own bookkeeping lies in [`Column::META`].
const META_KEY: &[u8] = b"state";
const META_VERSION: u8 = 1;
/// Pairs read at once where everything is read.
const SWEEP: usize = 1024;
/// How often a proof begins again because a block was committed meanwhile.
const PROOF_ATTEMPTS: usize = 16;

/// How a node keeps its state.
#[derive(Clone, Debug)]
pub struct Options {
    /// Salts the leaves.
    pub salt_key: SaltKey,
    /// Memory for pages of the tree, bytes; at least [`MIN_PAGE_CACHE_BYTES`] is used. Default 128 MiB.
    pub page_cache_bytes: usize,
    /// Memory for values, bytes. Default 32 MiB.
    pub value_cache_bytes: usize,
    /// Memory for change records, bytes. Default 32 MiB.
    pub record_cache_bytes: usize,
    /// Blocks by which the stored pages may lag behind; 0 writes them with each block. Default 32: a page that changes in many
    /// of them is written once.
    pub page_lag: u64,
    /// Heights before the last one that can be read and proved. Default 64.
    pub history: u64,
}

impl Options {
    /// The defaults.
    pub fn new(salt_key: SaltKey) -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            salt_key,
            page_cache_bytes: 128 * MIB,
            value_cache_bytes: 32 * MIB,
            record_cache_bytes: 32 * MIB,
            page_lag: 32,
            history: 64,
        }
    }
}

/// Memory in use, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Pages of the tree.
    pub pages: usize,
    /// Values.
    pub values: usize,
    /// Change records.
    pub records: usize,
}

/// The last committed block. A fresh state has the sequence 0, and the one after the block of height H the sequence H + 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tip {
    sequence: u64,
    root: Hash,
}

impl Tip {
    const FRESH: Tip = Tip { sequence: 0, root: EMPTY };

    fn height(&self) -> Height {
        Height(self.sequence.saturating_sub(1))
    }

    fn base(&self) -> Base {
        Base { height: self.height(), root: self.root }
    }
}

/// The node at the top, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
enum StoredTop {
    #[codec(index = 0)]
    Empty,
    #[codec(index = 1)]
    Leaf { path: Hash, value_hash: Hash },
    #[codec(index = 2)]
    Deep(Hash),
}

impl From<&Child> for StoredTop {
    fn from(child: &Child) -> Self {
        match child {
            Child::Empty => Self::Empty,
            Child::Leaf(leaf) => Self::Leaf { path: leaf.path, value_hash: leaf.value_hash },
            Child::Deep(hash) => Self::Deep(*hash),
        }
    }
}

impl StoredTop {
    fn child(self) -> Child {
        match self {
            Self::Empty => Child::Empty,
            Self::Leaf { path, value_hash } => Child::Leaf(Leaf::new(path, value_hash)),
            Self::Deep(hash) => Child::Deep(hash),
        }
    }
}

/// The state's own bookkeeping, written with every block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
struct Meta {
    version: u8,
    sequence: u64,
    root: Hash,
    /// The block up to which the stored pages go.
    pages_sequence: u64,
    /// The top of the stored pages.
    pages_top: StoredTop,
    /// The oldest height whose record is stored.
    oldest_record: u64,
    /// The oldest height that can be read back.
    oldest_height: u64,
    /// Fingerprint of the salt key.
    salt_key: Hash,
}

impl Meta {
    fn fresh(salt_key: &SaltKey) -> Self {
        Self {
            version: META_VERSION,
            sequence: 0,
            root: EMPTY,
            pages_sequence: 0,
            pages_top: StoredTop::Empty,
            oldest_record: 0,
            oldest_height: 0,
            salt_key: salt_key.fingerprint(),
        }
    }

    fn read<S: KeyValue>(store: &S, salt_key: &SaltKey) -> Result<Self, StateError> {
        let Some(bytes) = store.get(Column::META, META_KEY)? else { return Ok(Self::fresh(salt_key)) };
        let body = unseal(&bytes).and_then(|mut body| Self::decode(&mut body).ok());
        let meta = body.ok_or(StateError::Corrupt("the state's own bookkeeping is cut short or altered"))?;
        if meta.version != META_VERSION {
            return Err(StateError::Corrupt("the state was written by another version of this program"));
        }
        if meta.salt_key != salt_key.fingerprint() {
            return Err(StateError::OtherSecret);
        }
        Ok(meta)
    }
}

/// The records of the last blocks that are kept in memory, ascending without gaps.
#[derive(Default)]
struct Recent {
    records: VecDeque<Arc<ChangeRecord>>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, record: Arc<ChangeRecord>, budget: usize) {
        self.bytes += record.bytes();
        self.records.push_back(record);
        // The last one stays whatever its size: views of the block before it need it before it is stored.
        while self.bytes > budget && self.records.len() > 1 {
            self.bytes -= self.records.pop_front().map_or(0, |record| record.bytes());
        }
    }
}

struct Inner<S> {
    store: Arc<S>,
    options: Options,
    tree: Tree<S>,
    tip: RwLock<Tip>,
    /// Sequence of the newest record that readers may have to take back.
    staged: AtomicU64,
    recent: RwLock<Recent>,
    values: Mutex<Clock<StateKey, Value, Seeded>>,
    /// Where the agenda's queue begins.
    agenda: Front,
    meta: Mutex<Meta>,
    /// The oldest height that can be read back.
    oldest: AtomicU64,
    halted: AtomicBool,
}

/// The committed state; a clone is a handle to the same.
pub struct State<S>(Arc<Inner<S>>);

impl<S> Clone for State<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The state after a block, not applied. Made by [`State::update`], consumed by [`State::commit`], or dropped.
pub struct StateUpdate {
    tree: TreeUpdate,
    changes: Arc<Changes>,
}

impl StateUpdate {
    /// The header's `state_root`.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// What changes.
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }
}

impl<S: KeyValue> State<S> {
    /// Opens what is stored, brings pages that lag behind forward, and checks that the root is the one which the last stored
    /// block names. `last` is that block's height and `state_root`; `None` if no block (not even genesis) is stored.
    pub fn open(store: Arc<S>, options: Options, last: Option<(Height, Hash)>) -> Result<Self, StateError> {
        let meta = Meta::read(&*store, &options.salt_key)?;
        let tip = Tip { sequence: meta.sequence, root: meta.root };
        let of_state = (tip != Tip::FRESH).then(|| tip.height());
        let of_block = last.map(|(height, _)| height);
        if of_state != of_block {
            return Err(StateError::OtherHeight { state: of_state, block: of_block });
        }
        let budget = options.page_cache_bytes.max(MIN_PAGE_CACHE_BYTES);
        let inner = Inner {
            tree: Tree::new(store.clone(), meta.pages_top.child(), budget),
            store,
            options,
            tip: RwLock::new(tip),
            staged: AtomicU64::new(tip.sequence),
            oldest: AtomicU64::new(meta.oldest_height),
            recent: RwLock::default(),
            values: Mutex::new(Clock::new()),
            agenda: Front::new(keys::agenda_due_area()),
            meta: Mutex::new(meta),
            halted: AtomicBool::new(false),
        };
        inner.bring_pages_forward()?;
        inner.check_root(last.map_or(EMPTY, |(_, root)| root))?;
        Ok(Self(Arc::new(inner)))
    }

    /// The last committed height; 0 also for a fresh state.
    pub fn height(&self) -> Height {
        self.0.tip().height()
    }

    /// The root after the last committed block.
    pub fn root(&self) -> Hash {
        self.0.tip().root
    }

    /// Whether nothing was committed yet, not even genesis.
    pub fn is_fresh(&self) -> bool {
        self.0.tip() == Tip::FRESH
    }

    /// The oldest height that [`Self::view_at`] answers.
    pub fn oldest_height(&self) -> Height {
        self.0.oldest_height()
    }

    /// The store.
    pub fn store(&self) -> &Arc<S> {
        &self.0.store
    }

    /// The state after the last committed block.
    pub fn view(&self) -> View<S> {
        View { state: self.0.clone(), tip: self.0.tip(), later: Arc::default() }
    }

    /// The state after the block of `height`, within [`Options::history`] of the last one.
    pub fn view_at(&self, height: Height) -> Result<View<S>, StateError> {
        let tip = self.0.tip();
        if tip == Tip::FRESH || height > tip.height() {
            return Err(StateError::HeightUnknown { height, tip: tip.height() });
        }
        if height == tip.height() {
            return Ok(View { state: self.0.clone(), tip, later: Arc::default() });
        }
        let oldest = self.0.oldest_height();
        if height < oldest {
            return Err(StateError::HeightPruned { height, oldest });
        }
        let later = self.0.records_since(height.0 + 2)?;
        let root = later.first().map_or(tip.root, |record| record.before);
        let tip = Tip { sequence: height.0 + 1, root };
        Ok(View { state: self.0.clone(), tip, later: Arc::new(Mutex::new(later)) })
    }

    /// The root after `changes`, which were made on the committed state. Nothing is applied.
    pub fn update(&self, changes: Changes) -> Result<StateUpdate, StateError> {
        self.0.check_running()?;
        let changes = Arc::new(changes);
        let new = changes.entries().iter().map(|change| (&change.key, change.new.as_ref()));
        let leaves = self.0.leaf_changes(new);
        let tree = self.0.tree.update(&leaves)?;
        // After the tree was read: if no block came between, both are of the same state.
        if self.0.tip().base() != changes.base() || !self.0.tree.is_current(&tree) {
            return Err(StateError::Superseded);
        }
        Ok(StateUpdate { tree, changes })
    }

    /// Commits the decided block of `height`: adds the state's own writes to the node's `batch` (block, certificate and what
    /// else must come and go with it), writes the batch synced, and moves the tip. On a fresh state any height may be first.
    ///
    /// After [`StateError::Store`] nothing more can be committed: the node halts, and comes back to the last whole block.
    pub fn commit(&self, height: Height, update: StateUpdate, mut batch: Batch) -> Result<(), StateError> {
        let inner = &*self.0;
        let mut meta = lock(&inner.meta);
        inner.check_commit(height, &update, &batch)?;
        let record = inner.record(height, &update);
        inner.stage(&record);
        let changes = update.changes.clone();
        inner.agenda.before(&changes);
        let result = inner.write(&mut meta, &record, update, &mut batch).and_then(|()| inner.pass_deleted(&changes));
        if result.is_err() {
            inner.halted.store(true, Ordering::SeqCst);
            return result;
        }
        inner.publish(&meta, &changes);
        Ok(())
    }

    /// Which of `keys` are present after the block of `height`, and with which values; at most [`MAX_PROOF_KEYS`].
    pub fn prove(&self, height: Height, keys: &[StateKey]) -> Result<MultiProof, StateError> {
        self.prove_with_values(height, keys).map(|(_, proof)| proof)
    }

    /// [`Self::prove`] with the keys, each once and ascending, and their values, as a bundle holds them.
    pub fn prove_with_values(&self, height: Height, keys: &[StateKey]) -> Result<(Vec<Entry>, MultiProof), StateError> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() > MAX_PROOF_KEYS {
            return Err(StateError::TooManyKeys(keys.len()));
        }
        self.0.check_running()?;
        let view = self.view_at(height)?;
        let values = view.get_many(&keys)?;
        let wanted = self.0.wanted(&keys, &values);
        let proof = self.prove_wanted(&view, &wanted)?;
        let entry = |(key, value): (StateKey, Option<Value>)| Entry {
            key: key.into_bytes(),
            value: value.map(|value| value.to_vec()),
        };
        Ok((keys.into_iter().zip(values).map(entry).collect(), proof))
    }

    fn prove_wanted(&self, view: &View<S>, wanted: &[Wanted]) -> Result<MultiProof, StateError> {
        for _ in 0..PROOF_ATTEMPTS {
            let proved = view.tree().and_then(|tree| self.0.tree.prove(tree, wanted));
            // A block was committed meanwhile: the view now has one more record to take back.
            if proved != Err(StateError::Superseded) {
                return proved;
            }
        }
        Err(StateError::Superseded)
    }

    /// Reads every stored value and works the root out anew, without the pages. Slow; for the doctor and for tests.
    pub fn audit(&self) -> Result<Hash, StateError> {
        let view = self.view();
        let everything = StateKey::from_bytes([]);
        let mut leaves = Vec::new();
        let mut after = None;
        loop {
            let found = view.scan(&everything, after.as_ref(), SWEEP)?;
            leaves.extend(found.iter().map(|(key, value)| self.0.leaf(key, value)));
            match found.into_iter().last() {
                Some((key, _)) => after = Some(key),
                None => break,
            }
        }
        leaves.sort_unstable_by_key(|leaf| leaf.path);
        Ok(crate::tree::plain_root(&leaves, 0))
    }

    /// Memory in use.
    pub fn memory(&self) -> Memory {
        Memory {
            pages: self.0.tree.lock().bytes(),
            values: lock(&self.0.values).bytes(),
            records: read(&self.0.recent).bytes,
        }
    }
}

impl<S: KeyValue> Inner<S> {
    fn tip(&self) -> Tip {
        *read(&self.tip)
    }

    fn check_running(&self) -> Result<(), StateError> {
        if self.halted.load(Ordering::SeqCst) { Err(StateError::Halted) } else { Ok(()) }
    }

    fn oldest_height(&self) -> Height {
        Height(self.oldest.load(Ordering::SeqCst))
    }

    // ---- reading ----

    /// The stored value, which is the one after the last committed block or the one being committed.
    fn stored(&self, key: &StateKey) -> Result<Option<Value>, StateError> {
        if let Some(value) = lock(&self.values).get(key) {
            return Ok(Some(value.clone()));
        }
        Ok(self.store.get(Column::FLAT, key.as_bytes())?.map(Value::from))
    }

    fn stored_many(&self, keys: &[StateKey]) -> Result<Vec<Option<Value>>, StateError> {
        let mut values: Vec<Option<Value>> = {
            let mut cache = lock(&self.values);
            keys.iter().map(|key| cache.get(key).cloned()).collect()
        };
        let missing: Vec<usize> = (0..keys.len()).filter(|place| values[*place].is_none()).collect();
        let wanted: Vec<&[u8]> = missing.iter().map(|place| keys[*place].as_bytes()).collect();
        for (place, value) in missing.into_iter().zip(self.store.multi_get(Column::FLAT, &wanted)?) {
            values[place] = value.map(Value::from);
        }
        Ok(values)
    }

    /// The records from the sequence `from` on, ascending without gaps.
    fn records_since(&self, from: u64) -> Result<Vec<Arc<ChangeRecord>>, StateError> {
        let (recent, end) = {
            let recent = read(&self.recent);
            let kept: Vec<_> = recent.records.iter().filter(|record| record.height.0 + 1 >= from).cloned().collect();
            let end = recent.records.front().map_or(self.staged.load(Ordering::SeqCst), |record| record.height.0);
            (kept, end)
        };
        // What memory does not hold is stored: sequences `from` to `end`, heights one less.
        let older = (from.saturating_sub(1)..end).map(|height| self.stored_record(Height(height)));
        let mut records = older.collect::<Result<Vec<_>, _>>()?;
        records.extend(recent);
        Ok(records)
    }

    fn stored_record(&self, height: Height) -> Result<Arc<ChangeRecord>, StateError> {
        let bytes = self.store.get(Column::RECORDS, &ChangeRecord::stored_key(height))?;
        let bytes = bytes.ok_or_else(|| {
            let before = Height(height.0.saturating_sub(1));
            StateError::HeightPruned { height: before, oldest: self.oldest_height() }
        })?;
        let record = ChangeRecord::decode(&bytes)?;
        if record.height != height {
            return Err(StateError::Corrupt("a change record is stored under another height"));
        }
        Ok(Arc::new(record))
    }

    // ---- the tree ----

    fn leaf(&self, key: &StateKey, value: &Value) -> Leaf {
        let key = key.as_bytes();
        Leaf::new(key_path(key), value_hash(&self.options.salt_key.salt(key, value), value))
    }

    /// The changes of leaves, ascending by path, for keys that are each given once.
    fn leaf_changes<'a>(&self, new: impl Iterator<Item = (&'a StateKey, Option<&'a Value>)>) -> Vec<LeafChange> {
        let change = |(key, value): (&StateKey, Option<&Value>)| match value {
            Some(value) => {
                let leaf = self.leaf(key, value);
                LeafChange { path: leaf.path, leaf: Some(leaf) }
            }
            None => LeafChange { path: key_path(key.as_bytes()), leaf: None },
        };
        let changes: Vec<LeafChange> = new.map(change).collect();
        // A change is large: its number is moved instead.
        let mut order: Vec<usize> = (0..changes.len()).collect();
        order.sort_unstable_by_key(|place| changes[*place].path);
        order.into_iter().map(|place| changes[place]).collect()
    }

    fn wanted(&self, keys: &[StateKey], values: &[Option<Value>]) -> Vec<Wanted> {
        let one = |(key, value): (&StateKey, &Option<Value>)| {
            let salted = |value: &Value| (self.options.salt_key.salt(key.as_bytes(), value), value.clone());
            Wanted { path: key_path(key.as_bytes()), value: value.as_ref().map(salted) }
        };
        let mut wanted: Vec<Wanted> = keys.iter().zip(values).map(one).collect();
        wanted.sort_unstable_by_key(|wanted| wanted.path);
        wanted
    }

    // ---- opening ----

    /// Applies the records after the stored pages, in one go.
    fn bring_pages_forward(&self) -> Result<(), StateError> {
        let (from, to) = {
            let meta = lock(&self.meta);
            (meta.pages_sequence.max(meta.oldest_record), meta.sequence)
        };
        let mut changed: BTreeSet<StateKey> = BTreeSet::new();
        for height in from..to {
            let record = self.stored_record(Height(height)).map_err(|error| match error {
                StateError::HeightPruned { .. } => StateError::Corrupt("a change record is missing"),
                other => other,
            })?;
            changed.extend(record.keys().cloned());
        }
        // What is stored is of the last block, to which the pages are brought.
        let changed: Vec<StateKey> = changed.into_iter().collect();
        let values = self.stored_many(&changed)?;
        let changes = self.leaf_changes(changed.iter().zip(values.iter().map(Option::as_ref)));
        let update = self.tree.update(&changes)?;
        self.tree.lock().apply(update)
    }

    fn check_root(&self, expected: Hash) -> Result<(), StateError> {
        let tip = self.tip();
        let found = self.tree.lock().top().hash();
        if found != expected {
            return Err(StateError::RootMismatch { height: tip.height(), expected, found });
        }
        if found != tip.root {
            return Err(StateError::Corrupt("the tree has another root than the state's bookkeeping says"));
        }
        Ok(())
    }

    // ---- committing ----

    fn check_commit(&self, height: Height, update: &StateUpdate, batch: &Batch) -> Result<(), StateError> {
        self.check_running()?;
        let tip = self.tip();
        let expected = tip.height().next();
        if tip != Tip::FRESH && height != expected {
            return Err(StateError::NotNext { expected, found: height });
        }
        if update.changes.base() != tip.base() || !self.tree.is_current(&update.tree) {
            return Err(StateError::Superseded);
        }
        let foreign = |column: Column| column.0 < Column::FIRST_OF_NODE;
        match batch.operations().find(|operation| foreign(operation.column)) {
            Some(operation) => Err(StateError::ReservedColumn(operation.column.0)),
            None => Ok(()),
        }
    }

    fn record(&self, height: Height, update: &StateUpdate) -> Arc<ChangeRecord> {
        let before = self.tip().root;
        Arc::new(ChangeRecord::new(height, before, update.root(), update.changes.clone()))
    }

    /// Makes the record known before anything of it is stored, so that views of the block before stay true.
    fn stage(&self, record: &Arc<ChangeRecord>) {
        write(&self.recent).push(record.clone(), self.options.record_cache_bytes);
        self.staged.store(record.height.0 + 1, Ordering::SeqCst);
    }

    /// Writes the block. The tree stays locked until it is on the disk, so that nobody reads a page of two blocks.
    fn write(
        &self,
        meta: &mut Meta,
        record: &ChangeRecord,
        update: StateUpdate,
        batch: &mut Batch,
    ) -> Result<(), StateError> {
        let mut core = self.tree.lock();
        core.apply(update.tree)?;
        for change in update.changes.entries() {
            match &change.new {
                Some(value) => batch.put(Column::FLAT, &change.key, value),
                None => batch.delete(Column::FLAT, &change.key),
            }
        }
        batch.put(Column::RECORDS, ChangeRecord::stored_key(record.height), record.encode());
        if meta.sequence == 0 {
            (meta.oldest_record, meta.oldest_height) = (record.height.0, record.height.0);
        }
        (meta.sequence, meta.root) = (record.height.0 + 1, record.after);
        if meta.sequence - meta.pages_sequence > self.options.page_lag || core.is_crowded() {
            core.flush(batch);
            (meta.pages_sequence, meta.pages_top) = (meta.sequence, core.top().into());
        }
        self.prune(meta, batch);
        batch.put(Column::META, META_KEY, seal(meta.encode()));
        Ok(self.store.write(std::mem::take(batch))?)
    }

    /// Deletes the records that neither lagging pages nor the last heights need.
    fn prune(&self, meta: &mut Meta, batch: &mut Batch) {
        let height = meta.sequence.saturating_sub(1);
        let (Some(pages), Some(history)) =
            (meta.pages_sequence.checked_sub(1), height.checked_sub(self.options.history))
        else {
            return;
        };
        let last = pages.min(history);
        // A history that was made shorter goes over some blocks.
        let through = last.min(meta.oldest_record.saturating_add(MAX_RECORDS_DELETED - 1));
        for height in meta.oldest_record..=through {
            batch.delete(Column::RECORDS, ChangeRecord::stored_key(Height(height)));
        }
        meta.oldest_record = meta.oldest_record.max(through + 1);
        meta.oldest_height = meta.oldest_height.max(last);
    }

    /// Moves the agenda's front over what the block ran.
    fn pass_deleted(&self, changes: &Changes) -> Result<(), StateError> {
        let area = keys::agenda_due_area();
        self.agenda.after(changes, |after| {
            let found = self.store.scan(Column::FLAT, area.as_bytes(), Some(after.as_bytes()), 1)?;
            Ok(found.into_iter().next().map(|(key, _)| StateKey::from_bytes(key)))
        })
    }

    /// Shows the written block to readers.
    fn publish(&self, meta: &Meta, changes: &Changes) {
        self.keep_values(changes);
        self.oldest.store(meta.oldest_height, Ordering::SeqCst);
        *write(&self.tip) = Tip { sequence: meta.sequence, root: meta.root };
    }

    /// Only here do values enter the cache: they are those of the new tip, and no reader can bring in an older one.
    fn keep_values(&self, changes: &Changes) {
        let mut cache = lock(&self.values);
        for change in changes.entries() {
            match &change.new {
                Some(value) => {
                    cache.insert(change.key.clone(), value.clone(), value_bytes(&change.key, value), false);
                }
                None => cache.remove(&change.key),
            }
        }
        for (key, value) in changes.hot() {
            if cache.get(key).is_none() {
                cache.insert(key.clone(), value.clone(), value_bytes(key, value), false);
            }
        }
        cache.shrink(self.options.value_cache_bytes);
    }
}

/// Memory of a cached value beyond its entry: both copies of a long key, the value, and what the allocator adds.
fn value_bytes(key: &StateKey, value: &Value) -> usize {
    2 * key.heap_bytes() + value.len() + 64
}

/// The state after one block, pinned: it stays the same while later blocks commit. A clone is cheap.
pub struct View<S> {
    state: Arc<Inner<S>>,
    tip: Tip,
    /// Records after the view's block, as far as this view has met them.
    later: Arc<Mutex<Vec<Arc<ChangeRecord>>>>,
}

impl<S> Clone for View<S> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), tip: self.tip, later: self.later.clone() }
    }
}

impl<S: KeyValue> View<S> {
    /// All records after the view's block. To be asked for *after* reading what is stored.
    fn later(&self) -> Result<MutexGuard<'_, Vec<Arc<ChangeRecord>>>, StateError> {
        let mut later = lock(&self.later);
        let known = later.last().map_or(self.tip.sequence, |record| record.height.0 + 1);
        if self.state.staged.load(Ordering::SeqCst) > known {
            later.extend(self.state.records_since(known + 1)?);
        }
        Ok(later)
    }

    /// What later blocks changed in a range, with the values that the view has.
    fn taken_back(
        &self,
        prefix: &StateKey,
        after: Option<&StateKey>,
    ) -> Result<BTreeMap<StateKey, Option<Value>>, StateError> {
        let later = self.later()?;
        let mut values = BTreeMap::new();
        for record in later.iter() {
            for (key, previous) in record.range(prefix, after) {
                // The first record that has the key holds the value before it.
                values.entry(key.clone()).or_insert_with(|| previous.cloned());
            }
        }
        Ok(values)
    }

    /// The tree as the view sees it.
    fn tree(&self) -> Result<TreeUpdate, StateError> {
        let everything = StateKey::from_bytes([]);
        let values = self.taken_back(&everything, None)?;
        let changes = self.state.leaf_changes(values.iter().map(|(key, value)| (key, value.as_ref())));
        let tree = self.state.tree.update(&changes)?;
        if tree.root() == self.tip.root {
            return Ok(tree);
        }
        let known = lock(&self.later).last().map_or(self.tip.sequence, |record| record.height.0 + 1);
        if self.state.staged.load(Ordering::SeqCst) > known {
            return Err(StateError::Superseded);
        }
        Err(StateError::Corrupt("the tree of an earlier height has another root than its block says"))
    }
}

impl<S: KeyValue> StateView for View<S> {
    fn get(&self, key: &StateKey) -> Result<Option<Value>, StateError> {
        let stored = self.state.stored(key)?;
        for record in self.later()?.iter() {
            if let Some(previous) = record.previous(key) {
                return Ok(previous.cloned());
            }
        }
        Ok(stored)
    }

    fn get_many(&self, keys: &[StateKey]) -> Result<Vec<Option<Value>>, StateError> {
        let mut values = self.state.stored_many(keys)?;
        let later = self.later()?;
        if later.is_empty() {
            return Ok(values);
        }
        for (key, value) in keys.iter().zip(&mut values) {
            if let Some(previous) = later.iter().find_map(|record| record.previous(key)) {
                *value = previous.cloned();
            }
        }
        Ok(values)
    }

    fn scan(&self, prefix: &StateKey, after: Option<&StateKey>, limit: usize) -> Result<Vec<Found>, StateError> {
        let below = |after: Option<&StateKey>, count| {
            let after = self.state.agenda.skip(prefix, after);
            let after = after.as_ref().map(StateKey::as_bytes);
            let found = self.state.store.scan(Column::FLAT, prefix.as_bytes(), after, count)?;
            Ok(found.into_iter().map(|(key, value)| (StateKey::from_bytes(key), Value::from(value))).collect())
        };
        merged_scan(after, limit, below, |after| Ok(self.taken_back(prefix, after)?.into_iter()))
    }

    fn height(&self) -> Height {
        self.tip.height()
    }

    fn root(&self) -> Hash {
        self.tip.root
    }
}

// A thread that panicked under one of these locks has left whole values behind: each is set in one step, and what a failed
// commit leaves is fenced by `halted`.

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
