//! A contract of the simulation alone, to be upgraded under load: it counts its calls. Each of its two forms keeps the count
//! under a key and in a shape of its own, which only its migration makes of the other's; so a call that is lost or counted
//! twice on the way, or read in the other's shape, shows in the answer.

use portolan_chain_spec::built_in_contracts;

/// Its name on the chain.
pub const NAME: &str = "tally";

const SOURCE: &str = r#"(module
  (import "portolan" "output" (func $output (param i32 i32)))
  (import "portolan" "revert" (func $revert (param i32 i32)))
  (import "portolan" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "portolan" "storage_put" (func $put (param i32 i32 i32 i32)))
  (import "portolan" "storage_delete" (func $delete (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "OWN_NAMEHER_NAME")
  (func $mask (param $with i64)
    (i64.store (i32.const 32) (i64.xor (i64.load (i32.const 32)) (local.get $with))))
  (func (export "call") (param $entry i32)
    ;; Migration: the other form's count becomes this one's; without one there is nothing to migrate.
    (if (i32.eq (local.get $entry) (i32.const 3)) (then
      (if (i32.ne (call $get (i32.const 8) (i32.const 8) (i32.const 32) (i32.const 8)) (i32.const 8))
        (then (call $revert (i32.const 8) (i32.const 8))))
      (call $mask (i64.const HER_MASK))
      (call $mask (i64.const OWN_MASK))
      (call $put (i32.const 0) (i32.const 8) (i32.const 32) (i32.const 8))
      (call $delete (i32.const 8) (i32.const 8))
      (return)))
    (i64.store (i32.const 32) (i64.const OWN_MASK))
    (drop (call $get (i32.const 0) (i32.const 8) (i32.const 32) (i32.const 8)))
    (call $mask (i64.const OWN_MASK))
    (if (i32.eq (local.get $entry) (i32.const 1)) (then
      (call $output (i32.const 32) (i32.const 8))
      (return)))
    (if (i32.eqz (local.get $entry))
      (then (i64.store (i32.const 32) (i64.add (i64.load (i32.const 32)) (i64.const 1)))))
    (call $mask (i64.const OWN_MASK))
    (call $put (i32.const 0) (i32.const 8) (i32.const 32) (i32.const 8))))"#;

/// Name of the key and mask of the count, by form.
const FORMS: [(&str, &str); 2] = [("tallies.", "0"), ("counted.", "-1")];

/// The module of a version, from 1: its forms take turns.
pub fn code(version: u32) -> Vec<u8> {
    let own = FORMS[(version as usize + 1) % 2];
    let other = FORMS[version as usize % 2];
    let source = SOURCE
        .replace("OWN_NAME", own.0)
        .replace("HER_NAME", other.0)
        .replace("OWN_MASK", own.1)
        .replace("HER_MASK", other.1);
    wat::parse_str(source).expect("the contract's source is good")
}

/// A module that is built in, with a few bytes more that say nothing: other code of the same contract.
pub fn rebuilt(name: &str, version: u32) -> Option<Vec<u8>> {
    let artifact = built_in_contracts().iter().find(|artifact| artifact.name == name)?;
    // A custom section: its id, its length, a name of one letter, one byte.
    let section = [0, 3, 1, b'v', version as u8];
    Some([artifact.code, &section[..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_take_turns_and_the_vm_takes_them_all() {
        assert_ne!(code(1), code(2));
        assert_eq!(code(1), code(3));
        let rebuilt = rebuilt("receivable", 2).unwrap();
        for module in [code(1), code(2), rebuilt.clone()] {
            assert!(portolan_vm::validate(&module, &portolan_vm::ModuleLimits::V1).is_ok());
        }
        assert_ne!(Some(rebuilt), super::rebuilt("receivable", 3));
        assert_eq!(super::rebuilt("nothing", 1), None);
    }
}
