//! Contracts that call contracts, and pools under use by several threads.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicU32, Ordering},
};

use portolan_primitives::{Domain, hash};
use portolan_vm::{
    CallOutcome, CallResult, CallReturn, HostFault, HostResult, Module, Pool, Vm, VmConfig, VmError,
    abi::{CallRefusal, Entry, MAX_CALL_DEPTH},
    stack::THREAD_STACK_BYTES,
};

use crate::world::{PLENTY, World, contract};

/// A chain in which every contract is the same module: each call goes one deeper, up to the bound.
#[derive(Clone)]
struct Tower {
    vm: Arc<Vm>,
    module: Arc<Module>,
    pool: Pool,
    deepest: Arc<AtomicU32>,
}

impl Tower {
    fn new(block_slots: u32, query_slots: u32) -> Self {
        let vm = Vm::new(VmConfig { block_slots, query_slots, ..VmConfig::default() }).unwrap();
        let code = tower_code();
        let module = vm.load(&hash(Domain::Code, &code), || Ok(code.clone())).unwrap();
        Self { vm: Arc::new(vm), module, pool: Pool::Block, deepest: Arc::default() }
    }

    fn on(&self, pool: Pool) -> Self {
        Self { pool, ..self.clone() }
    }

    /// The call at `depth`, whose host runs the next one.
    fn run(&self, depth: u32, input: &[u8], gas: u64) -> Result<CallOutcome, VmError> {
        self.deepest.fetch_max(depth, Ordering::Relaxed);
        let next = self.clone();
        let on_call = Box::new(move |input: &[u8], gas| next.callee(depth + 1, input, gas));
        let mut world = World { on_call: Some(on_call), ..World::default() };
        self.vm.run(&self.module, Entry::Call, input, gas, self.pool, &mut world)
    }

    fn callee(&self, depth: u32, input: &[u8], gas: u64) -> HostResult<CallReturn> {
        if depth > MAX_CALL_DEPTH {
            return Ok(CallReturn { result: Err((CallRefusal::TooDeep, Vec::new())), gas_used: 0 });
        }
        let outcome = self.run(depth, input, gas).map_err(|error| HostFault(error.to_string()))?;
        let result = match outcome.result {
            CallResult::Ok(output) => Ok(output),
            CallResult::Reverted(error) => Err((CallRefusal::Reverted, error)),
            CallResult::OutOfGas | CallResult::Trapped(_) => Err((CallRefusal::Failed, Vec::new())),
        };
        Ok(CallReturn { result, gas_used: outcome.gas_used })
    }

    fn top(&self) -> Result<CallOutcome, VmError> {
        self.run(1, b"", PLENTY)
    }

    /// A single call with another host.
    fn alone(&self, pool: Pool, world: &mut World) -> Result<CallOutcome, VmError> {
        self.vm.run(&self.module, Entry::Query, b"", PLENTY, pool, world)
    }
}

/// Calls the next contract, and outputs its output and the answer's code behind it. Its own memory holds a mark, so that a
/// mix-up of instances would show.
fn tower_code() -> Vec<u8> {
    contract(
        "(local $length i32) (local $code i32)
         (i32.store (i32.const 5000) (call $input (i32.const 0) (i32.const 8)))
         (local.set $code (call $call (i32.const 0) (i32.const 0) (i32.add (i32.load (i32.const 5000)) (i32.const 1)) (i64.const 0) (i32.const 8) (i32.const 1000)))
         (if (i32.gt_s (local.get $code) (i32.const 0)) (then (local.set $length (local.get $code))))
         (i32.store (i32.add (i32.const 8) (local.get $length)) (local.get $code))
         (i32.store (i32.add (i32.const 12) (local.get $length)) (i32.load (i32.const 5000)))
         (call $output (i32.const 8) (i32.add (local.get $length) (i32.const 8)))",
    )
}

/// What the tower outputs: the innermost was refused, and each outer one got what the inner one output.
fn expected_output() -> Vec<u8> {
    let mut output: Vec<u8> = Vec::new();
    for depth in (1..=MAX_CALL_DEPTH).rev() {
        let code = if depth == MAX_CALL_DEPTH { CallRefusal::TooDeep as i32 } else { output.len() as i32 };
        output.extend_from_slice(&code.to_le_bytes());
        output.extend_from_slice(&(depth as i32 - 1).to_le_bytes());
    }
    output
}

fn on_a_call_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(THREAD_STACK_BYTES).spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

#[test]
fn calls_nest_to_the_bound_with_an_instance_each() {
    let tower = Tower::new(MAX_CALL_DEPTH, 1);
    let outcome = on_a_call_thread(|| tower.top()).unwrap();
    assert_eq!(outcome.result, CallResult::Ok(expected_output()));
    assert_eq!(tower.deepest.load(Ordering::Relaxed), MAX_CALL_DEPTH);
    assert!(
        outcome.gas_used > u64::from(MAX_CALL_DEPTH) * tower.module.instantiation_gas(),
        "each pays for its instance"
    );
}

#[test]
fn a_pool_too_small_for_the_nesting_is_a_fault_and_no_outcome() {
    let tower = Tower::new(3, 1);
    assert!(matches!(tower.top(), Err(VmError::Host(_))));
    assert_eq!(tower.deepest.load(Ordering::Relaxed), 4, "the fourth found no slot");
    assert!(matches!(tower.on(Pool::Query).top(), Err(VmError::Host(_))));
    assert!(tower.alone(Pool::Block, &mut World::default()).is_ok(), "the slots are free again");
}

/// A host whose callee waits at both gates.
fn waiting(entered: &Arc<Barrier>, leave: &Arc<Barrier>) -> World {
    let (entered, leave) = (Arc::clone(entered), Arc::clone(leave));
    let on_call = Box::new(move |_: &[u8], _| {
        entered.wait();
        leave.wait();
        Ok(CallReturn { result: Ok(Vec::new()), gas_used: 0 })
    });
    World { on_call: Some(on_call), ..World::default() }
}

#[test]
fn blocks_run_while_queries_hold_their_whole_pool() {
    let tower = Tower::new(MAX_CALL_DEPTH, 2);
    let (entered, leave) = (Arc::new(Barrier::new(3)), Arc::new(Barrier::new(3)));
    std::thread::scope(|scope| {
        let query = || tower.alone(Pool::Query, &mut waiting(&entered, &leave)).map(|outcome| outcome.result);
        let queries = [scope.spawn(query), scope.spawn(query)];
        entered.wait();
        let third = tower.alone(Pool::Query, &mut World::default());
        let block = on_a_call_thread(|| tower.top());
        leave.wait();
        assert!(matches!(third, Err(VmError::PoolExhausted { pool: "query", size: 2 })), "{third:?}");
        assert_eq!(block.unwrap().result, CallResult::Ok(expected_output()));
        for query in queries {
            assert!(matches!(query.join().unwrap(), Ok(CallResult::Ok(_))));
        }
    });
    assert!(tower.alone(Pool::Query, &mut World::default()).is_ok(), "the slots are free again");
}

#[test]
fn threads_get_the_same_outcome_as_one() {
    let tower = Tower::new(2 * MAX_CALL_DEPTH, 2 * MAX_CALL_DEPTH);
    let alone = on_a_call_thread(|| tower.top()).unwrap();
    std::thread::scope(|scope| {
        let twenty = |pool| {
            let tower = tower.on(pool);
            let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
            thread.spawn_scoped(scope, move || (0..20).map(|_| tower.top()).collect::<Vec<_>>()).unwrap()
        };
        let workers = [Pool::Block, Pool::Block, Pool::Query, Pool::Query].map(twenty);
        for outcome in workers.into_iter().flat_map(|worker| worker.join().unwrap()) {
            assert_eq!(outcome.unwrap(), alone);
        }
    });
}
