//! The native host: a thread-local stack of whoever runs the contracts in this thread.

use std::{cell::RefCell, rc::Rc};

use crate::{AccountId, CallRefusal, Caller, ContractId, Day, Hash, MemberId, ScheduleRefusal};

/// The world around one contract call, as host ABI v1 shows it. Implemented by the test chain; a test that runs contracts as
/// wasm hands the same object to the VM. Keys and values are the contract's own. What the ABI answers with a trap, panics.
#[allow(missing_docs)]
pub trait Host {
    /// Whether this call may not write (a query).
    fn read_only(&self) -> bool;
    fn storage_get(&self, key: &[u8]) -> Option<Vec<u8>>;
    fn storage_put(&self, key: &[u8], value: &[u8]);
    fn storage_delete(&self, key: &[u8]);
    /// Entries under `prefix` after `after` (exclusive), ascending, at most `limit`.
    fn storage_scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> Vec<(Vec<u8>, Vec<u8>)>;
    fn caller(&self) -> Caller;
    /// 0 granted, or the code of an [`Unauthorized`](crate::Unauthorized).
    fn authorize(&self, account: AccountId, action: &str, currency: &[u8; 3], minor: i128) -> i32;
    fn member_of(&self, account: AccountId) -> Option<MemberId>;
    /// Codec index of the member's status, 0 unknown.
    fn member_status(&self, member: MemberId) -> i32;
    fn has_role(&self, member: MemberId, role: u8) -> bool;
    fn self_id(&self) -> ContractId;
    fn transaction_id(&self) -> Hash;
    fn parameter(&self, name: &str) -> Option<Vec<u8>>;
    fn consortium_hash(&self, data: &[u8]) -> Hash;
    fn block_height(&self) -> u64;
    fn block_time(&self) -> u64;
    fn business_date(&self) -> Day;
    /// 1 open, 0 closed, -1 not covered, -2 unknown calendar.
    fn is_business_day(&self, calendar: &str, day: Day) -> i32;
    fn emit_event(&self, event: &[u8]);
    /// The output, or why there is none; `Reverted` carries the callee's error.
    fn call(&self, contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)>;
    fn schedule(&self, due: Day, message: &[u8], gas: u64) -> Result<Hash, ScheduleRefusal>;
    fn cancel_schedule(&self, entry: Hash) -> bool;
    fn verify_signature(&self, key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> bool;
    fn log(&self, line: &[u8]);
}

thread_local! {
    static STACK: RefCell<Vec<Rc<dyn Host>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `body` with `host` answering the functions of [`env`](crate::env), in this thread and until `body` returns or panics.
pub fn with_host<T>(host: Rc<dyn Host>, body: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            STACK.with(|stack| stack.borrow_mut().pop());
        }
    }
    STACK.with(|stack| stack.borrow_mut().push(host));
    let _leave = Leave;
    body()
}

fn current() -> Rc<dyn Host> {
    STACK.with(|stack| stack.borrow().last().cloned()).unwrap_or_else(|| {
        panic!("no chain around this call: run contract code through a `TestChain`, or in `TestChain::inside`")
    })
}

macro_rules! forward {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $output:ty)?;)*) => {
        $(pub(crate) fn $name($($argument: $type),*) $(-> $output)? {
            current().$name($($argument),*)
        })*
    };
}

forward! {
    fn storage_get(key: &[u8]) -> Option<Vec<u8>>;
    fn storage_put(key: &[u8], value: &[u8]);
    fn storage_delete(key: &[u8]);
    fn storage_scan(prefix: &[u8], after: Option<&[u8]>, limit: u32) -> Vec<(Vec<u8>, Vec<u8>)>;
    fn caller() -> Caller;
    fn authorize(account: AccountId, action: &str, currency: &[u8; 3], minor: i128) -> i32;
    fn member_of(account: AccountId) -> Option<MemberId>;
    fn member_status(member: MemberId) -> i32;
    fn has_role(member: MemberId, role: u8) -> bool;
    fn self_id() -> ContractId;
    fn transaction_id() -> Hash;
    fn parameter(name: &str) -> Option<Vec<u8>>;
    fn consortium_hash(data: &[u8]) -> Hash;
    fn block_height() -> u64;
    fn block_time() -> u64;
    fn business_date() -> Day;
    fn is_business_day(calendar: &str, day: Day) -> i32;
    fn emit_event(event: &[u8]);
    fn call(contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)>;
    fn schedule(due: Day, message: &[u8], gas: u64) -> Result<Hash, ScheduleRefusal>;
    fn cancel_schedule(entry: Hash) -> bool;
    fn verify_signature(key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> bool;
    fn log(line: &[u8]);
}

pub(crate) fn blake3(data: &[u8]) -> Hash {
    Hash(blake3::hash(data).into())
}
