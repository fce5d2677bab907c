//! A contract that runs a little program from its input: each step is `op: u8, length: u16, payload`. The same steps run in
//! calls, questions, deployment and migration, so that a test writes down what a contract does in one line.

use portolan_primitives::{AccountId, ContractId, Currency};

/// Its source.
pub const CONTRACT: &str = r#"(module
  (import "portolan" "input" (func $input (param i32 i32) (result i32)))
  (import "portolan" "output" (func $output (param i32 i32)))
  (import "portolan" "revert" (func $revert (param i32 i32)))
  (import "portolan" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "portolan" "storage_put" (func $put (param i32 i32 i32 i32)))
  (import "portolan" "storage_delete" (func $delete (param i32 i32)))
  (import "portolan" "authorize" (func $authorize (param i32 i32 i32 i32 i64 i64) (result i32)))
  (import "portolan" "business_date" (func $date (result i32)))
  (import "portolan" "emit_event" (func $emit (param i32 i32)))
  (import "portolan" "call" (func $call (param i32 i32 i32 i64 i32 i32) (result i32)))
  (import "portolan" "schedule" (func $schedule (param i32 i32 i32 i64 i32) (result i32)))
  (import "portolan" "cancel_schedule" (func $cancel (param i32) (result i32)))
  (import "portolan" "consortium_hash" (func $consortium (param i32 i32 i32)))
  (import "portolan" "is_business_day" (func $open (param i32 i32 i32) (result i32)))
  (memory (export "memory") 3)
  (func (export "call") (param $entry i32)
    (local $p i32) (local $end i32) (local $op i32) (local $len i32) (local $d i32) (local $r i32)
    (local.set $p (i32.const 1024))
    (local.set $end (i32.add (i32.const 1024) (call $input (i32.const 1024) (i32.const 60000))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
      (local.set $op (i32.load8_u (local.get $p)))
      (local.set $len (i32.load16_u (i32.add (local.get $p) (i32.const 1))))
      (local.set $d (i32.add (local.get $p) (i32.const 3)))
      (local.set $p (i32.add (local.get $d) (local.get $len)))
      (if (i32.eq (local.get $op) (i32.const 1)) (then
        (call $put (local.get $d) (i32.const 8) (i32.add (local.get $d) (i32.const 8)) (i32.sub (local.get $len) (i32.const 8)))))
      (if (i32.eq (local.get $op) (i32.const 2)) (then (call $revert (local.get $d) (local.get $len))))
      (if (i32.eq (local.get $op) (i32.const 3)) (then (loop $forever (br $forever))))
      (if (i32.eq (local.get $op) (i32.const 4)) (then (unreachable)))
      (if (i32.eq (local.get $op) (i32.const 5)) (then
        ;; The answer's code is the output.
        (i32.store (i32.const 0) (call $call (local.get $d) (i32.add (local.get $d) (i32.const 24))
          (i32.sub (local.get $len) (i32.const 24)) (i64.load (i32.add (local.get $d) (i32.const 16))) (i32.const 65536) (i32.const 1024)))
        (call $output (i32.const 0) (i32.const 4))))
      (if (i32.eq (local.get $op) (i32.const 6)) (then
        (local.set $r (call $schedule (i32.load (local.get $d)) (i32.add (local.get $d) (i32.const 12))
          (i32.sub (local.get $len) (i32.const 12)) (i64.load (i32.add (local.get $d) (i32.const 4))) (i32.const 32)))
        (if (local.get $r) (then (i32.store (i32.const 0) (local.get $r)) (call $revert (i32.const 0) (i32.const 4))))
        (call $output (i32.const 32) (i32.const 32))))
      (if (i32.eq (local.get $op) (i32.const 7)) (then
        (local.set $r (call $authorize (local.get $d) (local.get $d) (i32.const 0) (i32.add (local.get $d) (i32.const 16))
          (i64.load (i32.add (local.get $d) (i32.const 19))) (i64.const 0)))
        (if (local.get $r) (then (i32.store (i32.const 0) (local.get $r)) (call $revert (i32.const 0) (i32.const 4))))))
      (if (i32.eq (local.get $op) (i32.const 8)) (then (call $emit (local.get $d) (local.get $len))))
      (if (i32.eq (local.get $op) (i32.const 9)) (then (call $delete (local.get $d) (i32.const 8))))
      (if (i32.eq (local.get $op) (i32.const 10)) (then
        (i32.store (i32.const 0) (call $cancel (local.get $d)))
        (call $output (i32.const 0) (i32.const 4))))
      (if (i32.eq (local.get $op) (i32.const 11)) (then
        (local.set $r (call $get (local.get $d) (i32.const 8) (i32.const 65536) (i32.const 60000)))
        (if (i32.ge_s (local.get $r) (i32.const 0)) (then (call $output (i32.const 65536) (local.get $r))))))
      (if (i32.eq (local.get $op) (i32.const 12)) (then
        ;; Appends one payload byte and the date to the value under the key.
        (local.set $r (call $get (local.get $d) (i32.const 8) (i32.const 65536) (i32.const 60000)))
        (if (i32.lt_s (local.get $r) (i32.const 0)) (then (local.set $r (i32.const 0))))
        (i32.store8 (i32.add (i32.const 65536) (local.get $r)) (i32.load8_u (i32.add (local.get $d) (i32.const 8))))
        (i32.store (i32.add (i32.const 65537) (local.get $r)) (call $date))
        (call $put (local.get $d) (i32.const 8) (i32.const 65536) (i32.add (local.get $r) (i32.const 5)))))
      (if (i32.eq (local.get $op) (i32.const 13)) (then
        (call $consortium (local.get $d) (local.get $len) (i32.const 32))
        (call $output (i32.const 32) (i32.const 32))))
      (if (i32.eq (local.get $op) (i32.const 14)) (then
        ;; Fails with the payload unless the key is set.
        (if (i32.lt_s (call $get (local.get $d) (i32.const 8) (i32.const 65536) (i32.const 0)) (i32.const 0))
          (then (call $revert (local.get $d) (local.get $len))))))
      (if (i32.eq (local.get $op) (i32.const 15)) (then
        (i32.store (i32.const 0) (call $open (i32.add (local.get $d) (i32.const 4)) (i32.sub (local.get $len) (i32.const 4)) (i32.load (local.get $d))))
        (call $output (i32.const 0) (i32.const 4))))
      (br $next)))))"#;

/// Longest name of a key.
fn key(name: &str) -> [u8; 8] {
    let mut key = [b'_'; 8];
    key[..name.len()].copy_from_slice(name.as_bytes());
    key
}

/// Storage key of a name.
pub fn storage_key(name: &str) -> Vec<u8> {
    key(name).to_vec()
}

fn step(op: u8, payload: &[&[u8]]) -> Vec<u8> {
    let payload = payload.concat();
    [&[op], &(payload.len() as u16).to_le_bytes()[..], &payload].concat()
}

/// Steps one after the other.
pub fn program(steps: &[Vec<u8>]) -> Vec<u8> {
    steps.concat()
}

pub fn put(name: &str, value: &[u8]) -> Vec<u8> {
    step(1, &[&key(name), value])
}

pub fn revert(error: &[u8]) -> Vec<u8> {
    step(2, &[error])
}

pub fn loop_forever() -> Vec<u8> {
    step(3, &[])
}

pub fn trap() -> Vec<u8> {
    step(4, &[])
}

/// Calls with all the gas that is left; the output is the answer's code.
pub fn call(contract: ContractId, input: &[u8]) -> Vec<u8> {
    call_with(contract, 0, input)
}

/// Calls with so much gas.
pub fn call_with(contract: ContractId, gas: u64, input: &[u8]) -> Vec<u8> {
    step(5, &[&contract.0, &gas.to_le_bytes(), input])
}

pub fn schedule(due: i32, gas: u64, message: &[u8]) -> Vec<u8> {
    step(6, &[&due.to_le_bytes(), &gas.to_le_bytes(), message])
}

/// Reverts with the answer's code unless it is granted.
pub fn authorize(account: AccountId, currency: Currency, minor: i64) -> Vec<u8> {
    step(7, &[&account.0, &currency.0, &minor.to_le_bytes()])
}

pub fn emit(payload: &[u8]) -> Vec<u8> {
    step(8, &[payload])
}

pub fn delete(name: &str) -> Vec<u8> {
    step(9, &[&key(name)])
}

pub fn cancel(id: &[u8; 32]) -> Vec<u8> {
    step(10, &[id])
}

/// Outputs the value.
pub fn get(name: &str) -> Vec<u8> {
    step(11, &[&key(name)])
}

/// Appends a mark and the business date to the value.
pub fn note(name: &str, mark: u8) -> Vec<u8> {
    step(12, &[&key(name), &[mark]])
}

pub fn consortium_hash(data: &[u8]) -> Vec<u8> {
    step(13, &[data])
}

/// Reverts unless something lies under the key.
pub fn require(name: &str) -> Vec<u8> {
    step(14, &[&key(name)])
}

/// Outputs the code.
pub fn is_business_day(calendar: &str, day: i32) -> Vec<u8> {
    step(15, &[&day.to_le_bytes(), calendar.as_bytes()])
}
