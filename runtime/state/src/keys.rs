//! Every storage key of the chain, and the only place where one is put together. Nobody concatenates bytes elsewhere.
//!
//! A key is one area byte and then parts of fixed length, with at most one of free length, last: no two things share a
//! key. Numbers are big endian, so that keys of one area stand in the order of what they mean.

use std::sync::Arc;

use portolan_primitives::hash::Hash;
use portolan_primitives::id::{AccountId, AgendaId, ContractId, KeyId, MemberId};
use portolan_primitives::time::{BusinessDate, Height};

/// A key of the state. Up to [`INLINE`] bytes lie in it, longer ones are shared: copying a key allocates nothing.
#[derive(Clone)]
pub struct StateKey(Bytes);

/// Bytes that a key holds itself: enough for an area, a contract, and a record's prefix and 32-byte id with room.
const INLINE: usize = 62;

#[derive(Clone)]
enum Bytes {
    /// So many of these.
    Inline(u8, [u8; INLINE]),
    Long(Arc<[u8]>),
}

impl StateKey {
    /// The parts one after the other.
    fn join(parts: &[&[u8]]) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if length > INLINE {
            return Self(Bytes::Long(parts.concat().into()));
        }
        let (mut bytes, mut end) = ([0; INLINE], 0);
        for part in parts {
            bytes[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        Self(Bytes::Inline(length as u8, bytes))
    }

    /// The whole key as stored and proved.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline(length, bytes) => &bytes[..usize::from(*length)],
            Bytes::Long(bytes) => bytes,
        }
    }

    /// The key back from its stored bytes. Not for making keys: that is what [`crate::keys`] is for.
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::join(&[bytes.as_ref()])
    }

    /// This key with `suffix` behind it.
    pub fn with_suffix(&self, suffix: &[u8]) -> Self {
        Self::join(&[self.as_bytes(), suffix])
    }

    /// Whether `prefix` begins this key.
    pub fn starts_with(&self, prefix: &StateKey) -> bool {
        self.as_bytes().starts_with(prefix.as_bytes())
    }

    /// What follows `prefix` in this key; empty if `prefix` does not begin it.
    pub fn suffix(&self, prefix: &StateKey) -> &[u8] {
        self.as_bytes().strip_prefix(prefix.as_bytes()).unwrap_or_default()
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    /// Memory that it takes beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.0 {
            Bytes::Inline(..) => 0,
            Bytes::Long(bytes) => bytes.len(),
        }
    }
}

impl AsRef<[u8]> for StateKey {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StateKey").field(&self.as_bytes()).finish()
    }
}

// A key is its bytes, wherever they lie.
impl PartialEq for StateKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for StateKey {}

impl PartialOrd for StateKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for StateKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for StateKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// The first byte of every key.
mod area {
    pub const CONTRACT_STORAGE: u8 = 0x01;
    pub const MEMBER: u8 = 0x10;
    pub const ACCOUNT: u8 = 0x11;
    pub const KEY: u8 = 0x12;
    pub const NAME: u8 = 0x13;
    pub const PROPOSAL: u8 = 0x20;
    pub const CALENDAR: u8 = 0x30;
    pub const AGENDA_DUE: u8 = 0x40;
    pub const AGENDA_ENTRY: u8 = 0x41;
    pub const CONTRACT_INSTANCE: u8 = 0x50;
    pub const CODE_CHUNK: u8 = 0x51;
    pub const PARAMETER: u8 = 0x60;
    pub const BUSINESS_CLOCK: u8 = 0x70;
    pub const VALIDATOR_SET: u8 = 0x80;
    pub const PENDING_VALIDATORS: u8 = 0x81;
    pub const QUOTA: u8 = 0x90;
}

fn join(area: u8, parts: &[&[u8]]) -> StateKey {
    let area = [area];
    // No key has more than three parts behind its area.
    let mut all: [&[u8]; 4] = [&area, &[], &[], &[]];
    all[1..=parts.len()].copy_from_slice(parts);
    StateKey::join(&all[..=parts.len()])
}

/// A day so that bytes stand in the order of days, those before 1970 first.
fn ordered_day(day: BusinessDate) -> [u8; 4] {
    ((day.0 as u32) ^ 0x8000_0000).to_be_bytes()
}

fn day_of(bytes: [u8; 4]) -> BusinessDate {
    BusinessDate((u32::from_be_bytes(bytes) ^ 0x8000_0000) as i32)
}

/// A year so that bytes stand in the order of years.
fn ordered_year(year: i32) -> [u8; 4] {
    ordered_day(BusinessDate(year))
}

/// `key` in the storage of a contract.
pub fn contract_storage(contract: &ContractId, key: &[u8]) -> StateKey {
    join(area::CONTRACT_STORAGE, &[&contract.0, key])
}

/// A record in the storage of a contract: the byte of its kind, then its id.
pub fn contract_record(contract: &ContractId, kind: u8, id: &[u8]) -> StateKey {
    join(area::CONTRACT_STORAGE, &[&contract.0, &[kind], id])
}

/// Everything in the storage of a contract whose key begins with `prefix`.
pub fn contract_storage_prefix(contract: &ContractId, prefix: &[u8]) -> StateKey {
    contract_storage(contract, prefix)
}

/// A member.
pub fn member(member: &MemberId) -> StateKey {
    join(area::MEMBER, &[&member.0])
}

/// All members.
pub fn member_area() -> StateKey {
    join(area::MEMBER, &[])
}

/// An account.
pub fn account(account: &AccountId) -> StateKey {
    join(area::ACCOUNT, &[&account.0])
}

/// All accounts.
pub fn account_area() -> StateKey {
    join(area::ACCOUNT, &[])
}

/// A registered public key.
pub fn key(key: &KeyId) -> StateKey {
    join(area::KEY, &[&key.0])
}

/// All registered public keys.
pub fn key_area() -> StateKey {
    join(area::KEY, &[])
}

/// What a full name (`harbour-bank`, `harbour-bank/treasury`) stands for.
pub fn name(name: &str) -> StateKey {
    join(area::NAME, &[name.as_bytes()])
}

/// All names.
pub fn name_area() -> StateKey {
    join(area::NAME, &[])
}

/// A governance proposal.
pub fn proposal(proposal: &Hash) -> StateKey {
    join(area::PROPOSAL, &[&proposal.0])
}

/// All governance proposals.
pub fn proposal_area() -> StateKey {
    join(area::PROPOSAL, &[])
}

/// A year of a calendar.
pub fn calendar_year(calendar: &str, year: i32) -> StateKey {
    join(area::CALENDAR, &[&ordered_year(year), calendar.as_bytes()])
}

/// All years of all calendars, by year and then by name.
pub fn calendar_area() -> StateKey {
    join(area::CALENDAR, &[])
}

/// The place of an agenda entry in the order of due days.
pub fn agenda_due(due: BusinessDate, entry: &AgendaId) -> StateKey {
    join(area::AGENDA_DUE, &[&ordered_day(due), &entry.0])
}

/// All agenda entries due on a day.
pub fn agenda_due_day(due: BusinessDate) -> StateKey {
    join(area::AGENDA_DUE, &[&ordered_day(due)])
}

/// All agenda entries, by due day and then by id.
pub fn agenda_due_area() -> StateKey {
    join(area::AGENDA_DUE, &[])
}

/// Day and id of a key that [`agenda_due`] made.
pub fn agenda_due_parts(key: &StateKey) -> Option<(BusinessDate, AgendaId)> {
    let (head, id) = key.as_bytes().split_first_chunk::<5>()?;
    let [area::AGENDA_DUE, day @ ..] = *head else { return None };
    Some((day_of(day), AgendaId(id.try_into().ok()?)))
}

/// An agenda entry by its id.
pub fn agenda_entry(entry: &AgendaId) -> StateKey {
    join(area::AGENDA_ENTRY, &[&entry.0])
}

/// All agenda entries by id.
pub fn agenda_entry_area() -> StateKey {
    join(area::AGENDA_ENTRY, &[])
}

/// A contract instance.
pub fn contract_instance(contract: &ContractId) -> StateKey {
    join(area::CONTRACT_INSTANCE, &[&contract.0])
}

/// All contract instances.
pub fn contract_instance_area() -> StateKey {
    join(area::CONTRACT_INSTANCE, &[])
}

/// A chunk, from 0, of the contract code with this hash.
pub fn code_chunk(code: &Hash, chunk: u32) -> StateKey {
    join(area::CODE_CHUNK, &[&code.0, &chunk.to_be_bytes()])
}

/// All chunks of a contract code, in order.
pub fn code_chunks(code: &Hash) -> StateKey {
    join(area::CODE_CHUNK, &[&code.0])
}

/// A chain parameter.
pub fn parameter(name: &str) -> StateKey {
    join(area::PARAMETER, &[name.as_bytes()])
}

/// All chain parameters.
pub fn parameter_area() -> StateKey {
    join(area::PARAMETER, &[])
}

/// The business clock.
pub fn business_clock() -> StateKey {
    join(area::BUSINESS_CLOCK, &[])
}

/// The validator set of the next block.
pub fn validator_set() -> StateKey {
    join(area::VALIDATOR_SET, &[])
}

/// The change of the validator set that takes effect at a height.
pub fn pending_validators(height: Height) -> StateKey {
    join(area::PENDING_VALIDATORS, &[&height.0.to_be_bytes()])
}

/// All changes of the validator set to come, by height.
pub fn pending_validators_area() -> StateKey {
    join(area::PENDING_VALIDATORS, &[])
}

/// The quota account of a member.
pub fn quota(member: &MemberId) -> StateKey {
    join(area::QUOTA, &[&member.0])
}

/// The quota accounts of all members.
pub fn quota_area() -> StateKey {
    join(area::QUOTA, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agenda_keys_stand_in_the_order_of_days() {
        let days = [i32::MIN, -1, 0, 1, 20_000, i32::MAX].map(BusinessDate);
        let keys = days.map(|day| agenda_due(day, &AgendaId([0xff; 32])));
        assert!(keys.is_sorted());
        for (day, key) in days.into_iter().zip(&keys) {
            assert_eq!(agenda_due_parts(key), Some((day, AgendaId([0xff; 32]))));
            assert!(key.starts_with(&agenda_due_day(day)));
        }
    }

    #[test]
    fn another_key_has_no_due_day() {
        assert_eq!(agenda_due_parts(&agenda_entry(&AgendaId([1; 32]))), None);
        assert_eq!(agenda_due_parts(&agenda_due_day(BusinessDate(1))), None);
        assert_eq!(agenda_due_parts(&agenda_due_area()), None);
    }

    #[test]
    fn no_two_areas_share_a_byte() {
        let areas = [
            contract_storage(&ContractId([0; 16]), b""),
            member_area(),
            account_area(),
            key_area(),
            name_area(),
            proposal_area(),
            calendar_area(),
            agenda_due_area(),
            agenda_entry_area(),
            contract_instance_area(),
            code_chunks(&Hash::ZERO),
            parameter_area(),
            business_clock(),
            validator_set(),
            pending_validators_area(),
            quota_area(),
        ];
        let bytes: std::collections::BTreeSet<u8> = areas.iter().map(|key| key.as_bytes()[0]).collect();
        assert_eq!(bytes.len(), areas.len());
    }

    #[test]
    fn contracts_never_share_a_key() {
        let (one, other) = (ContractId([1; 16]), ContractId([2; 16]));
        assert_ne!(contract_storage(&one, b"k"), contract_storage(&other, b"k"));
        assert_eq!(contract_storage(&one, b"key").suffix(&contract_storage_prefix(&one, b"k")), b"ey");
        assert_eq!(contract_storage(&one, b"key").suffix(&contract_storage_prefix(&other, b"k")), b"");
    }
}
