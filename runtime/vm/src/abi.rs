//! Host ABI v1: the one table of what a contract may import, with pointer conventions and numeric codes.
//!
//! The SDK (`contracts/sdk`) mirrors this table; a change to it is a protocol change. Must never hold logic.
//!
//! # Conventions
//! - Imports come from module [`MODULE`]. Pointers and lengths are `i32` offsets into the guest's exported `memory`;
//!   every range is checked, and a range outside memory traps the call.
//! - The guest exports `memory` and `call(entry: i32)`; `entry` is one of [`Entry`]. Nothing that allocates is called by the host.
//! - A result of variable length is written to `(dst, cap)`: at most `cap` bytes are copied, and the **full** length is
//!   returned. The whole result stays in the result register until the next host call that sets it, and is read from there by
//!   `result(offset, dst, cap) -> i32` (bytes copied), so that no call is made twice for want of a buffer.
//! - Fixed results (`dst` only) are written whole.
//! - Ids: contract, member and account ids are 16 bytes, hashes 32 bytes.
//!
//! # Imports
//! | function | parameters | result |
//! |---|---|---|
//! | `input` | `dst, cap` | full length |
//! | `output` | `ptr, len` | – (the last one counts) |
//! | `revert` | `ptr, len` | does not return: the call fails with these bytes as its error |
//! | `result` | `offset, dst, cap` | bytes copied |
//! | `storage_get` | `key, key_len, dst, cap` | full length, or [`ABSENT`] |
//! | `storage_put` | `key, key_len, value, value_len` | – |
//! | `storage_delete` | `key, key_len` | – |
//! | `storage_scan` | `prefix, prefix_len, after, after_len, limit, dst, cap` | full length of SCALE `Vec<(Vec<u8>, Vec<u8>)>`: the entries whose key starts with `prefix` and is greater than `after` (if `after_len > 0`), ascending, at most `limit` |
//! | `caller` | `dst` (17 bytes) | – ; SCALE [`portolan_primitives::Caller`], zero-padded; in a query it is the reader |
//! | `authorize` | `account, action, action_len, currency (3 bytes), minor_low: i64, minor_high: i64` | an [`Authorization`] code |
//! | `member_of` | `account, dst` (16) | 1 found, 0 unknown account |
//! | `member_status` | `member` | a [`portolan_primitives::MemberStatus`] code, 0 unknown |
//! | `has_role` | `member, role` | 1 yes, 0 no; role is the codec index of [`portolan_primitives::Role`] |
//! | `self_id` | `dst` (16) | – |
//! | `transaction_id` | `dst` (32) | – ; the agenda entry's id when the agenda calls |
//! | `parameter` | `name, name_len, dst, cap` | full length, or [`ABSENT`] |
//! | `consortium_hash` | `ptr, len, dst` (32) | – ; BLAKE3 keyed by the chain secret |
//! | `block_height` | | `i64` |
//! | `block_time` | | `i64`, ms since 1970 |
//! | `business_date` | | `i32`, days since 1970-01-01; an agenda entry sees its own due date |
//! | `is_business_day` | `calendar, calendar_len, day` | 1 open, 0 closed, [`NOT_COVERED`], [`UNKNOWN_CALENDAR`] |
//! | `emit_event` | `ptr, len` | – |
//! | `call` | `contract, input, input_len, gas: i64 (0: all that is left), dst, cap` | full length of the output, or a [`CallRefusal`] code; for `Reverted` the result register holds the error |
//! | `schedule` | `due: i32, message, message_len, gas: i64, dst` (32) | 0, or a [`ScheduleRefusal`] code |
//! | `cancel_schedule` | `id` (32) | 1 removed, 0 not pending or another contract's |
//! | `blake3` | `ptr, len, dst` (32) | – ; plain BLAKE3 |
//! | `verify_signature` | `key` (33: scheme, key), `message, message_len, signature` (65: scheme, signature) | 1 valid, 0 not |
//! | `log` | `ptr, len` | – ; kept on a devnet only, costs the same everywhere |
//!
//! In a query every writing import (`storage_put`, `storage_delete`, `emit_event`, `schedule`, `cancel_schedule`) traps, and
//! `authorize` answers [`Authorization::NotTopLevel`].

/// The module name of every import.
pub const MODULE: &str = "portolan";
/// The exported function that runs an entry.
pub const EXPORT_CALL: &str = "call";
/// The exported linear memory.
pub const EXPORT_MEMORY: &str = "memory";
/// Custom section with the contract's SCALE-encoded metadata.
pub const METADATA_SECTION: &str = "portolan_metadata";

/// No value under that key or name.
pub const ABSENT: i32 = -1;
/// The day lies outside what the calendar covers (provisional days count as covered on a devnet only).
pub const NOT_COVERED: i32 = -1;
/// No calendar of that name.
pub const UNKNOWN_CALENDAR: i32 = -2;

/// Why a contract is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Entry {
    /// A message of a transaction, of another contract, or of the agenda (then the caller is the contract itself).
    Call = 0,
    /// A question; nothing can be written.
    Query = 1,
    /// Once, when the instance is created.
    Instantiate = 2,
    /// Once after an upgrade, in the new code.
    Migrate = 3,
}

/// Answer of `authorize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Authorization {
    /// The approvers of the transaction satisfy the account's policy for that amount.
    Granted = 0,
    /// Asked below a top-level call: nobody's signature leaks into a contract they happened to call.
    NotTopLevel = 1,
    /// No such account.
    UnknownAccount = 2,
    /// The account's member is frozen, or has left.
    MemberNotActive = 3,
    /// Fewer different persons approved than the policy asks for this amount.
    TooFewPersons = 4,
}

/// Why a cross-contract call did not return an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum CallRefusal {
    /// The callee reverted; its error is in the result register.
    Reverted = -1,
    /// The callee trapped or ran out of the gas given to it.
    Failed = -2,
    /// No contract under that id.
    UnknownContract = -3,
    /// Deeper than [`MAX_CALL_DEPTH`].
    TooDeep = -4,
    /// The callee is already on the call stack.
    Reentrant = -5,
}

/// Why the agenda refused an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ScheduleRefusal {
    /// `gas` is above what one agenda entry may ask for.
    GasAboveBlock = 1,
    /// The member's agenda quota is used up.
    Quota = 2,
    /// The message is longer than [`MAX_MESSAGE_BYTES`].
    TooLong = 3,
}

/// Deepest chain of cross-contract calls, the top-level call being depth 1.
pub const MAX_CALL_DEPTH: u32 = 8;
/// Longest storage key within a contract.
pub const MAX_KEY_BYTES: usize = 128;
/// Longest storage value.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Longest input, output, error, event or agenda message.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Most events of one top-level call, and their bytes in all.
pub const MAX_EVENTS: u32 = 1_024;
/// Most bytes of all events of one top-level call.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most entries of one `storage_scan`.
pub const MAX_SCAN_ENTRIES: u32 = 256;
/// Largest linear memory of a contract.
pub const MAX_MEMORY_BYTES: usize = 16 * 1024 * 1024;
/// Largest module.
pub const MAX_CODE_BYTES: usize = 512 * 1024;
