//! A whole chain in memory, for tests: members and accounts, calendars, the agenda, and several contracts which call one
//! another under the host's rules.
//!
//! [`TestChain`] is the world. What runs in it is a [`ContractCode`]: natively a [`NativeContract`] (from
//! [`export!`](crate::export!)); with [`TestChain::with_loader`], the same story runs on the built wasm in the real VM, which
//! gets the same [`Host`]. Gas is metered by the VM alone. Must never be the base of anything but tests.

mod chain;
mod frame;
mod world;

use std::rc::Rc;

pub use chain::{Agenda, Loader, Sender, TestChain};
pub use world::{AgendaEntry, AgendaRun, Snapshot};

pub use crate::host::{Host, with_host};
use crate::{ContractId, Entry, metadata::ContractMetadata};

/// Code of one contract, native or wasm.
pub trait ContractCode {
    /// Runs one entry in the world of `host` with at most `gas` (0: unbounded).
    ///
    /// # Errors
    /// The revert's bytes, or that the code trapped. Whatever it wrote is undone by the chain.
    fn run(&self, entry: Entry, input: &[u8], gas: u64, host: Rc<dyn Host>) -> Result<Vec<u8>, Failure>;
}

/// Why code gave no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It reverted with this error.
    Reverted(Vec<u8>),
    /// It trapped (natively: panicked), or its gas ran out.
    Trapped(String),
}

/// Runs one entry: the native twin of a module's exported `call`.
pub type Run = fn(Entry, &[u8]) -> Result<Vec<u8>, Vec<u8>>;

/// A contract compiled into the test; [`export!`](crate::export!) makes one as `NATIVE`.
#[derive(Clone, Copy, Debug)]
pub struct NativeContract {
    /// Its id.
    pub id: ContractId,
    /// Runs one entry.
    pub run: Run,
    /// Describes it.
    pub metadata: fn() -> ContractMetadata,
}

impl ContractCode for NativeContract {
    fn run(&self, entry: Entry, input: &[u8], _gas: u64, host: Rc<dyn Host>) -> Result<Vec<u8>, Failure> {
        let body = std::panic::AssertUnwindSafe(|| with_host(host, || (self.run)(entry, input)));
        match std::panic::catch_unwind(body) {
            Ok(result) => result.map_err(Failure::Reverted),
            Err(panic) => Err(Failure::Trapped(panic_text(&*panic))),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a text".into())
}
