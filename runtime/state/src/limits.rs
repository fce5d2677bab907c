//! The named limits of the state.

/// Longest storage key, bytes, area and contract id included.
pub const MAX_KEY_BYTES: usize = 1024;
/// Largest value under one key, bytes. What is larger (a contract's code) is stored in chunks.
pub const MAX_VALUE_BYTES: usize = 256 * 1024;
/// Most entries that one scan returns, whatever the caller asks for; go on after the last key.
pub const MAX_SCAN: usize = 4096;
/// Least memory for tree pages, bytes: the pinned top pages of a full tree fit, and as much again.
pub const MIN_PAGE_CACHE_BYTES: usize = 12 * 1024 * 1024;
/// Largest value that is kept in memory because a block read it, bytes.
pub(crate) const MAX_HOT_VALUE: usize = 16 * 1024;
/// Most change records that one commit deletes.
pub(crate) const MAX_RECORDS_DELETED: u64 = 64;
