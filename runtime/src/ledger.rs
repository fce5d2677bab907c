//! The state while something runs on it: typed records and contracts' storage over one change set.
//!
//! Everything read and written goes through here, so that it is recorded by transaction and counted by bytes. Must never
//! interpret what it stores.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use codec::{Decode, Encode};
use portolan_primitives::{ContractId, Hash, decode_whole};
use portolan_state::{ChangeSet, Changes, ReadSet, StateError, StateKey, StateView, Value, keys};
use portolan_vm::{HostFault, HostResult};

use crate::native::records::{Code, Record};

/// A state to read from, pinned at one height and shared between threads.
pub type BaseView = Arc<dyn StateView + Send + Sync>;

/// Longest record, in pieces or not.
pub(crate) const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// Bytes of a piece of a long record.
const PIECE_BYTES: usize = 32 * 1024;

/// Why a record could not be read or written: the store failed, or holds what was never written.
pub(crate) fn fault(error: impl std::fmt::Display) -> HostFault {
    HostFault(error.to_string())
}

fn corrupt<R>(key: &StateKey) -> HostFault {
    let name = std::any::type_name::<R>();
    HostFault(format!(
        "the state holds no valid `{name}` under key {:02x?}: restore the node from a snapshot",
        key.as_bytes()
    ))
}

/// The change set of a block, or the empty one of a query.
pub struct Ledger {
    changes: ChangeSet<BaseView>,
    /// Bytes of keys and values added less those removed, by open checkpoint; the last is the innermost.
    stored: Vec<i64>,
    /// Code that was deployed in this block, by hash.
    fresh_code: BTreeMap<Hash, Vec<u8>>,
    /// Looked up, and never iterated.
    decoded: HashMap<StateKey, Decoded>,
}

/// A record beside the very value that it was decoded from: as long as the state has that one, it is the record.
struct Decoded {
    of: Value,
    record: Arc<dyn Any + Send + Sync>,
}

impl Ledger {
    /// Over `view`, without changes.
    pub fn new(view: BaseView) -> Self {
        Self { changes: ChangeSet::new(view), stored: vec![0], fresh_code: BTreeMap::new(), decoded: HashMap::new() }
    }

    /// The key of a record.
    pub fn key_of<R: Record>(id: &R::Id) -> StateKey {
        id.using_encoded(record_key::<R>)
    }

    /// The record under `id`.
    pub fn get<R: Record>(&mut self, id: &R::Id) -> HostResult<Option<R>> {
        Ok(self.get_sized(id)?.0)
    }

    /// The record under `id`, decoded once however often it is asked for; not for records in pieces.
    pub(crate) fn get_kept<R: Record + Send + Sync + 'static>(&mut self, id: &R::Id) -> HostResult<Option<Arc<R>>> {
        debug_assert!(!R::LONG, "a long record's value is only its number of pieces");
        let key = Self::key_of::<R>(id);
        let Some(value) = self.changes.get(&key).map_err(fault)? else { return Ok(None) };
        let kept = self.decoded.get(&key).filter(|kept| Arc::ptr_eq(&kept.of, &value));
        if let Some(record) = kept.and_then(|kept| Arc::clone(&kept.record).downcast().ok()) {
            return Ok(Some(record));
        }
        let record = Arc::new(decode_record::<R>(&key, &value)?);
        self.decoded.insert(key, Decoded { of: value, record: record.clone() });
        Ok(Some(record))
    }

    /// The record under `id`, and the bytes that it takes.
    pub(crate) fn get_sized<R: Record>(&mut self, id: &R::Id) -> HostResult<(Option<R>, usize)> {
        let key = Self::key_of::<R>(id);
        let Some(value) = self.changes.get(&key).map_err(fault)? else { return Ok((None, 0)) };
        let value =
            if R::LONG { join::<R>(&key, &value, |piece| self.changes.get(piece).map_err(fault))? } else { value };
        Ok((Some(decode_record::<R>(&key, &value)?), value.len()))
    }

    /// Writes a record.
    pub fn put<R: Record>(&mut self, id: &R::Id, record: &R) -> HostResult<()> {
        let key = Self::key_of::<R>(id);
        if !R::LONG {
            return self.put_raw(&key, record.encode());
        }
        self.delete::<R>(id)?;
        let bytes = record.encode();
        let pieces = bytes.chunks(PIECE_BYTES);
        self.put_raw(&key, (pieces.len() as u16).encode())?;
        (0u16..).zip(pieces).try_for_each(|(index, piece)| self.put_raw(&piece_key(&key, index), piece))
    }

    /// Removes a record, present or not.
    pub fn delete<R: Record>(&mut self, id: &R::Id) -> HostResult<()> {
        let key = Self::key_of::<R>(id);
        if R::LONG
            && let Some(count) = self.changes.get(&key).map_err(fault)?
        {
            let count: u16 = decode_record::<Pieces>(&key, &count)?.0;
            (0..count).try_for_each(|index| self.delete_raw(&piece_key(&key, index)))?;
        }
        self.delete_raw(&key)
    }

    /// Records whose id's SCALE form starts with `prefix` and comes after `after`, in the order of that form.
    pub fn list<R: Record>(&mut self, prefix: &[u8], after: Option<&R::Id>, limit: u32) -> HostResult<Vec<(R::Id, R)>> {
        let (area, prefix) = (record_key::<R>(&[]), record_key::<R>(prefix));
        let after = after.map(Self::key_of::<R>);
        let found = self.changes.scan(&prefix, after.as_ref(), limit as usize).map_err(fault)?;
        let decode = |(key, value): (StateKey, Value)| {
            let id =
                decode_whole::<R::Id>("id", key.suffix(&area), MAX_RECORD_BYTES).map_err(|_| corrupt::<R>(&key))?;
            Ok((id, decode_record::<R>(&key, &value)?))
        };
        found.into_iter().map(decode).collect()
    }

    /// A value of a contract's storage.
    pub(crate) fn storage_get(&mut self, contract: ContractId, key: &[u8]) -> HostResult<Option<Value>> {
        self.changes.get(&keys::contract_storage(&contract, key)).map_err(fault)
    }

    /// Writes into a contract's storage.
    pub(crate) fn storage_put(&mut self, contract: ContractId, key: &[u8], value: &[u8]) -> HostResult<()> {
        self.put_raw(&keys::contract_storage(&contract, key), value)
    }

    /// Removes from a contract's storage.
    pub(crate) fn storage_delete(&mut self, contract: ContractId, key: &[u8]) -> HostResult<()> {
        self.delete_raw(&keys::contract_storage(&contract, key))
    }

    /// A page of a contract's storage.
    pub(crate) fn storage_scan(
        &mut self,
        contract: ContractId,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: u32,
    ) -> HostResult<Vec<(Vec<u8>, Vec<u8>)>> {
        let area = keys::contract_storage_prefix(&contract, &[]);
        let prefix = keys::contract_storage_prefix(&contract, prefix);
        let after = after.map(|after| keys::contract_storage(&contract, after));
        let found = self.changes.scan(&prefix, after.as_ref(), limit as usize).map_err(fault)?;
        Ok(found.into_iter().map(|(key, value)| (key.suffix(&area).to_vec(), value.to_vec())).collect())
    }

    pub(crate) fn get_raw(&mut self, key: &StateKey) -> HostResult<Option<Value>> {
        self.changes.get(key).map_err(fault)
    }

    pub(crate) fn scan_raw(
        &mut self,
        prefix: &StateKey,
        after: Option<&StateKey>,
        limit: usize,
    ) -> HostResult<Vec<(StateKey, Value)>> {
        self.changes.scan(prefix, after, limit).map_err(fault)
    }

    pub(crate) fn put_raw(&mut self, key: &StateKey, value: impl Into<Value>) -> HostResult<()> {
        let value = value.into();
        let added = stored_bytes(key, &value);
        let previous = self.changes.put(key, value).map_err(fault)?;
        self.count(added - previous.map_or(0, |value| stored_bytes(key, &value)));
        Ok(())
    }

    pub(crate) fn delete_raw(&mut self, key: &StateKey) -> HostResult<()> {
        let previous = self.changes.delete(key).map_err(fault)?;
        self.count(previous.map_or(0, |value| -stored_bytes(key, &value)));
        Ok(())
    }

    fn count(&mut self, bytes: i64) {
        if let Some(innermost) = self.stored.last_mut() {
            *innermost += bytes;
        }
    }

    /// Code under its hash, whole. Not recorded as read: whether it is asked for depends on the node's cache.
    pub(crate) fn code(&self, hash: &Hash) -> HostResult<Vec<u8>> {
        if let Some(code) = self.fresh_code.get(hash) {
            return Ok(code.clone());
        }
        let key = Self::key_of::<Code>(hash);
        let read = |key: &StateKey| self.changes.base().get(key).map_err(fault);
        let count = read(&key)?.ok_or_else(|| corrupt::<Code>(&key))?;
        Ok(decode_record::<Code>(&key, &join::<Code>(&key, &count, read)?)?.0)
    }

    /// Writes code, if it is not there yet.
    pub(crate) fn put_code(&mut self, hash: &Hash, code: Vec<u8>) -> HostResult<()> {
        if self.changes.get(&Self::key_of::<Code>(hash)).map_err(fault)?.is_none() {
            self.put(hash, &Code(code.clone()))?;
        }
        self.fresh_code.insert(*hash, code);
        Ok(())
    }

    /// Opens a checkpoint inside the others.
    pub(crate) fn begin(&mut self) {
        self.changes.begin();
        self.stored.push(0);
    }

    /// Keeps what was done since the innermost checkpoint.
    pub(crate) fn commit(&mut self) {
        self.changes.commit();
        let inner = if self.stored.len() > 1 { self.stored.pop().unwrap_or(0) } else { 0 };
        self.count(inner);
    }

    /// Undoes what was done since the innermost checkpoint.
    pub(crate) fn revert(&mut self) {
        self.changes.revert();
        if self.stored.len() > 1 {
            self.stored.pop();
        }
    }

    /// Net bytes stored since the innermost checkpoint.
    pub(crate) fn stored_bytes(&self) -> i64 {
        self.stored.last().copied().unwrap_or(0)
    }

    /// From here on reads are recorded.
    pub(crate) fn record_reads(&mut self) {
        self.changes.record_reads();
    }

    /// What was read since then.
    pub(crate) fn take_reads(&mut self) -> ReadSet {
        self.changes.take_reads()
    }

    /// What was changed, net.
    pub fn into_changes(self) -> Result<Changes, StateError> {
        self.changes.finish()
    }
}

fn stored_bytes(key: &StateKey, value: &Value) -> i64 {
    (key.as_bytes().len() + value.len()) as i64
}

fn record_key<R: Record>(id: &[u8]) -> StateKey {
    keys::contract_record(&R::MODULE.id(), R::PREFIX, id)
}

fn decode_record<R: Decode>(key: &StateKey, value: &[u8]) -> HostResult<R> {
    decode_whole::<R>("record", value, MAX_RECORD_BYTES).map_err(|_| corrupt::<R>(key))
}

/// In how many pieces a long record lies.
#[derive(Decode)]
struct Pieces(u16);

fn piece_key(key: &StateKey, index: u16) -> StateKey {
    key.with_suffix(&index.to_be_bytes())
}

/// The bytes of a long record.
fn join<R>(
    key: &StateKey,
    count: &[u8],
    mut read: impl FnMut(&StateKey) -> HostResult<Option<Value>>,
) -> HostResult<Value> {
    let Pieces(count) = decode_record(key, count)?;
    let mut bytes = vec![];
    for index in 0..count {
        let piece = read(&piece_key(key, index))?.ok_or_else(|| corrupt::<R>(key))?;
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(corrupt::<R>(key));
        }
    }
    Ok(bytes.into())
}
