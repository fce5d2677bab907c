//! What a replica is made of, and the parameters that it works by.

use codec::{Decode, Encode};
use portolan_primitives::{Hash, Header, Height, MemberId, SigningKey, Timestamp};

use crate::input::NextBlock;
use crate::log::LogFrame;

/// Parameters of the chain, the same on every node; a block may change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainParameters {
    /// A block is made at least this often, ms, also when there is nothing to do; `None`: never without a reason.
    pub heartbeat_ms: Option<u64>,
    /// A block without any reason but a message of another validator follows the one before after this time, ms.
    pub empty_interval_ms: u64,
    /// Gas that a block's transactions may declare.
    pub block_gas: u64,
    /// Bytes that a block's transactions may have.
    pub block_bytes: usize,
    /// Transactions in a block.
    pub block_transactions: usize,
    /// How far ahead of a voter's clock a new block's time may be, ms.
    pub max_ahead_ms: u64,
    /// How far behind a voter's clock a new block's time may be, ms.
    pub max_behind_ms: u64,
}

impl Default for ChainParameters {
    fn default() -> Self {
        Self {
            heartbeat_ms: Some(30_000),
            empty_interval_ms: 1_000,
            block_gas: 2_000_000_000,
            block_bytes: 4 * 1024 * 1024,
            block_transactions: 8_192,
            max_ahead_ms: 1_000,
            max_behind_ms: 10_000,
        }
    }
}

/// After a block of no more transactions than this the next one starts as soon as any transaction waits.
pub const QUIET_BLOCK: usize = 2;

/// Waiting times of a node, ms. Each round makes them longer, so that in some round everybody is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From a round's start to the first sign of a proposal.
    pub propose_ms: u64,
    /// The same for a proposer that missed its last turn and has not been heard of since.
    pub propose_absent_ms: u64,
    /// How much longer each round.
    pub propose_step_ms: u64,
    /// From a round's start to the end of a proposal that is coming in.
    pub complete_ms: u64,
    /// How much longer each round.
    pub complete_step_ms: u64,
    /// After two thirds prevoted, but not for one block.
    pub prevote_ms: u64,
    /// After two thirds precommitted, but not for one block.
    pub precommit_ms: u64,
    /// How much longer each round, for both votes.
    pub vote_step_ms: u64,
    /// Between repetitions of a node's own votes.
    pub rebroadcast_ms: u64,
    /// Longest of all.
    pub max_ms: u64,
    /// From the start of a block of more than [`QUIET_BLOCK`] transactions to the start of the next, so that under
    /// load a block gathers what would else be several, each with the cost of a whole height.
    pub gather_ms: u64,
    /// Until a missing list or body is asked for again, of another peer.
    pub fetch_ms: u64,
    /// Between batches of transactions to the peers.
    pub gossip_ms: u64,
    /// Between repetitions of transactions that a client gave to this node and that no block has yet.
    pub regossip_ms: u64,
    /// Between reports of the own height, when nothing happens.
    pub status_ms: u64,
    /// Until consensus is not waited for any more, when a peer has the block.
    pub sync_grace_ms: u64,
    /// Until a request for blocks counts as failed.
    pub sync_timeout_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            propose_ms: 140,
            propose_absent_ms: 50,
            propose_step_ms: 60,
            complete_ms: 2_000,
            complete_step_ms: 1_000,
            prevote_ms: 30,
            precommit_ms: 25,
            vote_step_ms: 25,
            rebroadcast_ms: 250,
            max_ms: 30_000,
            gather_ms: 40,
            fetch_ms: 40,
            gossip_ms: 4,
            regossip_ms: 1_000,
            status_ms: 10_000,
            sync_grace_ms: 60,
            sync_timeout_ms: 2_000,
        }
    }
}

/// Bounds of the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolLimits {
    /// Transactions of all members.
    pub transactions: usize,
    /// Bytes of all members.
    pub bytes: usize,
    /// Transactions of one member.
    pub member_transactions: usize,
    /// Bytes of one member.
    pub member_bytes: usize,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            transactions: 65_536,
            bytes: 64 * 1024 * 1024,
            member_transactions: 32_768,
            member_bytes: 32 * 1024 * 1024,
        }
    }
}

/// From when on a validator votes whose disk does not tell in which heights it has voted before, as one that was restored from a
/// backup. Until then it follows as a node without a key does: it proposes nothing and signs nothing. Both conditions look at the
/// last block alone, and hold for ever once they hold, so nothing needs to be remembered of their having been met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Fence {
    /// It had stopped voting for good before this time, by some margin for clocks that differ. It votes once its last block is
    /// later. For that block was not final when the node stopped, so the node had no head as high, and it never votes further than
    /// in the height after its head: not in the one after this block.
    #[codec(index = 0)]
    After(Timestamp),
    /// It voted in no height above this one, as somebody knows for certain. It votes once its last block is as high.
    #[codec(index = 1)]
    Above(Height),
}

impl Fence {
    /// Whether a node whose last block has this header votes on the next one.
    pub fn lets_vote_after(&self, head: &Header) -> bool {
        match self {
            Self::After(time) => head.time > *time,
            Self::Above(height) => head.height >= *height,
        }
    }
}

/// What a node is, for as long as it runs.
#[derive(Debug)]
pub struct Config {
    /// Genesis hash.
    pub chain: Hash,
    /// The member whose node this is.
    pub member: MemberId,
    /// Its consensus key, if it may vote. A node whose member or key is not in the validator set follows by sync.
    pub key: Option<SigningKey>,
    /// From when on it votes, if it may have voted before without knowing where.
    pub fence: Option<Fence>,
    /// Waiting times.
    pub timing: Timing,
    /// Bounds of the mempool.
    pub mempool: MempoolLimits,
    /// Transactions in one part of a stream, at most [`crate::limits::MAX_PART_HASHES`].
    pub part_transactions: usize,
    /// A proposal of less declared gas than this, in one part, is sent whole when it is built.
    pub small_block_gas: u64,
}

impl Config {
    /// A node with the usual waiting times and bounds.
    pub fn new(chain: Hash, member: MemberId, key: Option<SigningKey>) -> Self {
        Self {
            chain,
            member,
            key,
            fence: None,
            timing: Timing::default(),
            mempool: MempoolLimits::default(),
            part_transactions: 256,
            small_block_gas: 100_000_000,
        }
    }
}

/// What a node finds on its disk when it starts.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Header of the last committed block (genesis: height 0).
    pub head: Header,
    /// What holds for the block after it.
    pub next: NextBlock,
    /// The consensus log, as [`crate::log::read`] gave it.
    pub log: Vec<LogFrame>,
}
