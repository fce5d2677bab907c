//! What the runtime's own work costs, beside what the vm meters: one table of fixed prices, about one gas a nanosecond of the
//! reference machine. A change to a number is a protocol change.

/// A transaction: decoding, checks, its receipt.
pub const TRANSACTION: u64 = 60_000;
/// Each byte of a transaction: hashing, storing, sending.
pub const TRANSACTION_BYTE: u64 = 20;
/// Each approver: key, person, signature.
pub const APPROVER: u64 = 60_000;
/// An agenda entry: taking it off the queue, its receipt.
pub const ENTRY: u64 = 60_000;
/// A call of a contract or module: looking it up.
pub const CALL: u64 = 5_000;

/// A native module reads a record.
pub const NATIVE_READ: u64 = 5_000;
/// Each byte read.
pub const NATIVE_READ_BYTE: u64 = 1;
/// A native module writes or removes a record.
pub const NATIVE_WRITE: u64 = 20_000;
/// Each byte written.
pub const NATIVE_WRITE_BYTE: u64 = 8;
/// A native module makes an event.
pub const NATIVE_EVENT: u64 = 2_000;
/// A native module asks an account's policy.
pub const NATIVE_AUTHORIZE: u64 = 20_000;
/// A native module calls.
pub const NATIVE_CALL: u64 = 20_000;
/// A native module schedules: two writes.
pub const NATIVE_SCHEDULE: u64 = 40_000;
/// Each byte of code that is checked and compiled at deployment.
pub const CODE_BYTE: u64 = 400;

/// What a transaction costs before its first call; a lower limit is refused.
pub fn transaction(bytes: usize, approvers: usize) -> u64 {
    TRANSACTION + TRANSACTION_BYTE * bytes as u64 + APPROVER * approvers as u64
}
