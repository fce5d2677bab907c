//! Two pools of instance slots, so that no number of queries can starve a block. Must never wait: who finds a pool empty
//! is told so, since a wait inside a nested call could wait for itself.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::VmError;

/// Who runs a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Executing blocks, checking proposals, rehearsals.
    Block,
    /// Answering questions.
    Query,
}

/// Counts of slots in use.
pub(crate) struct Pools {
    block: Counter,
    query: Counter,
}

impl Pools {
    pub(crate) fn new(block: u32, query: u32) -> Self {
        Self { block: Counter::new("block", block), query: Counter::new("query", query) }
    }

    /// Takes a slot; it is given back when the guard is dropped.
    pub(crate) fn enter(&self, pool: Pool) -> Result<Slot<'_>, VmError> {
        match pool {
            Pool::Block => self.block.take(),
            Pool::Query => self.query.take(),
        }
    }
}

struct Counter {
    name: &'static str,
    size: u32,
    used: AtomicU32,
}

impl Counter {
    fn new(name: &'static str, size: u32) -> Self {
        Self { name, size, used: AtomicU32::new(0) }
    }

    fn take(&self) -> Result<Slot<'_>, VmError> {
        let free = |used| (used < self.size).then_some(used + 1);
        match self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, free) {
            Ok(_) => Ok(Slot(&self.used)),
            Err(_) => Err(VmError::PoolExhausted { pool: self.name, size: self.size }),
        }
    }
}

/// One slot in use.
pub(crate) struct Slot<'a>(&'a AtomicU32);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_never_take_a_slot_of_the_blocks() {
        let pools = Pools::new(1, 1);
        let query = pools.enter(Pool::Query).unwrap();
        assert!(matches!(pools.enter(Pool::Query), Err(VmError::PoolExhausted { pool: "query", size: 1 })));
        let block = pools.enter(Pool::Block).unwrap();
        assert!(matches!(pools.enter(Pool::Block), Err(VmError::PoolExhausted { pool: "block", size: 1 })));
        drop((query, block));
        assert!(pools.enter(Pool::Query).is_ok());
    }
}
