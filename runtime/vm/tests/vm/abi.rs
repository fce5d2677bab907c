//! Each import does what the table says.

use codec::Encode;
use portolan_primitives::{AccountId, ContractId, Currency};
use portolan_vm::{
    CallResult, TrapReason, VmError,
    abi::{self, CallRefusal, ScheduleRefusal},
};

use crate::world::{PLENTY, World, contract, contract_with, output_of, run, try_run};

/// Outputs the `i32` that `expression` leaves.
fn code_of(expression: &str, world: &mut World) -> i32 {
    let bytes =
        output_of(&format!("(i32.store (i32.const 0) {expression}) (call $output (i32.const 0) (i32.const 4))"), world);
    i32::from_le_bytes(bytes.try_into().unwrap())
}

fn with_data(data: &str, body: &str) -> Vec<u8> {
    contract_with(&format!(r#"(data (i32.const 1000) "{data}")"#), body)
}

fn ok(bytes: &[u8]) -> CallResult {
    CallResult::Ok(bytes.to_vec())
}

#[test]
fn input_copies_what_fits_and_answers_the_full_length() {
    let mut world = World { input: b"abcdef".to_vec(), ..World::default() };
    let body = "(i32.store (i32.const 4) (call $input (i32.const 0) (i32.const 4))) (call $output (i32.const 0) (i32.const 8))";
    assert_eq!(output_of(body, &mut world), b"abcd\x06\0\0\0");
}

#[test]
fn what_did_not_fit_is_read_from_the_register() {
    let mut world = World { input: b"abcdef".to_vec(), ..World::default() };
    let body = "(drop (call $input (i32.const 0) (i32.const 0)))
        (i32.store (i32.const 8) (call $result (i32.const 2) (i32.const 0) (i32.const 8)))
        (i32.store (i32.const 12) (call $result (i32.const 6) (i32.const 0) (i32.const 8)))
        (i32.store (i32.const 16) (call $result (i32.const -1) (i32.const 0) (i32.const 8)))
        (call $output (i32.const 0) (i32.const 20))";
    assert_eq!(output_of(body, &mut world), b"cdef\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0");
}

#[test]
fn the_register_holds_until_another_result_replaces_it() {
    let mut world = World { input: b"question".to_vec(), ..World::default() };
    world.storage.insert(b"k".to_vec(), b"value".to_vec());
    let code = with_data(
        "k",
        "
        (drop (call $storage_get (i32.const 1000) (i32.const 1) (i32.const 0) (i32.const 0)))
        (drop (call $block_height))
        (drop (call $result (i32.const 0) (i32.const 0) (i32.const 8)))
        (drop (call $input (i32.const 0) (i32.const 0)))
        (drop (call $result (i32.const 0) (i32.const 8) (i32.const 8)))
        (drop (call $parameter (i32.const 1000) (i32.const 1) (i32.const 0) (i32.const 0)))
        (i32.store (i32.const 16) (call $result (i32.const 0) (i32.const 16) (i32.const 8)))
        (call $output (i32.const 0) (i32.const 20))",
    );
    assert_eq!(run(&code, &mut world).result, ok(b"value\0\0\0question\0\0\0\0"));
}

#[test]
fn the_last_output_counts() {
    let body = r#"(call $output (i32.const 0) (i32.const 9)) (i32.store8 (i32.const 0) (i32.const 65)) (call $output (i32.const 0) (i32.const 1))"#;
    assert_eq!(output_of(body, &mut World::default()), b"A");
}

#[test]
fn a_call_without_output_returns_nothing() {
    assert_eq!(output_of("", &mut World::default()), b"");
}

#[test]
fn revert_ends_the_call_with_its_error_and_charges_what_was_used() {
    let outcome =
        run(&with_data("no!", "(call $revert (i32.const 1000) (i32.const 3)) unreachable"), &mut World::default());
    assert_eq!(outcome.result, CallResult::Reverted(b"no!".to_vec()));
    assert!(outcome.gas_used < 15_000, "{}", outcome.gas_used);
}

#[test]
fn storage_keeps_what_is_put_and_forgets_what_is_deleted() {
    let mut world = World::default();
    let put =
        with_data("keyvalue", "(call $storage_put (i32.const 1000) (i32.const 3) (i32.const 1003) (i32.const 5))");
    assert_eq!(run(&put, &mut world).result, ok(b""));
    assert_eq!(world.storage.get(b"key".as_slice()), Some(&b"value".to_vec()));
    let get = with_data(
        "key",
        "
        (i32.store (i32.const 8) (call $storage_get (i32.const 1000) (i32.const 3) (i32.const 0) (i32.const 8)))
        (call $output (i32.const 0) (i32.const 12))",
    );
    assert_eq!(run(&get, &mut world).result, ok(b"value\0\0\0\x05\0\0\0"));
    let delete = with_data("key", "(call $storage_delete (i32.const 1000) (i32.const 3))");
    assert_eq!(run(&delete, &mut world).result, ok(b""));
    assert!(world.storage.is_empty());
    assert_eq!(run(&get, &mut world).result, ok(b"\0\0\0\0\0\0\0\0\xff\xff\xff\xff"));
}

#[test]
fn an_empty_value_is_present() {
    let mut world = World::default();
    world.storage.insert(Vec::new(), Vec::new());
    assert_eq!(code_of("(call $storage_get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", &mut world), 0);
}

#[test]
fn scan_finds_the_entries_after_a_key_in_order() {
    let mut world = World::default();
    for key in ["a1", "a2", "a3", "a4", "b1"] {
        world.storage.insert(key.into(), key.to_uppercase().into());
    }
    let code = with_data(
        "a1",
        "
        (call $output (i32.const 0) (call $storage_scan (i32.const 1000) (i32.const 1) (i32.const 1000) (i32.const 2)
            (i32.const 2) (i32.const 0) (i32.const 100)))",
    );
    let expected = vec![(b"a2".to_vec(), b"A2".to_vec()), (b"a3".to_vec(), b"A3".to_vec())];
    assert_eq!(run(&code, &mut world).result, ok(&expected.encode()));
    let from_the_start = with_data(
        "a",
        "
        (call $output (i32.const 0) (call $storage_scan (i32.const 1000) (i32.const 1) (i32.const 0) (i32.const 0)
            (i32.const 1) (i32.const 0) (i32.const 100)))",
    );
    assert_eq!(run(&from_the_start, &mut world).result, ok(&vec![(b"a1".to_vec(), b"A1".to_vec())].encode()));
}

#[test]
fn scan_never_asks_for_more_than_the_abi_allows() {
    let mut world = World::default();
    for key in 0..300_u32 {
        world.storage.insert(key.to_be_bytes().to_vec(), vec![1]);
    }
    let body = "(drop (call $storage_scan (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 4)))
        (call $output (i32.const 0) (i32.const 2))";
    let count = codec::Compact(abi::MAX_SCAN_ENTRIES).encode();
    assert_eq!(output_of(body, &mut world), count);
}

#[test]
fn who_calls_and_what_runs_is_told() {
    let body = "(call $caller (i32.const 0)) (call $self_id (i32.const 17)) (call $transaction_id (i32.const 33))
        (call $output (i32.const 0) (i32.const 65))";
    let expected = [vec![0], vec![0xA1; 16], vec![0xCC; 16], vec![0xDD; 32]].concat();
    assert_eq!(output_of(body, &mut World::default()), expected);
}

#[test]
fn authorize_asks_the_policy_with_the_whole_amount() {
    let mut world = World::default();
    let code = contract_with(
        r#"(data (i32.const 1000) "\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01payCNY")"#,
        "(i32.store (i32.const 0) (call $authorize (i32.const 1000) (i32.const 1016) (i32.const 3) (i32.const 1019)
            (i64.const -5) (i64.const -1)))
         (drop (call $authorize (i32.const 1000) (i32.const 1016) (i32.const 3) (i32.const 1019) (i64.const -1) (i64.const 1)))
         (call $output (i32.const 0) (i32.const 4))",
    );
    assert_eq!(run(&code, &mut world).result, ok(&4_i32.to_le_bytes()));
    let ask = |minor| (AccountId([1; 16]), "pay".to_owned(), Currency(*b"CNY"), minor);
    assert_eq!(world.asked, [ask(-5), ask((1_i128 << 65) - 1)]);
}

#[test]
fn a_query_is_never_a_top_level_call() {
    let mut world = World { read_only: true, ..World::default() };
    let code = code_of(
        "(call $authorize (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 1) (i64.const 0))",
        &mut world,
    );
    assert_eq!(code, abi::Authorization::NotTopLevel as i32);
    assert!(world.asked.is_empty());
}

#[test]
fn members_are_found_by_account_with_status_and_roles() {
    let body = "(call $caller (i32.const 99))
        (i32.store (i32.const 0) (call $member_of (i32.const 100) (i32.const 200)))
        (i32.store (i32.const 4) (call $member_of (i32.const 0) (i32.const 300)))
        (i32.store (i32.const 8) (call $member_status (i32.const 200)))
        (i32.store (i32.const 12) (call $member_status (i32.const 300)))
        (i32.store (i32.const 16) (call $has_role (i32.const 200) (i32.const 4)))
        (i32.store (i32.const 20) (call $has_role (i32.const 200) (i32.const 5)))
        (call $output (i32.const 0) (i32.const 24))";
    let expected: Vec<u8> = [1_i32, 0, 3, 0, 1, 0].iter().flat_map(|code| code.to_le_bytes()).collect();
    assert_eq!(output_of(body, &mut World::default()), expected);
}

#[test]
fn parameters_are_found_by_name() {
    let code = with_data(
        "rateother",
        "
        (i32.store (i32.const 4) (call $parameter (i32.const 1000) (i32.const 4) (i32.const 0) (i32.const 4)))
        (i32.store (i32.const 8) (call $parameter (i32.const 1004) (i32.const 5) (i32.const 0) (i32.const 4)))
        (call $output (i32.const 0) (i32.const 12))",
    );
    assert_eq!(run(&code, &mut World::default()).result, ok(b"450\0\x03\0\0\0\xff\xff\xff\xff"));
}

#[test]
fn height_time_and_business_date_are_told() {
    let body = "(i64.store (i32.const 0) (call $block_height)) (i64.store (i32.const 8) (call $block_time))
        (i32.store (i32.const 16) (call $business_date)) (call $output (i32.const 0) (i32.const 20))";
    let expected =
        [&41_u64.to_le_bytes()[..], &1_800_000_000_123_u64.to_le_bytes(), &20_833_i32.to_le_bytes()].concat();
    assert_eq!(output_of(body, &mut World::default()), expected);
}

#[test]
fn a_day_is_open_closed_not_covered_or_of_an_unknown_calendar() {
    for (calendar, day, expected) in
        [("CN", 20_833, 1), ("CN", 20_834, 0), ("CN", -9, abi::NOT_COVERED), ("XX", 1, abi::UNKNOWN_CALENDAR)]
    {
        let body = format!(
            "(i32.store (i32.const 0) (call $is_business_day (i32.const 1000) (i32.const 2) (i32.const {day})))
            (call $output (i32.const 0) (i32.const 4))"
        );
        assert_eq!(
            run(&with_data(calendar, &body), &mut World::default()).result,
            ok(&i32::to_le_bytes(expected)),
            "{calendar} {day}"
        );
    }
}

#[test]
fn events_and_log_lines_reach_the_host() {
    let mut world = World::default();
    let code = with_data(
        "issuedhello",
        "(call $emit_event (i32.const 1000) (i32.const 6)) (call $log (i32.const 1006) (i32.const 5))",
    );
    assert_eq!(run(&code, &mut world).result, ok(b""));
    assert_eq!((world.events, world.lines), (vec![b"issued".to_vec()], vec![b"hello".to_vec()]));
}

fn calling(gas: i64) -> Vec<u8> {
    contract_with(
        r#"(data (i32.const 1000) "\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02ask")"#,
        &format!("(i32.store (i32.const 0) (call $call (i32.const 1000) (i32.const 1016) (i32.const 3) (i64.const {gas}) (i32.const 4) (i32.const 4)))
            (i32.store (i32.const 8) (call $result (i32.const 0) (i32.const 12) (i32.const 8)))
            (call $output (i32.const 0) (i32.const 20))"),
    )
}

#[test]
fn a_call_hands_over_input_and_gas_and_brings_back_the_output() {
    let mut world = World { callee: Some((Ok(b"answer".to_vec()), 1_000)), ..World::default() };
    let expected = [&6_i32.to_le_bytes()[..], b"answ", &6_i32.to_le_bytes(), b"answer\0\0"].concat();
    let costly = run(&calling(5_000), &mut world);
    assert_eq!(costly.result, ok(&expected));
    assert_eq!(world.called, [(ContractId([2; 16]), b"ask".to_vec(), 5_000)]);
    world.callee = Some((Ok(b"answer".to_vec()), 0));
    assert_eq!(run(&calling(5_000), &mut world).gas_used, costly.gas_used - 1_000, "the callee's gas is the caller's");
}

#[test]
fn a_callee_that_reverts_leaves_its_error_in_the_register() {
    let mut world = World { callee: Some((Err((CallRefusal::Reverted, b"no".to_vec())), 10)), ..World::default() };
    let expected = [&(-1_i32).to_le_bytes()[..], b"\0\0\0\0", &2_i32.to_le_bytes(), b"no\0\0\0\0\0\0"].concat();
    assert_eq!(run(&calling(0), &mut world).result, ok(&expected));
}

#[test]
fn other_refusals_of_a_call_leave_nothing_in_the_register() {
    for refusal in [CallRefusal::Failed, CallRefusal::UnknownContract, CallRefusal::TooDeep, CallRefusal::Reentrant] {
        let mut world = World { callee: Some((Err((refusal, b"not to be seen".to_vec())), 10)), ..World::default() };
        let expected = [&(refusal as i32).to_le_bytes()[..], &[0; 16]].concat();
        assert_eq!(run(&calling(0), &mut world).result, ok(&expected));
    }
}

#[test]
fn a_callee_gets_at_most_what_is_left() {
    let mut world = World::default();
    run(&calling(0), &mut world);
    run(&calling(i64::MAX), &mut world);
    let given: Vec<u64> = world.called.iter().map(|(_, _, gas)| *gas).collect();
    assert_eq!(given[0], given[1]);
    assert!(given[0] < PLENTY && given[0] > PLENTY - 50_000, "{given:?}");
    assert_eq!(run(&calling(-1), &mut world).result, CallResult::Trapped(TrapReason::OutOfRange("call")));
}

#[test]
fn a_host_that_charges_more_than_it_was_given_has_a_fault() {
    let mut world = World { callee: Some((Ok(Vec::new()), 5_001)), ..World::default() };
    assert!(matches!(try_run(&calling(5_000), PLENTY, &mut world), Err(VmError::Host(_))));
}

#[test]
fn the_agenda_takes_a_message_and_gives_an_id_that_cancels_it() {
    let mut world = World::default();
    let code = with_data("settle", "
        (i32.store (i32.const 0) (call $schedule (i32.const 20900) (i32.const 1000) (i32.const 6) (i64.const 77) (i32.const 100)))
        (i32.store (i32.const 4) (call $cancel_schedule (i32.const 100)))
        (i32.store (i32.const 8) (call $cancel_schedule (i32.const 200)))
        (call $output (i32.const 0) (i32.const 12))");
    assert_eq!(run(&code, &mut world).result, ok(b"\0\0\0\0\x01\0\0\0\0\0\0\0"));
    assert_eq!(world.scheduled, [(20_900, b"settle".to_vec(), 77)]);
}

#[test]
fn the_agenda_refuses_by_code() {
    let schedule = |length: usize| {
        format!("(call $schedule (i32.const 1) (i32.const 0) (i32.const {length}) (i64.const 77) (i32.const 100))")
    };
    let mut world = World { refuse_schedule: Some(ScheduleRefusal::Quota), ..World::default() };
    assert_eq!(code_of(&schedule(1), &mut world), ScheduleRefusal::Quota as i32);
    let code = module_with_two_pages(&format!(
        "(i32.store (i32.const 0) {}) (call $output (i32.const 0) (i32.const 4))",
        schedule(abi::MAX_MESSAGE_BYTES + 1)
    ));
    let mut world = World::default();
    assert_eq!(run(&code, &mut world).result, ok(&(ScheduleRefusal::TooLong as i32).to_le_bytes()));
    assert!(world.scheduled.is_empty());
}

fn module_with_two_pages(body: &str) -> Vec<u8> {
    crate::world::module(&format!(
        r#"{} (memory (export "memory") 2) (func (export "call") (param $entry i32) {body})"#,
        crate::world::IMPORTS
    ))
}

#[test]
fn hashes_are_plain_and_keyed_blake3() {
    let code = with_data("abc", "(call $blake3 (i32.const 1000) (i32.const 3) (i32.const 0))
        (call $consortium_hash (i32.const 1000) (i32.const 3) (i32.const 32)) (call $output (i32.const 0) (i32.const 64))");
    let expected = [*blake3::hash(b"abc").as_bytes(), *blake3::keyed_hash(&[7; 32], b"abc").as_bytes()].concat();
    assert_eq!(run(&code, &mut World::default()).result, ok(&expected));
}

#[test]
fn a_signature_is_valid_or_not() {
    let code = with_data("hello", "
        (memory.fill (i32.const 100) (i32.const 1) (i32.const 33)) (memory.fill (i32.const 200) (i32.const 2) (i32.const 65))
        (i32.store (i32.const 0) (call $verify_signature (i32.const 100) (i32.const 1000) (i32.const 5) (i32.const 200)))
        (i32.store (i32.const 4) (call $verify_signature (i32.const 100) (i32.const 1000) (i32.const 4) (i32.const 200)))
        (call $output (i32.const 0) (i32.const 8))");
    assert_eq!(run(&code, &mut World::default()).result, ok(b"\x01\0\0\0\0\0\0\0"));
}

/// Every buffer of every import, placed across the end of the one page of memory.
const ACROSS_THE_END: &[(&str, &str)] = &[
    ("input", "(drop (call $input (i32.const 65530) (i32.const 7)))"),
    ("output", "(call $output (i32.const 65530) (i32.const 7))"),
    ("revert", "(call $revert (i32.const 65530) (i32.const 7))"),
    ("result", "(drop (call $result (i32.const 0) (i32.const 65530) (i32.const 7)))"),
    ("storage_get", "(drop (call $storage_get (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0)))"),
    ("storage_get", "(drop (call $storage_get (i32.const 0) (i32.const 0) (i32.const 65530) (i32.const 7)))"),
    ("storage_put", "(call $storage_put (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0))"),
    ("storage_put", "(call $storage_put (i32.const 0) (i32.const 0) (i32.const 65530) (i32.const 7))"),
    ("storage_delete", "(call $storage_delete (i32.const 65530) (i32.const 7))"),
    (
        "storage_scan",
        "(drop (call $storage_scan (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))",
    ),
    (
        "storage_scan",
        "(drop (call $storage_scan (i32.const 0) (i32.const 0) (i32.const 65530) (i32.const 7) (i32.const 1) (i32.const 0) (i32.const 0)))",
    ),
    (
        "storage_scan",
        "(drop (call $storage_scan (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65530) (i32.const 7)))",
    ),
    ("caller", "(call $caller (i32.const 65520))"),
    (
        "authorize",
        "(drop (call $authorize (i32.const 65521) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))",
    ),
    (
        "authorize",
        "(drop (call $authorize (i32.const 0) (i32.const 65530) (i32.const 7) (i32.const 0) (i64.const 0) (i64.const 0)))",
    ),
    (
        "authorize",
        "(drop (call $authorize (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65534) (i64.const 0) (i64.const 0)))",
    ),
    ("member_of", "(drop (call $member_of (i32.const 65521) (i32.const 0)))"),
    ("member_of", "(drop (call $member_of (i32.const 0) (i32.const 65521)))"),
    ("member_status", "(drop (call $member_status (i32.const 65521)))"),
    ("has_role", "(drop (call $has_role (i32.const 65521) (i32.const 0)))"),
    ("self_id", "(call $self_id (i32.const 65521))"),
    ("transaction_id", "(call $transaction_id (i32.const 65505))"),
    ("parameter", "(drop (call $parameter (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0)))"),
    ("consortium_hash", "(call $consortium_hash (i32.const 65530) (i32.const 7) (i32.const 0))"),
    ("consortium_hash", "(call $consortium_hash (i32.const 0) (i32.const 0) (i32.const 65505))"),
    ("is_business_day", "(drop (call $is_business_day (i32.const 65530) (i32.const 7) (i32.const 0)))"),
    ("emit_event", "(call $emit_event (i32.const 65530) (i32.const 7))"),
    (
        "call",
        "(drop (call $call (i32.const 65521) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))",
    ),
    (
        "call",
        "(drop (call $call (i32.const 0) (i32.const 65530) (i32.const 7) (i64.const 0) (i32.const 0) (i32.const 0)))",
    ),
    ("schedule", "(drop (call $schedule (i32.const 0) (i32.const 65530) (i32.const 7) (i64.const 0) (i32.const 0)))"),
    ("schedule", "(drop (call $schedule (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 65505)))"),
    ("cancel_schedule", "(drop (call $cancel_schedule (i32.const 65505)))"),
    ("blake3", "(call $blake3 (i32.const 65530) (i32.const 7) (i32.const 0))"),
    ("blake3", "(call $blake3 (i32.const 0) (i32.const 0) (i32.const 65505))"),
    ("verify_signature", "(drop (call $verify_signature (i32.const 65504) (i32.const 0) (i32.const 0) (i32.const 0)))"),
    ("verify_signature", "(drop (call $verify_signature (i32.const 0) (i32.const 65530) (i32.const 7) (i32.const 0)))"),
    ("verify_signature", "(drop (call $verify_signature (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65472)))"),
    ("log", "(call $log (i32.const 65530) (i32.const 7))"),
];

#[test]
fn a_buffer_outside_memory_traps_and_changes_nothing() {
    for (function, body) in ACROSS_THE_END {
        let mut world = World::default();
        world.storage.insert(Vec::new(), b"value".to_vec());
        let outcome = run(&contract(body), &mut world);
        assert_eq!(outcome.result, CallResult::Trapped(TrapReason::BufferOutOfRange(function)), "{body}");
        assert_eq!(outcome.gas_used, PLENTY, "{body}");
        assert_eq!(world.storage.len(), 1, "{body}");
        assert!(world.scheduled.is_empty() && world.asked.is_empty() && world.called.is_empty(), "{body}");
    }
}

#[test]
fn a_call_whose_output_has_no_room_traps() {
    let mut world = World { callee: Some((Ok(b"answer".to_vec()), 0)), ..World::default() };
    let body =
        "(drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 65530) (i32.const 7)))";
    assert_eq!(run(&contract(body), &mut world).result, CallResult::Trapped(TrapReason::BufferOutOfRange("call")));
}

#[test]
fn what_is_longer_than_the_abi_allows_traps() {
    let (key, value, message) = (abi::MAX_KEY_BYTES + 1, abi::MAX_VALUE_BYTES + 1, abi::MAX_MESSAGE_BYTES + 1);
    let cases = [
        (
            "storage_get",
            format!("(drop (call $storage_get (i32.const 0) (i32.const {key}) (i32.const 0) (i32.const 0)))"),
        ),
        ("storage_put", format!("(call $storage_put (i32.const 0) (i32.const {key}) (i32.const 0) (i32.const 0))")),
        ("storage_put", format!("(call $storage_put (i32.const 0) (i32.const 0) (i32.const 0) (i32.const {value}))")),
        ("storage_delete", format!("(call $storage_delete (i32.const 0) (i32.const {key}))")),
        ("parameter", format!("(drop (call $parameter (i32.const 0) (i32.const {key}) (i32.const 0) (i32.const 0)))")),
        ("output", format!("(call $output (i32.const 0) (i32.const {message}))")),
        ("revert", format!("(call $revert (i32.const 0) (i32.const {message}))")),
        ("emit_event", format!("(call $emit_event (i32.const 0) (i32.const {message}))")),
        (
            "call",
            format!(
                "(drop (call $call (i32.const 0) (i32.const 0) (i32.const {message}) (i64.const 0) (i32.const 0) (i32.const 0)))"
            ),
        ),
    ];
    for (function, body) in cases {
        let outcome = run(&module_with_two_pages(&body), &mut World::default());
        assert_eq!(outcome.result, CallResult::Trapped(TrapReason::TooLong(function)), "{body}");
    }
}

#[test]
fn names_are_text() {
    for (function, call) in [
        ("parameter", "(drop (call $parameter (i32.const 1000) (i32.const 1) (i32.const 0) (i32.const 0)))"),
        ("is_business_day", "(drop (call $is_business_day (i32.const 1000) (i32.const 1) (i32.const 0)))"),
        (
            "authorize",
            "(drop (call $authorize (i32.const 0) (i32.const 1000) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0)))",
        ),
    ] {
        let outcome = run(&with_data("\\ff", call), &mut World::default());
        assert_eq!(outcome.result, CallResult::Trapped(TrapReason::NotText(function)));
    }
}

#[test]
fn one_call_emits_at_most_so_many_events_and_bytes() {
    let emit = |times: u32, bytes: usize| {
        contract(&format!(
            "(local $i i32) (loop $more (call $emit_event (i32.const 0) (i32.const {bytes}))
            (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {times}))))"
        ))
    };
    let most = abi::MAX_EVENTS;
    assert_eq!(run(&emit(most, 1), &mut World::default()).result, ok(b""));
    let too_many = CallResult::Trapped(TrapReason::TooManyEvents);
    assert_eq!(run(&emit(most + 1, 1), &mut World::default()).result, too_many);
    let large = abi::MAX_EVENT_BYTES / 8;
    assert_eq!(run(&emit(8, large), &mut World::default()).result, ok(b""));
    assert_eq!(run(&emit(9, large), &mut World::default()).result, too_many);
}

/// Every import that writes.
const WRITES: &[(&str, &str)] = &[
    ("storage_put", "(call $storage_put (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))"),
    ("storage_delete", "(call $storage_delete (i32.const 0) (i32.const 0))"),
    ("emit_event", "(call $emit_event (i32.const 0) (i32.const 0))"),
    ("schedule", "(drop (call $schedule (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0)))"),
    ("cancel_schedule", "(drop (call $cancel_schedule (i32.const 0)))"),
];

#[test]
fn a_query_can_not_write() {
    for (function, body) in WRITES {
        let mut world = World { read_only: true, ..World::default() };
        world.storage.insert(Vec::new(), b"value".to_vec());
        let outcome = run(&contract(body), &mut world);
        assert_eq!(outcome.result, CallResult::Trapped(TrapReason::WriteInQuery(function)));
        assert!(world.storage.len() == 1 && world.events.is_empty() && world.scheduled.is_empty(), "{function}");
    }
}

#[test]
fn a_query_entry_can_not_write_even_where_the_host_forgot_to_forbid_it() {
    use portolan_vm::{Pool, abi::Entry};
    let module = crate::world::load(&contract(WRITES[0].1));
    let mut world = World::default();
    let outcome = crate::world::vm().run(&module, Entry::Query, b"", PLENTY, Pool::Query, &mut world).unwrap();
    assert_eq!(outcome.result, CallResult::Trapped(TrapReason::WriteInQuery("storage_put")));
    assert!(world.storage.is_empty());
}

#[test]
fn a_fault_of_the_host_is_an_error_and_no_outcome() {
    let reads = [
        "(drop (call $storage_get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $storage_scan (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))",
        "(drop (call $authorize (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0)))",
        "(drop (call $member_of (i32.const 0) (i32.const 0)))",
        "(drop (call $member_status (i32.const 0)))",
        "(drop (call $has_role (i32.const 0) (i32.const 0)))",
        "(drop (call $parameter (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(call $consortium_hash (i32.const 0) (i32.const 0) (i32.const 0))",
        "(drop (call $is_business_day (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $call (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))",
        "(drop (call $verify_signature (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))",
    ];
    for body in reads.iter().chain(WRITES.iter().map(|(_, body)| body)) {
        let mut world = World { broken: true, ..World::default() };
        let ended = try_run(&contract(body), PLENTY, &mut world);
        assert!(matches!(ended, Err(VmError::Host(_))), "{body}: {ended:?}");
    }
}

#[test]
fn the_entry_says_why_the_contract_is_entered() {
    use portolan_vm::{Pool, abi::Entry};
    let module = crate::world::load(&contract(
        "(i32.store (i32.const 0) (local.get $entry)) (call $output (i32.const 0) (i32.const 4))",
    ));
    for (entry, code) in [(Entry::Call, 0), (Entry::Query, 1), (Entry::Instantiate, 2), (Entry::Migrate, 3)] {
        let outcome = crate::world::vm().run(&module, entry, b"", PLENTY, Pool::Block, &mut World::default()).unwrap();
        assert_eq!(outcome.result, ok(&i32::to_le_bytes(code)));
    }
}
