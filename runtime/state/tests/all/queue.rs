//! The agenda's queue, which shrinks at its front and is entered anywhere: a scan finds the same as in a map, at each height.

use std::sync::{Arc, Mutex};

use portolan_primitives::BusinessDate;
use portolan_primitives::id::AgendaId;
use portolan_primitives::time::Height;
use portolan_state::{Batch, ChangeSet, Column, KeyValue, MemoryStore, State, StateKey, StateView, StoreError, keys};

use crate::support::{Chain, Draw, Write, options};

/// Ids that are few, so that they are used again, with last bytes at both ends of their range.
fn due(day: u64, id: u64) -> StateKey {
    let last = [0, 1, 0x7f, 0xff][id as usize % 4];
    let mut bytes = [(id / 4) as u8; 32];
    bytes[31] = last;
    keys::agenda_due(BusinessDate(day as i32), &AgendaId(bytes))
}

fn first(view: &impl StateView, limit: usize, after: Option<&StateKey>) -> Vec<Vec<u8>> {
    let found = view.scan(&keys::agenda_due_area(), after, limit).unwrap();
    found.into_iter().map(|(key, _)| key.into_bytes()).collect()
}

fn check(chain: &Chain, draw: &mut Draw) {
    let last = chain.state.height().0;
    for height in last.saturating_sub(3).max(chain.state.oldest_height().0)..=last {
        let view = chain.state.view_at(Height(height)).unwrap();
        let after = (draw.below(3) == 0).then(|| due(draw.below(4), draw.below(24)));
        let limit = 1 + draw.below(6) as usize;
        let is_behind = |key: &[u8]| after.as_ref().is_none_or(|after| key > after.as_bytes());
        let expected = chain.expected[height as usize].keys().filter(|key| is_behind(key));
        let expected: Vec<Vec<u8>> = expected.take(limit).cloned().collect();
        assert_eq!(first(&view, limit, after.as_ref()), expected, "height {height} of {last}");
    }
}

#[test]
fn a_queue_that_is_run_from_its_front_is_what_a_map_says() {
    for seed in 0..40 {
        let mut draw = Draw(seed);
        let mut chain = Chain::new(options());
        chain.block(&[]);
        for _ in 0..40 {
            let mut writes: Vec<Write> = vec![];
            for _ in 0..draw.below(4) {
                writes.push((due(draw.below(4), draw.below(24)), Some(vec![1])));
            }
            // Most blocks run the front; some cancel anywhere.
            let front = first(&chain.state.view(), draw.below(5) as usize, None);
            writes.extend(front.into_iter().map(|key| (StateKey::from_bytes(key), None)));
            if draw.below(4) == 0 {
                writes.push((due(draw.below(4), draw.below(24)), None));
            }
            // A key is written once: what runs is not entered again in the same block.
            writes.sort();
            writes.dedup_by(|later, earlier| later.0 == earlier.0);
            chain.block(&writes);
            check(&chain, &mut draw);
            if draw.below(10) == 0 {
                chain.reopen(options()).unwrap();
                check(&chain, &mut draw);
            }
        }
    }
}

/// A store that notes where scans of the flat column begin.
struct Noting {
    store: MemoryStore,
    begins: Mutex<Vec<Option<Vec<u8>>>>,
}

impl KeyValue for Noting {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(column, key)
    }

    fn scan(
        &self,
        column: Column,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        self.begins.lock().unwrap().push(after.map(<[u8]>::to_vec));
        self.store.scan(column, prefix, after, limit)
    }

    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        self.store.write(batch)
    }
}

#[test]
fn what_ran_is_not_stepped_over_again() {
    let store = Arc::new(Noting { store: MemoryStore::new(), begins: Mutex::default() });
    let state = State::open(store.clone(), options(), None).unwrap();
    let commit = |height: u64, writes: &[(StateKey, bool)]| {
        let mut set = ChangeSet::new(state.view());
        for (key, puts) in writes {
            if *puts {
                set.put(key, vec![1]).unwrap()
            } else {
                set.delete(key).unwrap()
            };
        }
        let update = state.update(set.finish().unwrap()).unwrap();
        state.commit(Height(height), update, Batch::new()).unwrap();
    };
    let all: Vec<(StateKey, bool)> = (0..20).map(|id| (due(1, id), true)).collect();
    commit(0, &all);
    let mut queue: Vec<StateKey> = all.into_iter().map(|(key, _)| key).collect();
    queue.sort();
    for (height, ran) in (1..).zip(queue.chunks(5).take(3)) {
        commit(height, &ran.iter().map(|key| (key.clone(), false)).collect::<Vec<_>>());
    }
    store.begins.lock().unwrap().clear();
    assert_eq!(first(&state.view(), 1, None), [queue[15].as_bytes()]);
    assert_eq!(*store.begins.lock().unwrap(), [Some(queue[14].as_bytes().to_vec())]);
    // One that comes in before is found, and so is what was there.
    commit(4, &[(queue[3].clone(), true)]);
    assert_eq!(first(&state.view(), 2, None), [queue[3].as_bytes(), queue[15].as_bytes()]);
}
