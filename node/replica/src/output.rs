//! What the replica asks a host to do.
//!
//! The host carries outputs out in their order. Whatever says `true` in [`Output::waits_for_log`] must not happen before
//! every [`Output::PersistLog`] ahead of it is on disk; all others may overtake a write that is under way.

use std::sync::Arc;

use portolan_primitives::{CommitCertificate, Hash, Header, Height, MemberId, Round, Timestamp};

use crate::evidence::Evidence;
use crate::input::PeerId;
use crate::messages::Channel;

/// Number of an execution of a block; never used twice by one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecutionId(pub u64);

/// A transaction as it travels: its wire hash and its SCALE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Hash of id and approvals.
    pub hash: Hash,
    /// SCALE of the transaction; its shape was checked.
    pub bytes: Arc<[u8]>,
}

/// Why a block is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// This node proposes it: what fails authorisation is left out, and the host answers with the header.
    Build,
    /// Another proposed it: the host compares its own header with the proposed one.
    Validate,
    /// It is decided already (sync, or restart): as `Validate`, and anything but `Valid` halts the node.
    Certified,
}

/// Everything by which a block differs before its transactions run. The parent is always the last committed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockStart {
    /// Height of the block.
    pub height: Height,
    /// Round in which it is (or was) built.
    pub round: Round,
    /// Hash of the header before.
    pub parent: Hash,
    /// The block's time.
    pub time: Timestamp,
    /// Who builds it.
    pub proposer: MemberId,
}

impl BlockStart {
    /// The first facts of a block with this header.
    pub fn of(header: &Header) -> Self {
        let Header { height, round, parent, time, proposer, .. } = *header;
        Self { height, round, parent, time, proposer }
    }
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipients {
    /// Every connected peer that is a validator's node.
    Validators,
    /// Every connected peer.
    Everyone,
    /// One peer.
    Peer(PeerId),
}

/// Why a transaction was not taken into the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The very same is there.
    #[error("the transaction is already waiting")]
    AlreadyPending,
    /// Several with that id and other approvals wait already.
    #[error("too many variants of this transaction, with other approvals, are waiting; wait until one has run")]
    TooManyVariants,
    /// Expired.
    #[error("the transaction has expired; sign a new one")]
    Expired,
    /// The member's share of the mempool is used up.
    #[error("the member's share of waiting transactions is used up; send again when some have run")]
    MemberQuota,
    /// All is full.
    #[error("the node holds as many waiting transactions as it may; send again later or to another node")]
    Full,
    /// Needs more gas or room than any block has.
    #[error("the transaction needs more gas or bytes than a block may hold")]
    TooLarge,
}

/// Why the node stops. It never goes on after one of these without a person having looked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HaltReason {
    /// The host could not write.
    #[error("the node stopped because its host failed: {reason}")]
    HostFailed {
        /// What the host said.
        reason: String,
    },
    /// The consensus log does not fit the chain or itself.
    #[error(
        "the consensus log can't be used: {reason}; restore it from the same node's disk, or start with a fresh validator key"
    )]
    BadLog {
        /// What is wrong.
        reason: String,
    },
    /// This validator's key signed something else before: another node runs with the key, or the log was lost.
    #[error(
        "the key of this validator has signed two different {what} at height {height}, round {round}; make sure that only one node runs with it and that its consensus log is the newest"
    )]
    OwnContradiction {
        /// Vote or proposal.
        what: &'static str,
        /// At which height.
        height: Height,
        /// In which round.
        round: u32,
    },
    /// A decided block does not execute here as it did for the others.
    #[error(
        "block {block} at height {height} is decided, but this node does not come to the same result: {reason}; compare versions and run `portolan doctor`"
    )]
    DecidedBlockDiffers {
        /// Its height.
        height: Height,
        /// Its header's hash.
        block: Hash,
        /// What differs.
        reason: String,
    },
    /// Two certificates for one height: more than a third of the validators are faulty.
    #[error(
        "height {height} has two certified blocks, {ours} and {other}: more than a third of the voting power is faulty; stop and compare with the other members"
    )]
    Fork {
        /// At which height.
        height: Height,
        /// The one that this node committed or decided.
        ours: Hash,
        /// The other.
        other: Hash,
    },
    /// The consensus core reported what it should never report.
    #[error("the consensus core failed: {reason}; keep the consensus log and report this")]
    Core {
        /// What it said.
        reason: String,
    },
}

/// Everything that the replica asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send to peers that are connected; what can't be sent is dropped.
    Send {
        /// To whom.
        to: Recipients,
        /// On which stream.
        channel: Channel,
        /// SCALE of a [`crate::messages::Message`].
        bytes: Arc<[u8]>,
        /// Whether it must not leave before the log writes ahead of it are on disk.
        after_log: bool,
    },
    /// A peer broke the protocol. The host disconnects or throttles it.
    PeerFault {
        /// The peer.
        peer: PeerId,
        /// What it did, in plain words.
        reason: &'static str,
    },
    /// Append the frame to the consensus log and sync the file (fdatasync). If it fails: [`crate::Input::HostFailed`].
    PersistLog {
        /// The bytes to append, all or (after a crash) any prefix of them.
        frame: Vec<u8>,
    },
    /// The log's contents are of no use any more: truncate it. Needs no sync.
    ResetLog,
    /// Check transactions that a peer sent: form, chain, window, keys, signatures. Answered by
    /// [`crate::Input::TransactionsChecked`].
    CheckTransactions {
        /// Number of the batch.
        batch: u64,
        /// Who sent them.
        from: PeerId,
        /// SCALE of each, unchecked, bounded in number and length.
        transactions: Vec<Vec<u8>>,
    },
    /// The mempool's answer to [`crate::Input::Submitted`].
    Admission {
        /// The host's number for the request.
        request: u64,
        /// Taken, or why not.
        result: Result<(), Refusal>,
    },
    /// Begin to execute a block on the last committed state: the agenda first.
    BeginBlock {
        /// Its number.
        execution: ExecutionId,
        /// What for.
        purpose: Purpose,
        /// The block's first facts.
        start: BlockStart,
    },
    /// Execute these next, in order. A building execution answers each part with [`crate::Input::PartExecuted`].
    ExecutePart {
        /// The execution.
        execution: ExecutionId,
        /// The transactions.
        transactions: Vec<Wire>,
    },
    /// No more parts. Answered by [`crate::Input::Built`] or [`crate::Input::Verdict`].
    FinishBlock {
        /// The execution.
        execution: ExecutionId,
        /// The proposed header, which the host compares whole with its own; `None` when building.
        expected: Option<Box<Header>>,
    },
    /// The execution is not needed: drop its overlay. No answer, and a late one is ignored.
    Abandon {
        /// The execution.
        execution: ExecutionId,
    },
    /// Commit in one synced batch: the block, the certificate, the state. Every other execution is then void. Answered by
    /// [`crate::Input::Committed`].
    Commit {
        /// The execution, finished and valid, whose overlay is the new state.
        execution: ExecutionId,
        /// The header.
        header: Box<Header>,
        /// The transactions in order.
        transactions: Vec<Wire>,
        /// What makes it final.
        certificate: CommitCertificate,
    },
    /// Read committed blocks for a peer. Answered by [`crate::Input::BlocksRead`] or [`crate::Input::BlocksPruned`].
    ReadBlocks {
        /// Number of the request.
        request: u64,
        /// First height.
        from: Height,
        /// At most this many.
        count: u32,
        /// Stop before the SCALE of the blocks is longer than this, but read one at least.
        max_bytes: usize,
    },
    /// Validators that signed two different things: keep it for the members.
    Misbehaviour {
        /// The proofs.
        evidence: Vec<Evidence>,
    },
    /// The node must stop, after the outputs before this one. Every later step answers with nothing.
    Halt {
        /// Why.
        reason: HaltReason,
    },
}

impl Output {
    /// Whether it must not happen before every log write ahead of it is on disk.
    pub fn waits_for_log(&self) -> bool {
        match self {
            Self::Send { after_log, .. } => *after_log,
            Self::PersistLog { .. } | Self::ResetLog | Self::Commit { .. } => true,
            _ => false,
        }
    }
}
