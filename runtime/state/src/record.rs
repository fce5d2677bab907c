//! The change record of a block: for every changed key the value before. With the records, pages that lag behind are brought
//! forward to the values that are stored, and the state at the last heights is read back.
//!
//! Stored under the height, big endian: version ‖ SCALE ‖ 32 bytes of checksum.

use std::sync::Arc;

use codec::{Compact, Decode, Encode};
use portolan_primitives::hash::{Domain, Hash, hash};
use portolan_primitives::time::Height;

use crate::changes::{Change, Changes};
use crate::error::StateError;
use crate::keys::StateKey;
use crate::{Value, view};

const VERSION: u8 = 2;
const DAMAGED: StateError = StateError::Corrupt("a change record is cut short or altered");

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRecord {
    pub(crate) height: Height,
    /// Root before the block.
    pub(crate) before: Hash,
    /// Root after it.
    pub(crate) after: Hash,
    /// Only the values before: a record that was read back has no others.
    changes: Arc<Changes>,
}

impl ChangeRecord {
    /// Of a block that is committed.
    pub(crate) fn new(height: Height, before: Hash, after: Hash, changes: Arc<Changes>) -> Self {
        Self { height, before, after, changes }
    }

    /// The key in the store.
    pub(crate) fn stored_key(height: Height) -> [u8; 8] {
        height.0.to_be_bytes()
    }

    /// The value that `key` had before the block; `None` if the block did not change it.
    pub(crate) fn previous(&self, key: &StateKey) -> Option<Option<&Value>> {
        self.changes.find(key).map(|change| change.previous.as_ref())
    }

    /// The changed keys, ascending.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &StateKey> {
        self.changes.entries().iter().map(|change| &change.key)
    }

    /// The changed keys in the range of a scan with the values before, ascending.
    pub(crate) fn range<'a>(
        &'a self,
        prefix: &'a StateKey,
        after: Option<&StateKey>,
    ) -> impl Iterator<Item = (&'a StateKey, Option<&'a Value>)> + use<'a> {
        self.changes.range(prefix, after).map(|change| (&change.key, change.previous.as_ref()))
    }

    /// Memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let value = |value: &Option<Value>| value.as_ref().map_or(0, |value| value.len() + 16);
        let entry = |change: &Change| {
            size_of::<Change>() + change.key.as_bytes().len() + value(&change.previous) + value(&change.new)
        };
        self.changes.entries().iter().map(entry).sum::<usize>() + size_of::<Self>()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        (self.height, self.before, self.after).encode_to(&mut bytes);
        Compact(self.changes.len() as u32).encode_to(&mut bytes);
        for change in self.changes.entries() {
            change.key.as_bytes().encode_to(&mut bytes);
            change.previous.as_deref().encode_to(&mut bytes);
        }
        seal(bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, StateError> {
        let body = unseal(bytes).ok_or(DAMAGED)?;
        Self::decode_body(body).ok_or(DAMAGED)
    }

    fn decode_body(body: &[u8]) -> Option<Self> {
        let (VERSION, mut rest) = body.split_first().map(|(version, rest)| (*version, rest))? else { return None };
        let input = &mut rest;
        let (height, before, after) = <(Height, Hash, Hash)>::decode(input).ok()?;
        let count = Compact::<u32>::decode(input).ok()?.0;
        let changes: Option<Vec<Change>> = (0..count).map(|_| decode_change(input)).collect();
        let changes = changes.filter(|changes| changes.is_sorted_by(|one, next| one.key < next.key))?;
        let base = view::Base { height: Height(height.0.saturating_sub(1)), root: before };
        input.is_empty().then(|| Self { height, before, after, changes: Arc::new(Changes::new(base, changes, vec![])) })
    }
}

fn decode_change(input: &mut &[u8]) -> Option<Change> {
    let (key, previous) = <(Vec<u8>, Option<Vec<u8>>)>::decode(input).ok()?;
    Some(Change { key: StateKey::from_bytes(key), previous: previous.map(Value::from), new: None })
}

/// `bytes` with their checksum behind.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = hash(Domain::Record, &bytes);
    bytes.extend(checksum.0);
    bytes
}

/// The bytes before the checksum, if it is right.
pub(crate) fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = bytes.split_last_chunk::<32>()?;
    (hash(Domain::Record, body).0 == *checksum).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::parameter;

    fn record() -> ChangeRecord {
        let change = |name, previous: Option<&[u8]>, new: Option<&[u8]>| Change {
            key: parameter(name),
            previous: previous.map(Value::from),
            new: new.map(Value::from),
        };
        let changes =
            vec![change("a", None, Some(b"1")), change("b", Some(b""), Some(b"2")), change("c", Some(b"3"), None)];
        let base = view::Base { height: Height(6), root: Hash([1; 32]) };
        let changes = Arc::new(Changes::new(base, changes, vec![]));
        ChangeRecord::new(Height(7), Hash([1; 32]), Hash([2; 32]), changes)
    }

    #[test]
    fn a_record_comes_back_whole() {
        let record = record();
        let back = ChangeRecord::decode(&record.encode()).unwrap();
        assert_eq!((back.height, back.before, back.after), (record.height, record.before, record.after));
        assert_eq!(back.keys().collect::<Vec<_>>(), record.keys().collect::<Vec<_>>());
        let everything = StateKey::from_bytes([]);
        assert!(back.range(&everything, None).eq(record.range(&everything, None)));
        assert_eq!(back.previous(&parameter("a")), Some(None));
        assert_eq!(back.previous(&parameter("b")).flatten().map(|value| &**value), Some(&b""[..]));
        assert_eq!(back.previous(&parameter("d")), None);
    }

    #[test]
    fn a_record_that_is_cut_or_altered_is_refused() {
        let bytes = record().encode();
        for length in 0..bytes.len() {
            assert!(ChangeRecord::decode(&bytes[..length]).is_err(), "{length}");
        }
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 0x10;
            assert!(ChangeRecord::decode(&altered).is_err(), "{place}");
        }
    }

    #[test]
    fn a_sealed_record_with_a_wild_count_allocates_nothing_for_it() {
        let mut bytes = vec![VERSION];
        (Height(1), Hash::ZERO, Hash::ZERO, Compact(u32::MAX)).encode_to(&mut bytes);
        assert_eq!(ChangeRecord::decode(&seal(bytes)).err(), Some(DAMAGED));
    }
}
