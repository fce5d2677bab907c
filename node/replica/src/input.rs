//! What a host tells the replica. Everything that happens outside reaches the replica as one of these, with the time.

use std::sync::Arc;

use codec::{Decode, Encode};
use portolan_primitives::{
    CommitCertificate, Hash, Header, Height, KeyId, MemberId, Timestamp, TransactionId, ValidatorSet,
};

use crate::config::ChainParameters;
use crate::messages::Channel;
use crate::output::ExecutionId;

/// A peer: the id of the key of its node, by which the network knows it.
pub type PeerId = KeyId;

/// The time at which a step happens. The replica has no clock of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds on a clock that never jumps and never goes back (since any fixed start): timers go by this.
    pub elapsed_ms: u64,
    /// The wall clock: headers' times, expiry and due dates go by this. It may jump.
    pub clock: Timestamp,
}

/// A transaction that passed the host's check, with what the mempool must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PooledTransaction {
    /// Its id.
    pub id: TransactionId,
    /// Hash of id and approvals: what proposals list.
    pub wire_hash: Hash,
    /// SCALE of the transaction.
    pub bytes: Arc<[u8]>,
    /// Declared gas limit.
    pub gas: u64,
    /// The member whose account sends it: quotas are by member.
    pub member: MemberId,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The host's answer for one transaction that came from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Well-formed, signed and within its window.
    Good(PooledTransaction),
    /// Not acceptable now (expired, already in the chain, a key that this node does not know yet): no fault of the peer.
    Unusable,
    /// Garbage or a bad signature: the peer should not have passed it on.
    Bad {
        /// Why, in plain words.
        reason: String,
    },
}

/// A transaction that the host left out of the block that it builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub wire_hash: Hash,
    /// Whether it may go into a later block (no room, quota of the block) or never (authorisation, replay, expiry).
    pub later: bool,
}

/// What a validating execution came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The block is valid, and its header is what this node computed.
    Valid,
    /// The block breaks a rule.
    Invalid {
        /// Which, in plain words.
        reason: String,
    },
    /// The execution ended in another header.
    RootsDiffer {
        /// The header that this node computed.
        ours: Box<Header>,
    },
}

/// What holds for the block after a given head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextBlock {
    /// The validators that decide it.
    pub validators: ValidatorSet,
    /// The chain's parameters for it.
    pub parameters: ChainParameters,
    /// When an agenda entry or the business date falls due (in the past: now), if anything is scheduled.
    pub next_due: Option<Timestamp>,
}

/// A decided block as it is stored and synced.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedBlock {
    /// The header.
    pub header: Header,
    /// SCALE of each transaction, in order.
    pub transactions: Vec<Vec<u8>>,
    /// What made it final.
    pub certificate: CommitCertificate,
}

/// Everything that a host can tell the replica.
#[derive(Clone, Debug)]
pub enum Input {
    /// Nothing but the time. Due when [`crate::Replica::next_wake`] says so; harmless at any other time.
    Tick,
    /// A connection to a peer is up.
    PeerUp {
        /// The peer.
        peer: PeerId,
        /// Whether the chain knows it as the node of a validator: consensus messages go to those only.
        validator: bool,
    },
    /// The connection is down.
    PeerDown {
        /// The peer.
        peer: PeerId,
    },
    /// A message of a peer. The host has only bounded its length by [`Channel::max_bytes`].
    Received {
        /// Who sent it.
        from: PeerId,
        /// The stream that it came on.
        channel: Channel,
        /// SCALE of a [`crate::messages::Message`].
        bytes: Vec<u8>,
    },
    /// A client of this node posted a transaction that passed the host's check. Answered at once by
    /// [`crate::Output::Admission`].
    Submitted {
        /// The host's number for the request.
        request: u64,
        /// The transaction.
        transaction: PooledTransaction,
    },
    /// Answers [`crate::Output::CheckTransactions`].
    TransactionsChecked {
        /// The number in the output.
        batch: u64,
        /// One answer a transaction, in order.
        results: Vec<Checked>,
    },
    /// Answers one [`crate::Output::ExecutePart`] of a building execution, in order.
    PartExecuted {
        /// The execution.
        execution: ExecutionId,
        /// Those of the part that are not in the block.
        left_out: Vec<LeftOut>,
    },
    /// Answers [`crate::Output::FinishBlock`] of a building execution.
    Built {
        /// The execution.
        execution: ExecutionId,
        /// The block's header, with all roots.
        header: Header,
    },
    /// The building execution can't go on (no memory, the module cache failed): the round passes without a proposal.
    BuildFailed {
        /// The execution.
        execution: ExecutionId,
        /// Why, in plain words.
        reason: String,
    },
    /// Answers [`crate::Output::FinishBlock`] of a validating execution; `Invalid` may come before it was asked.
    Verdict {
        /// The execution.
        execution: ExecutionId,
        /// What it came to.
        verdict: Verdict,
    },
    /// Answers [`crate::Output::Commit`]: block, certificate and state are on disk.
    Committed {
        /// The new head.
        header: Header,
        /// Ids of the block's transactions: they leave the mempool.
        transactions: Vec<TransactionId>,
        /// What holds for the next block.
        next: NextBlock,
    },
    /// Something became due otherwise than by a block: replaces [`NextBlock::next_due`].
    Due {
        /// When; in the past: now.
        at: Option<Timestamp>,
    },
    /// Answers [`crate::Output::ReadBlocks`]; fewer blocks than asked for, or none, are an answer.
    BlocksRead {
        /// The number in the output.
        request: u64,
        /// Consecutive blocks from the height asked for.
        blocks: Vec<CertifiedBlock>,
    },
    /// Answers [`crate::Output::ReadBlocks`] where the first of the blocks was pruned.
    BlocksPruned {
        /// The number in the output.
        request: u64,
        /// The lowest height whose block this node keeps.
        lowest: Height,
    },
    /// A write of the log or a commit failed: the replica halts. Nothing that waited for the write may leave.
    HostFailed {
        /// What failed and what to do, in plain words.
        reason: String,
    },
}
