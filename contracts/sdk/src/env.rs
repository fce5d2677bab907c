//! What a contract may ask of the chain, and tell it: thin, typed functions over the host's imports.
//!
//! Natively they reach the [test chain](crate::testing) that runs the contract, and panic outside one. Must never keep state.

use alloc::vec::Vec;

use codec::{Decode, Encode};

use crate::{
    AccountId, CalendarRefusal, Caller, ContractId, Day, Hash, MemberId, MemberStatus, Role, ScheduleRefusal,
    Unauthorized, abi, host,
};

/// Who calls: an account, another contract, or the contract itself when the agenda calls. In a query, the reader.
#[must_use]
pub fn caller() -> Caller {
    host::caller()
}

/// Asks the account's policy whether the transaction's approvers suffice for `action` over `minor` units of `currency`.
///
/// The sum per transaction and business day counts, so ask once for what is moved, not twice. Pass `0` minor units for an
/// action without an amount.
///
/// # Errors
/// The refusal. Nobody is authorised below a top-level call; there, judge by [`caller`].
pub fn authorize(
    account: AccountId,
    action: &str,
    currency: impl Into<[u8; 3]>,
    minor: i128,
) -> Result<(), Unauthorized> {
    Unauthorized::from_code(host::authorize(account, action, &currency.into(), minor))
}

/// The member that owns the account; none if no such account exists.
#[must_use]
pub fn member_of(account: AccountId) -> Option<MemberId> {
    host::member_of(account)
}

/// Where the member stands; none if no such member exists.
#[must_use]
pub fn member_status(member: MemberId) -> Option<MemberStatus> {
    MemberStatus::from_code(host::member_status(member))
}

/// Whether the member has the role.
#[must_use]
pub fn has_role(member: MemberId, role: Role) -> bool {
    host::has_role(member, role.code())
}

/// The running contract.
#[must_use]
pub fn self_id() -> ContractId {
    host::self_id()
}

/// Id of the transaction; of the agenda's entry when the agenda calls.
#[must_use]
pub fn transaction_id() -> Hash {
    host::transaction_id()
}

/// A governed parameter; none if it is not set. A parameter that is set to something else than a `T` traps the call.
#[must_use]
pub fn parameter<T: Decode>(name: &str) -> Option<T> {
    host::parameter(name).map(|bytes| decode_own(&bytes))
}

/// BLAKE3 under the chain's secret: names what must not be guessed from outside, such as an invoice's fingerprint.
#[must_use]
pub fn consortium_hash(data: &[u8]) -> Hash {
    host::consortium_hash(data)
}

/// Height of the block that is executed.
#[must_use]
pub fn block_height() -> u64 {
    host::block_height()
}

/// The block's time, ms since 1970. For records; business follows [`business_date`].
#[must_use]
pub fn block_time() -> u64 {
    host::block_time()
}

/// The business date. An agenda entry sees its own due date, however late it runs.
#[must_use]
pub fn business_date() -> Day {
    host::business_date()
}

/// Whether the day is a business day in the calendar.
///
/// # Errors
/// The calendar is unknown, or does not cover the day.
pub fn is_business_day(calendar: &str, day: Day) -> Result<bool, CalendarRefusal> {
    CalendarRefusal::from_code(host::is_business_day(calendar, day))
}

/// Records an event. Prefer the interface's own `emit`, which knows the type.
pub fn emit<E: Encode>(event: &E) {
    host::emit_event(&event.encode());
}

/// Puts a message to the running contract on the agenda. Prefer the interface's own `schedule`, which knows the type.
///
/// # Errors
/// The agenda's refusal.
pub fn schedule<M: Encode>(due: Day, message: &M, gas: u64) -> Result<Hash, ScheduleRefusal> {
    host::schedule(due, &message.encode(), gas)
}

/// Removes a pending entry of the running contract from the agenda; whether there was one.
pub fn cancel_schedule(entry: Hash) -> bool {
    host::cancel_schedule(entry)
}

/// Plain BLAKE3 of `data`.
#[must_use]
pub fn blake3(data: &[u8]) -> Hash {
    host::blake3(data)
}

/// Verifies a signature by ZIP-215; key and signature begin with their scheme's byte.
#[must_use]
pub fn verify_signature(key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> bool {
    host::verify_signature(key, message, signature)
}

/// A line for the contract's developer, kept on a devnet only. Prefer [`log!`](crate::log).
pub fn log(line: &str) {
    host::log(line.as_bytes());
}

/// Decodes what the chain or the contract itself wrote. Other bytes there mean that code and state don't belong together:
/// the call traps, and nothing is written on a misunderstanding.
pub(crate) fn decode_own<T: Decode>(bytes: &[u8]) -> T {
    let mut rest = bytes;
    match T::decode(&mut rest) {
        Ok(value) if rest.is_empty() => value,
        Ok(_) | Err(_) => corrupt(),
    }
}

#[cold]
pub(crate) fn corrupt() -> ! {
    panic!("the stored bytes are not of the type that the contract reads: was a migration forgotten?")
}

/// Calls another contract; the interface's `Client` does this with types.
///
/// # Errors
/// Why there is no output; with [`CallRefusal::Reverted`](abi::CallRefusal::Reverted) comes the callee's error.
pub fn call(contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (abi::CallRefusal, Vec<u8>)> {
    host::call(contract, input, gas)
}
