//! What comes of a call, and what can go wrong beside it. An outcome is the same on every node; an error never is one.

use crate::{HostFault, validate::ModuleError};

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// Gas that the call used, at most its limit. A trap and exhausted gas use the whole limit.
    pub gas_used: u64,
    /// How it ended.
    pub result: CallResult,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResult {
    /// It returned; the bytes are its last `output`.
    Ok(Vec<u8>),
    /// It refused; the bytes are its error.
    Reverted(Vec<u8>),
    /// The limit did not suffice.
    OutOfGas,
    /// It broke a rule. The reason is for logs and developers; receipts hold only the fact.
    Trapped(TrapReason),
}

/// The rule that a call broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrapReason {
    /// A panic in Rust.
    #[error("the contract panicked (it reached `unreachable`)")]
    Unreachable,
    /// More frames than [`crate::stack::STACK_SLOTS`] hold.
    #[error("the contract's stack is exhausted: it recurses too deeply")]
    StackExhausted,
    /// A load or store outside the memory.
    #[error("the contract accessed memory that it does not have")]
    MemoryOutOfBounds,
    /// A call through the table to nothing, out of range, or of another type.
    #[error("the contract called through a table entry that is empty, out of range, or of another type")]
    BadIndirectCall,
    /// A division by zero.
    #[error("the contract divided by zero")]
    DivisionByZero,
    /// The one overflow that wasm traps on.
    #[error("the contract's division overflowed")]
    IntegerOverflow,
    /// A buffer passed to a host function lies outside memory.
    #[error("the contract passed a buffer outside its memory to `{0}`")]
    BufferOutOfRange(&'static str),
    /// A key, value, name or message longer than the table of the ABI allows.
    #[error("the contract passed more bytes to `{0}` than are allowed")]
    TooLong(&'static str),
    /// A name that is not UTF-8.
    #[error("the contract passed a name to `{0}` that is not UTF-8")]
    NotText(&'static str),
    /// A number outside its range.
    #[error("the contract passed a number to `{0}` that is out of range")]
    OutOfRange(&'static str),
    /// A query tried to write.
    #[error("the query called `{0}`, which writes")]
    WriteInQuery(&'static str),
    /// More events, or bytes of them, than one call may emit.
    #[error("the contract emitted too many events, or too large ones")]
    TooManyEvents,
}

/// What is wrong on the host's side: the block halts or is retried, the query is answered with an error.
#[derive(Debug, thiserror::Error)]
pub enum VmError {
    /// The host behind the call failed.
    #[error(transparent)]
    Host(#[from] HostFault),
    /// Stored code is not what was deployed.
    #[error("the code handed over does not have the hash it was asked for by: check the node's store")]
    WrongCode,
    /// Stored code does not pass the check that deployment made.
    #[error("deployed code no longer passes the check of modules: {0}")]
    Module(#[from] ModuleError),
    /// Every slot of the pool is in use.
    #[error("all {size} slots of the {pool} pool are in use: ask again later, or raise the pool's size")]
    PoolExhausted {
        /// `block` or `query`.
        pool: &'static str,
        /// Slots of the pool.
        size: u32,
    },
    /// More gas than the counter holds.
    #[error("a gas limit of {0} is beyond what the vm counts; bound it where transactions are checked")]
    GasLimit(u64),
    /// The native stack ran out before the counted one: a defect of the frame formula, or a thread with a small stack.
    #[error("the native stack ran out before the contract's own limit; report this with the contract's code")]
    NativeStack,
    /// Memory below the limit was not to be had.
    #[error("the machine refused memory that the contract is entitled to: {0}")]
    Memory(String),
    /// The compiler, the cache or the engine failed.
    #[error("the wasm engine failed to {action}: {reason}")]
    Engine {
        /// What it was about to do.
        action: &'static str,
        /// Its own words.
        reason: String,
    },
}

impl VmError {
    pub(crate) fn engine(action: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Engine { action, reason: format!("{reason:#}") }
    }
}
