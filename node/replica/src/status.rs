//! What the replica says of itself, for the doctor and the metrics. Must never influence what it does.

use portolan_primitives::{Hash, Height, MemberId, Round, Timestamp, VoteKind};

use crate::config::Fence;
use crate::input::PeerId;
use crate::output::HaltReason;

pub use crate::driver::Step;

/// A vote that was seen in the current round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenVote {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// Whose.
    pub validator: MemberId,
    /// For what; `None`: for nothing.
    pub value: Option<Hash>,
}

/// A connected peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenPeer {
    /// The id of its node's key.
    pub peer: PeerId,
    /// Whether it is a validator's node.
    pub validator: bool,
    /// The last height that it has, as far as it said so or its messages show it.
    pub height: Option<Height>,
}

/// Why there is no block at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNoBlock {
    /// Nothing is to be done until then (wall clock), if anything is planned.
    NothingToDo {
        /// The next heartbeat or due entry.
        until: Option<Timestamp>,
    },
    /// A decided block is being executed or committed.
    Committing,
    /// Consensus waits for the proposal of this validator.
    WaitingForProposal {
        /// Whose turn it is.
        proposer: MemberId,
    },
    /// Consensus waits for votes of these validators.
    WaitingForVotes {
        /// Who has not voted in the current step.
        missing: Vec<MemberId>,
    },
    /// Peers are ahead; blocks are being fetched.
    CatchingUp {
        /// The highest height that a peer says it has.
        best: Height,
    },
    /// Peers are ahead, and all of them have pruned the block that this node needs next.
    OutOfReach {
        /// That block's height.
        next: Height,
        /// The lowest height that any of them keeps.
        lowest: Height,
    },
    /// This node is a validator's and does not vote yet: it may have voted before without knowing where.
    Fenced {
        /// From when on it votes.
        fence: Fence,
    },
    /// This node does not vote and waits for blocks of others.
    Following,
    /// The node has stopped.
    Halted(HaltReason),
}

/// How much there is of something that others can make grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Of what.
    pub what: &'static str,
    /// So much.
    pub held: usize,
    /// At most so much at any time.
    pub most: usize,
}

/// The replica at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The last committed height.
    pub head: Height,
    /// Its header's hash.
    pub head_hash: Hash,
    /// Whether this node votes on the next block.
    pub votes: bool,
    /// The round of the next height, while it runs.
    pub round: Option<Round>,
    /// The step of that round.
    pub step: Step,
    /// Votes seen in that round.
    pub seen: Vec<SeenVote>,
    /// Why there is no block right now.
    pub why_no_block: WhyNoBlock,
    /// Validators whose turn passed without a proposal, and who were not heard of since.
    pub absent: Vec<MemberId>,
    /// Connected peers, in the order of their keys.
    pub peers: Vec<SeenPeer>,
    /// Transactions that wait.
    pub pending: usize,
    /// Their bytes.
    pub pending_bytes: usize,
    /// Synced blocks that wait for their turn.
    pub buffered_blocks: usize,
    /// The last proposed block that this node did not vote for, and why.
    pub last_refused: Option<(Hash, String)>,
}
