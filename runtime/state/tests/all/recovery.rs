use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_state::{Batch, ChangeSet, Column, KeyValue, Options, State, StateError, StateView};

use crate::support::{BLOCKS, Chain, Draw, SECRET, key, naive_root, numbered, options};

fn lagging(page_lag: u64) -> Options {
    Options { page_lag, ..options() }
}

#[test]
fn after_a_power_cut_the_state_is_that_of_a_whole_block() {
    for lag in [0, 3] {
        for survivors in 0..=6usize {
            let mut chain = Chain::new(lagging(lag));
            let mut draw = Draw(20 + survivors as u64);
            (0..5).for_each(|_| chain.random_block(&mut draw, 30, 80));
            chain.store().hold_syncs();
            (0..6).for_each(|_| chain.random_block(&mut draw, 30, 80));
            chain.store().lose_power(survivors);

            chain.expected.truncate(5 + survivors);
            let (height, root) = chain.last().unwrap();
            let block = chain.store().get(BLOCKS, b"last").unwrap();
            assert_eq!(block, Some(height.0.to_be_bytes().to_vec()), "the block comes and goes with the state");
            chain.reopen(lagging(lag)).unwrap();
            assert_eq!((chain.state.height(), chain.state.root()), (height, root));
            assert_eq!(chain.state.audit(), Ok(root));
            chain.random_block(&mut draw, 30, 80);
        }
    }
}

#[test]
fn lagging_pages_are_brought_forward_at_every_possible_height() {
    for lag in [1, 2, 5, 1000] {
        let mut chain = Chain::new(lagging(lag));
        let mut draw = Draw(30 + lag);
        for _ in 0..15 {
            chain.random_block(&mut draw, 30, 80);
            chain.reopen(lagging(lag)).unwrap();
            assert_eq!(Some((chain.state.height(), chain.state.root())), chain.last());
        }
        // Another lag on the same store is fine, both ways.
        for other in [0, 7, 1] {
            chain.reopen(lagging(other)).unwrap();
            chain.random_block(&mut draw, 30, 80);
        }
        chain.reopen(lagging(0)).unwrap();
    }
}

#[test]
fn pages_lag_behind_only_as_far_as_allowed() {
    let mut chain = Chain::new(lagging(3));
    let mut pages = Vec::new();
    let mut draw = Draw(40);
    for _ in 0..8 {
        chain.random_block(&mut draw, 200, 400);
        pages.push(chain.store().count(Column::PAGES));
    }
    assert_eq!(pages[..3], [0, 0, 0]);
    assert!(pages[3] > 0 && pages[4] == pages[3] && pages[6] == pages[3]);
    assert_ne!(pages[7], pages[6]);
}

#[test]
fn a_lost_record_that_pages_need_is_noticed() {
    let mut chain = Chain::new(lagging(5));
    let mut draw = Draw(50);
    (0..9).for_each(|_| chain.random_block(&mut draw, 30, 80));
    for height in 6..9u64 {
        let store = std::sync::Arc::new(chain.store().fork());
        store.damage(Column::RECORDS, &height.to_be_bytes(), None);
        let error = State::open(store, lagging(5), chain.last()).err();
        assert_eq!(error, Some(StateError::Corrupt("a change record is missing")));
    }
}

#[test]
fn a_root_that_is_not_the_headers_halts() {
    for lag in [0, 5] {
        let mut chain = Chain::new(lagging(lag));
        let mut draw = Draw(60);
        (0..3).for_each(|_| chain.random_block(&mut draw, 30, 80));
        let (height, found) = chain.last().unwrap();
        let expected = Hash([9; 32]);
        let opened = State::open(chain.store(), lagging(lag), Some((height, expected)));
        assert_eq!(opened.err(), Some(StateError::RootMismatch { height, expected, found }));
    }
}

#[test]
fn a_state_of_another_height_than_the_blocks_is_refused() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    for block in [None, Some((Height(1), chain.state.root()))] {
        let height = block.map(|(height, _)| height);
        let expected = StateError::OtherHeight { state: Some(Height(0)), block: height };
        assert_eq!(State::open(chain.store(), options(), block).err(), Some(expected));
    }
}

#[test]
fn a_failed_write_halts_and_the_last_whole_block_comes_back() {
    let mut chain = Chain::new(options());
    let mut draw = Draw(70);
    (0..3).for_each(|_| chain.random_block(&mut draw, 30, 80));
    let view = chain.state.view();
    chain.store().fail_writes(true);
    let mut set = ChangeSet::new(chain.state.view());
    set.put(&numbered(1), *b"never").unwrap();
    let update = chain.state.update(set.finish().unwrap()).unwrap();
    let error = chain.state.commit(Height(3), update, Batch::new()).unwrap_err();
    assert!(matches!(error, StateError::Store(_)), "{error:?}");

    let expected = chain.tip().get(numbered(1).as_bytes()).cloned();
    assert_eq!(view.get(&numbered(1)).unwrap().map(|value| value.to_vec()), expected);
    assert_eq!(chain.state.height(), Height(2));
    chain.store().fail_writes(false);
    let changes = ChangeSet::new(chain.state.view()).finish().unwrap();
    assert_eq!(chain.state.update(changes).err(), Some(StateError::Halted));
    assert_eq!(chain.state.prove(Height(2), &[numbered(1)]).err(), Some(StateError::Halted));

    chain.reopen(options()).unwrap();
    assert_eq!(chain.state.audit(), Ok(naive_root(SECRET, &chain.tip())));
    chain.random_block(&mut draw, 30, 80);
}

#[test]
fn damaged_bookkeeping_is_noticed() {
    let mut chain = Chain::new(options());
    chain.block(&[(key(b"k"), Some(vec![1]))]);
    let meta = chain.store().get(Column::META, b"state").unwrap().unwrap();
    for place in 0..meta.len() {
        let mut altered = meta.clone();
        altered[place] ^= 4;
        chain.store().damage(Column::META, b"state", Some(altered));
        let error = State::open(chain.store(), options(), chain.last()).err();
        assert!(matches!(error, Some(StateError::Corrupt(_))), "byte {place}: {error:?}");
    }
}
