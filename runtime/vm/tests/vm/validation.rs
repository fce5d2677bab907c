//! What can't be deployed, one rule each.

use portolan_vm::{ModuleError, ModuleLimits, abi, limits::MAX_TABLE_ELEMENTS, validate};

use crate::world::{IMPORTS, contract, contract_with, module};

const ENTRY: &str = r#"(func (export "call") (param i32))"#;
const MEMORY: &str = r#"(memory (export "memory") 1)"#;

fn refusal(code: &[u8]) -> ModuleError {
    match validate(code, &ModuleLimits::V1) {
        Err(error) => error,
        Ok(facts) => panic!("the module passed: {facts:?}"),
    }
}

/// The refusal of a module with memory, entry and these items.
fn refusal_of(items: &str) -> ModuleError {
    refusal(&module(&format!("{MEMORY} {items} {ENTRY}")))
}

fn too_many(code: &[u8], what: &str, most: u64) {
    match refusal(code) {
        ModuleError::TooMany { what: named, most: limit, found } => {
            assert_eq!((named, limit), (what, most));
            assert!(found > most);
        }
        other => panic!("{other:?}"),
    }
}

fn repeat(count: u32, item: &str) -> String {
    item.repeat(count as usize)
}

#[test]
fn a_contract_with_every_import_passes_with_its_facts() {
    let code = contract_with(
        r#"(table 3 funcref) (elem (i32.const 1) func $helper) (global i32 (i32.const 5)) (global (mut i64) (i64.const 5))
           (data (i32.const 65530) "abcdef") (@custom "portolan_metadata" "about") (func $helper)"#,
        "(call $helper)",
    );
    let facts = validate(&code, &ModuleLimits::V1).unwrap();
    assert_eq!((facts.functions, facts.memory_pages, facts.table_elements), (2, 1, 3));
    assert_eq!((facts.data_bytes, facts.globals), (6, 2));
    assert_eq!(facts.metadata, Some(b"about".to_vec()));
    assert_eq!(facts.instantiation_gas(), 2_500 + 6 + 10_000 + 6 + 8);
}

#[test]
fn the_linkers_marks_and_missing_metadata_are_fine() {
    let code = contract_with(
        r#"(global (export "__data_end") i32 (i32.const 5)) (global (export "__heap_base") i32 (i32.const 5))"#,
        "",
    );
    assert_eq!(validate(&code, &ModuleLimits::V1).unwrap().metadata, None);
}

#[test]
fn floats_are_refused_in_every_place() {
    for items in [
        "(func (drop (f64.const 1)))",
        "(func (drop (f32.convert_i32_s (i32.const 1))))",
        "(func (drop (f32.load (i32.const 0))))",
        "(func (local f32))",
        "(func (param f64))",
        "(func (result f32) unreachable)",
        "(global f32 (f32.const 1))",
        "(type (func (param f64)))",
    ] {
        assert!(matches!(refusal_of(items), ModuleError::Float { .. }), "{items}: {:?}", refusal_of(items));
    }
    assert!(matches!(
        refusal_of("(func (drop (i32.trunc_sat_f32_s (f32.const 1))))"),
        ModuleError::Float { .. } | ModuleError::Feature { .. }
    ));
}

#[test]
fn features_beyond_the_integer_core_are_refused() {
    for items in [
        "(func (drop (v128.const i64x2 0 0)))",
        "(func (local v128))",
        "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
        "(func (drop (i32.atomic.load (i32.const 0))))",
        "(func (atomic.fence))",
        "(func $f (return_call $f))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
        "(func (drop (ref.null func)))",
        "(table 1 externref)",
        "(table 1 funcref) (table 1 funcref)",
        "(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))",
        "(table 1 funcref) (func (table.copy (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(table 1 funcref) (elem func) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))",
        r#"(data "passive") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))"#,
        "(tag)",
        "(memory 1)",
        "(type (struct))",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        r#"(global (export "open") (mut i32) (i32.const 1))"#,
    ] {
        let error = refusal_of(items);
        assert!(matches!(error, ModuleError::Feature { .. } | ModuleError::Invalid { .. }), "{items}: {error:?}");
    }
    for memory in [r#"(memory (export "memory") i64 1)"#, r#"(memory (export "memory") 1 1 shared)"#] {
        let error = refusal(&module(&format!("{memory} {ENTRY}")));
        assert!(matches!(error, ModuleError::Feature { .. } | ModuleError::Invalid { .. }), "{memory}: {error:?}");
    }
}

#[test]
fn a_start_function_is_refused() {
    assert_eq!(refusal_of("(func $start) (start $start)"), ModuleError::StartFunction);
}

#[test]
fn only_imports_of_the_abi_are_there() {
    let refused = |import: &str| refusal(&module(&format!("{import} {MEMORY} {ENTRY}")));
    assert_eq!(refused(r#"(import "portolan" "clock" (func))"#), ModuleError::UnknownImport("portolan::clock".into()));
    assert_eq!(
        refused(r#"(import "env" "input" (func (param i32 i32) (result i32)))"#),
        ModuleError::UnknownImport("env::input".into())
    );
    assert_eq!(refused(r#"(import "env" "memory" (memory 1))"#), ModuleError::UnknownImport("env::memory".into()));
}

#[test]
fn an_import_has_exactly_the_abis_type() {
    for import in [
        r#"(import "portolan" "input" (func (param i32 i32)))"#,
        r#"(import "portolan" "input" (func (param i32) (result i32)))"#,
        r#"(import "portolan" "input" (func (param i32 i64) (result i32)))"#,
        r#"(import "portolan" "input" (func (param i32 i32) (result i64)))"#,
        r#"(import "portolan" "input" (global i32))"#,
    ] {
        let error = refusal(&module(&format!("{import} {MEMORY} {ENTRY}")));
        let expected = ModuleError::WrongImportType { name: "input", expected: "(i32, i32) -> i32".into() };
        assert_eq!(error, expected, "{import}");
    }
}

#[test]
fn every_import_of_the_table_is_accepted_by_the_check() {
    assert!(validate(&contract(""), &ModuleLimits::V1).is_ok());
    assert_eq!(IMPORTS.lines().filter(|line| line.starts_with("(import")).count(), 28);
}

#[test]
fn memory_and_entry_must_be_exported() {
    assert_eq!(refusal(&module(&format!("(memory 1) {ENTRY}"))), ModuleError::MissingExport("a `memory`"));
    assert_eq!(refusal(&module(ENTRY)), ModuleError::MissingExport("a `memory`"));
    assert_eq!(refusal(&module(MEMORY)), ModuleError::MissingExport("the function `call(i32)`"));
}

#[test]
fn the_entry_takes_the_reason_and_is_the_contracts_own() {
    for entry in [
        r#"(func (export "call"))"#,
        r#"(func (export "call") (param i64))"#,
        r#"(func (export "call") (param i32) (result i32) unreachable)"#,
        r#"(import "portolan" "self_id" (func $self_id (param i32))) (export "call" (func $self_id))"#,
    ] {
        assert_eq!(
            refusal(&module(&format!("{entry} {MEMORY}"))),
            ModuleError::ForbiddenExport("call".into()),
            "{entry}"
        );
    }
}

#[test]
fn nothing_else_is_exported() {
    for (name, item) in [
        ("allocate", r#"(func (export "allocate") (param i32))"#),
        ("table", r#"(table (export "table") 1 funcref)"#),
        ("portolan_stack_left", r#"(global (export "portolan_stack_left") i32 (i32.const 0))"#),
    ] {
        assert_eq!(refusal_of(item), ModuleError::ForbiddenExport(name.into()));
    }
}

#[test]
fn segments_lie_at_constant_places_within_the_initial_sizes() {
    assert_eq!(refusal_of(r#"(data (i32.const 65535) "ab")"#), ModuleError::Segment("data", 0));
    assert_eq!(refusal_of(r#"(data (i32.const 0) "a") (data (i32.const -1) "")"#), ModuleError::Segment("data", 1));
    assert_eq!(
        refusal_of("(table 1 funcref) (func $f) (elem (i32.const 1) func $f)"),
        ModuleError::Segment("element", 0)
    );
    assert!(
        validate(&module(&format!(r#"{MEMORY} {ENTRY} (data (i32.const 65534) "ab")"#)), &ModuleLimits::V1).is_ok()
    );
}

#[test]
fn sizes_are_bounded() {
    let limits = ModuleLimits::V1;
    let of = |items: &str| module(&format!("{MEMORY} {items} {ENTRY}"));
    too_many(&of(&repeat(limits.functions, "(func)")), "functions", limits.functions.into());
    too_many(&of(&repeat(limits.globals + 1, "(global i32 (i32.const 0))")), "globals", limits.globals.into());
    too_many(&of(&repeat(limits.types, "(type (func (param i64)))")), "types", limits.types.into());
    too_many(&of(&repeat(limits.segments + 1, "(data (i32.const 0))")), "data segments", limits.segments.into());
    let elements = repeat(limits.segments + 1, "(elem (i32.const 0) func)");
    too_many(&of(&format!("(table 1 funcref) {elements}")), "element segments", limits.segments.into());
    too_many(&of(&format!("(table {} funcref)", MAX_TABLE_ELEMENTS + 1)), "table elements", MAX_TABLE_ELEMENTS.into());
    let imports = repeat(limits.imports + 1, r#"(import "portolan" "block_height" (func (result i64)))"#);
    too_many(&module(&format!("{imports} {MEMORY} {ENTRY}")), "imports", limits.imports.into());
    let exports: String = (0..limits.exports).map(|i| format!(r#"(export "g{i}" (global $g))"#)).collect();
    too_many(&of(&format!("(global $g i32 (i32.const 0)) {exports}")), "exports", limits.exports.into());
    let data = format!(r#"(data (i32.const 0) "{}")"#, "a".repeat(60_000));
    too_many(&of(&repeat(5, &data)), "bytes of data segments", limits.data_bytes.into());
    let metadata = format!(r#"(@custom "portolan_metadata" "{}")"#, "a".repeat(limits.metadata_bytes + 1));
    too_many(&of(&metadata), "bytes of metadata", limits.metadata_bytes as u64);
}

#[test]
fn memory_is_bounded_in_its_start_and_its_declared_maximum() {
    let of = |memory: &str| module(&format!(r#"(memory (export "memory") {memory}) {ENTRY}"#));
    too_many(&of("257"), "pages of initial memory", 256);
    too_many(&of("1 257"), "pages of maximum memory", 256);
    assert!(validate(&of("256 256"), &ModuleLimits::V1).is_ok());
    assert!(validate(&of("1"), &ModuleLimits::V1).is_ok(), "without a maximum the vm's own bound holds");
}

#[test]
fn each_function_is_bounded() {
    let limits = ModuleLimits::V1;
    let of = |body: &str| module(&format!("{MEMORY} {ENTRY} (func {body})"));
    too_many(&of(&repeat(limits.params + 1, "(param i32)")), "parameters of one function", limits.params.into());
    too_many(&of(&repeat(limits.locals + 1, "(local i32)")), "locals in one function", limits.locals.into());
    too_many(&of(&repeat(limits.body_bytes, "nop ")), "bytes in one function", limits.body_bytes.into());
    let nested = format!("{} {}", repeat(limits.nesting, "block "), repeat(limits.nesting, "end "));
    too_many(&of(&nested), "nested blocks in one function", limits.nesting.into());
    let targets = format!("(br_table {} (i32.const 0))", repeat(limits.branch_targets + 2, "0 "));
    too_many(&of(&targets), "targets of one `br_table`", limits.branch_targets.into());
    let operators = repeat(limits.frame_slots * 2, "nop ");
    too_many(&of(&operators), "stack slots of one function", limits.frame_slots.into());
}

#[test]
fn the_cost_of_compiling_is_bounded_over_the_whole_module() {
    let of = |functions: &str| module(&format!("{MEMORY} {ENTRY} {functions}"));
    let many_values = format!("(func {} {})", repeat(1_000, "(local i32)"), repeat(800, "block end "));
    let deep_loops = format!("(func {} {})", repeat(250, "loop "), repeat(250, "end "));
    assert!(validate(&of(&repeat(2, &many_values)), &ModuleLimits::V1).is_ok());
    assert!(validate(&of(&repeat(50, &deep_loops)), &ModuleLimits::V1).is_ok());
    let most = ModuleLimits::V1.compile_weight;
    too_many(&of(&repeat(3, &many_values)), "units of compile weight", most);
    too_many(&of(&repeat(65, &deep_loops)), "units of compile weight", most);
}

#[test]
fn code_is_bounded_before_it_is_looked_at() {
    let garbage = vec![0xFF; abi::MAX_CODE_BYTES + 1];
    too_many(&garbage, "bytes of code", abi::MAX_CODE_BYTES as u64);
}

#[test]
fn limits_can_be_lowered_and_never_raised() {
    let code = contract("");
    let tight = ModuleLimits { imports: 27, ..ModuleLimits::V1 };
    assert!(matches!(validate(&code, &tight), Err(ModuleError::TooMany { what: "imports", most: 27, found: 28 })));
    let loose = ModuleLimits { memory_pages: 1_000, ..ModuleLimits::V1 };
    let large = module(&format!(r#"(memory (export "memory") 257) {ENTRY}"#));
    assert!(matches!(validate(&large, &loose), Err(ModuleError::TooMany { most: 256, .. })));
}

#[test]
fn one_metadata_section_at_most() {
    let twice = r#"(@custom "portolan_metadata" "a") (@custom "portolan_metadata" "b")"#;
    assert_eq!(refusal_of(twice), ModuleError::MetadataTwice);
}

#[test]
fn what_is_not_wasm_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"hello, this is no module", &[0xFF; 64], b"\0asm\x0d\0\x01\0"] {
        assert!(
            matches!(refusal(bytes), ModuleError::Invalid { .. } | ModuleError::Feature { .. }),
            "{bytes:?}: {:?}",
            refusal(bytes)
        );
    }
}

fn small_module() -> Vec<u8> {
    contract_with(
        r#"(table 2 funcref) (elem (i32.const 0) func $f) (global (mut i32) (i32.const 5)) (data (i32.const 8) "abc")
           (func $f (param i32) (result i32) (local i64) (if (result i32) (local.get 0) (then (i32.const 1)) (else (return (i32.const 2)))))"#,
        "(drop (call_indirect (param i32) (result i32) (i32.const 7) (i32.const 0)))",
    )
}

#[test]
fn a_module_cut_anywhere_is_refused_without_a_panic() {
    let code = small_module();
    assert!(validate(&code, &ModuleLimits::V1).is_ok());
    for end in 0..code.len() {
        // A cut behind the code section can leave a whole module: then it lacks only what came after.
        if let Err(error) = validate(&code[..end], &ModuleLimits::V1) {
            assert!(!error.to_string().is_empty());
        }
    }
    assert!(validate(&code[..code.len() / 2], &ModuleLimits::V1).is_err());
}

#[test]
fn a_module_with_any_byte_changed_is_judged_without_a_panic() {
    let code = small_module();
    let mut refused = 0;
    for position in 0..code.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut changed = code.clone();
            changed[position] ^= change;
            refused += usize::from(validate(&changed, &ModuleLimits::V1).is_err());
        }
    }
    assert!(refused > code.len());
}
