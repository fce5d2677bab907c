//! The host functions of ABI v1, one by one. Each charges its price before it works, checks its buffers in [`crate::memory`],
//! and asks the [`crate::Host`]. Must never decide what a business rule decides.

use codec::Encode;
use portolan_primitives::{AccountId, ContractId, Currency, Hash, MemberId};
use wasmtime::{Caller, Linker};

use crate::{
    TrapReason,
    abi::{self, Authorization, CallRefusal, ScheduleRefusal},
    host::{CallReturn, HostFault},
    memory,
    metering::{self as price, Price},
    state::{CallState, Register, Stop},
};

type Guest<'a> = Caller<'a, CallState>;
type Done<T> = Result<T, Stop>;

/// A linker with every import of the table.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    add_buffers(&mut linker)?;
    add_storage(&mut linker)?;
    add_authority(&mut linker)?;
    add_surroundings(&mut linker)?;
    add_effects(&mut linker)?;
    add_cryptography(&mut linker)?;
    Ok(linker)
}

/// Defines an import: its name, its parameters, and what it does as `Done<result>`.
macro_rules! import {
    ($linker:ident, $name:literal, |$guest:ident $(, $param:ident: $ty:ty)*| -> $result:ty $body:block) => {
        $linker.func_wrap(abi::MODULE, $name, |mut $guest: Guest<'_> $(, $param: $ty)*| -> wasmtime::Result<$result> {
            #[allow(clippy::redundant_closure_call, reason = "the closure is what `?` in the body returns from")]
            let done: Done<$result> = (|| $body)();
            done.map_err(wasmtime::Error::new)
        })?;
    };
}

fn add_buffers(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "input", |guest, dst: i32, cap: i32| -> i32 {
        let length = guest.data().input.len();
        guest.data_mut().register = Register::Input;
        charge(&mut guest, price::COPY.of(length.min(cap as u32 as usize)))?;
        deliver(&mut guest, "input", dst, cap)
    });
    import!(linker, "output", |guest, ptr: i32, len: i32| -> () {
        guest.data_mut().output = copy_in(&mut guest, "output", price::COPY, ptr, len)?;
        Ok(())
    });
    import!(linker, "revert", |guest, ptr: i32, len: i32| -> () {
        Err(Stop::Revert(copy_in(&mut guest, "revert", price::COPY, ptr, len)?))
    });
    import!(linker, "result", |guest, offset: i32, dst: i32, cap: i32| -> i32 {
        let left = guest.data().register().len().saturating_sub(offset as u32 as usize);
        charge(&mut guest, price::COPY.of(left.min(cap as u32 as usize)))?;
        let (memory, state) = parts(&mut guest)?;
        let bytes = state.register().get(offset as u32 as usize..).unwrap_or_default();
        let target = memory::write(memory, "result", dst, cap)?;
        length(copy_prefix(bytes, target))
    });
    import!(linker, "log", |guest, ptr: i32, len: i32| -> () {
        let line = copy_in(&mut guest, "log", price::COPY, ptr, len)?;
        guest.data_mut().host().log(&line);
        Ok(())
    });
    Ok(())
}

fn add_storage(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "storage_get", |guest, key: i32, key_len: i32, dst: i32, cap: i32| -> i32 {
        charge(&mut guest, price::STORAGE_GET.of(key_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let key = memory::read_bounded(memory, "storage_get", key, key_len, abi::MAX_KEY_BYTES)?;
        let value = state.host().storage_get(key)?.map(Register::Shared);
        deliver_or_absent(&mut guest, "storage_get", price::STORAGE_GET, value, dst, cap)
    });
    import!(linker, "storage_put", |guest, key: i32, key_len: i32, value: i32, value_len: i32| -> () {
        guest.data().must_write("storage_put")?;
        charge(&mut guest, price::STORAGE_PUT.of(sum(&[key_len, value_len])))?;
        let (memory, state) = parts(&mut guest)?;
        let key = memory::read_bounded(memory, "storage_put", key, key_len, abi::MAX_KEY_BYTES)?;
        let value = memory::read_bounded(memory, "storage_put", value, value_len, abi::MAX_VALUE_BYTES)?;
        Ok(state.host().storage_put(key, value)?)
    });
    import!(linker, "storage_delete", |guest, key: i32, key_len: i32| -> () {
        guest.data().must_write("storage_delete")?;
        charge(&mut guest, price::STORAGE_DELETE.of(key_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let key = memory::read_bounded(memory, "storage_delete", key, key_len, abi::MAX_KEY_BYTES)?;
        Ok(state.host().storage_delete(key)?)
    });
    import!(linker, "storage_scan", |guest,
                                     prefix: i32,
                                     prefix_len: i32,
                                     after: i32,
                                     after_len: i32,
                                     limit: i32,
                                     dst: i32,
                                     cap: i32|
     -> i32 {
        let limit = (limit as u32).min(abi::MAX_SCAN_ENTRIES);
        let entries = u64::from(limit) * price::STORAGE_SCAN_ENTRY;
        charge(&mut guest, price::STORAGE_SCAN.of(sum(&[prefix_len, after_len])).saturating_add(entries))?;
        let (memory, state) = parts(&mut guest)?;
        let prefix = memory::read_bounded(memory, "storage_scan", prefix, prefix_len, abi::MAX_KEY_BYTES)?;
        let after = match after_len {
            0 => None,
            _ => Some(memory::read_bounded(memory, "storage_scan", after, after_len, abi::MAX_KEY_BYTES)?),
        };
        let found = state.host().storage_scan(prefix, after, limit)?;
        if found.len() > limit as usize {
            return Err(HostFault("a scan found more entries than it was asked for".into()).into());
        }
        deliver_or_absent(
            &mut guest,
            "storage_scan",
            price::STORAGE_SCAN,
            Some(Register::Bytes(found.encode())),
            dst,
            cap,
        )
    });
    Ok(())
}

fn add_authority(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "caller", |guest, dst: i32| -> () {
        let mut bytes = [0; 17];
        let caller = guest.data_mut().host().caller().encode();
        copy_prefix(&caller, &mut bytes);
        answer(&mut guest, "caller", dst, &bytes)
    });
    import!(linker, "authorize", |guest,
                                  account: i32,
                                  action: i32,
                                  action_len: i32,
                                  currency: i32,
                                  minor_low: i64,
                                  minor_high: i64|
     -> i32 {
        charge(&mut guest, price::AUTHORIZE.of(action_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let account = AccountId(memory::read_array(memory, "authorize", account)?);
        let action = name(memory, "authorize", action, action_len)?;
        let currency = Currency(memory::read_array(memory, "authorize", currency)?);
        if state.read_only {
            return Ok(Authorization::NotTopLevel as i32);
        }
        let minor = i128::from(minor_high) << 64 | i128::from(minor_low as u64);
        Ok(state.host().authorize(account, action, currency, minor)? as i32)
    });
    import!(linker, "member_of", |guest, account: i32, dst: i32| -> i32 {
        charge(&mut guest, price::MEMBER.of(0))?;
        let (memory, state) = parts(&mut guest)?;
        let account = AccountId(memory::read_array(memory, "member_of", account)?);
        let target = memory::write(memory, "member_of", dst, 16)?;
        let member = state.host().member_of(account)?;
        target.copy_from_slice(&member.unwrap_or_default().0);
        Ok(i32::from(member.is_some()))
    });
    import!(linker, "member_status", |guest, member: i32| -> i32 {
        charge(&mut guest, price::MEMBER.of(0))?;
        let (memory, state) = parts(&mut guest)?;
        let member = MemberId(memory::read_array(memory, "member_status", member)?);
        Ok(i32::from(state.host().member_status(member)?))
    });
    import!(linker, "has_role", |guest, member: i32, role: i32| -> i32 {
        charge(&mut guest, price::MEMBER.of(0))?;
        let (memory, state) = parts(&mut guest)?;
        let member = MemberId(memory::read_array(memory, "has_role", member)?);
        let role = u8::try_from(role).map_err(|_| TrapReason::OutOfRange("has_role"))?;
        Ok(i32::from(state.host().has_role(member, role)?))
    });
    import!(linker, "self_id", |guest, dst: i32| -> () {
        let id = guest.data_mut().host().self_id();
        answer(&mut guest, "self_id", dst, &id.0)
    });
    import!(linker, "transaction_id", |guest, dst: i32| -> () {
        let id = guest.data_mut().host().transaction_id();
        answer(&mut guest, "transaction_id", dst, &id.0)
    });
    Ok(())
}

fn add_surroundings(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "parameter", |guest, name_ptr: i32, name_len: i32, dst: i32, cap: i32| -> i32 {
        charge(&mut guest, price::LOOKUP.of(name_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let name = name(memory, "parameter", name_ptr, name_len)?;
        let value = state.host().parameter(name)?.map(Register::Bytes);
        deliver_or_absent(&mut guest, "parameter", price::LOOKUP, value, dst, cap)
    });
    import!(linker, "block_height", |guest| -> i64 {
        charge(&mut guest, price::COPY.base)?;
        Ok(guest.data_mut().host().block_height() as i64)
    });
    import!(linker, "block_time", |guest| -> i64 {
        charge(&mut guest, price::COPY.base)?;
        Ok(guest.data_mut().host().block_time() as i64)
    });
    import!(linker, "business_date", |guest| -> i32 {
        charge(&mut guest, price::COPY.base)?;
        Ok(guest.data_mut().host().business_date())
    });
    import!(linker, "is_business_day", |guest, calendar: i32, calendar_len: i32, day: i32| -> i32 {
        charge(&mut guest, price::LOOKUP.of(calendar_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let calendar = name(memory, "is_business_day", calendar, calendar_len)?;
        Ok(state.host().is_business_day(calendar, day)?)
    });
    Ok(())
}

fn add_effects(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "emit_event", |guest, ptr: i32, len: i32| -> () {
        guest.data().must_write("emit_event")?;
        charge(&mut guest, price::EMIT_EVENT.of(len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let event = memory::read_bounded(memory, "emit_event", ptr, len, abi::MAX_MESSAGE_BYTES)?;
        state.count_event(event.len())?;
        Ok(state.host().emit_event(event)?)
    });
    import!(linker, "call", |guest, contract: i32, input: i32, input_len: i32, gas: i64, dst: i32, cap: i32| -> i32 {
        charge(&mut guest, price::CALL.of(input_len as u32 as usize))?;
        let given = gas_to_give(&guest, gas)?;
        let (memory, state) = parts(&mut guest)?;
        let contract = ContractId(memory::read_array(memory, "call", contract)?);
        let input = memory::read_bounded(memory, "call", input, input_len, abi::MAX_MESSAGE_BYTES)?;
        let CallReturn { result, gas_used } = state.host().call(contract, input, given)?;
        if gas_used > given {
            return Err(HostFault("a callee used more gas than it was given".into()).into());
        }
        let (code, bytes) = match result {
            Ok(output) => (None, output),
            Err((CallRefusal::Reverted, error)) => (Some(CallRefusal::Reverted), error),
            Err((refusal, _)) => (Some(refusal), Vec::new()),
        };
        charge(&mut guest, gas_used.saturating_add(price::CALL.bytes(bytes.len())))?;
        guest.data_mut().register = Register::Bytes(bytes);
        match code {
            None => deliver(&mut guest, "call", dst, cap),
            Some(refusal) => Ok(refusal as i32),
        }
    });
    import!(linker, "schedule", |guest, due: i32, message: i32, message_len: i32, gas: i64, dst: i32| -> i32 {
        guest.data().must_write("schedule")?;
        charge(&mut guest, price::SCHEDULE.of(message_len as u32 as usize))?;
        let gas = u64::try_from(gas).map_err(|_| TrapReason::OutOfRange("schedule"))?;
        let (memory, state) = parts(&mut guest)?;
        let message = memory::read(memory, "schedule", message, message_len)?;
        if message.len() > abi::MAX_MESSAGE_BYTES {
            return Ok(ScheduleRefusal::TooLong as i32);
        }
        memory::read_array::<32>(memory, "schedule", dst)?;
        match state.host().schedule(due, message, gas)? {
            Ok(id) => memory::write_array(memory, "schedule", dst, &id.0).map(|()| 0).map_err(Stop::from),
            Err(refusal) => Ok(refusal as i32),
        }
    });
    import!(linker, "cancel_schedule", |guest, id: i32| -> i32 {
        guest.data().must_write("cancel_schedule")?;
        charge(&mut guest, price::CANCEL_SCHEDULE.of(0))?;
        let (memory, state) = parts(&mut guest)?;
        let id = Hash(memory::read_array(memory, "cancel_schedule", id)?);
        Ok(i32::from(state.host().cancel_schedule(id)?))
    });
    Ok(())
}

fn add_cryptography(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    import!(linker, "blake3", |guest, ptr: i32, len: i32, dst: i32| -> () {
        charge(&mut guest, price::HASH.of(len as u32 as usize))?;
        let (memory, _) = parts(&mut guest)?;
        let hash = blake3::hash(memory::read(memory, "blake3", ptr, len)?);
        Ok(memory::write_array(memory, "blake3", dst, hash.as_bytes())?)
    });
    import!(linker, "consortium_hash", |guest, ptr: i32, len: i32, dst: i32| -> () {
        charge(&mut guest, price::HASH.of(len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let hash = state.host().consortium_hash(memory::read(memory, "consortium_hash", ptr, len)?)?;
        Ok(memory::write_array(memory, "consortium_hash", dst, &hash.0)?)
    });
    import!(linker, "verify_signature", |guest, key: i32, message: i32, message_len: i32, signature: i32| -> i32 {
        charge(&mut guest, price::VERIFY_SIGNATURE.of(message_len as u32 as usize))?;
        let (memory, state) = parts(&mut guest)?;
        let key = memory::read_array(memory, "verify_signature", key)?;
        let message = memory::read(memory, "verify_signature", message, message_len)?;
        let signature = memory::read_array(memory, "verify_signature", signature)?;
        Ok(i32::from(state.host().verify_signature(&key, message, &signature)?))
    });
    Ok(())
}

/// Takes `gas`, and what memory growth left open, from what is left. One unit always stays: the engine tells "all used" and
/// "more than all used" apart only by it.
fn charge(guest: &mut Guest<'_>, gas: u64) -> Done<()> {
    let due = gas.saturating_add(std::mem::take(&mut guest.data_mut().growth.pending_gas));
    let left = guest.get_fuel().map_err(uncounted)?.saturating_sub(due);
    if left == 0 {
        return Err(Stop::OutOfGas);
    }
    guest.set_fuel(left).map_err(uncounted)
}

/// What a callee gets: what was asked for, at most all that is left; 0 asks for all.
fn gas_to_give(guest: &Guest<'_>, asked: i64) -> Done<u64> {
    let asked = u64::try_from(asked).map_err(|_| TrapReason::OutOfRange("call"))?;
    let left = guest.get_fuel().map_err(uncounted)?.saturating_sub(1);
    Ok(if asked == 0 { left } else { asked.min(left) })
}

fn uncounted(error: wasmtime::Error) -> Stop {
    Stop::Host(HostFault(format!("the engine does not count fuel: {error:#}")))
}

/// The guest's memory and the call's state, side by side.
fn parts<'a>(guest: &'a mut Guest<'_>) -> Done<(&'a mut [u8], &'a mut CallState)> {
    let memory =
        guest.data().memory.ok_or_else(|| HostFault("a host function ran before the instance stood".into()))?;
    Ok(memory.data_and_store_mut(guest))
}

/// A priced copy of the guest's bytes, at most as long as a message.
fn copy_in(guest: &mut Guest<'_>, function: &'static str, price: Price, ptr: i32, len: i32) -> Done<Vec<u8>> {
    charge(guest, price.of(len as u32 as usize))?;
    let (memory, _) = parts(guest)?;
    Ok(memory::read_bounded(memory, function, ptr, len, abi::MAX_MESSAGE_BYTES)?.to_vec())
}

/// Writes a fixed result, priced as a copy.
fn answer(guest: &mut Guest<'_>, function: &'static str, dst: i32, bytes: &[u8]) -> Done<()> {
    charge(guest, price::COPY.of(bytes.len()))?;
    let (memory, _) = parts(guest)?;
    Ok(memory::write_array(memory, function, dst, bytes)?)
}

/// Puts `value` into the register, charges its bytes, and copies what fits.
fn deliver_or_absent(
    guest: &mut Guest<'_>,
    function: &'static str,
    price: Price,
    value: Option<Register>,
    dst: i32,
    cap: i32,
) -> Done<i32> {
    let Some(value) = value else {
        guest.data_mut().register = Register::Bytes(Vec::new());
        return Ok(abi::ABSENT);
    };
    guest.data_mut().register = value;
    let length = guest.data().register().len();
    charge(guest, price.bytes(length))?;
    deliver(guest, function, dst, cap)
}

/// Copies what fits of the register, and answers its full length.
fn deliver(guest: &mut Guest<'_>, function: &'static str, dst: i32, cap: i32) -> Done<i32> {
    let (memory, state) = parts(guest)?;
    let bytes = state.register();
    copy_prefix(bytes, memory::write(memory, function, dst, cap)?);
    length(bytes.len())
}

fn copy_prefix(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}

fn length(bytes: usize) -> Done<i32> {
    i32::try_from(bytes).map_err(|_| HostFault("an answer of more than 2 GiB".into()).into())
}

/// A name of people's making: text, at most as long as a key.
fn name<'a>(memory: &'a [u8], function: &'static str, ptr: i32, len: i32) -> Result<&'a str, TrapReason> {
    let bytes = memory::read_bounded(memory, function, ptr, len, abi::MAX_KEY_BYTES)?;
    std::str::from_utf8(bytes).map_err(|_| TrapReason::NotText(function))
}

fn sum(lengths: &[i32]) -> usize {
    lengths.iter().map(|length| *length as u32 as usize).sum()
}
