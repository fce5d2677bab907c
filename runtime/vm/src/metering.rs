//! What everything costs. One gas is about one nanosecond of the reference machine, rounded against the contract.
//!
//! Gas of a call is the sum of instantiation (a formula over the module), fuel of the instrumented code (a cost per operator
//! class), prices of host functions, and pages grown. The engine's own fuel for instantiation is never counted: it differs
//! by host and by cache. Every number here is a rule of the protocol; the vectors in `tests/vm/gas.rs` freeze them.

use wasmtime::OperatorCost;

use crate::limits::PAGE_BYTES;

/// Highest gas limit of a call: what the engine's signed counter holds with room to spare.
pub const MAX_GAS: u64 = 1 << 62;

/// A price with a part for the work itself and one for each byte that goes in or out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Gas for the call.
    pub base: u64,
    /// Gas for each byte.
    pub per_byte: u64,
}

impl Price {
    const fn new(base: u64, per_byte: u64) -> Self {
        Self { base, per_byte }
    }

    /// Gas for `bytes`.
    pub const fn of(self, bytes: usize) -> u64 {
        self.base.saturating_add(self.bytes(bytes))
    }

    /// Gas for `bytes` alone, when the base is paid.
    pub const fn bytes(self, bytes: usize) -> u64 {
        self.per_byte.saturating_mul(bytes as u64)
    }
}

/// Copies between guest and host, and answers that are at hand: `input`, `output`, `revert`, `result`, `log`, `caller`,
/// `self_id`, `transaction_id`, `block_height`, `block_time`, `business_date`.
pub const COPY: Price = Price::new(100, 1);
/// `storage_get`: a point read of the store; bytes of key and value.
pub const STORAGE_GET: Price = Price::new(5_000, 1);
/// `storage_put`: change set, hashing, page writes; bytes of key and value.
pub const STORAGE_PUT: Price = Price::new(20_000, 8);
/// `storage_delete`: like a write; bytes of the key.
pub const STORAGE_DELETE: Price = Price::new(20_000, 8);
/// `storage_scan`: opening the range; bytes of prefix, `after` and all that is found.
pub const STORAGE_SCAN: Price = Price::new(10_000, 1);
/// `storage_scan`: each entry that is asked for, found or not.
pub const STORAGE_SCAN_ENTRY: u64 = 2_000;
/// `authorize`: reads of account, policy and sums; bytes of the action.
pub const AUTHORIZE: Price = Price::new(20_000, 1);
/// `member_of`, `member_status`, `has_role`: one read.
pub const MEMBER: Price = Price::new(5_000, 1);
/// `parameter`, `is_business_day`: one read; bytes of the name and the value.
pub const LOOKUP: Price = Price::new(5_000, 1);
/// `blake3`, `consortium_hash`.
pub const HASH: Price = Price::new(500, 2);
/// `verify_signature`: one Ed25519 verification and the hash of the message.
pub const VERIFY_SIGNATURE: Price = Price::new(50_000, 4);
/// `emit_event`: a salted leaf and its place in receipt and index.
pub const EMIT_EVENT: Price = Price::new(2_000, 8);
/// `call`: entering another contract, beside its own gas; bytes of input and output.
pub const CALL: Price = Price::new(20_000, 2);
/// `schedule`: two writes.
pub const SCHEDULE: Price = Price::new(40_000, 8);
/// `cancel_schedule`: two writes.
pub const CANCEL_SCHEDULE: Price = Price::new(40_000, 0);

/// Setting up an instance.
pub const INSTANTIATION: u64 = 2_500;
/// Each page of 64 KiB, initial or grown: clearing it, and sixteen page faults when all of it is touched. A contract that
/// is linked with a small stack starts with one or two pages.
pub const MEMORY_PAGE: u64 = 10_000;
/// Each element of the function table.
pub const TABLE_ELEMENT: u64 = 2;
/// Each global.
pub const GLOBAL: u64 = 4;

/// Gas for instantiating a module with these sizes.
pub fn instantiation(data_bytes: u32, memory_pages: u32, table_elements: u32, globals: u32) -> u64 {
    INSTANTIATION
        + u64::from(data_bytes)
        + u64::from(memory_pages) * MEMORY_PAGE
        + u64::from(table_elements) * TABLE_ELEMENT
        + u64::from(globals) * GLOBAL
}

/// Gas for growing a memory by `bytes`.
pub(crate) fn growth(bytes: usize) -> u64 {
    (bytes / PAGE_BYTES) as u64 * MEMORY_PAGE
}

/// Fuel of each operator. All cost 1 but those named here; `memory.copy` and `memory.fill` cost 1 a byte besides, and
/// `memory.grow` is priced by [`growth`]. Operators that the module check refuses never run.
pub(crate) fn operator_costs() -> OperatorCost {
    let mut cost = OperatorCost::new();
    cost.Call = 4;
    cost.CallIndirect = 8;
    cost.BrTable = 3;
    cost.MemorySize = 2;
    cost.MemoryGrow = 200;
    cost.MemoryCopy = 20;
    cost.MemoryFill = 20;
    for division in [&mut cost.I32DivS, &mut cost.I32DivU, &mut cost.I32RemS, &mut cost.I32RemU] {
        *division = 8;
    }
    for division in [&mut cost.I64DivS, &mut cost.I64DivU, &mut cost.I64RemS, &mut cost.I64RemU] {
        *division = 16;
    }
    cost.variable.memory_copy_per_byte = 1;
    cost.variable.memory_fill_per_byte = 1;
    cost.variable.memory_grow_per_page = 0;
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_grows_with_its_bytes_and_never_wraps() {
        assert_eq!(STORAGE_PUT.of(0), 20_000);
        assert_eq!(STORAGE_PUT.of(160), 21_280);
        assert_eq!(STORAGE_PUT.of(usize::MAX), u64::MAX);
    }

    #[test]
    fn instantiation_follows_from_the_module_alone() {
        assert_eq!(instantiation(0, 1, 0, 0), 2_500 + 10_000);
        assert_eq!(instantiation(100, 17, 10, 3), 2_500 + 100 + 17 * 10_000 + 20 + 12);
    }

    #[test]
    fn no_operator_that_works_is_free() {
        let cost = operator_costs();
        assert!(cost.Br > 0 && cost.BrIf > 0 && cost.I32Load > 0 && cost.LocalGet > 0 && cost.If > 0);
        assert!(cost.variable.memory_copy_per_byte > 0 && cost.variable.memory_fill_per_byte > 0);
    }
}
