//! The paged tree: one version, updated once a block by a single recursion over the sorted changes.
//!
//! [`Tree::update`] works out the pages after a block without touching the committed ones; [`TreeCore::apply`] moves them
//! in. Pages that are not written yet are held in memory. A page from the store is believed only if its hash is the one
//! that the page above it names. The hash rules are those of [`portolan_proof::tree`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portolan_primitives::hash::Hash;
use portolan_proof::{EMPTY, MultiProof, Step, bit, inner_hash, value_hash};

use crate::Value;
use crate::cache::Clock;
use crate::error::StateError;
use crate::page::{CHILDREN, Child, Children, LEVELS, Leaf, Page, PageId};
use crate::store::{Batch, Column, KeyValue};

/// Pages above this level never leave memory once they are in it: 4,369 of them at most.
const PINNED_LEVELS: u8 = 4;

/// One leaf's change; `None` takes the leaf away.
#[derive(Clone, Copy)]
pub(crate) struct LeafChange {
    pub(crate) path: Hash,
    pub(crate) leaf: Option<Leaf>,
}

/// The tree after some changes, not applied.
pub(crate) struct TreeUpdate {
    generation: u64,
    top: Child,
    /// Changed pages; `None` where a page is gone.
    pages: Vec<(PageId, Option<Page>)>,
}

impl TreeUpdate {
    pub(crate) fn root(&self) -> Hash {
        self.top.hash()
    }
}

/// A key of a proof: its path, and if it is present the salt and salted hash of its value.
pub(crate) struct Wanted {
    pub(crate) path: Hash,
    pub(crate) value: Option<(Hash, Value)>,
}

/// Paths are hashes already: their first bytes place them well.
#[derive(Default)]
pub(crate) struct PathHasher(u64);

impl Hasher for PathHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut first = [0; 8];
        for (to, from) in first.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.0 = (self.0 ^ u64::from_le_bytes(first)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

type PathMap = BuildHasherDefault<PathHasher>;

/// The committed tree.
pub(crate) struct TreeCore {
    /// Counts the commits since the start.
    generation: u64,
    top: Child,
    cache: Clock<PageId, Page, PathMap>,
    /// Pages to write or, if they are not in the cache, to delete; some more than once.
    dirty: Vec<PageId>,
    /// Bytes of those that are in memory only until they are written.
    dirty_bytes: usize,
    budget: usize,
}

impl TreeCore {
    pub(crate) fn new(top: Child, budget: usize) -> Self {
        Self { generation: 0, top, cache: Clock::new(), dirty: Vec::new(), dirty_bytes: 0, budget }
    }

    pub(crate) fn top(&self) -> &Child {
        &self.top
    }

    pub(crate) fn bytes(&self) -> usize {
        self.cache.bytes()
    }

    /// Whether the pages that are not written take more than half of the memory.
    pub(crate) fn is_crowded(&self) -> bool {
        self.dirty_bytes > self.budget / 2
    }

    /// Moves the pages of `update` in, to be written by the next [`Self::flush`].
    pub(crate) fn apply(&mut self, update: TreeUpdate) -> Result<(), StateError> {
        if update.generation != self.generation {
            return Err(StateError::Superseded);
        }
        for (id, page) in update.pages {
            let was_dirty = match page {
                Some(page) => {
                    let bytes = page.bytes();
                    let was_held = self.cache.insert(id, page, bytes, true);
                    let is_pinned = id.level() < PINNED_LEVELS;
                    self.dirty_bytes += if was_held || is_pinned { 0 } else { bytes };
                    was_held && !is_pinned
                }
                None => {
                    self.cache.remove(&id);
                    false
                }
            };
            if !was_dirty {
                self.dirty.push(id);
            }
        }
        self.top = update.top;
        self.generation += 1;
        self.cache.shrink(self.budget);
        Ok(())
    }

    /// Adds the writes of all changed pages to the batch.
    pub(crate) fn flush(&mut self, batch: &mut Batch) {
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for id in dirty {
            match self.cache.get(&id) {
                Some(page) => batch.put(Column::PAGES, id.stored(), page.encode()),
                None => batch.delete(Column::PAGES, id.stored()),
            }
            if id.level() >= PINNED_LEVELS {
                self.cache.release(&id);
            }
        }
        self.dirty_bytes = 0;
        self.cache.shrink(self.budget);
    }
}

/// The tree over its store.
pub(crate) struct Tree<S> {
    store: Arc<S>,
    core: Mutex<TreeCore>,
}

impl<S: KeyValue> Tree<S> {
    pub(crate) fn new(store: Arc<S>, top: Child, budget: usize) -> Self {
        Self { store, core: Mutex::new(TreeCore::new(top, budget)) }
    }

    /// The committed tree; whoever holds it keeps all others from reading pages.
    pub(crate) fn lock(&self) -> MutexGuard<'_, TreeCore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree after `changes`, ascending by path, each path once.
    pub(crate) fn update(&self, changes: &[LeafChange]) -> Result<TreeUpdate, StateError> {
        let TreeUpdate { generation, top, pages } = self.current();
        let mut updater = Updater { tree: self, generation, pages };
        // About as many pages as a key changes alone; growing a large list costs more.
        updater.pages.reserve(3 * changes.len());
        let top = updater.child(PageId::TOP, top, changes)?;
        Ok(TreeUpdate { generation, top, pages: updater.pages })
    }

    /// The committed tree as an update that changes nothing.
    pub(crate) fn current(&self) -> TreeUpdate {
        let core = self.lock();
        TreeUpdate { generation: core.generation, top: core.top, pages: Vec::new() }
    }

    /// The proof of the keys `wanted`, ascending by path, in the committed tree or, if given, after `update`.
    pub(crate) fn prove(&self, update: TreeUpdate, wanted: &[Wanted]) -> Result<MultiProof, StateError> {
        let changed: HashMap<PageId, Option<Page>, PathMap> = update.pages.into_iter().collect();
        let mut prover = Prover { tree: self, generation: update.generation, changed, steps: Vec::new() };
        prover.walk(&[update.top], PageId::TOP, 0, wanted)?;
        Ok(MultiProof::from_steps(prover.steps))
    }

    /// Whether `update` was made on the committed tree.
    pub(crate) fn is_current(&self, update: &TreeUpdate) -> bool {
        self.lock().generation == update.generation
    }

    /// The page at `id`, whose hash must be `expected`.
    fn fetch(&self, id: PageId, expected: &Hash, generation: u64) -> Result<Page, StateError> {
        {
            let mut core = self.lock();
            if core.generation != generation {
                return Err(StateError::Superseded);
            }
            if let Some(page) = core.cache.get(&id) {
                return Ok(page.clone());
            }
        }
        let read = self.store.get(Column::PAGES, &id.stored())?;
        let mut core = self.lock();
        // Only now: a page that was replaced meanwhile is not damaged.
        if core.generation != generation {
            return Err(StateError::Superseded);
        }
        let bytes = read.ok_or(StateError::Corrupt("a page of the tree is missing"))?;
        let children = Page::decode(&bytes).ok_or(StateError::Corrupt("a page of the tree is no page"))?;
        let (page, top) = Page::pack(&children, None, u16::MAX, id.level() < PINNED_LEVELS);
        if top != Child::Deep(*expected) {
            return Err(StateError::Corrupt("a page of the tree has another hash than the page above it says"));
        }
        core.cache.insert(id, page.clone(), page.bytes(), id.level() < PINNED_LEVELS);
        let budget = core.budget;
        core.cache.shrink(budget);
        Ok(page)
    }
}

struct Updater<'a, S> {
    tree: &'a Tree<S>,
    generation: u64,
    pages: Vec<(PageId, Option<Page>)>,
}

impl<S: KeyValue> Updater<'_, S> {
    /// The node at the place of `id` after `changes`, which all lead there.
    fn child(&mut self, id: PageId, before: Child, changes: &[LeafChange]) -> Result<Child, StateError> {
        if changes.is_empty() {
            return Ok(before);
        }
        match before {
            Child::Empty => self.grow(id, None, changes),
            Child::Leaf(leaf) => self.grow(id, Some(leaf), changes),
            Child::Deep(hash) => {
                let page = self.tree.fetch(id, &hash, self.generation)?;
                self.page(id, before, Some(&page), changes)
            }
        }
    }

    /// The node where at most one leaf was.
    fn grow(&mut self, id: PageId, lone: Option<Leaf>, changes: &[LeafChange]) -> Result<Child, StateError> {
        let place = |leaf: &Leaf| changes.partition_point(|change| change.path < leaf.path);
        let is_changed = |leaf: &Leaf| changes.get(place(leaf)).is_some_and(|change| change.path == leaf.path);
        let Some(lone) = lone.filter(|leaf| !is_changed(leaf)) else {
            return self.plant(id, changes);
        };
        if changes.iter().all(|change| change.leaf.is_none()) {
            return Ok(Child::Leaf(lone));
        }
        let mut all = changes.to_vec();
        all.insert(place(&lone), LeafChange { path: lone.path, leaf: Some(lone) });
        self.plant(id, &all)
    }

    /// The node of exactly the leaves in `changes`.
    fn plant(&mut self, id: PageId, changes: &[LeafChange]) -> Result<Child, StateError> {
        let mut leaves = changes.iter().filter_map(|change| change.leaf);
        match (leaves.next(), leaves.next()) {
            (None, _) => Ok(Child::Empty),
            (Some(leaf), None) => Ok(Child::Leaf(leaf)),
            _ => self.page(id, Child::Empty, None, changes),
        }
    }

    /// The node of the page at `id` after `changes`.
    fn page(
        &mut self,
        id: PageId,
        before: Child,
        old: Option<&Page>,
        changes: &[LeafChange],
    ) -> Result<Child, StateError> {
        if id.level() >= LEVELS {
            return Err(StateError::Corrupt("two keys have one path"));
        }
        let mut children = old.map_or([Child::Empty; CHILDREN], Page::children);
        let touched = self.children(id, &mut children, changes)?;
        if touched == 0 {
            return Ok(before);
        }
        if let Some(lone) = at_most_a_leaf(&children) {
            if old.is_some() {
                self.pages.push((id, None));
            }
            return Ok(lone);
        }
        let (page, top) = Page::pack(&children, old, touched, id.level() < PINNED_LEVELS);
        self.pages.push((id, Some(page)));
        Ok(top)
    }

    /// Updates the children; answers which have changed, as bits.
    fn children(&mut self, id: PageId, children: &mut Children, mut changes: &[LeafChange]) -> Result<u16, StateError> {
        let mut touched = 0;
        while let Some(first) = changes.first() {
            let slot = id.slot(&first.path);
            let (group, rest) = changes.split_at(changes.partition_point(|change| id.slot(&change.path) <= slot));
            let after = self.child(id.below(slot), children[slot], group)?;
            if after != children[slot] {
                children[slot] = after;
                touched |= 1 << slot;
            }
            changes = rest;
        }
        Ok(touched)
    }
}

/// The only child if it is a leaf, or nothing if there is none; `None` if a page is needed.
fn at_most_a_leaf(children: &Children) -> Option<Child> {
    let mut there = children.iter().filter(|child| **child != Child::Empty);
    match (there.next(), there.next()) {
        (None, _) => Some(Child::Empty),
        (Some(leaf @ Child::Leaf(_)), None) => Some(*leaf),
        _ => None,
    }
}

struct Prover<'a, S> {
    tree: &'a Tree<S>,
    generation: u64,
    changed: HashMap<PageId, Option<Page>, PathMap>,
    steps: Vec<Step>,
}

impl<S: KeyValue> Prover<'_, S> {
    /// Opens the node at `depth` over `children`, which are 1, 2, 4, 8 or 16 neighbours in one page; `below` is the address of
    /// the page below a single one.
    fn walk(&mut self, children: &[Child], page: PageId, depth: usize, wanted: &[Wanted]) -> Result<(), StateError> {
        let node = Child::fold(children);
        if wanted.is_empty() {
            self.steps.push(if node == Child::Empty { Step::Empty } else { Step::Pruned(node.hash()) });
            return Ok(());
        }
        match (node, children) {
            (Child::Empty, _) => self.empty(wanted),
            (Child::Leaf(leaf), _) => self.leaf(&leaf, wanted),
            (Child::Deep(hash), [_]) => self.below(page, &hash, depth, wanted),
            (Child::Deep(_), _) => {
                self.steps.push(Step::Inner);
                self.split(children, page, depth, wanted)
            }
        }
    }

    fn split(&mut self, children: &[Child], page: PageId, depth: usize, wanted: &[Wanted]) -> Result<(), StateError> {
        let (left, right) = children.split_at(children.len() / 2);
        let (to_left, to_right) = wanted.split_at(wanted.partition_point(|wanted| !bit(&wanted.path, depth)));
        self.walk(left, page, depth + 1, to_left)?;
        self.walk(right, page, depth + 1, to_right)
    }

    /// Goes on in the page below. `page` is the page that holds the node; the top node is held by none.
    fn below(&mut self, page: PageId, hash: &Hash, depth: usize, wanted: &[Wanted]) -> Result<(), StateError> {
        let Some(first) = wanted.first() else { return Ok(()) };
        let id = if depth == 0 { PageId::TOP } else { page.below(page.slot(&first.path)) };
        let found = match self.changed.get(&id) {
            Some(Some(page)) => page.clone(),
            Some(None) => return Err(StateError::Corrupt("a page of the tree is gone and still named")),
            None => self.tree.fetch(id, hash, self.generation)?,
        };
        self.steps.push(Step::Inner);
        debug_assert_eq!(id.depth(), depth);
        self.split(&found.children(), id, depth, wanted)
    }

    fn empty(&mut self, wanted: &[Wanted]) -> Result<(), StateError> {
        if wanted.iter().any(|wanted| wanted.value.is_some()) {
            return Err(StateError::Corrupt("a value is stored which the tree does not have"));
        }
        self.steps.push(Step::Empty);
        Ok(())
    }

    fn leaf(&mut self, leaf: &Leaf, wanted: &[Wanted]) -> Result<(), StateError> {
        let mut step = Step::Other { path: leaf.path, value_hash: leaf.value_hash };
        for wanted in wanted {
            match &wanted.value {
                Some((salt, value)) if wanted.path == leaf.path && value_hash(salt, value) == leaf.value_hash => {
                    step = Step::Present { salt: *salt };
                }
                None if wanted.path != leaf.path => {}
                _ => return Err(StateError::Corrupt("a stored value is not the one that the tree has")),
            }
        }
        self.steps.push(step);
        Ok(())
    }
}

/// The root of leaves that are ascending by path, by the rules alone, without pages.
pub(crate) fn plain_root(leaves: &[Leaf], depth: usize) -> Hash {
    match leaves {
        [] => EMPTY,
        [only] => Child::Leaf(*only).hash(),
        _ => {
            let (left, right) = leaves.split_at(leaves.partition_point(|leaf| !bit(&leaf.path, depth)));
            inner_hash(&plain_root(left, depth + 1), &plain_root(right, depth + 1))
        }
    }
}
