//! The host's imports, ABI v1. The only place with pointers: each wrapper passes ranges that live for the call.
#![allow(unsafe_code)]

use alloc::{vec, vec::Vec};

use codec::Decode;

use crate::{
    AccountId, CallRefusal, Caller, ContractId, Day, Hash, MemberId, ScheduleRefusal,
    abi::{ABSENT, CALLER_BYTES},
    env::{corrupt, decode_own},
};

mod import {
    #[link(wasm_import_module = "portolan")]
    unsafe extern "C" {
        pub fn input(dst: *mut u8, cap: usize) -> i32;
        pub fn output(ptr: *const u8, len: usize);
        pub fn revert(ptr: *const u8, len: usize) -> !;
        pub fn result(offset: usize, dst: *mut u8, cap: usize) -> i32;
        pub fn storage_get(key: *const u8, key_len: usize, dst: *mut u8, cap: usize) -> i32;
        pub fn storage_put(key: *const u8, key_len: usize, value: *const u8, value_len: usize);
        pub fn storage_delete(key: *const u8, key_len: usize);
        pub fn storage_scan(
            prefix: *const u8,
            prefix_len: usize,
            after: *const u8,
            after_len: usize,
            limit: u32,
            dst: *mut u8,
            cap: usize,
        ) -> i32;
        pub fn caller(dst: *mut u8);
        pub fn authorize(
            account: *const u8,
            action: *const u8,
            action_len: usize,
            currency: *const u8,
            minor_low: i64,
            minor_high: i64,
        ) -> i32;
        pub fn member_of(account: *const u8, dst: *mut u8) -> i32;
        pub fn member_status(member: *const u8) -> i32;
        pub fn has_role(member: *const u8, role: u32) -> i32;
        pub fn self_id(dst: *mut u8);
        pub fn transaction_id(dst: *mut u8);
        pub fn parameter(name: *const u8, name_len: usize, dst: *mut u8, cap: usize) -> i32;
        pub fn consortium_hash(ptr: *const u8, len: usize, dst: *mut u8);
        pub fn block_height() -> i64;
        pub fn block_time() -> i64;
        pub fn business_date() -> i32;
        pub fn is_business_day(calendar: *const u8, calendar_len: usize, day: i32) -> i32;
        pub fn emit_event(ptr: *const u8, len: usize);
        pub fn call(contract: *const u8, input: *const u8, input_len: usize, gas: i64, dst: *mut u8, cap: usize)
        -> i32;
        pub fn schedule(due: i32, message: *const u8, message_len: usize, gas: i64, dst: *mut u8) -> i32;
        pub fn cancel_schedule(id: *const u8) -> i32;
        pub fn blake3(ptr: *const u8, len: usize, dst: *mut u8);
        pub fn verify_signature(key: *const u8, message: *const u8, message_len: usize, signature: *const u8) -> i32;
        pub fn log(ptr: *const u8, len: usize);
    }
}

/// First buffer for a result of unknown length; most values fit, and a longer one is read from the result register.
const FIRST_BUFFER: usize = 256;

/// Runs `ask`, which fills `(dst, cap)` and answers the full length or a negative code, and collects the whole result.
fn collect(ask: impl FnOnce(*mut u8, usize) -> i32) -> Result<Vec<u8>, i32> {
    let mut bytes = vec![0; FIRST_BUFFER];
    let length = ask(bytes.as_mut_ptr(), FIRST_BUFFER);
    let Ok(length) = usize::try_from(length) else { return Err(length) };
    bytes.resize(length, 0);
    if length > FIRST_BUFFER {
        // SAFETY: the range is the tail of `bytes`, which the host fills from the same result.
        unsafe { import::result(FIRST_BUFFER, bytes.as_mut_ptr().add(FIRST_BUFFER), length - FIRST_BUFFER) };
    }
    Ok(bytes)
}

fn fixed<const N: usize>(ask: impl FnOnce(*mut u8)) -> [u8; N] {
    let mut bytes = [0; N];
    ask(bytes.as_mut_ptr());
    bytes
}

/// The message that this call was entered with.
pub(crate) fn input() -> Vec<u8> {
    // SAFETY: `collect` passes a writable range of that length.
    collect(|dst, cap| unsafe { import::input(dst, cap) }).unwrap_or_default()
}

/// Ends the entry: hands the value to the host, or reverts.
pub(crate) fn finish(result: Result<Vec<u8>, Vec<u8>>) {
    // SAFETY: both ranges are whole vectors that outlive the import.
    match result {
        Ok(value) => unsafe { import::output(value.as_ptr(), value.len()) },
        Err(error) => unsafe { import::revert(error.as_ptr(), error.len()) },
    }
}

pub(crate) fn storage_get(key: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: both ranges are valid for their lengths.
    match collect(|dst, cap| unsafe { import::storage_get(key.as_ptr(), key.len(), dst, cap) }) {
        Ok(value) => Some(value),
        Err(ABSENT) => None,
        Err(_) => corrupt(),
    }
}

pub(crate) fn storage_put(key: &[u8], value: &[u8]) {
    // SAFETY: both ranges are valid for their lengths.
    unsafe { import::storage_put(key.as_ptr(), key.len(), value.as_ptr(), value.len()) }
}

pub(crate) fn storage_delete(key: &[u8]) {
    // SAFETY: the range is valid for its length.
    unsafe { import::storage_delete(key.as_ptr(), key.len()) }
}

pub(crate) fn storage_scan(prefix: &[u8], after: Option<&[u8]>, limit: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    let after = after.unwrap_or_default();
    // SAFETY: all ranges are valid for their lengths.
    let page = collect(|dst, cap| unsafe {
        import::storage_scan(prefix.as_ptr(), prefix.len(), after.as_ptr(), after.len(), limit, dst, cap)
    });
    page.map_or_else(|_| corrupt(), |bytes| decode_own(&bytes))
}

pub(crate) fn caller() -> Caller {
    // SAFETY: the buffer has the 17 bytes that the import writes.
    let bytes = fixed::<CALLER_BYTES>(|dst| unsafe { import::caller(dst) });
    Caller::decode(&mut bytes.as_slice()).unwrap_or_else(|_| corrupt())
}

pub(crate) fn authorize(account: AccountId, action: &str, currency: &[u8; 3], minor: i128) -> i32 {
    let (low, high) = (minor as i64, (minor >> 64) as i64);
    // SAFETY: ids and currency have their fixed lengths, the action its own.
    unsafe { import::authorize(account.0.as_ptr(), action.as_ptr(), action.len(), currency.as_ptr(), low, high) }
}

pub(crate) fn member_of(account: AccountId) -> Option<MemberId> {
    let mut found = 0;
    // SAFETY: the buffer has the 16 bytes that the import writes.
    let member = fixed(|dst| found = unsafe { import::member_of(account.0.as_ptr(), dst) });
    (found == 1).then_some(MemberId(member))
}

pub(crate) fn member_status(member: MemberId) -> i32 {
    // SAFETY: an id has 16 bytes.
    unsafe { import::member_status(member.0.as_ptr()) }
}

pub(crate) fn has_role(member: MemberId, role: u8) -> bool {
    // SAFETY: an id has 16 bytes.
    unsafe { import::has_role(member.0.as_ptr(), u32::from(role)) == 1 }
}

pub(crate) fn self_id() -> ContractId {
    // SAFETY: the buffer has the 16 bytes that the import writes.
    ContractId(fixed(|dst| unsafe { import::self_id(dst) }))
}

pub(crate) fn transaction_id() -> Hash {
    // SAFETY: the buffer has the 32 bytes that the import writes.
    Hash(fixed(|dst| unsafe { import::transaction_id(dst) }))
}

pub(crate) fn parameter(name: &str) -> Option<Vec<u8>> {
    // SAFETY: both ranges are valid for their lengths.
    collect(|dst, cap| unsafe { import::parameter(name.as_ptr(), name.len(), dst, cap) }).ok()
}

pub(crate) fn consortium_hash(data: &[u8]) -> Hash {
    // SAFETY: the data's range is valid, the buffer has 32 bytes.
    Hash(fixed(|dst| unsafe { import::consortium_hash(data.as_ptr(), data.len(), dst) }))
}

pub(crate) fn block_height() -> u64 {
    // SAFETY: no memory is touched.
    unsafe { import::block_height() as u64 }
}

pub(crate) fn block_time() -> u64 {
    // SAFETY: no memory is touched.
    unsafe { import::block_time() as u64 }
}

pub(crate) fn business_date() -> Day {
    // SAFETY: no memory is touched.
    unsafe { import::business_date() }
}

pub(crate) fn is_business_day(calendar: &str, day: Day) -> i32 {
    // SAFETY: the name's range is valid.
    unsafe { import::is_business_day(calendar.as_ptr(), calendar.len(), day) }
}

pub(crate) fn emit_event(event: &[u8]) {
    // SAFETY: the range is valid for its length.
    unsafe { import::emit_event(event.as_ptr(), event.len()) }
}

pub(crate) fn call(contract: ContractId, input: &[u8], gas: u64) -> Result<Vec<u8>, (CallRefusal, Vec<u8>)> {
    // SAFETY: all ranges are valid for their lengths.
    let answer = collect(|dst, cap| unsafe {
        import::call(contract.0.as_ptr(), input.as_ptr(), input.len(), gas as i64, dst, cap)
    });
    answer.map_err(|code| match CallRefusal::from_code(code) {
        CallRefusal::Reverted => (CallRefusal::Reverted, register()),
        refusal => (refusal, Vec::new()),
    })
}

/// The whole result register, whose length is not known: read until it gives less than asked for.
fn register() -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        bytes.resize(start + FIRST_BUFFER, 0);
        // SAFETY: the range is the tail of `bytes`, just grown by that much.
        let copied = unsafe { import::result(start, bytes.as_mut_ptr().add(start), FIRST_BUFFER) };
        let copied = usize::try_from(copied).unwrap_or_default().min(FIRST_BUFFER);
        bytes.truncate(start + copied);
        if copied < FIRST_BUFFER {
            return bytes;
        }
    }
}

pub(crate) fn schedule(due: Day, message: &[u8], gas: u64) -> Result<Hash, ScheduleRefusal> {
    let mut code = 0;
    // SAFETY: the message's range is valid, the buffer has 32 bytes.
    let id = fixed(|dst| code = unsafe { import::schedule(due, message.as_ptr(), message.len(), gas as i64, dst) });
    ScheduleRefusal::from_code(code).map(|()| Hash(id))
}

pub(crate) fn cancel_schedule(entry: Hash) -> bool {
    // SAFETY: an id has 32 bytes.
    unsafe { import::cancel_schedule(entry.0.as_ptr()) == 1 }
}

pub(crate) fn blake3(data: &[u8]) -> Hash {
    // SAFETY: the data's range is valid, the buffer has 32 bytes.
    Hash(fixed(|dst| unsafe { import::blake3(data.as_ptr(), data.len(), dst) }))
}

pub(crate) fn verify_signature(key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> bool {
    // SAFETY: key and signature have their fixed lengths, the message its own.
    unsafe { import::verify_signature(key.as_ptr(), message.as_ptr(), message.len(), signature.as_ptr()) == 1 }
}

pub(crate) fn log(line: &[u8]) {
    // SAFETY: the range is valid for its length.
    unsafe { import::log(line.as_ptr(), line.len()) }
}
