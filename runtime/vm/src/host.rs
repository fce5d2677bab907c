//! What the vm asks of whoever runs a call. Implemented by the runtime's block execution, by queries, and by tests.
//!
//! The vm charges gas before it calls; an implementation never does. Must never decide an outcome from the host's own
//! trouble: what goes wrong here ([`HostFault`]) halts or retries the block.

use std::sync::Arc;

use portolan_primitives::{AccountId, Caller, ContractId, Currency, Hash, MemberId};

use crate::abi::{Authorization, CallRefusal, ScheduleRefusal};

/// The host itself failed (store, cache, memory): never an outcome of the call.
#[derive(Debug, thiserror::Error)]
#[error("the host failed during a contract call: {0}")]
pub struct HostFault(pub String);

/// Result of a host function that can fail on the host's side.
pub type HostResult<T> = Result<T, HostFault>;

/// What came of a cross-contract call.
#[derive(Debug)]
pub struct CallReturn {
    /// The output, or why there is none; `Reverted` carries the callee's error.
    pub result: Result<Vec<u8>, (CallRefusal, Vec<u8>)>,
    /// Gas that the callee used, at most what it was given.
    pub gas_used: u64,
}

/// The world around one contract call. Keys and values are the contract's own: the host adds the contract's prefix.
pub trait Host {
    /// Whether this call may not write (a query).
    fn read_only(&self) -> bool;
    /// The value under `key`.
    fn storage_get(&mut self, key: &[u8]) -> HostResult<Option<Arc<[u8]>>>;
    /// Writes `value` under `key`.
    fn storage_put(&mut self, key: &[u8], value: &[u8]) -> HostResult<()>;
    /// Removes `key`, present or not.
    fn storage_delete(&mut self, key: &[u8]) -> HostResult<()>;
    /// Entries under `prefix` after `after` (exclusive), ascending, at most `limit`; keys without the contract's prefix.
    fn storage_scan(&mut self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> HostResult<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Who calls; in a query the reader.
    fn caller(&self) -> Caller;
    /// Asks the account's policy; see [`Authorization`].
    fn authorize(
        &mut self,
        account: AccountId,
        action: &str,
        currency: Currency,
        minor: i128,
    ) -> HostResult<Authorization>;
    /// The member that owns `account`.
    fn member_of(&mut self, account: AccountId) -> HostResult<Option<MemberId>>;
    /// Codec index of the member's status, 0 unknown.
    fn member_status(&mut self, member: MemberId) -> HostResult<u8>;
    /// Whether the member has the role with this codec index.
    fn has_role(&mut self, member: MemberId, role: u8) -> HostResult<bool>;
    /// The running contract.
    fn self_id(&self) -> ContractId;
    /// Id of the transaction, or of the agenda entry.
    fn transaction_id(&self) -> Hash;
    /// A governed parameter.
    fn parameter(&mut self, name: &str) -> HostResult<Option<Vec<u8>>>;
    /// BLAKE3 keyed by the chain secret.
    fn consortium_hash(&mut self, data: &[u8]) -> HostResult<Hash>;
    /// Height of the block that is executed.
    fn block_height(&self) -> u64;
    /// Its time, ms since 1970.
    fn block_time(&self) -> u64;
    /// The business date, as days since 1970-01-01.
    fn business_date(&self) -> i32;
    /// 1 open, 0 closed, or the negative codes of the table.
    fn is_business_day(&mut self, calendar: &str, day: i32) -> HostResult<i32>;
    /// Records an event.
    fn emit_event(&mut self, event: &[u8]) -> HostResult<()>;
    /// Calls another contract with at most `gas`.
    fn call(&mut self, contract: ContractId, input: &[u8], gas: u64) -> HostResult<CallReturn>;
    /// Puts a message to the running contract on the agenda; answers the entry's id.
    fn schedule(&mut self, due: i32, message: &[u8], gas: u64) -> HostResult<Result<Hash, ScheduleRefusal>>;
    /// Removes an own pending entry.
    fn cancel_schedule(&mut self, id: Hash) -> HostResult<bool>;
    /// Verifies by ZIP-215; key and signature with their scheme byte.
    fn verify_signature(&mut self, key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> HostResult<bool>;
    /// A line for the contract's developer.
    fn log(&mut self, line: &[u8]);
}
