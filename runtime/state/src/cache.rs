//! A cache with a byte budget and the clock rule: what was not used since the hand last passed goes first. Entries can be
//! held, and are then never dropped (pages that are not yet written, pages at the top of the tree).

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Hashes keys that outsiders choose: the random seed keeps them from crafting collisions.
#[expect(clippy::disallowed_types, reason = "the seed never shows: maps are looked up and never iterated")]
pub(crate) type Seeded = std::hash::RandomState;

struct Slot<K, V> {
    key: K,
    value: V,
    bytes: usize,
    used: bool,
    held: bool,
}

/// See the module. Looked up by hash, and never iterated in that order.
pub(crate) struct Clock<K, V, B> {
    places: HashMap<K, u32, B>,
    slots: Vec<Option<Slot<K, V>>>,
    free: Vec<u32>,
    hand: usize,
    bytes: usize,
}

impl<K: Hash + Eq + Clone, V, B: BuildHasher + Default> Clock<K, V, B> {
    pub(crate) fn new() -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), free: Vec::new(), hand: 0, bytes: 0 }
    }

    /// Memory of an entry whose value takes `bytes` beyond its own size.
    pub(crate) fn entry_bytes(bytes: usize) -> usize {
        // The slot, the key's copy in the index, and the index's own spare room.
        size_of::<Option<Slot<K, V>>>() + 2 * (size_of::<K>() + size_of::<u32>()) + bytes
    }

    /// Bytes of all entries.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn slot(&mut self, key: &K) -> Option<&mut Slot<K, V>> {
        let place = *self.places.get(key)?;
        self.slots.get_mut(place as usize)?.as_mut()
    }

    /// The value, marked as used.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        let slot = self.slot(key)?;
        slot.used = true;
        Some(&slot.value)
    }

    /// Sets the value, which takes `extra` bytes beyond its own size; a `held` entry is never dropped. Answers whether there
    /// was an entry that was held.
    pub(crate) fn insert(&mut self, key: K, value: V, extra: usize, held: bool) -> bool {
        let bytes = Self::entry_bytes(extra);
        self.bytes += bytes;
        if let Some(slot) = self.slot(&key) {
            let before = std::mem::replace(&mut slot.bytes, bytes);
            let was_held = std::mem::replace(&mut slot.held, held);
            (slot.value, slot.used) = (value, true);
            self.bytes -= before;
            return was_held;
        }
        let slot = Some(Slot { key: key.clone(), value, bytes, used: true, held });
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        self.places.insert(key, place);
        false
    }

    /// Forgets the entry.
    pub(crate) fn remove(&mut self, key: &K) {
        let Some(place) = self.places.remove(key) else { return };
        if let Some(slot) = self.slots[place as usize].take() {
            self.bytes -= slot.bytes;
            self.free.push(place);
        }
    }

    /// Lets the entry be dropped again.
    pub(crate) fn release(&mut self, key: &K) {
        if let Some(slot) = self.slot(key) {
            slot.held = false;
        }
    }

    /// Drops entries that are not held until at most `budget` bytes are left, or only held ones are.
    pub(crate) fn shrink(&mut self, budget: usize) {
        // Two rounds: the first may only take the marks off.
        for _ in 0..2 * self.slots.len() {
            if self.bytes <= budget {
                return;
            }
            self.hand = (self.hand + 1) % self.slots.len();
            let Some(slot) = &mut self.slots[self.hand] else { continue };
            if slot.held || std::mem::take(&mut slot.used) {
                continue;
            }
            let key = slot.key.clone();
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Cache = Clock<u32, &'static str, Seeded>;

    #[test]
    fn what_is_used_outlives_what_is_not() {
        let mut cache = Cache::new();
        assert!((0..10).all(|key| !cache.insert(key, "value", 1000, false)));
        cache.shrink(5 * Cache::entry_bytes(1000));
        let left: Vec<u32> = (0..10).filter(|key| cache.places.contains_key(key)).collect();
        assert_eq!(left.len(), 5);
        assert!(cache.get(&left[0]).is_some());
        cache.insert(20, "value", 1000, false);
        cache.shrink(2 * Cache::entry_bytes(1000));
        assert_eq!(cache.bytes(), 2 * Cache::entry_bytes(1000));
        assert!(cache.get(&left[0]).is_some() || cache.get(&20).is_some());
    }

    #[test]
    fn what_is_held_stays_whatever_the_budget() {
        let mut cache = Cache::new();
        assert!((0..10).all(|key| !cache.insert(key, "value", 10, key % 2 == 0)));
        cache.shrink(0);
        assert!((0..10).all(|key| cache.get(&key).is_some() == (key % 2 == 0)));
        assert!((0..10).step_by(2).all(|key| cache.insert(key, "other", 10, true)));
        (0..10).for_each(|key| cache.release(&key));
        cache.shrink(0);
        assert_eq!(cache.bytes(), 0);
    }

    #[test]
    fn replaced_and_removed_entries_are_accounted_for() {
        let mut cache = Cache::new();
        cache.insert(1, "a", 500, true);
        cache.insert(1, "b", 20, false);
        assert_eq!(cache.get(&1), Some(&"b"));
        assert_eq!(cache.bytes(), Cache::entry_bytes(20));
        cache.remove(&1);
        cache.remove(&1);
        assert_eq!((cache.bytes(), cache.get(&1)), (0, None));
        cache.insert(2, "c", 0, false);
        assert_eq!(cache.slots.len(), 1);
    }
}
