//! The replica of a Portolan node without any input or output of its own: consensus, mempool, proposals and sync, as
//! [`Replica::step`]: what happened, and when, in; what is to be done, in order, out.
//!
//! No sockets, files, threads, clocks or randomness are in here, and nothing knows what a transaction means. Whatever is
//! slow (executing a block, checking transactions, a disk write, a message) is an [`Output`] that an [`Input`] answers, so
//! the replica never waits, and the seeded simulator runs the very code that a node runs.
//!
//! Where to look: `replica` the steps of a block's life · `driver` the consensus core · `candidates` undecided
//! blocks · `mempool` · `sync` · `log` · `messages`.

#![forbid(unsafe_code)]

pub mod config;
pub mod evidence;
pub mod input;
pub mod limits;
pub mod log;
pub mod messages;
pub mod output;
pub mod status;

mod candidates;
mod context;
mod driver;
mod mempool;
mod peers;
mod replica;
mod rule;
mod signatures;
mod sync;
mod timers;

pub use config::{ChainParameters, Config, Fence, MempoolLimits, Recovered, Timing};
pub use evidence::Evidence;
pub use input::{CertifiedBlock, Checked, Input, LeftOut, Moment, NextBlock, PeerId, PooledTransaction, Verdict};
pub use output::{BlockStart, ExecutionId, HaltReason, Output, Purpose, Recipients, Refusal, Wire};
pub use replica::Replica;
pub use rule::{KeepsLocks, VotingRule};
pub use status::{Holding, SeenPeer, SeenVote, Status, Step, WhyNoBlock};
