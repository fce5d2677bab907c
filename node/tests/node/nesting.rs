//! Contracts that use their whole counted stack and call each other as deep as they may: in a question, and in a block.

use std::path::Path;

use codec::Encode;
use portolan_chain_spec::{ContractSpec, code_hash};
use portolan_node::config::Config;
use portolan_node::node::{Node, NodeKeys, read_spec};
use portolan_primitives::{Call, Caller, ContractId};
use portolan_vm::abi::MAX_CALL_DEPTH;
use tokio::sync::oneshot;

use crate::world::{make_home, node_key, spec, transaction, validator_key};

/// Values that a function takes, the most that is allowed.
const TAKEN: usize = 32;
/// Values that a frame keeps while the next one runs: its native frame holds them, and in wasm terms it holds little else.
const KEPT: usize = TAKEN + 15 * (TAKEN - 1);
/// Frames of a call, just within its counted stack.
const FRAMES: usize = 80;

fn name(depth: u32) -> String {
    format!("deep-{depth}")
}

/// Goes deep, then calls the next contract; outputs its own number and what the next one output.
fn code() -> Vec<u8> {
    let ids: String = (0..MAX_CALL_DEPTH)
        .flat_map(|depth| ContractId::from_name(&name(depth)).0)
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let (types, keep) = (" i64".repeat(TAKEN), "call $next ".repeat(KEPT - 1));
    let give = "call $give ".repeat((KEPT - TAKEN) / (TAKEN - 1) + 1);
    let last = MAX_CALL_DEPTH - 1;
    let source = format!(
        r#"(module
        (import "portolan" "input" (func $input (param i32 i32) (result i32)))
        (import "portolan" "output" (func $output (param i32 i32)))
        (import "portolan" "call" (func $call (param i32 i32 i32 i64 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "{ids}")
        (global $last (mut i64) (i64.const 1))
        (func $next (result i64)
          (global.set $last (i64.add (global.get $last) (i64.const 1))) (global.get $last))
        (func $bottom
          (if (i32.lt_u (i32.load8_u (i32.const 1024)) (i32.const {last})) (then
            (i32.store8 (i32.const 1025) (i32.add (i32.load8_u (i32.const 1024)) (i32.const 1)))
            (i32.store (i32.const 3000)
              (call $call (i32.mul (i32.load8_u (i32.const 1025)) (i32.const 16)) (i32.const 1025) (i32.const 1) (i64.const 0) (i32.const 2049) (i32.const 100))))))
        (func $down (param $left i32) (result i64)
          (if (i32.eqz (local.get $left)) (then (call $bottom) (return (i64.const 0))))
          {keep} (call $down (i32.sub (local.get $left) (i32.const 1))) {give})
        (func $give (param{types}) (result i64) (local.get 7))
        (func (export "call") (param $entry i32)
          (if (i32.ne (call $input (i32.const 1024) (i32.const 1)) (i32.const 1)) (then (return)))
          (drop (call $down (i32.const {FRAMES})))
          (i32.store8 (i32.const 2048) (i32.load8_u (i32.const 1024)))
          (call $output (i32.const 2048) (i32.add (i32.load (i32.const 3000)) (i32.const 1)))))"#
    );
    wat::parse_str(source).unwrap()
}

/// The home of the one node of a chain that has the contracts from its beginning.
fn make_chain(home: &Path) {
    make_home(home, "customs", "127.0.0.1:0", &[]);
    let code = code();
    std::fs::create_dir(home.join("contracts")).unwrap();
    std::fs::write(home.join("contracts/deep.wasm"), &code).unwrap();
    let mut spec = spec();
    spec.members.retain(|member| member.name == "customs");
    let contract = |depth| ContractSpec { name: name(depth), code_hash: code_hash(&code), instantiate: String::new() };
    spec.contracts = (0..MAX_CALL_DEPTH).map(contract).collect();
    std::fs::write(home.join("chain-spec.json"), spec.render()).unwrap();
}

#[tokio::test]
async fn the_deepest_nesting_of_the_hungriest_calls_fits_the_threads_that_run_them() {
    let folder = tempfile::tempdir().unwrap();
    make_chain(folder.path());
    let config = Config::load(&folder.path().join("node.toml"), std::iter::empty(), &[]).unwrap();
    let keys = NodeKeys { node: node_key("customs"), validator: Some(validator_key("customs")) };
    let node = Node::start(&config, read_spec(&config.spec).unwrap(), keys).await.unwrap();
    let handle = node.handle().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(node.run(async { drop(stopped.await) }));
    let (contract, expected) = (ContractId::from_name(&name(0)), (0..MAX_CALL_DEPTH as u8).collect::<Vec<_>>());

    let answered = handle.query(handle.tip(), contract, vec![0], Caller::Operator, 1_000_000_000).await.unwrap();
    assert_eq!(answered.result, Ok(expected.clone()));

    let call = Call { contract, input: vec![0] };
    let mut transaction = transaction(handle.identity().chain, "customs", "deep", call);
    transaction.body.gas_limit = 1_000_000_000;
    transaction.approvals = vec![transaction.body.approve(&crate::world::key("customs"))];
    let mut blocks = handle.subscribe();
    let id = handle.submit(transaction.encode()).await.unwrap();
    let block = loop {
        let block = blocks.recv().await.unwrap();
        if block.transactions.contains(&id) {
            break block;
        }
    };
    let executed = block.receipts.last().unwrap();
    assert!(executed.receipt.succeeded(), "{executed:?}");
    drop(handle);
    stop.send(()).unwrap();
    ended.await.unwrap().unwrap();
}
