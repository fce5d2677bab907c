use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portolan_primitives::time::Height;
use portolan_proof::Entry;
use portolan_state::{
    Batch, ChangeSet, Column, KeyValue, MemoryStore, Options, State, StateError, StateKey, StateView, StoreError, View,
};

use crate::support::{Chain, Draw, Pairs, SECRET, Write, key, naive_root, numbered, options};

const KEYS: u64 = 60;

fn contents(view: &View<MemoryStore>, step: usize) -> Pairs {
    let mut pairs = Pairs::new();
    let mut after: Option<StateKey> = None;
    loop {
        let found = view.scan(&key(b""), after.as_ref(), step).unwrap();
        let is_last = found.len() < step;
        pairs.extend(found.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.to_vec())));
        match found.into_iter().last() {
            Some((key, _)) if !is_last => after = Some(key),
            _ => return pairs,
        }
    }
}

/// That a view reads, scans and proves what its height held.
fn check(chain: &Chain, view: &View<MemoryStore>) {
    let height = view.height();
    let expected = &chain.expected[height.0 as usize];
    assert_eq!(view.root(), naive_root(SECRET, expected));
    let keys: Vec<StateKey> = (0..KEYS + 10).map(numbered).collect();
    for (key, value) in keys.iter().zip(view.get_many(&keys).unwrap()) {
        assert_eq!(value.as_deref(), expected.get(key.as_bytes()).map(Vec::as_slice));
        assert_eq!(view.get(key).unwrap(), value);
    }
    for step in [1, 7, 1000] {
        assert_eq!(contents(view, step), *expected, "height {height}, {step} at once");
    }
}

fn check_proof(chain: &Chain, height: u64) {
    let expected = &chain.expected[height as usize];
    let keys: Vec<StateKey> = (0..KEYS + 10).map(numbered).collect();
    let (entries, proof) = chain.state.prove_with_values(Height(height), &keys).unwrap();
    let claim = |entry: &Entry| (entry.key.clone(), expected.get(&entry.key).cloned());
    let claims: Vec<_> = entries.iter().map(claim).collect();
    let claims: Vec<(&[u8], Option<&[u8]>)> = claims.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
    assert_eq!(proof.verify(&naive_root(SECRET, expected), &claims), Ok(()));
}

fn options_with(page_lag: u64, history: u64, record_cache_bytes: usize) -> Options {
    Options { page_lag, history, record_cache_bytes, ..options() }
}

#[test]
fn the_last_heights_read_and_prove_as_they_were() {
    // With all records in memory, and with none but the last.
    for record_cache_bytes in [1 << 20, 0] {
        let mut chain = Chain::new(options_with(2, 5, record_cache_bytes));
        let mut draw = Draw(7);
        for tip in 0..30u64 {
            chain.random_block(&mut draw, 25, KEYS);
            for height in tip.saturating_sub(5)..=tip {
                check(&chain, &chain.state.view_at(Height(height)).unwrap());
                check_proof(&chain, height);
            }
        }
    }
}

#[test]
fn older_heights_are_pruned_and_said_to_be() {
    let mut chain = Chain::new(options_with(0, 5, 1 << 20));
    let mut draw = Draw(8);
    (0..20).for_each(|_| chain.random_block(&mut draw, 10, KEYS));
    assert_eq!(chain.state.oldest_height(), Height(14));
    let pruned = StateError::HeightPruned { height: Height(13), oldest: Height(14) };
    assert_eq!(chain.state.view_at(Height(13)).err(), Some(pruned.clone()));
    assert_eq!(chain.state.prove(Height(13), &[numbered(1)]).err(), Some(pruned));
    let unknown = StateError::HeightUnknown { height: Height(20), tip: Height(19) };
    assert_eq!(chain.state.view_at(Height(20)).err(), Some(unknown));
    assert_eq!(chain.store().count(Column::RECORDS), 5);
    check(&chain, &chain.state.view_at(Height(14)).unwrap());
}

#[test]
fn a_pinned_view_stays_true_while_blocks_are_committed() {
    let mut chain = Chain::new(options_with(1, 6, 0));
    let mut draw = Draw(9);
    let mut views = Vec::new();
    for _ in 0..6 {
        chain.random_block(&mut draw, 25, KEYS);
        views.push(chain.state.view());
        views.iter().for_each(|view| check(&chain, view));
    }
}

#[test]
fn a_view_that_slept_too_long_says_so_and_never_lies() {
    let mut chain = Chain::new(options_with(0, 3, 0));
    let mut draw = Draw(10);
    chain.random_block(&mut draw, 25, KEYS);
    let view = chain.state.view();
    (0..8).for_each(|_| chain.random_block(&mut draw, 25, KEYS));
    let error = view.get(&numbered(1)).err();
    assert!(matches!(error, Some(StateError::HeightPruned { .. })), "{error:?}");
}

#[test]
fn a_restored_node_reads_the_last_heights_too() {
    let mut chain = Chain::new(options_with(2, 5, 1 << 20));
    let mut draw = Draw(11);
    (0..14).for_each(|_| chain.random_block(&mut draw, 25, KEYS));
    chain.reopen(options_with(2, 5, 1 << 20)).unwrap();
    for height in 8..14 {
        check(&chain, &chain.state.view_at(Height(height)).unwrap());
        check_proof(&chain, height);
    }
    chain.random_block(&mut draw, 25, KEYS);
    (9..15).for_each(|height| check_proof(&chain, height));
}

#[test]
fn a_view_of_the_fresh_state_stays_empty() {
    let mut chain = Chain::new(options());
    let view = chain.state.view();
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    assert_eq!(view.get(&key(b"k")).unwrap(), None);
    assert!(view.scan(&key(b""), None, 9).unwrap().is_empty());
}

#[test]
fn readers_beside_commits_see_one_height_each() {
    // Every block sets all keys to its height: a reader that sees two values has seen a mixture.
    let mut chain = Chain::new(options_with(3, 50, 0));
    let block = |height: u64| -> Vec<Write> {
        (0..40).map(|number| (numbered(number), Some(height.to_le_bytes().to_vec()))).collect()
    };
    chain.block(&block(0));
    let done = AtomicBool::new(false);
    let state: State<MemoryStore> = chain.state.clone();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut checked = 0;
            while !done.load(Ordering::SeqCst) || checked == 0 {
                let view = state.view();
                let height = view.height().0.to_le_bytes();
                for number in 0..40 {
                    assert_eq!(view.get(&numbered(number)).unwrap().as_deref(), Some(&height[..]));
                }
                assert!(view.scan(&key(b""), None, 99).unwrap().iter().all(|(_, value)| **value == height));
                let (entries, proof) = state.prove_with_values(view.height(), &[numbered(3), numbered(99)]).unwrap();
                let claims = [(&*entries[0].key, Some(&height[..])), (&*entries[1].key, None)];
                assert_eq!(proof.verify(&view.root(), &claims), Ok(()));
                checked += 1;
            }
            checked
        });
        (1..40).for_each(|height| chain.block(&block(height)));
        done.store(true, Ordering::SeqCst);
        assert!(reader.join().unwrap() > 0);
    });
}

/// A store that looks at something the moment a batch is written, before its writer goes on.
#[derive(Default)]
struct Watched {
    inner: MemoryStore,
    look: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl KeyValue for Watched {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(column, key)
    }

    fn scan(
        &self,
        column: Column,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.inner.scan(column, prefix, after, limit)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.inner.write(batch)?;
        let look = self.look.lock().unwrap().take();
        look.into_iter().for_each(|look| look());
        Ok(())
    }
}

#[test]
fn a_view_reads_its_own_height_even_at_the_moment_of_the_next_ones_write() {
    let state = State::open(Arc::new(Watched::default()), options(), None).unwrap();
    let commit = |height: u64, value: u8| {
        let mut set = ChangeSet::new(state.view());
        set.put(&key(b"k"), [value]).unwrap();
        let update = state.update(set.finish().unwrap()).unwrap();
        state.commit(Height(height), update, Batch::new()).unwrap();
    };
    commit(0, 1);
    let (view, seen) = (state.view(), Arc::new(Mutex::new(None)));
    let note = Arc::clone(&seen);
    *state.store().look.lock().unwrap() = Some(Box::new(move || {
        let scanned = view.scan(&key(b""), None, 9).unwrap();
        let scanned: Vec<Vec<u8>> = scanned.into_iter().map(|(_, value)| value.to_vec()).collect();
        *note.lock().unwrap() = Some((view.get(&key(b"k")).unwrap().map(|value| value.to_vec()), scanned));
    }));
    commit(1, 2);
    assert_eq!(seen.lock().unwrap().take(), Some((Some(vec![1]), vec![vec![1]])));
    assert_eq!(state.view().get(&key(b"k")).unwrap().as_deref(), Some(&[2][..]));
}

#[test]
fn the_first_block_of_a_restored_state_may_have_any_height() {
    let state = State::open(Arc::new(MemoryStore::new()), options(), None).unwrap();
    let mut set = ChangeSet::new(state.view());
    set.put(&key(b"k"), *b"1").unwrap();
    let update = state.update(set.finish().unwrap()).unwrap();
    let root = update.root();
    state.commit(Height(500), update, Batch::new()).unwrap();
    assert_eq!(state.oldest_height(), Height(500));
    let expected = StateError::HeightPruned { height: Height(499), oldest: Height(500) };
    assert_eq!(state.view_at(Height(499)).err(), Some(expected));
    let state = State::open(state.store().clone(), options(), Some((Height(500), root))).unwrap();
    assert_eq!((state.height(), state.root()), (Height(500), root));
}

#[test]
fn a_history_that_was_made_shorter_goes_in_bounded_steps_and_is_closed_at_once() {
    let mut chain = Chain::new(options_with(0, 300, 1 << 20));
    let mut draw = Draw(90);
    (0..300).for_each(|_| chain.random_block(&mut draw, 2, KEYS));
    let records = |chain: &Chain| chain.store().count(Column::RECORDS);
    assert_eq!(records(&chain), 300);
    chain.reopen(options_with(0, 4, 1 << 20)).unwrap();
    let mut counts = vec![];
    for _ in 0..6 {
        chain.random_block(&mut draw, 2, KEYS);
        counts.push(records(&chain));
        let (height, oldest) = (chain.state.height(), chain.state.oldest_height());
        assert_eq!(oldest.0, height.0 - 4);
        let refused = chain.state.view_at(Height(oldest.0 - 1)).err();
        assert_eq!(refused, Some(StateError::HeightPruned { height: Height(oldest.0 - 1), oldest }));
        (oldest.0..=height.0).for_each(|height| check_proof(&chain, height));
        chain.reopen(options_with(0, 4, 1 << 20)).unwrap();
    }
    assert_eq!(counts, [237, 174, 111, 48, 4, 4]);
}
