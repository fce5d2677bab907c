//! The engine's settings. Those that touch outcomes or gas are rules of the protocol; the rest is speed.

use std::hash::Hasher;

use wasmtime::{Config, Enabled, Engine, Inlining, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::{VmError, abi, instrument, limits::MAX_TABLE_ELEMENTS, metering, stack};

/// Memory that a slot keeps between calls instead of giving it back: page faults cost more than clearing it.
const KEEP_MEMORY_BYTES: usize = 128 * 1024;
/// The same where the system tells which pages were written (Linux 6.7), so that only those are cleared.
const KEEP_WRITTEN_BYTES: usize = 1024 * 1024;
const KEEP_TABLE_BYTES: usize = 4 * 1024;

/// An engine with `slots` instance slots.
pub(crate) fn engine(slots: u32) -> Result<Engine, VmError> {
    optimising(slots, OptLevel::Speed)
}

/// An engine that optimises as `level` says, which changes speed alone.
pub(crate) fn optimising(slots: u32, level: OptLevel) -> Result<Engine, VmError> {
    let mut config = Config::new();
    consensus(&mut config);
    config
        .cranelift_opt_level(level)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(slots)));
    Engine::new(&config).map_err(|error| VmError::engine("start", error))
}

/// What nodes must agree on.
fn consensus(config: &mut Config) {
    config
        .consume_fuel(true)
        .operator_cost(metering::operator_costs())
        .max_wasm_stack(stack::NATIVE_STACK_BYTES)
        // Inlining would let one native frame hold several counted ones.
        .compiler_inlining(Inlining::No)
        .cranelift_nan_canonicalization(true)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_multi_value(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_extended_const(false)
        .wasm_tail_call(false);
}

fn pool(slots: u32) -> PoolingAllocationConfig {
    let tells_written = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(slots)
        .total_memories(slots)
        .total_tables(slots)
        .max_unused_warm_slots(slots)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .max_memory_size(abi::MAX_MEMORY_BYTES)
        .table_elements(MAX_TABLE_ELEMENTS as usize)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(if tells_written { KEEP_WRITTEN_BYTES } else { KEEP_MEMORY_BYTES })
        .table_keep_resident(KEEP_TABLE_BYTES);
    pool
}

/// Names everything that compiled code depends on beside the module: engine version, settings, processor, instrumentation.
pub(crate) fn fingerprint(engine: &Engine) -> [u8; 32] {
    let mut hasher = Blake3Hasher(blake3::Hasher::new());
    hasher.write_u32(instrument::VERSION);
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    *hasher.0.finalize().as_bytes()
}

/// The standard library's hasher interface over BLAKE3, since its own hashes are short and seeded.
struct Blake3Hasher(blake3::Hasher);

impl Hasher for Blake3Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut front = [0; 8];
        front.copy_from_slice(&self.0.finalize().as_bytes()[..8]);
        u64::from_le_bytes(front)
    }
}
