//! A host in memory, and the shortest way from a contract's text to its outcome.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use portolan_primitives::{AccountId, Caller, ContractId, Currency, Domain, Hash, MemberId, hash};
use portolan_vm::{
    CallOutcome, CallResult, CallReturn, Host, HostFault, HostResult, Module, Pool, Vm, VmConfig, VmError,
    abi::{Authorization, CallRefusal, Entry, ScheduleRefusal},
};

/// Every import of host ABI v1, as the documentation's table has it.
pub const IMPORTS: &str = r#"
(import "portolan" "input" (func $input (param i32 i32) (result i32)))
(import "portolan" "output" (func $output (param i32 i32)))
(import "portolan" "revert" (func $revert (param i32 i32)))
(import "portolan" "result" (func $result (param i32 i32 i32) (result i32)))
(import "portolan" "storage_get" (func $storage_get (param i32 i32 i32 i32) (result i32)))
(import "portolan" "storage_put" (func $storage_put (param i32 i32 i32 i32)))
(import "portolan" "storage_delete" (func $storage_delete (param i32 i32)))
(import "portolan" "storage_scan" (func $storage_scan (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
(import "portolan" "caller" (func $caller (param i32)))
(import "portolan" "authorize" (func $authorize (param i32 i32 i32 i32 i64 i64) (result i32)))
(import "portolan" "member_of" (func $member_of (param i32 i32) (result i32)))
(import "portolan" "member_status" (func $member_status (param i32) (result i32)))
(import "portolan" "has_role" (func $has_role (param i32 i32) (result i32)))
(import "portolan" "self_id" (func $self_id (param i32)))
(import "portolan" "transaction_id" (func $transaction_id (param i32)))
(import "portolan" "parameter" (func $parameter (param i32 i32 i32 i32) (result i32)))
(import "portolan" "consortium_hash" (func $consortium_hash (param i32 i32 i32)))
(import "portolan" "block_height" (func $block_height (result i64)))
(import "portolan" "block_time" (func $block_time (result i64)))
(import "portolan" "business_date" (func $business_date (result i32)))
(import "portolan" "is_business_day" (func $is_business_day (param i32 i32 i32) (result i32)))
(import "portolan" "emit_event" (func $emit_event (param i32 i32)))
(import "portolan" "call" (func $call (param i32 i32 i32 i64 i32 i32) (result i32)))
(import "portolan" "schedule" (func $schedule (param i32 i32 i32 i64 i32) (result i32)))
(import "portolan" "cancel_schedule" (func $cancel_schedule (param i32) (result i32)))
(import "portolan" "blake3" (func $blake3 (param i32 i32 i32)))
(import "portolan" "verify_signature" (func $verify_signature (param i32 i32 i32 i32) (result i32)))
(import "portolan" "log" (func $log (param i32 i32)))
"#;

/// Gas that suffices for every contract here.
pub const PLENTY: u64 = 20_000_000;

/// A contract with one page of memory whose entry does `body`.
pub fn contract(body: &str) -> Vec<u8> {
    contract_with("", body)
}

/// The same with further items in the module.
pub fn contract_with(items: &str, body: &str) -> Vec<u8> {
    module(&format!(
        r#"{IMPORTS} (memory (export "memory") 1) {items} (func (export "call") (param $entry i32) {body})"#
    ))
}

/// A module with exactly these fields.
pub fn module(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {fields})")).expect("the test's WebAssembly text is sound")
}

/// One vm for all tests of a process.
pub fn vm() -> &'static Vm {
    static VM: LazyLock<Vm> = LazyLock::new(|| Vm::new(VmConfig::default()).expect("a vm starts"));
    &VM
}

/// The compiled form of `code`.
pub fn load(code: &[u8]) -> Arc<Module> {
    vm().load(&hash(Domain::Code, code), || Ok(code.to_vec())).expect("the module passes")
}

/// Runs `code` in `world` with plenty of gas.
pub fn run(code: &[u8], world: &mut World) -> CallOutcome {
    try_run(code, PLENTY, world).expect("the host has no fault")
}

/// Runs `code` with `gas`.
pub fn try_run(code: &[u8], gas: u64, world: &mut World) -> Result<CallOutcome, VmError> {
    let entry = if world.read_only { Entry::Query } else { Entry::Call };
    let input = world.input.clone();
    vm().run(&load(code), entry, &input, gas, Pool::Block, world)
}

/// What the contract's entry does with `body` in an empty world, as its output.
pub fn output_of(body: &str, world: &mut World) -> Vec<u8> {
    match run(&contract(body), world).result {
        CallResult::Ok(output) => output,
        other => panic!("the call did not return: {other:?}"),
    }
}

/// An output, or the refusal with the callee's error.
pub type CalleeResult = Result<Vec<u8>, (CallRefusal, Vec<u8>)>;

/// Takes the place of the callee: input and gas in, what came of it out.
pub type Callee = Box<dyn FnMut(&[u8], u64) -> HostResult<CallReturn>>;

/// A host that answers from its fields, and writes down what it is asked.
#[derive(Default)]
pub struct World {
    pub input: Vec<u8>,
    pub read_only: bool,
    /// Every function that can have a fault has one.
    pub broken: bool,
    pub storage: BTreeMap<Vec<u8>, Vec<u8>>,
    pub events: Vec<Vec<u8>>,
    pub lines: Vec<Vec<u8>>,
    pub asked: Vec<(AccountId, String, Currency, i128)>,
    pub called: Vec<(ContractId, Vec<u8>, u64)>,
    pub scheduled: Vec<(i32, Vec<u8>, u64)>,
    /// What the next cross-contract call comes to, and its gas.
    pub callee: Option<(CalleeResult, u64)>,
    /// What runs in a cross-contract call, instead.
    pub on_call: Option<Callee>,
    pub refuse_schedule: Option<ScheduleRefusal>,
}

impl World {
    fn sound(&self) -> HostResult<()> {
        if self.broken { Err(HostFault("the store is gone".into())) } else { Ok(()) }
    }
}

impl Host for World {
    fn read_only(&self) -> bool {
        self.read_only
    }

    fn storage_get(&mut self, key: &[u8]) -> HostResult<Option<Arc<[u8]>>> {
        self.sound()?;
        Ok(self.storage.get(key).map(|value| value.as_slice().into()))
    }

    fn storage_put(&mut self, key: &[u8], value: &[u8]) -> HostResult<()> {
        self.sound()?;
        self.storage.insert(key.to_vec(), value.to_vec());
        Ok(())
    }

    fn storage_delete(&mut self, key: &[u8]) -> HostResult<()> {
        self.sound()?;
        self.storage.remove(key);
        Ok(())
    }

    fn storage_scan(&mut self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> HostResult<Vec<(Vec<u8>, Vec<u8>)>> {
        self.sound()?;
        let wanted = |key: &[u8]| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let found = self.storage.iter().filter(|(key, _)| wanted(key));
        Ok(found.take(limit as usize).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn caller(&self) -> Caller {
        Caller::Account(AccountId([0xA1; 16]))
    }

    fn authorize(
        &mut self,
        account: AccountId,
        action: &str,
        currency: Currency,
        minor: i128,
    ) -> HostResult<Authorization> {
        self.sound()?;
        self.asked.push((account, action.to_owned(), currency, minor));
        Ok(Authorization::TooFewPersons)
    }

    fn member_of(&mut self, account: AccountId) -> HostResult<Option<MemberId>> {
        self.sound()?;
        Ok((account == AccountId([0xA1; 16])).then_some(MemberId([0xBB; 16])))
    }

    fn member_status(&mut self, member: MemberId) -> HostResult<u8> {
        self.sound()?;
        Ok(if member == MemberId([0xBB; 16]) { 3 } else { 0 })
    }

    fn has_role(&mut self, member: MemberId, role: u8) -> HostResult<bool> {
        self.sound()?;
        Ok(member == MemberId([0xBB; 16]) && role == 4)
    }

    fn self_id(&self) -> ContractId {
        ContractId([0xCC; 16])
    }

    fn transaction_id(&self) -> Hash {
        Hash([0xDD; 32])
    }

    fn parameter(&mut self, name: &str) -> HostResult<Option<Vec<u8>>> {
        self.sound()?;
        Ok((name == "rate").then(|| b"450".to_vec()))
    }

    fn consortium_hash(&mut self, data: &[u8]) -> HostResult<Hash> {
        self.sound()?;
        Ok(Hash(*blake3::keyed_hash(&[7; 32], data).as_bytes()))
    }

    fn block_height(&self) -> u64 {
        41
    }

    fn block_time(&self) -> u64 {
        1_800_000_000_123
    }

    fn business_date(&self) -> i32 {
        20_833
    }

    fn is_business_day(&mut self, calendar: &str, day: i32) -> HostResult<i32> {
        self.sound()?;
        Ok(match (calendar, day) {
            ("CN", 20_833) => 1,
            ("CN", 20_834) => 0,
            ("CN", _) => portolan_vm::abi::NOT_COVERED,
            _ => portolan_vm::abi::UNKNOWN_CALENDAR,
        })
    }

    fn emit_event(&mut self, event: &[u8]) -> HostResult<()> {
        self.sound()?;
        self.events.push(event.to_vec());
        Ok(())
    }

    fn call(&mut self, contract: ContractId, input: &[u8], gas: u64) -> HostResult<CallReturn> {
        self.sound()?;
        self.called.push((contract, input.to_vec(), gas));
        if let Some(callee) = &mut self.on_call {
            return callee(input, gas);
        }
        let (result, gas_used) = self.callee.take().unwrap_or((Err((CallRefusal::UnknownContract, Vec::new())), 0));
        Ok(CallReturn { result, gas_used })
    }

    fn schedule(&mut self, due: i32, message: &[u8], gas: u64) -> HostResult<Result<Hash, ScheduleRefusal>> {
        self.sound()?;
        self.scheduled.push((due, message.to_vec(), gas));
        Ok(self.refuse_schedule.map_or(Ok(Hash([0xEE; 32])), Err))
    }

    fn cancel_schedule(&mut self, id: Hash) -> HostResult<bool> {
        self.sound()?;
        Ok(id == Hash([0xEE; 32]))
    }

    fn verify_signature(&mut self, key: &[u8; 33], message: &[u8], signature: &[u8; 65]) -> HostResult<bool> {
        self.sound()?;
        Ok(key == &[1; 33] && message == b"hello" && signature == &[2; 65])
    }

    fn log(&mut self, line: &[u8]) {
        self.lines.push(line.to_vec());
    }
}
