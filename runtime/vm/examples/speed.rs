//! Prints what a warm call costs on this machine, in microseconds: `cargo run --release -p portolan-vm --example speed`.

// An example that measures reads the clock.
#![allow(clippy::disallowed_methods)]

use std::{hint::black_box, sync::Arc, time::Instant};

use portolan_primitives::{AccountId, Caller, ContractId, Currency, Domain, Hash, MemberId, hash};
use portolan_vm::{
    CallResult, CallReturn, Host, HostResult, Pool, Vm, VmConfig, VmError,
    abi::{Authorization, CallRefusal, Entry, ScheduleRefusal},
};

const IMPORTS: &str = r#"
(import "portolan" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
(import "portolan" "storage_put" (func $put (param i32 i32 i32 i32)))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vm = Vm::new(VmConfig::default())?;
    let access = |index: i32| {
        format!(
            "(drop (call $get (i32.const {index}) (i32.const 32) (i32.const 4096) (i32.const 128)))
             (call $put (i32.const {index}) (i32.const 32) (i32.const 4096) (i32.const 128))"
        )
    };
    let eight: String = (0..4).map(access).collect();
    let turns = "(local $i i32) (loop $more (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))";
    let calls = "(local $i i32) (loop $more (call $leaf) (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))";
    let touch = |pages: u32| {
        format!(
            "(local $i i32) (loop $more (i32.store (local.get $i) (i32.const 1))
               (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4096))) (i32.const {}))))",
            pages * 65_536
        )
    };
    for (name, pages, body) in [
        ("empty call, 1 page", 1, ""),
        ("empty call, 17 pages", 17, ""),
        ("4 reads and 4 writes of 128 bytes", 1, eight.as_str()),
        ("10,000 loop turns", 1, turns),
        ("10,000 calls of an empty function", 1, calls),
        ("touch all of 2 pages", 2, &touch(2)),
        ("touch all of 17 pages", 17, &touch(17)),
        ("touch all of 256 pages", 256, &touch(256)),
        ("grow by 16 pages", 1, "(drop (memory.grow (i32.const 16)))"),
        ("fill 64 KiB", 1, "(memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))"),
        ("trap", 1, "unreachable"),
    ] {
        measure(&vm, name, pages, body)?;
    }
    Ok(())
}

fn measure(vm: &Vm, name: &str, pages: u32, body: &str) -> Result<(), Box<dyn std::error::Error>> {
    let code = wat::parse_str(format!(
        r#"(module {IMPORTS} (memory (export "memory") {pages}) (func $leaf) (func (export "call") (param i32) {body}))"#
    ))?;
    let start = Instant::now();
    let module = vm.load(&hash(Domain::Code, &code), || Ok(code.clone()))?;
    let compile = start.elapsed();
    let mut host = Fixed { value: [7; 128].into() };
    let mut call = || -> Result<(u64, CallResult), VmError> {
        let outcome = vm.run(&module, Entry::Call, black_box(b"input"), 1_000_000_000, Pool::Block, &mut host)?;
        Ok((outcome.gas_used, outcome.result))
    };
    let (gas, _) = call()?;
    let mut rounds = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..200 {
            black_box(call()?);
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / 200.0);
    }
    rounds.sort_by(f64::total_cmp);
    let (best, median) = (rounds[0], rounds[10]);
    println!(
        "{name:<36} best {best:8.2} µs  median {median:8.2} µs  gas {gas:>9}  compile {:6.0} µs",
        compile.as_secs_f64() * 1e6
    );
    Ok(())
}

/// Answers every read with the same value, and takes every write.
struct Fixed {
    value: Arc<[u8]>,
}

impl Host for Fixed {
    fn read_only(&self) -> bool {
        false
    }
    fn storage_get(&mut self, _key: &[u8]) -> HostResult<Option<Arc<[u8]>>> {
        Ok(Some(Arc::clone(&self.value)))
    }
    fn storage_put(&mut self, key: &[u8], value: &[u8]) -> HostResult<()> {
        black_box((key, value));
        Ok(())
    }
    fn storage_delete(&mut self, _key: &[u8]) -> HostResult<()> {
        Ok(())
    }
    fn storage_scan(
        &mut self,
        _prefix: &[u8],
        _after: Option<&[u8]>,
        _limit: u32,
    ) -> HostResult<Vec<(Vec<u8>, Vec<u8>)>> {
        Ok(Vec::new())
    }
    fn caller(&self) -> Caller {
        Caller::Operator
    }
    fn authorize(&mut self, _: AccountId, _: &str, _: Currency, _: i128) -> HostResult<Authorization> {
        Ok(Authorization::Granted)
    }
    fn member_of(&mut self, _account: AccountId) -> HostResult<Option<MemberId>> {
        Ok(None)
    }
    fn member_status(&mut self, _member: MemberId) -> HostResult<u8> {
        Ok(1)
    }
    fn has_role(&mut self, _member: MemberId, _role: u8) -> HostResult<bool> {
        Ok(true)
    }
    fn self_id(&self) -> ContractId {
        ContractId::default()
    }
    fn transaction_id(&self) -> Hash {
        Hash::ZERO
    }
    fn parameter(&mut self, _name: &str) -> HostResult<Option<Vec<u8>>> {
        Ok(None)
    }
    fn consortium_hash(&mut self, _data: &[u8]) -> HostResult<Hash> {
        Ok(Hash::ZERO)
    }
    fn block_height(&self) -> u64 {
        1
    }
    fn block_time(&self) -> u64 {
        1
    }
    fn business_date(&self) -> i32 {
        1
    }
    fn is_business_day(&mut self, _calendar: &str, _day: i32) -> HostResult<i32> {
        Ok(1)
    }
    fn emit_event(&mut self, _event: &[u8]) -> HostResult<()> {
        Ok(())
    }
    fn call(&mut self, _contract: ContractId, _input: &[u8], _gas: u64) -> HostResult<CallReturn> {
        Ok(CallReturn { result: Err((CallRefusal::UnknownContract, Vec::new())), gas_used: 0 })
    }
    fn schedule(&mut self, _due: i32, _message: &[u8], _gas: u64) -> HostResult<Result<Hash, ScheduleRefusal>> {
        Ok(Ok(Hash::ZERO))
    }
    fn cancel_schedule(&mut self, _id: Hash) -> HostResult<bool> {
        Ok(true)
    }
    fn verify_signature(&mut self, _key: &[u8; 33], _message: &[u8], _signature: &[u8; 65]) -> HostResult<bool> {
        Ok(true)
    }
    fn log(&mut self, _line: &[u8]) {}
}
