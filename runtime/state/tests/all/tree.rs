use std::sync::Arc;

use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_state::limits::MIN_PAGE_CACHE_BYTES;
use portolan_state::{Batch, ChangeSet, Column, MemoryStore, Options, State, StateError};
use proptest::prelude::*;

use crate::support::{Chain, Draw, Pairs, SECRET, Write, key, naive_root, numbered, options};

#[test]
fn random_blocks_have_the_root_of_the_naive_tree() {
    for (seed, keys) in [(1, 8), (2, 40), (3, 3000)] {
        let mut chain = Chain::new(options());
        let mut draw = Draw(seed);
        for _ in 0..40 {
            let count = 1 + draw.below(keys);
            chain.random_block(&mut draw, count, keys);
        }
        assert_eq!(chain.state.audit(), Ok(chain.state.root()));
    }
}

#[test]
fn a_state_that_is_emptied_is_the_empty_state_again() {
    let mut chain = Chain::new(options());
    let names: Vec<_> = (0..200).map(numbered).collect();
    chain.block(&names.iter().map(|key| (key.clone(), Some(vec![1]))).collect::<Vec<Write>>());
    assert!(chain.store().count(Column::PAGES) > 10);
    chain.block(&names.iter().map(|key| (key.clone(), None)).collect::<Vec<Write>>());
    assert_eq!(chain.state.root(), Hash::ZERO);
    assert_eq!(chain.store().count(Column::PAGES), 0);
    assert_eq!(chain.store().count(Column::FLAT), 0);
    chain.block(&[(numbered(1), Some(vec![]))]);
}

#[test]
fn an_empty_value_is_not_an_absent_one() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![]))]);
    assert_ne!(chain.state.root(), Hash::ZERO);
    chain.block(&[(key(b"k"), None)]);
    assert_eq!(chain.state.root(), Hash::ZERO);
}

#[test]
fn a_block_that_changes_nothing_keeps_the_root_and_writes_no_page() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1])), (key(b"l"), Some(vec![2]))]);
    let root = chain.state.root();
    let mut set = ChangeSet::new(chain.state.view());
    set.put(&key(b"k"), vec![9]).unwrap();
    set.put(&key(b"k"), vec![1]).unwrap();
    set.put(&key(b"new"), vec![1]).unwrap();
    set.delete(&key(b"new")).unwrap();
    let changes = set.finish().unwrap();
    assert!(changes.is_empty());
    assert_eq!(chain.state.update(changes).unwrap().root(), root);
}

#[test]
fn candidate_blocks_are_computed_side_by_side_and_thrown_away() {
    let mut chain = Chain::new(options());
    chain.block(&(0..100).map(|number| (numbered(number), Some(vec![0]))).collect::<Vec<Write>>());
    let before = chain.store().fork();
    let root = chain.state.root();
    let candidate = |value: u8| {
        let mut set = ChangeSet::new(chain.state.view());
        (0..60).for_each(|number| drop(set.put(&numbered(number * 3), vec![value]).unwrap()));
        chain.state.update(set.finish().unwrap()).unwrap()
    };
    let (one, other) = (candidate(1), candidate(2));
    assert_ne!(one.root(), other.root());
    assert_eq!(candidate(1).root(), one.root());
    assert_eq!(chain.state.root(), root);
    assert_eq!(chain.store().count(Column::PAGES), before.count(Column::PAGES));
    chain.state.commit(Height(1), other, Batch::new()).unwrap();
    assert_eq!(chain.state.commit(Height(2), one, Batch::new()), Err(StateError::Superseded));
    assert_eq!(chain.state.audit(), Ok(chain.state.root()));
}

#[test]
fn changes_made_on_an_earlier_state_are_superseded() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    let mut set = ChangeSet::new(chain.state.view());
    set.put(&key(b"k"), vec![5]).unwrap();
    chain.block(&[(key(b"k"), Some(vec![2]))]);
    assert_eq!(chain.state.update(set.finish().unwrap()).err(), Some(StateError::Superseded));
}

#[test]
fn heights_are_committed_one_after_the_other() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    let update = chain.state.update(ChangeSet::new(chain.state.view()).finish().unwrap()).unwrap();
    let expected = StateError::NotNext { expected: Height(1), found: Height(2) };
    assert_eq!(chain.state.commit(Height(2), update, Batch::new()), Err(expected));
}

#[test]
fn the_node_may_not_write_to_the_columns_of_the_state() {
    let chain = Chain::new(options());
    let update = chain.state.update(ChangeSet::new(chain.state.view()).finish().unwrap()).unwrap();
    let mut batch = Batch::new();
    batch.put(Column::FLAT, *b"k", *b"v");
    assert_eq!(chain.state.commit(Height(0), update, batch), Err(StateError::ReservedColumn(0)));
}

#[test]
fn memory_stays_within_its_bound_and_the_root_stays_right() {
    let small = Options { page_cache_bytes: 0, value_cache_bytes: 50_000, record_cache_bytes: 100_000, ..options() };
    let chain = Chain::new(Options { page_lag: 3, ..small });
    for block in 0..12u64 {
        let writes = (0..6000).map(|number| (numbered(block * 6000 + number), Some(vec![block as u8; 20])));
        let mut set = ChangeSet::new(chain.state.view());
        writes.for_each(|(key, value): Write| drop(set.put(&key, value.unwrap()).unwrap()));
        let update = chain.state.update(set.finish().unwrap()).unwrap();
        chain.state.commit(Height(block), update, Batch::new()).unwrap();
        let memory = chain.state.memory();
        assert!(memory.pages <= MIN_PAGE_CACHE_BYTES, "pages {}", memory.pages);
        assert!(memory.values <= 50_000, "values {}", memory.values);
    }
    let bytes_of_pages = chain.store().count(Column::PAGES) * 500;
    assert!(bytes_of_pages > MIN_PAGE_CACHE_BYTES / 2, "too few pages to fill the cache: {bytes_of_pages}");
    assert_eq!(chain.state.audit(), Ok(chain.state.root()));
}

#[test]
fn a_damaged_or_missing_page_is_noticed_when_it_is_read() {
    let mut chain = Chain::new(options());
    chain.block(&(0..400).map(|number| (numbered(number), Some(vec![0]))).collect::<Vec<Write>>());
    let pages = portolan_state::KeyValue::scan(&*chain.store(), Column::PAGES, &[], None, 1000).unwrap();
    for (id, page) in pages.iter().step_by(7) {
        let mut altered = page.clone();
        *altered.last_mut().unwrap() ^= 1;
        for damage in [Some(altered), Some(page[1..].to_vec()), Some(vec![0; 4]), None] {
            let store = Arc::new(chain.store().fork());
            store.damage(Column::PAGES, id, damage);
            let state = State::open(store, options(), chain.last()).unwrap();
            let mut set = ChangeSet::new(state.view());
            (0..400).for_each(|number| drop(set.put(&numbered(number), vec![1]).unwrap()));
            let error = state.update(set.finish().unwrap()).err();
            assert!(matches!(error, Some(StateError::Corrupt(_))), "{error:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_root_depends_on_the_pairs_alone(
        pairs in prop::collection::btree_map(prop::collection::vec(any::<u8>(), 0..3), prop::collection::vec(any::<u8>(), 0..4), 1..60),
        noise in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3), any::<u8>()), 0..60),
        cut in 1usize..7,
    ) {
        // First other values and other keys, then in parts the ones that count, then the others away.
        let mut chain = Chain::new(options());
        chain.block(&noise.iter().map(|(name, value)| (key(name), Some(vec![*value; 3]))).collect::<Vec<Write>>());
        let wanted: Vec<Write> = pairs.iter().map(|(name, value)| (key(name), Some(value.clone()))).collect();
        for part in wanted.rchunks(cut) {
            chain.block(part);
        }
        let gone = noise.iter().filter(|(name, _)| !pairs.contains_key(name));
        chain.block(&gone.map(|(name, _)| (key(name), None)).collect::<Vec<Write>>());
        let whole: Pairs = pairs.iter().map(|(name, value)| (key(name).into_bytes(), value.clone())).collect();
        prop_assert_eq!(chain.state.root(), naive_root(SECRET, &whole));
        let mut at_once = Chain::new(options());
        at_once.block(&wanted);
        prop_assert_eq!(at_once.state.root(), chain.state.root());
        prop_assert_eq!(at_once.store().count(Column::PAGES), chain.store().count(Column::PAGES));
    }
}

#[test]
fn another_secret_gives_another_root_and_is_refused_at_the_start() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    let other = Options::new(portolan_state::SaltKey::derive(b"another secret"));
    assert_ne!(naive_root(b"another secret", &chain.tip()), chain.state.root());
    let opened = State::open(chain.store(), other, chain.last());
    assert_eq!(opened.err(), Some(StateError::OtherSecret));
}

#[test]
fn a_fresh_state_is_empty() {
    let state = State::open(Arc::new(MemoryStore::new()), options(), None).unwrap();
    assert!(state.is_fresh());
    assert_eq!((state.height(), state.root()), (Height(0), Hash::ZERO));
    assert_eq!(state.view_at(Height(0)).err(), Some(StateError::HeightUnknown { height: Height(0), tip: Height(0) }));
}
