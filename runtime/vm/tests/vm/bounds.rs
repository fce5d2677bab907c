//! What a contract can not exceed: gas, stack, memory.

use portolan_vm::{CallResult, TrapReason, VmError, stack};

use crate::world::{PLENTY, World, contract, contract_with, run, try_run};

fn trapped(code: &[u8], reason: TrapReason) {
    let outcome = run(code, &mut World::default());
    assert_eq!(outcome.result, CallResult::Trapped(reason));
    assert_eq!(outcome.gas_used, PLENTY, "a trap charges the whole limit");
}

fn gas_of(code: &[u8]) -> u64 {
    run(code, &mut World::default()).gas_used
}

#[test]
fn an_endless_loop_runs_out_of_gas() {
    let outcome = run(&contract("(loop $again (br $again))"), &mut World::default());
    assert_eq!(outcome.result, CallResult::OutOfGas);
    assert_eq!(outcome.gas_used, PLENTY);
}

#[test]
fn a_loop_without_work_is_not_free() {
    let outcome =
        run(&contract("(block $out (loop $again (br_if $again (i32.const 1)) (br $out)))"), &mut World::default());
    assert_eq!(outcome.result, CallResult::OutOfGas);
}

#[test]
fn exactly_enough_gas_is_enough_and_one_less_is_not() {
    for body in [
        "",
        "(drop (call $block_height))",
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 5000))",
        "(drop (memory.grow (i32.const 2)))",
        "(call $revert (i32.const 0) (i32.const 3))",
    ] {
        let code = contract(body);
        let plenty = run(&code, &mut World::default());
        let exact = try_run(&code, plenty.gas_used, &mut World::default()).unwrap();
        assert_eq!(exact, plenty, "{body}");
        let short = try_run(&code, plenty.gas_used - 1, &mut World::default()).unwrap();
        assert_eq!((short.result, short.gas_used), (CallResult::OutOfGas, plenty.gas_used - 1), "{body}");
    }
}

#[test]
fn no_limit_below_what_is_needed_is_enough() {
    let code = contract("(drop (call $block_height)) (call $output (i32.const 0) (i32.const 10))");
    let needed = gas_of(&code);
    for gas in (0..needed).step_by(7) {
        let outcome = try_run(&code, gas, &mut World::default()).unwrap();
        assert_eq!((outcome.result, outcome.gas_used), (CallResult::OutOfGas, gas));
    }
}

#[test]
fn a_limit_that_can_not_be_counted_is_the_hosts_fault() {
    assert!(matches!(try_run(&contract(""), u64::MAX, &mut World::default()), Err(VmError::GasLimit(u64::MAX))));
}

#[test]
fn work_on_many_bytes_costs_by_the_byte() {
    let fill =
        |bytes: u32| gas_of(&contract(&format!("(memory.fill (i32.const 0) (i32.const 1) (i32.const {bytes}))")));
    let copy =
        |bytes: u32| gas_of(&contract(&format!("(memory.copy (i32.const 0) (i32.const 100) (i32.const {bytes}))")));
    assert_eq!(fill(60_000) - fill(10), 59_990);
    assert_eq!(copy(60_000) - copy(10), 59_990);
}

#[test]
fn a_length_known_only_when_it_runs_costs_the_same() {
    let constant = contract("(memory.fill (i32.const 0) (i32.const 1) (i32.const 50000))");
    let computed = contract_with(
        r#"(data (i32.const 0) "\50\c3\00\00")"#,
        "(memory.fill (i32.const 0) (i32.const 1) (i32.load (i32.const 0)))",
    );
    assert_eq!(gas_of(&computed) - gas_of(&constant), 1 + 4, "one load and four bytes of data");
}

#[test]
fn f44_memory_grows_to_its_bound_and_no_further() {
    let grow = |pages: i32| {
        let code = contract(&format!(
            "(i32.store (i32.const 0) (memory.grow (i32.const {pages}))) (i32.store (i32.const 4) (memory.size)) (call $output (i32.const 0) (i32.const 8))"
        ));
        run(&code, &mut World::default()).result
    };
    let sizes = |result: i32, size: i32| CallResult::Ok([result.to_le_bytes(), size.to_le_bytes()].concat());
    assert_eq!(grow(255), sizes(1, 256));
    assert_eq!(grow(256), sizes(-1, 1));
    assert_eq!(grow(-1), sizes(-1, 1));
    assert_eq!(grow(0), sizes(1, 1));
}

#[test]
fn a_declared_maximum_binds_below_the_bound() {
    let code = crate::world::module(&format!(
        r#"{} (memory (export "memory") 1 3) (func (export "call") (param i32)
            (i32.store8 (i32.const 0) (memory.grow (i32.const 3))) (i32.store8 (i32.const 1) (memory.grow (i32.const 2))) (call $output (i32.const 0) (i32.const 2)))"#,
        crate::world::IMPORTS
    ));
    assert_eq!(run(&code, &mut World::default()).result, CallResult::Ok(vec![0xFF, 1]));
}

#[test]
fn pages_are_paid_when_they_are_grown_and_refused_ones_are_not() {
    let grow = |pages: u32| gas_of(&contract(&format!("(drop (memory.grow (i32.const {pages})))")));
    assert_eq!(grow(3) - grow(1), 2 * portolan_vm::metering::MEMORY_PAGE);
    assert_eq!(grow(1) - grow(1_000), portolan_vm::metering::MEMORY_PAGE);
}

#[test]
fn grown_memory_is_zero_in_every_call() {
    let code = contract("(drop (memory.grow (i32.const 1))) (i32.store (i32.const 0) (i32.load (i32.const 70000)))
        (i32.store (i32.const 4) (i32.load (i32.const 9))) (i32.store (i32.const 70000) (i32.const 7)) (i32.store (i32.const 9) (i32.const 7))
        (call $output (i32.const 0) (i32.const 8))");
    for _ in 0..3 {
        assert_eq!(run(&code, &mut World::default()).result, CallResult::Ok(vec![0; 8]));
    }
}

#[test]
fn what_breaks_a_rule_of_the_machine_traps() {
    trapped(&contract("unreachable"), TrapReason::Unreachable);
    trapped(&contract("(drop (i32.load (i32.const 65533)))"), TrapReason::MemoryOutOfBounds);
    trapped(&contract("(i64.store (i32.const -8) (i64.const 1))"), TrapReason::MemoryOutOfBounds);
    trapped(&contract("(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))"), TrapReason::MemoryOutOfBounds);
    trapped(&contract("(drop (i32.div_s (i32.const 1) (i32.const 0)))"), TrapReason::DivisionByZero);
    trapped(&contract("(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))"), TrapReason::IntegerOverflow);
    for index in [0, 1, 2, -1] {
        let code = contract_with(
            "(table 2 funcref) (elem (i32.const 1) func $other) (func $other (param i64))",
            &format!("(call_indirect (i32.const {index}))"),
        );
        trapped(&code, TrapReason::BadIndirectCall);
    }
}

/// A function that recurses as often as its argument says, and does `work` before and after.
fn recursion(depth: u32, work: &str) -> Vec<u8> {
    contract_with(
        &format!(
            "(func $down (param $left i32) (result i32) {work}
                (if (result i32) (local.get $left)
                    (then (i32.add (i32.const 1) (call $down (i32.sub (local.get $left) (i32.const 1)))))
                    (else (i32.const 0))))"
        ),
        &format!(
            "(i32.store (i32.const 0) (call $down (i32.const {depth}))) (call $output (i32.const 0) (i32.const 4))"
        ),
    )
}

/// The deepest recursion that returns; one deeper must trap with an exhausted stack.
fn deepest(work: &str) -> u32 {
    let (mut good, mut bad) = (0, stack::STACK_SLOTS);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match run(&recursion(middle, work), &mut World::default()).result {
            CallResult::Ok(depth) if depth == middle.to_le_bytes() => good = middle,
            CallResult::Trapped(TrapReason::StackExhausted) => bad = middle,
            other => panic!("{other:?} at depth {middle}"),
        }
    }
    good
}

#[test]
fn deep_recursion_is_exhausted_at_the_same_depth_everywhere() {
    // Operators of `$down`: local.get, if, const, local.get, const, sub, call, add, else, const, end, end; height 3.
    let frame = stack::frame_slots(1, 3, 12);
    let entry = stack::frame_slots(1, 2, 7);
    assert_eq!(deepest(""), (stack::STACK_SLOTS - entry) / frame - 1);
}

#[test]
fn endless_recursion_through_the_table_is_exhausted_too() {
    let code = contract_with(
        "(table 1 funcref) (elem (i32.const 0) func $again) (type $t (func)) (func $again (call_indirect (type $t) (i32.const 0)))",
        "(call $again)",
    );
    trapped(&code, TrapReason::StackExhausted);
}

#[test]
fn every_way_out_of_a_function_gives_its_frame_back() {
    for exit in [
        "return",
        "(block (br 1))",
        "(block (loop (br_if 2 (i32.const 1)) (br 0)))",
        "(block (br_table 1 0 (i32.const 0)))",
        "(if (i32.const 1) (then (block (return))))",
        "",
    ] {
        let code = contract_with(
            &format!("(func $leaf {exit})"),
            "(local $i i32) (loop $more (call $leaf)
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))",
        );
        assert_eq!(run(&code, &mut World::default()).result, CallResult::Ok(Vec::new()), "{exit}");
    }
}

#[test]
fn results_come_through_every_way_out() {
    for (ty, exit) in [
        ("i32", "(return (i32.const 7))"),
        ("i64", "(return (i64.const 7))"),
        ("i32", "(i32.const 7)"),
        ("i64", "(block (br 1 (i64.const 7))) (i64.const 9)"),
        ("i32", "(if (i32.const 1) (then (return (i32.const 7)))) (i32.const 9)"),
    ] {
        let code = contract_with(
            &format!("(func $leaf (result {ty}) {exit})"),
            &format!("({ty}.store (i32.const 0) (call $leaf)) (call $output (i32.const 0) (i32.const 4))"),
        );
        assert_eq!(run(&code, &mut World::default()).result, CallResult::Ok(vec![7, 0, 0, 0]), "{ty} {exit}");
    }
}

/// Shapes that make a compiler spend native stack: the counted stack must be exhausted before the native one, else the
/// call would be a fault. `values` values are computed, used, and used again after the recursion.
fn hungry(values: u32, make: impl Fn(u32) -> String, keep: impl Fn(u32) -> String) -> Vec<u8> {
    let (make, keep): (String, String) = ((0..values).map(&make).collect(), (0..values).map(keep).collect());
    contract_with(
        &format!("(func $down (param $x i64) {make} (call $down (i64.add (local.get $x) (i64.const 1))) {keep})"),
        "(call $down (i64.const 5))",
    )
}

#[test]
fn the_native_stack_outlasts_the_counted_one() {
    let locals: String = (0..400).map(|i| format!("(local $v{i} i64)")).collect();
    let in_locals = hungry(
        400,
        |i| {
            format!(
                "{} (local.set $v{i} (i64.mul (local.get $x) (i64.load (i32.const {}))))",
                if i == 0 { locals.as_str() } else { "" },
                i * 8
            )
        },
        |i| format!("(i64.store (i32.const {}) (local.get $v{i}))", i * 8),
    );
    // Nothing is kept in wasm terms, but both halves compute the same: a compiler keeps the values in between.
    let product = |i: u32| {
        format!("(i64.store (i32.const {}) (i64.mul (local.get $x) (i64.const {})))", i * 8, 1_000_003 + 2 * i)
    };
    let computed_twice = hungry(2_000, product, product);
    let on_the_operand_stack = contract_with(
        &format!(
            "(func $down (param $x i64) (result i64) {} (call $down (local.get $x)) {})",
            (0..800).map(|i| format!("(i64.load (i32.const {}))", i * 8)).collect::<String>(),
            "i64.add ".repeat(800)
        ),
        "(drop (call $down (i64.const 5)))",
    );
    let many_arguments = contract_with(
        &format!(
            "(func $down {} (call $down {}))",
            "(param i64)".repeat(32),
            (0..32).map(|i| format!("(local.get {i})")).collect::<String>()
        ),
        &format!("(call $down {})", "(i64.const 1)".repeat(32)),
    );
    let small = contract_with("(func $down (call $down))", "(call $down)");
    for (shape, code) in [
        ("locals", in_locals),
        ("computed twice", computed_twice),
        ("operands", on_the_operand_stack),
        ("arguments", many_arguments),
        ("small", small),
    ] {
        let threads = std::thread::Builder::new().stack_size(stack::THREAD_STACK_BYTES);
        let ended = threads.spawn(move || try_run(&code, PLENTY, &mut World::default())).unwrap().join().unwrap();
        let ended = ended.unwrap_or_else(|error| panic!("{shape}: {error}"));
        assert_eq!(ended.result, CallResult::Trapped(TrapReason::StackExhausted), "{shape}");
    }
}
