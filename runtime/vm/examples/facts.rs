//! Prints what the check before deployment finds in a module, and how long it compiles:
//! `cargo run --release -p portolan-vm --example facts -- contract.wasm …` (or the text form, `.wat`).

// An example that measures reads the clock.
#![allow(clippy::disallowed_methods)]

use std::time::Instant;

use portolan_primitives::{Domain, hash};
use portolan_vm::{ModuleLimits, Vm, VmConfig, validate};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vm = Vm::new(VmConfig { block_slots: 1, query_slots: 1, ..VmConfig::default() })?;
    for path in std::env::args().skip(1) {
        let code = wat::parse_file(&path)?;
        match validate(&code, &ModuleLimits::V1) {
            Err(refusal) => println!("{path}: refused: {refusal}"),
            Ok(facts) => {
                let start = Instant::now();
                vm.load(&hash(Domain::Code, &code), || Ok(code.clone()))?;
                let metadata = facts.metadata.as_ref().map_or(0, Vec::len);
                println!(
                    "{path}: {} bytes, {} functions, {} pages, {} table elements, {} data bytes, largest frame {} slots, weight {}, \
                     metadata {metadata} bytes, {} gas an instance, compiled in {:.0} ms",
                    code.len(),
                    facts.functions,
                    facts.memory_pages,
                    facts.table_elements,
                    facts.data_bytes,
                    facts.largest_frame,
                    facts.compile_weight,
                    facts.instantiation_gas(),
                    start.elapsed().as_secs_f64() * 1e3,
                );
            }
        }
    }
    Ok(())
}
