//! Frozen gas: a change of any number here is a change of the protocol, an update of the engine included.

use portolan_vm::CallResult;

use crate::world::{World, contract, contract_with, run};

fn gas(code: &[u8], world: &mut World) -> u64 {
    let outcome = run(code, world);
    assert!(matches!(outcome.result, CallResult::Ok(_) | CallResult::Reverted(_)), "{:?}", outcome.result);
    outcome.gas_used
}

/// Name, items, body, gas.
const CODE: &[(&str, &str, &str, u64)] = &[
    ("empty", "", "", 12_513),
    ("one add", "", "(drop (i32.add (local.get $entry) (i32.const 1)))", 12_516),
    (
        "divisions",
        "",
        "(drop (i32.div_u (i32.const 7) (i32.const 2))) (drop (i64.rem_s (i64.const 7) (i64.const 2)))",
        12_541,
    ),
    (
        "a thousand turns",
        "",
        "(local $i i32) (loop $more (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))",
        19_513,
    ),
    ("a call", "(func $f)", "(call $f)", 12_530),
    (
        "an indirect call",
        "(table 1 funcref) (elem (i32.const 0) func $f) (func $f)",
        "(call_indirect (i32.const 0))",
        12_537,
    ),
    ("early return", "", "(block (if (i32.eqz (local.get $entry)) (then return))) (drop (i32.const 1))", 12_517),
    ("a jump table", "", "(block (block (block (br_table 0 1 2 (i32.const 1)))))", 12_517),
    ("fill", "", "(memory.fill (i32.const 0) (i32.const 1) (i32.const 1000))", 13_536),
    ("copy", "", "(memory.copy (i32.const 0) (i32.const 1) (i32.const 1000))", 13_536),
    ("grow", "", "(drop (memory.grow (i32.const 2)))", 32_714),
    (
        "data and globals",
        r#"(data (i32.const 0) "0123456789") (global i32 (i32.const 0)) (table 5 funcref)"#,
        "",
        12_537,
    ),
];

#[test]
fn code_costs_what_is_frozen() {
    let found: Vec<_> = CODE
        .iter()
        .map(|(name, items, body, _)| (*name, gas(&contract_with(items, body), &mut World::default())))
        .collect();
    let frozen: Vec<_> = CODE.iter().map(|(name, _, _, gas)| (*name, *gas)).collect();
    assert_eq!(found, frozen);
}

/// Each import once, with eight bytes wherever there are bytes.
const IMPORTS: &[(&str, &str, u64)] = &[
    ("input", "(drop (call $input (i32.const 0) (i32.const 8)))", 114),
    ("output", "(call $output (i32.const 0) (i32.const 8))", 114),
    ("revert", "(call $revert (i32.const 0) (i32.const 8))", 110),
    (
        "result",
        "(drop (call $input (i32.const 0) (i32.const 0))) (drop (call $result (i32.const 0) (i32.const 0) (i32.const 8)))",
        221,
    ),
    ("storage_get", "(drop (call $storage_get (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8)))", 5_024),
    ("storage_put", "(call $storage_put (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8))", 20_136),
    ("storage_delete", "(call $storage_delete (i32.const 0) (i32.const 8))", 20_070),
    (
        "storage_scan",
        "(drop (call $storage_scan (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 0) (i32.const 8)))",
        16_038,
    ),
    ("caller", "(call $caller (i32.const 0))", 122),
    (
        "authorize",
        "(drop (call $authorize (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0) (i64.const 0) (i64.const 0)))",
        20_018,
    ),
    ("member_of", "(drop (call $member_of (i32.const 0) (i32.const 0)))", 5_006),
    ("member_status", "(drop (call $member_status (i32.const 0)))", 5_005),
    ("has_role", "(drop (call $has_role (i32.const 0) (i32.const 0)))", 5_006),
    ("self_id", "(call $self_id (i32.const 0))", 121),
    ("transaction_id", "(call $transaction_id (i32.const 0))", 137),
    ("parameter", "(drop (call $parameter (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 8)))", 5_016),
    ("consortium_hash", "(call $consortium_hash (i32.const 0) (i32.const 8) (i32.const 0))", 523),
    ("block_height", "(drop (call $block_height))", 104),
    ("block_time", "(drop (call $block_time))", 104),
    ("business_date", "(drop (call $business_date))", 104),
    ("is_business_day", "(drop (call $is_business_day (i32.const 0) (i32.const 8) (i32.const 0)))", 5_015),
    ("emit_event", "(call $emit_event (i32.const 0) (i32.const 8))", 2_070),
    (
        "call",
        "(drop (call $call (i32.const 0) (i32.const 0) (i32.const 8) (i64.const 5000) (i32.const 0) (i32.const 8)))",
        21_042,
    ),
    (
        "schedule",
        "(drop (call $schedule (i32.const 0) (i32.const 0) (i32.const 8) (i64.const 0) (i32.const 0)))",
        40_073,
    ),
    ("cancel_schedule", "(drop (call $cancel_schedule (i32.const 0)))", 40_005),
    ("blake3", "(call $blake3 (i32.const 0) (i32.const 8) (i32.const 0))", 523),
    (
        "verify_signature",
        "(drop (call $verify_signature (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0)))",
        50_040,
    ),
    ("log", "(call $log (i32.const 0) (i32.const 8))", 114),
];

#[test]
fn imports_cost_what_is_frozen() {
    let world = || World {
        input: b"12345678".to_vec(),
        storage: [(vec![0; 8], vec![1; 8])].into(),
        callee: Some((Ok(vec![2; 8]), 1_000)),
        ..World::default()
    };
    let empty = gas(&contract(""), &mut World::default());
    let found: Vec<_> =
        IMPORTS.iter().map(|(name, body, _)| (*name, gas(&contract(body), &mut world()) - empty)).collect();
    let frozen: Vec<_> = IMPORTS.iter().map(|(name, _, gas)| (*name, *gas)).collect();
    assert_eq!(found, frozen);
}

#[test]
fn gas_is_the_same_in_every_run_and_after_every_other_call() {
    let code =
        contract("(drop (memory.grow (i32.const 3))) (memory.fill (i32.const 0) (i32.const 1) (i32.const 70000))");
    let first = gas(&code, &mut World::default());
    for _ in 0..5 {
        run(&contract("unreachable"), &mut World::default());
        assert_eq!(gas(&code, &mut World::default()), first);
    }
}
