//! The host of the replica: threads that carry out what it asks for, in order, and tell it what came of it.
//!
//! `replica` owns the state machine and its timers · `gate` holds back what the log must explain first · `logger` appends and syncs the consensus log, so that the replica never waits
//! for the disk · `executor` runs blocks and commits them · `checker` verifies transactions in batches · `reading` answers queries. They speak over channels
//! and share nothing that can change but [`Tip`] and the memory of verified signatures.
//!
//! Must never go on after an error that it does not understand: whatever fails here halts the node with a named reason.

pub mod checker;
pub mod executor;
pub mod gate;
pub mod halt;
pub mod logger;
pub mod reading;
pub mod replica;
pub mod verified;

use std::collections::BTreeMap;
use std::time::Instant;

use portolan_primitives::{KeyId, MemberId, PublicKey, Timestamp, TransactionId, ValidatorSet};
use portolan_replica::{Input, PooledTransaction, Status};
use portolan_runtime::{BaseView, BlockRules, ChainHead, ExecutedReceipt};
use tokio::sync::oneshot;

use crate::network::NetworkEvent;
use halt::Halt;

/// The last block and the state after it, pinned: what queries and checks look at.
pub struct Tip {
    /// The last block.
    pub head: ChainHead,
    /// The state after it.
    pub view: BaseView,
    /// The chain's bounds for the next block.
    pub rules: BlockRules,
    /// When this node committed it.
    pub committed_at: Instant,
}

/// A block that was just committed.
#[derive(Clone, Debug)]
pub struct CommittedBlock {
    /// The head that it made.
    pub head: ChainHead,
    /// Its transactions in order.
    pub transactions: Vec<TransactionId>,
    /// Its receipts: agenda entries, the chain's own, then one for each transaction.
    pub receipts: Vec<ExecutedReceipt>,
}

/// Who may be a peer, by the latest state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Node keys in force, with their members.
    pub nodes: BTreeMap<PublicKey, MemberId>,
    /// The set that certifies the next block.
    pub validators: ValidatorSet,
}

impl Roster {
    /// Ids of the node keys of validators.
    pub fn validator_nodes(&self) -> std::collections::BTreeSet<KeyId> {
        let is_validator = |member: &MemberId| self.validators.validators().iter().any(|known| known.member == *member);
        self.nodes.iter().filter(|(_, member)| is_validator(member)).map(|(key, _)| key.id()).collect()
    }
}

/// What the thread of the replica is told.
#[allow(clippy::large_enum_variant, reason = "one is made a message and moved once")]
pub enum ToReplica {
    /// For the replica itself.
    Input(Input),
    /// From the network.
    Network(NetworkEvent),
    /// A checked transaction of a client; the mempool's answer goes back.
    Submit(PooledTransaction, checker::Answer),
    /// The log is on disk up to this sequence number.
    Synced(u64),
    /// A block is committed: who may be a peer, if that changed.
    Roster(Roster),
    /// Somebody wants to know.
    Status(oneshot::Sender<Status>),
    /// Something failed that nothing may follow.
    Halt(Halt),
    /// Stop in good order.
    Stop,
}

/// The wall clock.
pub fn wall_clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp(since.map_or(0, |since| since.as_millis() as u64))
}
