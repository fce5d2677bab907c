//! The named limits of the formats. A limit is checked before anything is allocated for what it bounds.

/// Deepest nesting that a decoder follows.
pub const MAX_DECODE_DEPTH: u32 = 32;
/// Most calls in one transaction.
pub const MAX_CALLS: usize = 64;
/// Most approvers of one transaction.
pub const MAX_APPROVERS: usize = 16;
/// Largest input of one call, bytes.
pub const MAX_CALL_INPUT: usize = 64 * 1024;
/// Largest transaction on the wire, bytes. A contract deployment travels as a governance proposal and needs the room.
pub const MAX_TRANSACTION_BYTES: usize = 640 * 1024;
/// Largest input of a call of a native module, bytes: a contract's code fits.
pub const MAX_NATIVE_INPUT: usize = 600 * 1024;
/// Longest life of a transaction, ms: `expires_at` may be at most this far after the block's time.
pub const MAX_WINDOW_MS: u64 = 5 * 60 * 1000;
/// Most transactions in one block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 16_384;
/// Largest block body, bytes.
pub const MAX_BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// Most validators.
pub const MAX_VALIDATORS: usize = 128;
/// Most voting power of all validators together: three times it still fits 64 bits, so no count of votes can overflow.
pub const MAX_TOTAL_POWER: u128 = (u64::MAX / 3) as u128;
