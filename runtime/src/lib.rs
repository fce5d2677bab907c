//! Runs one block: who may act, what falls due, native modules, contracts, receipts, the header with its roots.
//!
//! The way through this crate: [`Runtime`] is made once; [`Runtime::genesis`] makes the first state of a [`genesis::Genesis`];
//! [`Runtime::begin`] opens a [`BlockExecution`], which takes transactions as they come in and ends in an [`ExecutedBlock`];
//! [`Runtime::query`] answers questions. [`native`] holds the modules that the chain itself understands.
//!
//! Invariants:
//! - The same parent, state, context and transactions give the same header on every node: no clock, randomness, thread, float or
//!   unordered iteration is in here.
//! - What fails changes nothing but its receipt and the gas; what the host fails at has no outcome.
//! - Must never know of network, disk or time of day.

#![forbid(unsafe_code)]

mod authority;
mod block;
mod check;
pub mod facts;
mod frame;
pub mod gas;
pub mod genesis;
mod genesis_state;
mod ledger;
pub mod native;
pub mod parameters;
mod query;
mod rules;
mod runtime;
mod secret;
mod seen;
mod session;

pub use block::{
    BlockContext, BlockExecution, BlockFacts, ChainHead, ExecutedBlock, ExecutedReceipt, ExecutionError, ReceiptSummary,
};
pub use check::{Admission, ApplyError, Bound, Refusal, SignatureItem, SignatureVerifier, VerifyEach};
pub use genesis_state::GenesisError;
pub use ledger::{BaseView, Ledger};
pub use query::QueryOutcome;
pub use rules::BlockRules;
pub use runtime::{Reason, Runtime, Wakeup};
pub use secret::ChainSecret;
pub use seen::SeenWindow;
