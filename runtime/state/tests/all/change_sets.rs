use portolan_primitives::time::Height;
use portolan_state::limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
use portolan_state::{Batch, ChangeSet, Overlay, ScanRange, StateError, StateKey, StateView, Value};
use proptest::prelude::*;

use crate::support::{Chain, Pairs, Write, key, options};

fn chain_of(names: &[&[u8]]) -> Chain {
    let mut chain = Chain::new(options());
    chain.block(&names.iter().map(|name| (key(name), Some(name.to_vec()))).collect::<Vec<Write>>());
    chain
}

fn names(found: &[(StateKey, Value)]) -> Vec<Vec<u8>> {
    found.iter().map(|(found, _)| found.suffix(&key(b"")).to_vec()).collect()
}

#[test]
fn a_reverted_call_leaves_no_trace() {
    let chain = chain_of(&[b"a"]);
    let mut set = ChangeSet::new(chain.state.view());
    set.begin();
    set.put(&key(b"a"), *b"other").unwrap();
    set.put(&key(b"b"), *b"new").unwrap();
    set.delete(&key(b"a")).unwrap();
    set.revert();
    assert_eq!(set.get(&key(b"a")).unwrap().as_deref(), Some(&b"a"[..]));
    assert_eq!(set.get(&key(b"b")).unwrap(), None);
    assert_eq!(names(&set.scan(&key(b""), None, 9).unwrap()), [b"a"]);
    assert!(set.finish().unwrap().is_empty());
}

#[test]
fn a_reverted_cross_call_leaves_its_callers_writes() {
    let chain = chain_of(&[]);
    let mut set = ChangeSet::new(chain.state.view());
    set.begin();
    set.put(&key(b"a"), *b"caller").unwrap();
    set.begin();
    set.put(&key(b"a"), *b"callee").unwrap();
    set.put(&key(b"b"), *b"callee").unwrap();
    set.revert();
    set.put(&key(b"c"), *b"caller").unwrap();
    set.commit();
    let changes = set.finish().unwrap();
    let changed: Vec<_> = changes.entries().iter().map(|change| (change.key.clone(), change.new.as_deref())).collect();
    assert_eq!(changed, [(key(b"a"), Some(&b"caller"[..])), (key(b"c"), Some(&b"caller"[..]))]);
}

#[test]
fn a_caller_that_fails_takes_back_what_its_callee_had_committed() {
    let chain = chain_of(&[]);
    let mut set = ChangeSet::new(chain.state.view());
    set.begin();
    set.begin();
    set.put(&key(b"a"), *b"callee").unwrap();
    set.commit();
    set.revert();
    assert!(set.finish().unwrap().is_empty());
}

#[test]
fn what_is_read_of_the_state_beneath_is_recorded_once_when_asked_to() {
    let chain = chain_of(&[b"a", b"b", b"c"]);
    let mut set = ChangeSet::new(chain.state.view());
    set.get(&key(b"c")).unwrap();
    set.record_reads();
    set.put(&key(b"x"), *b"1").unwrap();
    set.get(&key(b"x")).unwrap();
    set.get(&key(b"b")).unwrap();
    set.get(&key(b"a")).unwrap();
    set.get(&key(b"a")).unwrap();
    assert_eq!(set.take_reads().keys, [key(b"a"), key(b"b")], "what is written hides what is beneath");
    set.get(&key(b"a")).unwrap();
    assert_eq!(set.take_reads(), Default::default(), "nobody asked to record");

    set.record_reads();
    set.begin();
    set.put(&key(b"a"), *b"1").unwrap();
    set.get(&key(b"a")).unwrap();
    set.get(&key(b"c")).unwrap();
    set.revert();
    assert_eq!(set.take_reads().keys, [key(b"c")]);
    set.record_reads();
    set.get(&key(b"a")).unwrap();
    assert_eq!(set.take_reads().keys, [key(b"a")], "the write that hid it was taken back");
}

#[test]
fn a_write_answers_what_was_there() {
    let chain = chain_of(&[b"a"]);
    let mut set = ChangeSet::new(chain.state.view());
    let text = |value: Option<Value>| value.map(|value| value.to_vec());
    assert_eq!(text(set.put(&key(b"a"), *b"1").unwrap()), Some(b"a".to_vec()));
    assert_eq!(text(set.put(&key(b"a"), *b"2").unwrap()), Some(b"1".to_vec()));
    assert_eq!(text(set.delete(&key(b"a")).unwrap()), Some(b"2".to_vec()));
    assert_eq!(text(set.delete(&key(b"a")).unwrap()), None);
    assert_eq!(text(set.put(&key(b"b"), *b"3").unwrap()), None);
}

#[test]
fn a_scan_is_recorded_with_its_range_and_what_it_found() {
    let chain = chain_of(&[b"a", b"b", b"c"]);
    let mut set = ChangeSet::new(chain.state.view());
    set.record_reads();
    set.scan(&key(b""), None, 2).unwrap();
    set.scan(&key(b""), Some(&key(b"b")), 2).unwrap();
    let reads = set.take_reads();
    let first = ScanRange { prefix: key(b""), after: None, through: Some(key(b"b")) };
    let second = ScanRange { prefix: key(b""), after: Some(key(b"b")), through: None };
    assert_eq!(reads.scans, [first, second]);
    assert_eq!(reads.keys, [key(b"a"), key(b"b"), key(b"c")]);
}

#[test]
fn too_long_keys_and_values_are_refused() {
    let chain = chain_of(&[]);
    let mut set = ChangeSet::new(chain.state.view());
    let long = StateKey::from_bytes(vec![1; MAX_KEY_BYTES + 1]);
    assert_eq!(set.put(&long, *b""), Err(StateError::KeyTooLong(MAX_KEY_BYTES + 1)));
    assert_eq!(set.delete(&long), Err(StateError::KeyTooLong(MAX_KEY_BYTES + 1)));
    let large = vec![0; MAX_VALUE_BYTES + 1];
    assert_eq!(set.put(&key(b"k"), large), Err(StateError::ValueTooLong(MAX_VALUE_BYTES + 1)));
    assert!(set.finish().unwrap().is_empty());
}

#[test]
fn an_overlay_is_the_state_after_the_undecided_block() {
    let mut chain = chain_of(&[b"a", b"b", b"c"]);
    let mut set = ChangeSet::new(chain.state.view());
    set.put(&key(b"bb"), *b"new").unwrap();
    set.delete(&key(b"b")).unwrap();
    set.put(&key(b"c"), *b"changed").unwrap();
    let update = chain.state.update(set.finish().unwrap()).unwrap();
    let overlay = Overlay::new(chain.state.view(), &update);
    assert_eq!((overlay.height(), overlay.root()), (Height(1), update.root()));
    assert_eq!(overlay.get(&key(b"b")).unwrap(), None);
    assert_eq!(overlay.get(&key(b"a")).unwrap().as_deref(), Some(&b"a"[..]));
    let scanned = |after: Option<&StateKey>, limit| names(&overlay.scan(&key(b""), after, limit).unwrap());
    assert_eq!(scanned(None, 9), [b"a".to_vec(), b"bb".to_vec(), b"c".to_vec()]);
    assert_eq!(scanned(None, 2), [b"a".to_vec(), b"bb".to_vec()]);
    assert_eq!(scanned(Some(&key(b"bb")), 1), [b"c"]);

    // The next block may be executed on it, and be given its root once this one is committed.
    let mut next = ChangeSet::new(&overlay);
    next.put(&key(b"c"), *b"again").unwrap();
    let next = next.finish().unwrap();
    assert_eq!(next.entries()[0].previous.as_deref(), Some(&b"changed"[..]));
    chain.state.commit(Height(1), update, Batch::new()).unwrap();
    let next = chain.state.update(next).unwrap();
    chain.state.commit(Height(2), next, Batch::new()).unwrap();
    assert_eq!(chain.state.audit(), Ok(chain.state.root()));
    chain.expected.clear();
}

#[derive(Clone, Debug)]
enum Act {
    Put(u8, u8),
    Delete(u8),
    Begin,
    Commit,
    Revert,
    Scan(u8, Option<u8>, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u8..30, any::<u8>()).prop_map(|(key, value)| Act::Put(key, value)),
        2 => (0u8..30).prop_map(Act::Delete),
        2 => Just(Act::Begin),
        1 => Just(Act::Commit),
        2 => Just(Act::Revert),
        2 => (0u8..3, prop::option::of(0u8..30), 0usize..12).prop_map(|(group, after, limit)| Act::Scan(group, after, limit)),
    ]
}

/// Thirty keys in three groups of one prefix each.
fn grouped(number: u8) -> StateKey {
    key(&[number % 3, number])
}

proptest! {
    #[test]
    fn nested_checkpoints_and_scans_are_those_of_copied_maps(
        before in prop::collection::btree_set(0u8..30, 0..20),
        acts in prop::collection::vec(act(), 0..80),
    ) {
        let mut chain = Chain::new(options());
        chain.block(&before.iter().map(|number| (grouped(*number), Some(vec![*number]))).collect::<Vec<Write>>());
        let mut set = ChangeSet::new(chain.state.view());
        let mut model: Vec<Pairs> = vec![chain.tip()];
        for act in acts {
            let depth = model.len();
            let top = model.last_mut().unwrap();
            match act {
                Act::Put(number, value) => {
                    set.put(&grouped(number), vec![value]).unwrap();
                    top.insert(grouped(number).into_bytes(), vec![value]);
                }
                Act::Delete(number) => {
                    set.delete(&grouped(number)).unwrap();
                    top.remove(grouped(number).as_bytes());
                }
                Act::Begin => {
                    set.begin();
                    let copy = top.clone();
                    model.push(copy);
                }
                Act::Commit if depth > 1 => {
                    set.commit();
                    let inner = model.pop().unwrap();
                    *model.last_mut().unwrap() = inner;
                }
                Act::Revert if depth > 1 => {
                    set.revert();
                    model.pop();
                }
                Act::Commit | Act::Revert => {}
                Act::Scan(group, after, limit) => {
                    let (prefix, after) = (key(&[group]), after.map(grouped));
                    let found = set.scan(&prefix, after.as_ref(), limit).unwrap();
                    let found: Vec<_> = found.into_iter().map(|(key, value)| (key.into_bytes(), value.to_vec())).collect();
                    let is_in = |key: &[u8]| key.starts_with(prefix.as_bytes())
                        && after.as_ref().is_none_or(|after| key > after.as_bytes());
                    let expected = top.iter().filter(|(key, _)| is_in(key)).take(limit);
                    let expected: Vec<_> = expected.map(|(key, value)| (key.clone(), value.clone())).collect();
                    prop_assert_eq!(found, expected);
                }
            }
            prop_assert_eq!(set.depth() + 1, model.len());
        }
        let top = model.pop().unwrap();
        for number in 0..30 {
            let value = set.get(&grouped(number)).unwrap();
            prop_assert_eq!(value.as_deref(), top.get(grouped(number).as_bytes()).map(Vec::as_slice));
        }
        while set.depth() > 0 {
            set.commit();
        }
        let update = chain.state.update(set.finish().unwrap()).unwrap();
        prop_assert_eq!(update.root(), crate::support::naive_root(crate::support::SECRET, &top));
    }
}
