//! Compiled modules are kept in memory and on disk, and never trusted unseen.

use std::{fs, path::Path, path::PathBuf};

use portolan_primitives::{Domain, Hash, hash};
use portolan_vm::{CallResult, HostFault, Pool, Vm, VmConfig, VmError, abi::Entry};

use crate::world::{PLENTY, World, contract};

fn vm_in(directory: &Path) -> Vm {
    let config =
        VmConfig { cache_dir: Some(directory.to_owned()), block_slots: 2, query_slots: 1, ..VmConfig::default() };
    Vm::new(config).unwrap()
}

fn code() -> (Hash, Vec<u8>) {
    let code = contract("(i32.store8 (i32.const 0) (i32.const 65)) (call $output (i32.const 0) (i32.const 1))");
    (hash(Domain::Code, &code), code)
}

fn only_file(directory: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Loads and runs; tells whether the code was asked for.
fn asks_for_code(vm: &Vm) -> bool {
    let (id, code) = code();
    let mut asked = false;
    let module = vm
        .load(&id, || {
            asked = true;
            Ok(code)
        })
        .unwrap();
    let outcome = vm.run(&module, Entry::Call, b"", PLENTY, Pool::Block, &mut World::default()).unwrap();
    assert_eq!(outcome.result, CallResult::Ok(b"A".to_vec()));
    asked
}

#[test]
fn a_module_is_compiled_once_and_then_found_in_memory() {
    let vm = Vm::new(VmConfig { block_slots: 1, query_slots: 1, ..VmConfig::default() }).unwrap();
    assert!(asks_for_code(&vm));
    assert!(!asks_for_code(&vm));
}

#[test]
fn a_restarted_vm_finds_it_on_disk_with_the_same_gas() {
    let directory = tempfile::tempdir().unwrap();
    let (id, code) = code();
    assert!(asks_for_code(&vm_in(directory.path())));
    let restarted = vm_in(directory.path());
    assert!(!asks_for_code(&restarted));
    let fresh = Vm::new(VmConfig { block_slots: 1, query_slots: 1, ..VmConfig::default() }).unwrap();
    let gas = |vm: &Vm| {
        let module = vm.load(&id, || Ok(code.clone())).unwrap();
        vm.run(&module, Entry::Call, b"", PLENTY, Pool::Block, &mut World::default()).unwrap().gas_used
    };
    assert_eq!(gas(&restarted), gas(&fresh));
}

#[test]
fn a_damaged_file_is_compiled_again_and_replaced() {
    let directory = tempfile::tempdir().unwrap();
    asks_for_code(&vm_in(directory.path()));
    let path = only_file(directory.path());
    let sound = fs::read(&path).unwrap();
    let flipped = |position: usize| {
        let mut bytes = sound.clone();
        bytes[position] ^= 1;
        bytes
    };
    let damages = [
        Vec::new(),
        b"garbage".to_vec(),
        sound[..sound.len() - 1].to_vec(),
        flipped(0),
        flipped(20),
        flipped(sound.len() / 2),
        flipped(sound.len() - 1),
    ];
    for damaged in damages {
        fs::write(&path, damaged).unwrap();
        assert!(asks_for_code(&vm_in(directory.path())));
        assert!(!asks_for_code(&vm_in(directory.path())), "the file was replaced by a sound one");
    }
}

#[test]
fn a_file_of_other_code_under_this_name_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    asks_for_code(&vm_in(directory.path()));
    let path = only_file(directory.path());
    let other = contract("(call $output (i32.const 0) (i32.const 2))");
    let other_directory = tempfile::tempdir().unwrap();
    vm_in(other_directory.path()).load(&hash(Domain::Code, &other), || Ok(other.clone())).unwrap();
    fs::copy(only_file(other_directory.path()), &path).unwrap();
    assert!(asks_for_code(&vm_in(directory.path())), "and the right code gives its right answer");
}

#[test]
fn the_module_unused_longest_leaves_memory_first() {
    let vm = Vm::new(VmConfig { block_slots: 1, query_slots: 1, modules_in_memory: 2, ..VmConfig::default() }).unwrap();
    let codes: Vec<_> =
        (1..4).map(|length| contract(&format!("(call $output (i32.const 0) (i32.const {length}))"))).collect();
    let load = |index: usize| {
        let mut asked = false;
        let code: &Vec<u8> = &codes[index];
        vm.load(&hash(Domain::Code, code), || {
            asked = true;
            Ok(code.clone())
        })
        .unwrap();
        asked
    };
    assert!(load(0) && load(1));
    assert!(!load(0));
    assert!(load(2));
    assert!(!load(0), "used more recently than the second");
    assert!(load(1));
}

#[test]
fn code_of_another_hash_is_a_fault() {
    let vm = Vm::new(VmConfig { block_slots: 1, query_slots: 1, ..VmConfig::default() }).unwrap();
    assert!(matches!(vm.load(&Hash([1; 32]), || Ok(code().1)), Err(VmError::WrongCode)));
    let garbage = b"not wasm".to_vec();
    assert!(matches!(vm.load(&hash(Domain::Code, &garbage), || Ok(garbage.clone())), Err(VmError::Module(_))));
    assert!(matches!(vm.load(&code().0, || Err(HostFault("unreadable".into()))), Err(VmError::Host(_))));
}

#[test]
fn a_directory_that_can_not_be_made_is_named_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let config =
        VmConfig { cache_dir: Some(file.join("below")), block_slots: 1, query_slots: 1, ..VmConfig::default() };
    assert!(matches!(Vm::new(config), Err(VmError::Engine { action: "open its cache directory", .. })));
}
