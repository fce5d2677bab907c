//! Bytes of a group: the records that one flush writes, between a keyed header and a keyed checksum. No I/O here.

use portolan_primitives::Height;

use super::Record;
use crate::limits::MAX_LOG_GROUP;

/// Marks the start of a group.
const MAGIC: [u8; 4] = *b"PLgr";
/// Magic, length, check of both.
pub(super) const HEADER: usize = 4 + 4 + 8;
/// Behind the payload.
pub(super) const CHECKSUM: usize = 32;
/// Height and length before each record.
pub(super) const RECORD_OVERHEAD: usize = 8 + 4;

/// Appends a record to a payload.
pub(super) fn push(payload: &mut Vec<u8>, height: Height, bytes: &[u8]) {
    payload.extend(height.0.to_le_bytes());
    payload.extend((bytes.len() as u32).to_le_bytes());
    payload.extend(bytes);
}

/// The group around `payload` at `offset` of a segment with `salt`.
pub(super) fn seal(salt: &[u8; 32], offset: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + CHECKSUM);
    bytes.extend(MAGIC);
    bytes.extend((payload.len() as u32).to_le_bytes());
    let check = check(salt, offset, &bytes);
    bytes.extend(check);
    bytes.extend(payload);
    bytes.extend(checksum(salt, offset, payload));
    bytes
}

/// The payload's length, if `bytes` begin with the header of a group at `offset`.
pub(super) fn header(salt: &[u8; 32], offset: u64, bytes: &[u8]) -> Option<usize> {
    let (front, given) = (bytes.get(..8)?, bytes.get(8..HEADER)?);
    let length = u32::from_le_bytes(front[4..].try_into().ok()?) as usize;
    let good = front[..4] == MAGIC && given == check(salt, offset, front) && length <= MAX_LOG_GROUP;
    good.then_some(length)
}

/// Whether `payload` has this checksum.
pub(super) fn is_whole(salt: &[u8; 32], offset: u64, payload: &[u8], given: &[u8]) -> bool {
    checksum(salt, offset, payload) == given
}

/// The records of a whole payload; `None` if it was not made by [`push`].
pub(super) fn records(mut payload: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !payload.is_empty() {
        let (front, rest) = payload.split_at_checked(RECORD_OVERHEAD)?;
        let height = Height(u64::from_le_bytes(front[..8].try_into().ok()?));
        let length = u32::from_le_bytes(front[8..].try_into().ok()?) as usize;
        let (bytes, rest) = rest.split_at_checked(length)?;
        records.push(Record { height, bytes: bytes.to_vec() });
        payload = rest;
    }
    Some(records)
}

fn check(salt: &[u8; 32], offset: u64, front: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new_keyed(salt);
    hasher.update(&offset.to_le_bytes()).update(front);
    let mut check = [0; 8];
    hasher.finalize_xof().fill(&mut check);
    check
}

fn checksum(salt: &[u8; 32], offset: u64, payload: &[u8]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new_keyed(salt);
    // A byte more than the header's check hashes before its text, so that neither passes for the other.
    hasher.update(&[1]).update(&offset.to_le_bytes()).update(payload);
    *hasher.finalize().as_bytes()
}
