//! Runs one contract call: module check, compile cache, metering, host functions.
//!
//! The way through this crate: [`validate`] judges code before deployment; [`Vm::load`] compiles it (or finds it compiled);
//! [`Vm::run`] runs one entry against a [`Host`]. [`abi`] is the law of what a contract may import, [`metering`] of what
//! it costs.
//!
//! Invariants:
//! - The same code, input, gas limit and host answers give the same [`CallOutcome`] on every machine: gas is the fuel of the
//!   instrumented code plus our own prices, the stack is counted in wasm terms ([`stack`]), floats do not exist.
//! - What goes wrong on the host's side is a [`VmError`], never an outcome.
//! - Must never know of blocks, members or transactions, keep state between calls, or read a clock.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the vm checks 32 bit pointers in 64 bit arithmetic, and needs the address space of a 64 bit machine");

#[cfg(test)]
extern crate self as portolan_vm;
#[cfg(test)]
#[allow(dead_code)]
#[path = "../tests/vm/world.rs"]
mod world;

mod cache;
mod engine;
mod imports;
mod instrument;
mod memory;
mod pools;
mod signatures;
mod state;
mod vm;

pub mod abi;
pub mod host;
pub mod limits;
pub mod metering;
pub mod outcome;
pub mod stack;
pub mod validate;

pub use host::{CallReturn, Host, HostFault, HostResult};
pub use limits::ModuleLimits;
pub use outcome::{CallOutcome, CallResult, TrapReason, VmError};
pub use pools::Pool;
pub use validate::{ModuleError, ModuleFacts, validate};
pub use vm::{Module, Vm, VmConfig};
