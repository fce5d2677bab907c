//! A contract that does what its input's first byte says, with a description of its own.

use codec::Encode;
use portolan_runtime::native::governance::{Action, messages::Call};
use portolan_sdk::metadata::{Builder, ContractMetadata};
use portolan_vm::abi::METADATA_SECTION;
use scale_info::{MetaType, TypeInfo};

pub const NAME: &str = "notes";

const SOURCE: &str = r#"(module
  (import "portolan" "input" (func $input (param i32 i32) (result i32)))
  (import "portolan" "output" (func $output (param i32 i32)))
  (import "portolan" "revert" (func $revert (param i32 i32)))
  (import "portolan" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "portolan" "storage_put" (func $put (param i32 i32 i32 i32)))
  (import "portolan" "emit_event" (func $emit (param i32 i32)))
  (memory (export "memory") 2)
  (data (i32.const 8) "note")
  (func (export "call") (param $entry i32)
    (local $rest i32) (local $op i32)
    (local.set $rest (i32.sub (call $input (i32.const 1024) (i32.const 60000)) (i32.const 1)))
    (if (i32.lt_s (local.get $rest) (i32.const 0)) (then (return)))
    (local.set $op (i32.load8_u (i32.const 1024)))
    (if (i32.eq (local.get $op) (i32.const 0)) (then
      (call $output (i32.const 512) (call $get (i32.const 8) (i32.const 4) (i32.const 512) (i32.const 8)))))
    (if (i32.eq (local.get $op) (i32.const 1)) (then (call $output (i32.const 1025) (local.get $rest))))
    (if (i32.eq (local.get $op) (i32.const 2)) (then (call $revert (i32.const 1025) (local.get $rest))))
    (if (i32.eq (local.get $op) (i32.const 3)) (then (loop $forever (br $forever))))
    (if (i32.eq (local.get $op) (i32.const 4)) (then
      (call $put (i32.const 8) (i32.const 4) (i32.const 1025) (local.get $rest))
      (call $emit (i32.const 1024) (i32.add (local.get $rest) (i32.const 1)))))
    (if (i32.eq (local.get $op) (i32.const 5)) (then (call $revert (i32.const 1025) (local.get $rest))))))"#;

/// What the contract refuses with.
#[derive(Encode, TypeInfo)]
#[allow(dead_code)]
enum NotesError {
    /// There is no such note.
    #[codec(index = 0)]
    UnknownNote,
    #[codec(index = 1)]
    NotParty,
    /// Only {left} notes are left.
    #[codec(index = 2)]
    TooMany { left: u8 },
}

#[derive(Encode, TypeInfo)]
#[allow(dead_code)]
enum NotesEvent {
    #[codec(index = 4)]
    NoteTaken { value: u64 },
}

#[derive(Encode, TypeInfo)]
#[allow(dead_code)]
enum NotesCall {
    #[codec(index = 4)]
    Take { value: u64 },
    #[codec(index = 5)]
    Fail { error: [u8; 3] },
}

#[derive(Encode, TypeInfo)]
#[allow(dead_code)]
enum NotesQuery {
    #[codec(index = 0)]
    Note,
    #[codec(index = 1)]
    Echo { value: u32, text: Option<String> },
    #[codec(index = 2)]
    Refuse { error: [u8; 3] },
    #[codec(index = 3)]
    Endless,
}

pub fn metadata() -> ContractMetadata {
    let mut builder = Builder::new(NAME, "1.0.0", "Keeps a note.");
    let (u64s, u32s, unit) = (MetaType::new::<u64>(), MetaType::new::<u32>(), MetaType::new::<()>());
    let (error, text) = (MetaType::new::<[u8; 3]>(), MetaType::new::<Option<String>>());
    builder.call(4, "take", &[("value", u64s)], unit, "Takes a note.");
    builder.call(5, "fail", &[("error", error)], unit, "Fails.");
    builder.query("/notes", 0, "note", &[], u64s, "The note.");
    builder.query(
        "/notes/{value}/echo",
        1,
        "echo",
        &[("value", u32s), ("text", text)],
        MetaType::new::<(u32, Option<String>)>(),
        "What was asked.",
    );
    builder.query("/notes/refusals/{error}", 2, "refuse", &[("error", error)], unit, "Refuses.");
    builder.query("/notes/endless", 3, "endless", &[], unit, "Never ends.");
    // A path of the chain's own and one of a native module: not to be had.
    builder.query("/members/{member}", 1, "taken", &[("member", u32s)], u32s, "Would take over another's path.");
    builder.finish::<NotesCall, NotesQuery, NotesError, NotesEvent>()
}

/// The module with its description.
pub fn code() -> Vec<u8> {
    let mut module = wat::parse_str(SOURCE).unwrap();
    let content = [&[METADATA_SECTION.len() as u8], METADATA_SECTION.as_bytes(), &metadata().to_bytes()].concat();
    module.push(0);
    let mut length = content.len();
    while length >= 0x80 {
        module.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    module.push(length as u8);
    module.extend(content);
    module
}

/// The proposal to deploy it, which the only validator's own approval carries out.
pub fn deployment() -> Vec<u8> {
    let action = Action::DeployContract { name: NAME.into(), code: code(), instantiate: vec![] };
    Call::Propose { title: "Notes".into(), action, days: None }.encode()
}

pub fn take(value: u64) -> Vec<u8> {
    NotesCall::Take { value }.encode()
}

/// SCALE of a refusal of this contract, as its code's three bytes in hex.
pub fn refusal(variant: u8, left: u8) -> String {
    format!("00{variant:02x}{left:02x}")
}

pub fn fail(variant: u8, left: u8) -> Vec<u8> {
    NotesCall::Fail { error: [0, variant, left] }.encode()
}
