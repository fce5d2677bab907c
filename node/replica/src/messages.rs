//! What replicas say to each other, and the bounds of each message. SCALE on the wire.
//!
//! Nothing here is believed before its signature was checked; nothing is longer than its channel allows.

use codec::{Decode, Encode};
use portolan_primitives::{
    DecodeError, Hash, Header, Height, MemberId, Round, Signature, Timestamp, VoteKind, decode_whole,
    vote::vote_message,
};

use crate::input::CertifiedBlock;
use crate::limits::{
    MAX_BLOCKS_PER_RESPONSE, MAX_CERTIFICATE_SIGNATURES, MAX_CONSENSUS_MESSAGE, MAX_GOSSIP_TRANSACTIONS,
    MAX_HASHES_PER_MESSAGE, MAX_PART_HASHES, MAX_SYNC_MESSAGE, MAX_TRANSACTIONS_MESSAGE,
};

/// A proposal signs this context and the SCALE of (chain, height, round, value, valid round).
const PROPOSAL_CONTEXT: &[u8] = b"portolan 2026 consensus proposal v1\0";
/// A part signs this context and the SCALE of (chain, part without its signature).
const PART_CONTEXT: &[u8] = b"portolan 2026 proposal part v1\0";

/// The stream that a message travels on: one must not wait behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Votes, proposals, parts: small and urgent.
    Consensus,
    /// Batches of transactions.
    Transactions,
    /// Heights and blocks.
    Sync,
}

impl Channel {
    /// Longest message, bytes. The host refuses longer ones before it allocates.
    pub fn max_bytes(self) -> usize {
        match self {
            Self::Consensus => MAX_CONSENSUS_MESSAGE,
            Self::Transactions => MAX_TRANSACTIONS_MESSAGE,
            Self::Sync => MAX_SYNC_MESSAGE,
        }
    }
}

/// A vote with its signature, over [`vote_message`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VoteMessage {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// Height.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// The block's header hash; `None`: nothing.
    pub value: Option<Hash>,
    /// Whose vote.
    pub validator: MemberId,
    /// Its signature.
    pub signature: Signature,
}

impl VoteMessage {
    /// The bytes that are signed.
    pub fn signed_bytes(&self, chain: &Hash) -> Vec<u8> {
        vote_message(chain, self.kind, self.height, self.round, self.value.as_ref())
    }
}

/// The proposer's word for the block of a round.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProposalMessage {
    /// Height.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// The block's header hash.
    pub value: Hash,
    /// The earlier round in which more than two thirds prevoted it, when it is proposed again.
    pub valid_round: Option<Round>,
    /// Whose proposal.
    pub proposer: MemberId,
    /// Its signature.
    pub signature: Signature,
}

impl ProposalMessage {
    /// The bytes that are signed.
    pub fn signed_bytes(&self, chain: &Hash) -> Vec<u8> {
        proposal_bytes(chain, self.height, self.round, &self.value, self.valid_round)
    }
}

/// The bytes that a proposal signs.
pub fn proposal_bytes(chain: &Hash, height: Height, round: Round, value: &Hash, valid_round: Option<Round>) -> Vec<u8> {
    let mut bytes = PROPOSAL_CONTEXT.to_vec();
    (chain, height, round, value, valid_round).encode_to(&mut bytes);
    bytes
}

/// What the first part of a stream fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PartBegin {
    /// Hash of the header before.
    pub parent: Hash,
    /// The block's time.
    pub time: Timestamp,
}

/// One part of a block while it is being built. The first has `begin`, the last has `end`; one part can be both.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PartContent {
    /// Height.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// Place in the stream, from 0.
    pub index: u16,
    /// In the first part.
    pub begin: Option<PartBegin>,
    /// Wire hashes of the next transactions.
    pub hashes: Vec<Hash>,
    /// In the last part: the header with all roots.
    pub end: Option<Header>,
}

impl PartContent {
    /// The bytes that the round's proposer signs.
    pub fn signed_bytes(&self, chain: &Hash) -> Vec<u8> {
        let mut bytes = PART_CONTEXT.to_vec();
        (chain, self).encode_to(&mut bytes);
        bytes
    }
}

/// A part with the signature of the round's proposer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PartMessage {
    /// What is signed.
    pub content: PartContent,
    /// The proposer's signature.
    pub signature: Signature,
}

/// More than two thirds of the prevotes of a round for one block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PolkaMessage {
    /// Height.
    pub height: Height,
    /// Round.
    pub round: Round,
    /// The block.
    pub value: Hash,
    /// Who prevoted it.
    pub signatures: Vec<(MemberId, Signature)>,
}

/// Why a round may be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RoundReason {
    /// More than a third vote in it already.
    #[codec(index = 0)]
    Skip,
    /// More than two thirds precommitted in the one before.
    #[codec(index = 1)]
    Precommit,
}

/// A vote within a round certificate.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoundVote {
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// For what.
    pub value: Option<Hash>,
    /// Whose.
    pub validator: MemberId,
    /// Its signature.
    pub signature: Signature,
}

/// The votes that justify entering a round.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RoundMessage {
    /// Height.
    pub height: Height,
    /// The round of the votes.
    pub round: Round,
    /// Why.
    pub reason: RoundReason,
    /// The votes.
    pub votes: Vec<RoundVote>,
}

/// Everything that a replica says to another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// A vote.
    #[codec(index = 0)]
    Vote(VoteMessage),
    /// A proposal.
    #[codec(index = 1)]
    Proposal(ProposalMessage),
    /// A part of the block that is being proposed.
    #[codec(index = 2)]
    Part(PartMessage),
    /// A polka.
    #[codec(index = 3)]
    Polka(PolkaMessage),
    /// The reason for a round.
    #[codec(index = 4)]
    Round(RoundMessage),
    /// Asks for the header and the list of an undecided block.
    #[codec(index = 5)]
    ListRequest {
        /// Its height.
        height: Height,
        /// Its header hash.
        block: Hash,
    },
    /// Header and list of an undecided block; the hash authenticates both.
    #[codec(index = 6)]
    List {
        /// The header.
        header: Header,
        /// The wire hashes.
        hashes: Vec<Hash>,
    },
    /// Asks for transactions of an undecided block.
    #[codec(index = 7)]
    BodiesRequest {
        /// Height of the block that needs them.
        height: Height,
        /// Which.
        hashes: Vec<Hash>,
    },
    /// Transactions that were asked for.
    #[codec(index = 8)]
    Bodies {
        /// Height of the block that needs them.
        height: Height,
        /// SCALE of each.
        transactions: Vec<Vec<u8>>,
    },
    /// Transactions that wait for a block.
    #[codec(index = 9)]
    Transactions(Vec<Vec<u8>>),
    /// The sender's last committed height.
    #[codec(index = 10)]
    Status {
        /// That height.
        height: Height,
    },
    /// Asks for decided blocks.
    #[codec(index = 11)]
    BlocksRequest {
        /// First height.
        from: Height,
        /// At most this many.
        count: u32,
    },
    /// Decided blocks, consecutive from `from`.
    #[codec(index = 12)]
    Blocks {
        /// The height that was asked for.
        from: Height,
        /// The blocks, as many as fit.
        blocks: Vec<CertifiedBlock>,
    },
    /// Answers a request for blocks that the sender keeps no longer: others are to be asked.
    #[codec(index = 13)]
    NotKept {
        /// The height that was asked for.
        from: Height,
        /// The lowest height whose block the sender keeps.
        lowest: Height,
    },
}

impl Message {
    /// The stream that it belongs on.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Vote(_)
            | Self::Proposal(_)
            | Self::Part(_)
            | Self::Polka(_)
            | Self::Round(_)
            | Self::ListRequest { .. }
            | Self::List { .. }
            | Self::BodiesRequest { .. } => Channel::Consensus,
            Self::Bodies { .. } | Self::Transactions(_) => Channel::Transactions,
            Self::Status { .. } | Self::BlocksRequest { .. } | Self::Blocks { .. } | Self::NotKept { .. } => {
                Channel::Sync
            }
        }
    }

    /// Decodes what came on `channel`: whole, on the right stream, within every bound.
    pub fn decode_checked(channel: Channel, bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: Self = decode_whole("Message", bytes, channel.max_bytes())?;
        if message.channel() != channel {
            return Err(DecodeError::OutOfBounds("the message does not belong on this stream"));
        }
        message.check_shape()?;
        Ok(message)
    }

    fn check_shape(&self) -> Result<(), DecodeError> {
        let within = match self {
            Self::Part(part) => {
                part.content.hashes.len() <= MAX_PART_HASHES
                    && part.content.begin.is_some() == (part.content.index == 0)
            }
            Self::Polka(polka) => polka.signatures.len() <= MAX_CERTIFICATE_SIGNATURES,
            Self::Round(round) => round.votes.len() <= MAX_CERTIFICATE_SIGNATURES,
            Self::List { hashes, .. } => hashes.len() <= portolan_primitives::limits::MAX_BLOCK_TRANSACTIONS,
            Self::BodiesRequest { hashes, .. } => (1..=MAX_HASHES_PER_MESSAGE).contains(&hashes.len()),
            Self::Bodies { transactions, .. } => transactions.len() <= MAX_HASHES_PER_MESSAGE,
            Self::Transactions(transactions) => (1..=MAX_GOSSIP_TRANSACTIONS).contains(&transactions.len()),
            Self::BlocksRequest { count, .. } => (1..=MAX_BLOCKS_PER_RESPONSE).contains(count),
            Self::Blocks { blocks, .. } => blocks.len() <= MAX_BLOCKS_PER_RESPONSE as usize,
            Self::NotKept { from, lowest } => from < lowest,
            Self::Vote(_) | Self::Proposal(_) | Self::ListRequest { .. } | Self::Status { .. } => true,
        };
        if within { Ok(()) } else { Err(DecodeError::OutOfBounds("the message holds more or fewer items than it may")) }
    }
}
